"""The members of a room that read what comes and count it, and the CPU time of who sends it."""

from __future__ import annotations

import contextlib
import selectors
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def cpu_s(processes: Iterable[int]) -> float:
    """Of all threads, by the scheduler's own count."""
    total = 0
    for one in processes:
        for task in Path(f"/proc/{one}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class Audience:
    """Members by their sockets, which are theirs to close; with TLS or without."""

    def __init__(self, members: list[Any]) -> None:
        self.members = members
        self.selector = selectors.DefaultSelector()
        self.total = 0  # bytes
        self.heard = bytearray()  # by the first of them
        for one in members:
            one.socket.setblocking(False)
            self.selector.register(one.socket, selectors.EVENT_READ, one)

    def read(self, timeout_s: float) -> bool:
        """Reads what is there or comes within that time; false: nothing."""
        events = self.selector.select(timeout_s)
        for key, _ in events:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                while data := key.fileobj.recv(65536):
                    self.total += len(data)
                    if key.data is self.members[0]:
                        self.heard += data
        return bool(events)

    def listen(self, publish: Callable[[int], None], count: int, rate: float) -> None:
        """Has `count` messages published on a schedule, and reads until nothing more comes: also no pings."""
        began = time.monotonic()
        for n in range(count):
            publish(n)
            until = began + (n + 1) / rate
            while (left := until - time.monotonic()) > 0:
                self.read(left)
        while self.read(1.0):
            pass
