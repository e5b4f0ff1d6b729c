"""Attacks by those who are in: who says too much, who reads too little; and who must not suffer."""

from __future__ import annotations

import select
import time

from herd import Held, Herd, Talker, join
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, Pace, Target, frame, request

MARKET = "/ws/market"  # where the flood and the bystanders are

# -- floods ----------------------------------------------------------------------------------------

START = frame(BINARY, fin=False)
FLOODS = {
    # What is said over and over, where, and what is said once before.
    "large": (frame(BINARY, b"z" * 65_536) * 4, MARKET + "?echo=false", b""),
    "small": (frame(TEXT, b"x") * 3000, "", b""),
    "empty": (frame(TEXT) * 3000, "", b""),
    "pings": (frame(PING, b"?" * 20) * 2000, "", b""),
    "pongs": (frame(PONG) * 3000, "", b""),
    "fragments": (frame(CONTINUATION, fin=False) * 3000, "", START),
}
RETURN_S = 0.5


def flood(target: Target) -> None:
    """As much of everything as the server takes."""
    talkers: dict[str, Talker | None] = dict.fromkeys(FLOODS)
    due = dict.fromkeys(FLOODS, 0.0)
    while True:
        for kind, (data, path, first) in FLOODS.items():
            talker = talkers[kind]
            if talker is None:
                if time.monotonic() >= due[kind]:
                    talkers[kind] = _start(target, path or f"/ws/{target.new_name()}", first)
                    due[kind] = time.monotonic() + RETURN_S
                continue
            sent = talker.say(data)
            target.tally[f"{kind} bytes"] += sent
            target.tally["bytes"] += sent
            talker.read()
            if talker.is_over:
                target.tally[f"{kind} ended by the server"] += 1
                talker.close()
                talkers[kind] = None
        _wait_for_room([t for t in talkers.values() if t])


def _start(target: Target, path: str, first: bytes) -> Talker | None:
    talker = join(target, path)
    if talker and first:
        talker.say(first)
    return talker


def _wait_for_room(talkers: list[Talker]) -> None:
    select.select([], [t.socket for t in talkers], [], 0.02)
    time.sleep(0.001)


# -- bystanders ------------------------------------------------------------------------------------

BYSTANDERS = 20
BYTES_A_SECOND = 2_500_000  # 20 Mbit/s each
TICK_S = 0.01


def bystanders(target: Target) -> None:
    """Honest, though not fast: members of the room that is flooded."""
    members = [m for _ in range(BYSTANDERS) if (m := join(target, MARKET, receive_buffer=65_536))]
    target.tally["bystanders"] = len(members)
    due = time.monotonic()
    while True:
        due = max(due + TICK_S, time.monotonic())
        for member in list(members):
            target.tally["bystanders read"] += member.read(int(BYTES_A_SECOND * TICK_S))
            if member.is_over:
                target.tally["bystanders closed"] += 1
                members.remove(member)
        target.rest(max(0.0, due - time.monotonic()))


# -- a byte at a time ------------------------------------------------------------------------------

TRICKLERS = 150
STEP_S = 0.02
NEWS = frame(BINARY, b"n" * 1000)
DRIBBLE = frame(TEXT, b"a message that comes a byte at a time")


def trickle(target: Target) -> None:
    """Members that read a byte at a time, and say what they say a byte at a time."""
    path = f"/ws/{target.new_name()}"
    herd = Herd(target, TRICKLERS, lambda _: request(path), 1000, deaf=True)
    publisher = join(target, path + "?echo=false")
    pace = Pace(40)
    while True:
        herd.tend()
        for _ in range(pace.due()):
            if publisher and not publisher.is_over:
                publisher.say(NEWS)
        for held in herd:
            _one_byte(target, held)
        target.rest(STEP_S)


def _one_byte(target: Target, held: Held) -> None:
    at = held.steps % len(DRIBBLE)
    try:
        target.tally["bytes read"] += len(held.socket.recv(1))
        held.steps += held.socket.send(DRIBBLE[at : at + 1])
    except OSError:
        pass
