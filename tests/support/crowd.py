"""Connections that do nothing useful, many and for long: renewed wherever the server ends them."""

from __future__ import annotations

import resource
import select
import socket
import threading
import time
from types import TracebackType

DRIP_EVERY_S = 0.3


def allow_many_files() -> None:
    """Raises the limit of open files of this process as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Crowd:
    """`with Crowd(port, 600):` keeps as many connections, or tries to.

    Each sends `first`, then `drip` again and again. At most `rate` come a second: it is to have places, not
    to take the machine's time.
    """

    def __init__(
        self, port: int, count: int, first: bytes = b"", drip: bytes = b"", rate: float = 400.0
    ) -> None:
        allow_many_files()
        self.ended = 0  # by the server
        self.most = 0  # at once
        self._port, self._count, self._first, self._drip = port, count, first, drip
        self._pause_s = 1 / rate
        self._open: dict[int, socket.socket] = {}
        self._events = select.epoll()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        for one in self._open.values():
            one.close()
        self._events.close()

    def is_complete(self) -> bool:
        """As many have come as it is to have, though some may have been ended."""
        return self.ended + len(self._open) >= self._count

    def _run(self) -> None:
        next_drip = time.monotonic() + DRIP_EVERY_S
        while not self._is_over.wait(self._pause_s):
            for descriptor, _ in self._events.poll(0):
                self._look_at(descriptor)
            if len(self._open) < self._count:
                self._add()
            self.most = max(self.most, len(self._open))
            if self._drip and time.monotonic() >= next_drip:
                next_drip = time.monotonic() + DRIP_EVERY_S
                for descriptor in list(self._open):
                    self._send(descriptor, self._drip)

    def _add(self) -> None:
        one = socket.socket()
        one.settimeout(0.5)
        try:
            one.connect(("127.0.0.1", self._port))
        except OSError:
            one.close()
            return
        one.setblocking(False)
        self._open[one.fileno()] = one
        self._events.register(one, select.EPOLLIN)
        self._send(one.fileno(), self._first)

    def _send(self, descriptor: int, data: bytes) -> None:
        try:
            if data:
                self._open[descriptor].send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._end(descriptor)

    def _look_at(self, descriptor: int) -> None:
        try:
            is_over = not self._open[descriptor].recv(65536)
        except BlockingIOError:
            is_over = False
        except OSError:
            is_over = True
        if is_over:
            self._end(descriptor)

    def _end(self, descriptor: int) -> None:
        self._events.unregister(descriptor)
        self._open.pop(descriptor).close()
        self.ended += 1
