"""What attackers say, byte by byte, and the sockets that they say it on. Standard library only."""

from __future__ import annotations

import os
import random
import socket
import struct
import time
from collections import Counter

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONNECT_TIMEOUT_S = 1.0
IP_BIND_ADDRESS_NO_PORT = 24
SMALL_SEGMENT = 536  # the kernel then keeps little for the peer, in both directions
SMALL_BUFFER = 2048
RESET = struct.pack("ii", 1, 0)


def request(path: str, *headers: str) -> bytes:
    """Opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: c2l4dGVlbiBieXRlIGtleQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame_head(opcode: int, length: int, fin: bool = True) -> bytes:
    first = (0x80 if fin else 0) | opcode
    if length < 126:
        head = struct.pack(">BB", first, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, length)
    return head + bytes(4)  # a mask of zeros: the payload goes out as it is


def frame(opcode: int, payload: bytes = b"", fin: bool = True) -> bytes:
    return frame_head(opcode, len(payload), fin) + payload


GOODBYE = frame(CLOSE, struct.pack(">H", 1000))


class Target:
    """A node, and what became of what was done to it."""

    def __init__(self, port: int, number: int) -> None:
        self.port, self.number = port, number
        self.tally: Counter[str] = Counter()
        self.chance = random.Random(number)
        self._made = 0

    def connect(self, deaf: bool = False, receive_buffer: int = 0) -> socket.socket | None:
        """A TCP connection that does not block. `deaf`: nothing hides in buffers of the kernel."""
        s = socket.socket()
        try:
            s.settimeout(CONNECT_TIMEOUT_S)
            if deaf:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
            if deaf or receive_buffer:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer or SMALL_BUFFER)
            s.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            s.bind((self._source(), 0))
            s.connect(("127.0.0.1", self.port))
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.setblocking(False)
        except OSError:
            self.tally["unreachable"] += 1
            s.close()
            return None
        self.tally["opened"] += 1
        return s

    def _source(self) -> str:
        """Addresses by turns, since one has ports for 28,000 connections only."""
        self._made += 1
        return f"127.{16 + self.number % 64}.0.{1 + self._made % 8}"

    def new_name(self) -> str:
        """A room that never was."""
        return f"{os.getpid():x}.{self.chance.getrandbits(64):x}"

    def say(self, s: socket.socket, data: bytes) -> bool:
        """All at once, which fits into the buffers of a socket that has said nothing before."""
        try:
            sent = s.send(data)
        except OSError:
            return False
        self.tally["bytes"] += sent
        return sent == len(data)

    @staticmethod
    def rest(seconds: float) -> None:
        time.sleep(seconds)


def reset(s: socket.socket) -> None:
    """Ends it at once, and leaves no port in TIME_WAIT."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


class Pace:
    """So many a second. What could not be done in time is not made up for."""

    def __init__(self, a_second: float) -> None:
        self._a_second = a_second
        self._last = time.monotonic()
        self._saved = 1.0

    def due(self) -> int:
        """How many may be done now."""
        now = time.monotonic()
        self._saved += (now - self._last) * self._a_second
        self._last = now
        whole = int(self._saved)
        self._saved = min(self._saved - whole, 1.0)
        return min(whole, max(1, int(self._a_second / 10)))
