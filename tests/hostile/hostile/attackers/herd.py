"""Connections in numbers: held, counted, and opened anew where the server ends them."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wire import Pace, Target, request, reset

ENDED = select.EPOLLRDHUP  # the kernel tells of errors and hang-ups in any case


@dataclass
class Held:
    """One of them. `steps` is for whoever uses the herd."""

    socket: socket.socket
    number: int
    born: float
    steps: int = 0


class Herd:
    """Says its opening on each connection and reads nothing. Not more than `size` at a time."""

    def __init__(
        self,
        target: Target,
        size: int,
        opening: Callable[[int], bytes],
        a_second: float,
        deaf: bool = False,
        lifetime_s: float = 0,  # then they are ended from here
    ) -> None:
        self._target, self._size, self._opening = target, size, opening
        self._pace, self._deaf, self._lifetime_s = Pace(a_second), deaf, lifetime_s
        self._epoll = select.epoll()
        self._held: dict[int, Held] = {}  # by descriptor, the oldest first
        self._opened = 0

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held.values()))

    @property
    def is_full(self) -> bool:
        return len(self._held) >= self._size

    def tend(self) -> None:
        for descriptor, _ in self._epoll.poll(0, 512):
            self._bury(self._held.pop(descriptor))
        now = time.monotonic()
        while self._lifetime_s and self._held:
            oldest = next(iter(self._held.values()))
            if now - oldest.born < self._lifetime_s:
                break
            del self._held[oldest.socket.fileno()]
            reset(oldest.socket)
        for _ in range(min(self._pace.due(), self._size - len(self._held))):
            self._open(now)

    def _open(self, now: float) -> None:
        s = self._target.connect(self._deaf)
        if s is None:
            return
        self._opened += 1
        if opening := self._opening(self._opened):
            self._target.say(s, opening)
        self._held[s.fileno()] = Held(s, self._opened, now)
        self._epoll.register(s.fileno(), ENDED)

    def _bury(self, held: Held) -> None:
        self._target.tally["ended by the server"] += 1
        try:
            answer = held.socket.recv(12, socket.MSG_PEEK)
        except OSError:
            answer = b""
        if answer == b"HTTP/1.1 503":
            self._target.tally["refused with 503"] += 1
        reset(held.socket)


class Talker:
    """One connection that says more than its socket takes, and reads or does not."""

    def __init__(self, s: socket.socket) -> None:
        self.socket = s
        self.got = 0
        self.is_over = False
        self._rest = memoryview(b"")

    def say(self, data: bytes) -> int:
        """Goes on with what was begun; only then with this. How much went out."""
        sent = 0
        if not self._rest:
            self._rest = memoryview(data)
        try:
            while self._rest and not self.is_over:
                n = self.socket.send(self._rest)
                self._rest = self._rest[n:]
                sent += n
        except BlockingIOError:
            pass
        except OSError:
            self.is_over = True
        return sent

    @property
    def is_through(self) -> bool:
        return not self._rest

    def read(self, most: int = 1 << 18) -> int:
        """At most so many bytes, of what is there."""
        try:
            n = len(self.socket.recv(most))
        except BlockingIOError:
            return 0
        except OSError:
            n = 0
        if n == 0:
            self.is_over = True
        self.got += n
        return n

    def close(self) -> None:
        reset(self.socket)


def join(target: Target, path: str, deaf: bool = False, receive_buffer: int = 0) -> Talker | None:
    """A member, after its 101; None where it is not let in. Who is deaf does not wait for it."""
    s = target.connect(deaf, receive_buffer)
    if s is None:
        return None
    target.say(s, request(path))
    if deaf:
        return Talker(s)
    s.settimeout(2.0)
    head = b""
    try:
        while b"\r\n\r\n" not in head:
            more = s.recv(1)
            if not more:
                break
            head += more
    except OSError:
        head = b""
    if b" 101 " not in head.split(b"\r\n")[0]:
        target.tally["refused"] += 1
        s.close()
        return None
    s.setblocking(False)
    return Talker(s)
