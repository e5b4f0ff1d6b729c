"""WebSocket clients that say who they are, and count what comes."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import threading
import time

from harness.process import Failure

MARK = b"scale-mark"
PATIENCE_S = 60
OPENING = (
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def payload(size: int) -> bytes:
    """A message that has the mark once."""
    return MARK + b"." * (size - len(MARK))


def text_frame(words: bytes) -> bytes:
    """Masked with zeros, so that the words stay as they are."""
    size = len(words)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
    return b"\x81" + length + bytes(4) + words


class Crowd:
    """All members; one thread reads them, another opens and closes them."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.arrived = 0
        self.bytes_read = 0
        self.tails: dict[int, bytes] = {}
        self.lock = threading.Lock()
        self.is_over = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def join_all(
        self, wanted: list[tuple[int, str, str]], at_a_time: int = 16
    ) -> list[socket.socket]:
        """Members when their 101 has come: of the node at a port, in a room, with a name."""
        members: list[socket.socket] = []
        for first in range(0, len(wanted), at_a_time):
            some = []
            for port, room, user in wanted[first : first + at_a_time]:
                link = socket.create_connection(("127.0.0.1", port), 10)
                link.sendall(f"GET /ws/{room}?user={user} HTTP/1.1\r\n{OPENING}\r\n".encode())
                some.append(link)
            for link in some:
                self._await_opening(link)
            members += some
        return members

    def _await_opening(self, link: socket.socket) -> None:
        link.settimeout(PATIENCE_S)
        head = b""
        while b"\r\n\r\n" not in head:
            more = link.recv(4096)
            if not more:
                raise Failure("a connection was closed in its handshake")
            head += more
        if not head.startswith(b"HTTP/1.1 101"):
            raise Failure(head.partition(b"\r\n")[0].decode())
        link.setblocking(False)
        with self.lock:
            self.tails[link.fileno()] = b""
            self.selector.register(link, selectors.EVENT_READ)

    def leave(self, members: list[socket.socket]) -> None:
        for link in members:
            with self.lock:
                self.selector.unregister(link)
                del self.tails[link.fileno()]
            link.close()

    def publish(self, member: socket.socket, words: bytes) -> None:
        member.sendall(text_frame(words))  # the socket's buffer is never full here

    def wait_for(self, total: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.arrived < total:
            if time.monotonic() > deadline:
                raise Failure(f"{self.arrived} of {total} messages have come")
            time.sleep(0.005)

    def _read(self) -> None:
        while not self.is_over:
            ready = self.selector.select(0.1)
            with self.lock:
                for key, _ in ready:
                    self._take(key.fileobj)

    def _take(self, link: socket.socket) -> None:
        if link.fileno() not in self.tails:
            return  # it left meanwhile
        try:
            words = link.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            words = b""
        if not words:
            self.selector.unregister(link)
            return
        self.bytes_read += len(words)
        together = self.tails[link.fileno()] + words
        self.arrived += together.count(MARK)
        self.tails[link.fileno()] = together[1 - len(MARK) :]

    def close(self) -> None:
        self.is_over = True
        self.reader.join()
        for key in list(self.selector.get_map().values()):
            os.close(key.fd)
            key.fileobj.detach()
        self.selector.close()
