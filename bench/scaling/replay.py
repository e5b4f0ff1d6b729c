"""Clusters too large for this machine, played on a real Redis: the calls that their nodes make, without the nodes.

What Redis pays for a call depends on what is in it (leases, members, subscribers), not on who made that. So the
scripts of cluster/rooms/scripts run here on what 10, 100 or 1,000 nodes would have put there.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from .fit import Line, line_through
from .redis_link import Counts, RedisLink, Word, counts_of, packed
from .scripts import Script

NODES = (10, 100, 1000)
PARTITION = "canang:{p00}:"
LEASE_MS, INTERVAL_MS = 10_000, 2_000
FAR_MS = 4_000_000_000_000  # a lease that does not end
ROOMS_A_CHECK = (1, 16, 64)
CHANNELS = 20_000
SUBSCRIBERS_OF_CHANNELS = 4
NAMES_A_COMMAND = 500
TTL_MS = 600_000
ROUNDS = 5
STREAMS = 100
QUIET_CALLS = 200
PAGE = 512  # members of a look
PARTS = (
    "leases",
    "fan_out",
    "subscriptions",
    "positions",
    "look",
    "told_anew",
    "kept_memory",
)
ENVELOPE = 16 + 13  # before a batch, and before each publication of it: cluster/envelope.hpp


def node_name(number: int) -> str:
    return f"node{number:06d}"  # as long as real ones


def described(size: int, number: int) -> str:
    return f'{{"id":"{node_name(number)}"'.ljust(size - 1, " ") + "}"


class Replay:
    def __init__(self, port: int, description: float) -> None:
        self.port = port
        self.link = RedisLink(port)
        self.description = round(description)

    def close(self) -> None:
        self.link.close()

    def used(self, commands: list[list[Word]], at_a_time: int = 64) -> Counts:
        """Of as many rounds of them the one with the least CPU: what else the machine does only adds to that."""
        return min((self._once(commands, at_a_time) for _ in range(ROUNDS)), key=lambda c: c.cpu_s)

    def _once(self, commands: list[list[Word]], at_a_time: int) -> Counts:
        before = counts_of(self.link)
        self.link.pipeline(commands, at_a_time)
        return counts_of(self.link) - before

    def fresh(self) -> None:
        self.link("FLUSHALL")

    # --- leases

    def leases(self) -> dict[str, Line | float]:
        """Of one renewal, by the number of nodes: where it tells of all of them, and where it does not."""
        telling, plain, size, memory = {}, {}, {}, {}
        for count in NODES:
            self.fresh()
            empty = counts_of(self.link).memory
            script = Script(self.link, "lease")
            self._register(count)
            memory[count] = counts_of(self.link).memory - empty
            calls = max(20, 1000 // count)
            tells = self.used([self._renewal(script, i % count, True) for i in range(calls)])
            self._register(count)  # none has lapsed: whoever renews would be told of it
            quiet = self.used([self._renewal(script, i % count, False) for i in range(QUIET_CALLS)])
            telling[count] = tells.cpu_s * 1e6 / calls
            size[count] = tells.bytes_out / calls
            plain[count] = quiet.cpu_s * 1e6 / QUIET_CALLS
        return {
            "telling_us": line_through(telling),
            "telling_out": line_through(size),
            "lease_us": median(plain.values()),  # it looks at its own lease and the last one
            "memory": line_through(memory),
        }

    def _register(self, count: int) -> None:
        ends = int(time.time() * 1000) + LEASE_MS
        commands: list[list[Word]] = []
        for i in range(count):
            told = described(self.description, i)
            commands.append(["ZADD", f"{PARTITION}nodes:leases", ends, node_name(i)])
            commands.append(["HSET", f"{PARTITION}nodes:info", node_name(i), told])
        self.link.pipeline(commands)

    def _renewal(self, script: Script, number: int, tells: bool) -> list[Word]:
        node = node_name(number)
        names = ("nodes:leases", "nodes:info", f"taken:{node}", "nodes:back")
        told = described(self.description, number) if tells else ""
        return script.call([PARTITION + n for n in names], [node, LEASE_MS, told, INTERVAL_MS])

    # --- publications and subscriptions

    def fan_out(self) -> Line:
        """CPU of Redis, by the number of links that get one message that comes alone."""
        found = {}
        for count in NODES:
            with self.subscribers(count, [b"fan"]):
                times = max(20, 1000 // count)
                used = self.used([["PUBLISH", "fan", b"." * 160]] * times, at_a_time=1)
                found[count] = used.cpu_s * 1e6 / times
        return line_through(found)

    @contextmanager
    def subscribers(self, count: int, channels: list[bytes]) -> Iterator[list[socket.socket]]:
        links = [socket.create_connection(("127.0.0.1", self.port), 10) for _ in range(count)]
        try:
            for link in links:
                subscribe(link, channels)
            yield links
        finally:
            for link in links:
                link.close()

    def subscriptions(self) -> dict[str, float]:
        """Of one channel that is subscribed to: the first time, and by one more node."""
        self.fresh()
        channels = [b"canang:{p00}:c:room-%06d" % i for i in range(CHANNELS)]
        steps = []
        links = []
        try:
            for _ in range(SUBSCRIBERS_OF_CHANNELS):
                links.append(socket.create_connection(("127.0.0.1", self.port), 10))
                before = counts_of(self.link)
                subscribe(links[-1], channels)
                steps.append(counts_of(self.link) - before)
        finally:
            for link in links:
                link.close()
        more = steps[1:]
        return {
            "first_us": steps[0].cpu_s * 1e6 / CHANNELS,
            "first_memory": steps[0].memory / CHANNELS,
            "more_us": sum(s.cpu_s for s in more) * 1e6 / CHANNELS / len(more),
            "more_memory": sum(s.memory for s in more) / CHANNELS / len(more),
            "out": steps[0].bytes_out / CHANNELS,
            "in": steps[0].bytes_in / CHANNELS,
        }

    def kept_memory(self) -> Line:
        """Memory of a room's history, by how many publications of 64 bytes are kept."""
        found = {}
        for kept in (1, 16, 128):
            self.fresh()
            before = counts_of(self.link).memory
            for room in range(STREAMS):
                key = f"{PARTITION}s:room-{room:06d}"
                batch = b"." * (64 + ENVELOPE)
                entries = [["XADD", key, f"{i}-0", "b", batch] for i in range(1, kept + 1)]
                self.link.pipeline([*entries, ["PEXPIRE", key, TTL_MS]])
            found[kept] = (counts_of(self.link).memory - before) / STREAMS
        return line_through(found)

    # --- rooms

    def positions(self) -> dict[str, Line]:
        """A look at where so many rooms stand, by their number."""
        self.fresh()
        script = Script(self.link, "positions")
        keys = [f"{PARTITION}{kind}:room-{i}" for i in range(max(ROOMS_A_CHECK)) for kind in "ms"]
        cpu, received, sent = {}, {}, {}
        for rooms in ROOMS_A_CHECK:
            call = script.call(keys[: 2 * rooms], ["epoch", "1", TTL_MS, node_name(1)])
            self.link(*call)
            times = 1000 // rooms
            used = self.used([call] * times)
            cpu[rooms] = used.cpu_s * 1e6 / times
            received[rooms], sent[rooms] = used.bytes_in / times, used.bytes_out / times
        lines = {"cpu_us": cpu, "in": received, "out": sent}
        return {name: line_through(points) for name, points in lines.items()}

    def look(self) -> Line:
        """CPU of a whole look at who is in a room, as a node takes it that comes back to Redis, by the members."""
        found = {}
        for members in (10, 1000, 5000, 20_000):
            self.fresh()
            script = Script(self.link, "presence")
            self.link("ZADD", f"{PARTITION}nodes:leases", FAR_MS, node_name(1))
            fields = [(f"{node_name(2)}/{i}", f"user-{i}") for i in range(members)]
            self.link.pipeline([["HSET", f"{PARTITION}p:room", *field] for field in fields])
            if members < PAGE:  # in one call, and nodes send those of many rooms together
                calls = [self._presence(script, 1, b"0", [])] * 100
                found[members] = self.used(calls).cpu_s * 1e6 / len(calls)
                continue
            rounds = [self._look(script, first * members) for first in range(ROUNDS)]
            found[members] = min(rounds) * 1e6
        return line_through(found)

    def _look(self, script: Script, first: int) -> float:
        before, cursor, number = counts_of(self.link), b"0", first
        while cursor != b"0" or number == first:
            number += 1
            cursor = self.link(*self._presence(script, number, cursor, []))[1]
        return (counts_of(self.link) - before).cpu_s

    def told_anew(self) -> Line:
        """CPU of telling so many members of a room again, by their number."""
        found = {}
        for members in (1, 64, 512):
            self.fresh()
            script = Script(self.link, "presence")
            self.link("ZADD", f"{PARTITION}nodes:leases", FAR_MS, node_name(1))
            changes: list[Word] = []
            for i in range(members):
                changes += [i, f"user-{i}", "=", ""]
            times = max(4, 200 // members)
            calls = [self._presence(script, i + 1, b"", changes) for i in range(times)]
            self.link.pipeline(calls)
            found[members] = self.used(calls).cpu_s * 1e6 / times
        return line_through(found)

    def _presence(
        self, script: Script, number: int, cursor: bytes, changes: list[Word]
    ) -> list[Word]:
        node = node_name(1)
        names = ("m:room", "s:room", "v:room", "p:room", "n:room", "u:room", "g:room", f"r:{node}")
        more = (f"a:{node}:room", "nodes:leases", f"taken:{node}")
        of_room: list[Word] = ["channel", "epoch", "1", 128, 128, TTL_MS, TTL_MS]
        own: list[Word] = [node, "room", 1, "", number, number, cursor, PAGE, ""]
        return script.call([PARTITION + n for n in (*names, *more)], [*of_room, *own, *changes])


def subscribe(link: socket.socket, channels: list[bytes]) -> None:
    """As a node does, so many in a command; returns when all are confirmed."""
    for first in range(0, len(channels), NAMES_A_COMMAND):
        some = channels[first : first + NAMES_A_COMMAND]
        link.sendall(packed([b"SUBSCRIBE", *some]))
        left = len(some) * 4  # lines that begin an element: *3, $9, $N, :N
        tail = b""
        while left > 0:
            words = tail + link.recv(1 << 16)
            lines = words.split(b"\r\n")
            tail = lines.pop()
            left -= sum(line[:1] in (b"*", b"$", b":") for line in lines)


def replay(port: int, description: float) -> dict[str, object]:
    """All of it, on a Redis of its own."""
    played = Replay(port, description)
    try:
        return {
            name: getattr(played, name)()
            for name in PARTS
        }
    finally:
        played.close()
