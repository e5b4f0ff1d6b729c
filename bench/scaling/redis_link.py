"""A small client of Redis, and what a Redis counts of itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Word = str | bytes | int


def packed(words: Iterable[Word]) -> bytes:
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class RedisLink:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", 1 << 16)

    def close(self) -> None:
        self.reader.close()
        self.socket.close()

    def __call__(self, *words: Word) -> Any:
        self.socket.sendall(packed(words))
        return self._checked()

    def pipeline(self, commands: list[list[Word]], at_a_time: int = 200) -> None:
        for first in range(0, len(commands), at_a_time):
            some = commands[first : first + at_a_time]
            self.socket.sendall(b"".join(map(packed, some)))
            for _ in some:
                self._checked()

    def _checked(self) -> Any:
        reply = self._reply()
        if isinstance(reply, RuntimeError):
            raise reply
        return reply

    def _reply(self) -> Any:
        line = self.reader.readline()
        if not line:
            raise ConnectionError("Redis has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return RuntimeError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self.reader.read(size + 2)[:-2]
        return [self._reply() for _ in range(size)]


@dataclass
class Counts:
    """Of a Redis: totals at a moment, or what came between two."""

    time_s: float
    cpu_s: float  # of the thread that executes commands, reading and writing included
    scripts: int
    script_s: float  # the share of the time that scripts took
    bytes_in: int
    bytes_out: int
    memory: int  # at the moment, or by how much it grew

    def __sub__(self, before: Counts) -> Counts:
        return Counts(*(a - b for a, b in zip(self.values(), before.values(), strict=True)))

    def less(self, a_second: Counts | None) -> Counts:
        """Without what would have come anyway: `a_second` is an earlier difference."""
        if a_second is None:
            return self
        times = self.time_s / a_second.time_s
        own, usual = self.values(), a_second.values()
        rest = (a - b * times for a, b in zip(own[1:-1], usual[1:-1], strict=True))
        return Counts(own[0], *rest, own[-1])

    def halfway_to(self, other: Counts) -> Counts:
        """What came in a second, between this and the other."""
        own, others = self.values(), other.values()
        times = self.time_s / other.time_s
        rest = ((a + b * times) / 2 for a, b in zip(own[1:], others[1:], strict=True))
        return Counts(self.time_s, *rest)

    def values(self) -> list[float]:
        return list(vars(self).values())


def counts_of(link: RedisLink) -> Counts:
    facts: dict[str, str] = {}
    for section in ("cpu", "stats", "memory", "commandstats"):
        for line in link("INFO", section).decode().splitlines():
            name, found, value = line.partition(":")
            if found:
                facts[name] = value
    scripts = dict(
        item.split("=") for item in facts.get("cmdstat_evalsha", "calls=0,usec=0").split(",")
    )
    return Counts(
        time_s=time.monotonic(),
        cpu_s=sum(float(facts[f"used_cpu_{kind}_main_thread"]) for kind in ("user", "sys")),
        scripts=int(scripts["calls"]),
        script_s=int(scripts["usec"]) / 1e6,
        bytes_in=int(facts["total_net_input_bytes"]),
        bytes_out=int(facts["total_net_output_bytes"]),
        memory=int(facts["used_memory"]),
    )
