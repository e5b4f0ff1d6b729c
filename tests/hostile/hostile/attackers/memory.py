"""Attacks on the node's memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice

from herd import Herd, Talker, join
from wire import BINARY, CONTINUATION, GOODBYE, TEXT, Pace, Target, frame, frame_head, request

# -- joiners that ask for a full history and do not read it ----------------------------------------

FULL_ROOMS = 4
JOINERS = 300
PUBLICATIONS = 8
ESCAPED = b"\x01" * 65_000  # JSON takes six bytes for each


def unread_histories(target: Target) -> None:
    """A request of 170 bytes asks for three megabytes."""
    paths = [f"/ws/{target.new_name()}" for _ in range(FULL_ROOMS)]
    writers = [writer for path in paths if (writer := join(target, path))]
    for writer in writers:
        _fill(target, writer)
    openings = [request(f"{path}?meta=true&history=128") for path in paths]
    herd = Herd(target, JOINERS, lambda n: openings[n % FULL_ROOMS], 400, deaf=True)
    while True:
        herd.tend()
        for writer in writers:
            writer.read()
        target.rest(0.005)


def _fill(target: Target, writer: Talker) -> None:
    """Until the history is full, as what comes back shows."""
    for _ in range(PUBLICATIONS):
        expected = writer.got + len(ESCAPED)
        writer.say(frame(TEXT, ESCAPED))
        for _ in range(1000):
            writer.say(b"")
            if writer.is_over or writer.read() and writer.got >= expected:
                break
            target.rest(0.001)
    target.tally["histories filled"] += not writer.is_over


# -- members that do not read, while small and large messages pass ---------------------------------

PAIRS = 8
LARGE = frame(BINARY, b"L" * 65_000) * 3
TINY = frame(TEXT, b"t")
PLUG = frame(BINARY, b"f" * 16_000)
PLUGS = 24  # more than the kernel keeps for one that does not read


@dataclass
class _Pair:
    """`deaf` publishes large messages that it does not get itself. `other` publishes tiny ones,
    which wait for `deaf`, each in a buffer that was made for what came with it."""

    deaf: Talker
    other: Talker
    plugs: int = 0

    def step(self, target: Target) -> None:
        self.other.read(1 << 20)
        if not self.other.is_through:
            self.other.say(b"")
        elif self.plugs < PLUGS:
            self.plugs += 1
            target.tally["bytes"] += self.other.say(PLUG)
        elif self.deaf.is_through:
            self.other.say(TINY)
            target.tally["bytes"] += self.deaf.say(LARGE)
            self.other.say(TINY)
        else:
            target.tally["bytes"] += self.deaf.say(b"")

    @property
    def is_over(self) -> bool:
        return self.deaf.is_over or self.other.is_over

    def close(self) -> None:
        self.deaf.close()
        self.other.close()


def pinned_buffers(target: Target) -> None:
    """Few bytes wait, and hold many."""
    pairs: list[_Pair] = []
    while True:
        while len(pairs) < PAIRS and (pair := _new_pair(target)):
            pairs.append(pair)
        for pair in pairs:
            pair.step(target)
        for pair in [pair for pair in pairs if pair.is_over]:
            target.tally["ended by the server"] += 1
            pair.close()
            pairs.remove(pair)
        target.rest(0.001)


def _new_pair(target: Target) -> _Pair | None:
    path = f"/ws/{target.new_name()}"
    deaf = join(target, path + "?echo=false", deaf=True)
    other = join(target, path)
    if deaf and other:
        return _Pair(deaf, other)
    for one in (deaf, other):
        if one:
            one.close()
    return None


# -- messages that never end -----------------------------------------------------------------------

LONGEST = 65_536
FIRST_PART = 17_500  # a server that takes memory in steps of 64 KiB has taken that by now
PIECE = 12_000
PIECES = 4
PIECES_A_SECOND = 4000  # four processes send 190 MB/s: much to read, but not all that can be read
PARTIES = 1100
AFTER_S = 0.8


def unfinished_messages(target: Target) -> None:
    """All but the end of the longest message, of many clients, in one piece or in fragments."""
    asks = [request(f"/ws/{target.new_name()}?echo=false") for _ in range(20)]
    # By whether the client's number is odd.
    part = bytes(FIRST_PART)
    begin = [frame_head(BINARY, LONGEST) + part, frame(BINARY, part, fin=False)]
    more = [bytes(PIECE), frame(CONTINUATION, bytes(PIECE), fin=False)]

    herd = Herd(target, PARTIES, lambda n: asks[n % len(asks)] + begin[n % 2], 1500)
    pace = Pace(PIECES_A_SECOND)
    while True:
        herd.tend()
        now = time.monotonic()
        # Most of it only now: admission looks at those who come.
        ready = (h for h in herd if h.steps < PIECES and now - h.born > AFTER_S)
        for held in islice(ready, pace.due()):
            held.steps += 1
            target.say(held.socket, more[held.number % 2])
        target.rest(0.005)


# -- rooms without end -----------------------------------------------------------------------------

# A second and process: 3 x 600 rooms with 128 messages each are much for a node, but not all that
# its loops can do. With all of it everybody waits, see docs/guarantees.md.
ROOMS_A_SECOND = 600
EMPTY_MESSAGES = 128
PASSERS = 200


def endless_rooms(target: Target) -> None:
    """Ever new rooms, each with a history of messages without a byte."""
    talk = frame(TEXT) * EMPTY_MESSAGES + GOODBYE
    herd = Herd(
        target,
        PASSERS,
        lambda _: request(f"/ws/{target.new_name()}?echo=false") + talk,
        ROOMS_A_SECOND,
        lifetime_s=2.0,
    )
    while True:
        herd.tend()
        target.rest(0.002)
