"""A WebSocket client on a bare socket, for everything that a proper library refuses to send.

What the *server* sends is checked strictly (RFC 6455 section 5): no mask, no reserved bits,
minimal lengths, short unfragmented control frames.
"""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = base64.b64encode(b"sixteen byte key").decode()
ACCEPT = base64.b64encode(
    hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
).decode()
TIMEOUT_S = 5.0


class Ended(Exception):
    """The server closed the TCP connection, in an orderly way or with a reset."""


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True

    @property
    def close_code(self) -> int | None:
        assert self.opcode == CLOSE
        return struct.unpack(">H", self.payload[:2])[0] if self.payload else None

    @property
    def close_reason(self) -> str:
        assert self.opcode == CLOSE
        return self.payload[2:].decode()


def apply_mask(payload: bytes, key: bytes) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def frame_head(
    opcode: int,
    length: int,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x5a\xa5\x0f\xf0",
    length_bits: int | None = None,
) -> bytes:
    """The bytes before the payload. `length_bits` forces the 7, 16 or 64-bit form."""
    if length_bits is None:
        length_bits = 7 if length < 126 else 16 if length < 1 << 16 else 64
    masked = 0x80 if mask is not None else 0
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if length_bits == 7:
        head = struct.pack(">BB", first, masked | length)
    elif length_bits == 16:
        head = struct.pack(">BBH", first, masked | 126, length)
    else:
        head = struct.pack(">BBQ", first, masked | 127, length)
    return head + (mask or b"")


def frame(opcode: int, payload: bytes | str = b"", **head) -> bytes:
    """A whole frame, masked unless `mask=None`. Options as in `frame_head`."""
    data = payload.encode() if isinstance(payload, str) else payload
    mask = head.get("mask", b"\x5a\xa5\x0f\xf0")
    sent = apply_mask(data, mask) if mask is not None else data
    return frame_head(opcode, len(data), **head) + sent


def close_frame(code: int, reason: bytes | str = b"") -> bytes:
    data = reason.encode() if isinstance(reason, str) else reason
    return frame(CLOSE, struct.pack(">H", code) + data)


def request_head(
    path: str = "/ws",
    *,
    method: str = "GET",
    version: str = "HTTP/1.1",
    without: tuple[str, ...] = (),
    **changes: str,
) -> bytes:
    """An upgrade request. `changes` replace or add headers (`_` stands for `-`)."""
    headers = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    by_lower_name = {name.lower(): name for name in headers}
    for name, value in changes.items():
        dashed = name.replace("_", "-")
        headers[by_lower_name.get(dashed.lower(), dashed)] = value
    kept = {name: value for name, value in headers.items() if name not in without}
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in kept.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """A TCP connection with a read buffer and a deadline on everything."""

    def __init__(
        self,
        port: int,
        receive_buffer: int | None = None,
        source: str | None = None,
        tls: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        """`source` is the address that it comes from, such as 127.0.0.2. With `tls` it shakes hands, and
        tries to go on with `session`."""
        self.socket = socket.socket()
        if source is not None:
            self.socket.bind((source, 0))
        if receive_buffer is not None:  # before connect: it bounds the window that is announced
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname="localhost", session=session
            )

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Ended(str(error)) from error

    def send_what_fits(self, data: bytes, seconds: float) -> int:
        """Sends until the server stops taking it for a moment, ends, or `seconds` are over."""
        sent, deadline = 0, time.monotonic() + seconds
        self.socket.setblocking(False)
        try:
            while sent < len(data) and time.monotonic() < deadline:
                if not select.select([], [self.socket], [], 0.5)[1]:
                    break
                try:
                    sent += self.socket.send(memoryview(data)[sent : sent + 65536])
                except BlockingIOError:
                    continue
                except (ConnectionResetError, BrokenPipeError):
                    break
        finally:
            self.socket.settimeout(TIMEOUT_S)
        return sent

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"nothing more from the server; so far {bytes(self.buffer[:80])!r}")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise Ended("reset") from error
        if not data:
            raise Ended("end of stream")
        self.buffer += data

    def read_exactly(self, size: int, timeout: float = TIMEOUT_S) -> bytes:
        deadline = time.monotonic() + timeout
        while len(self.buffer) < size:
            self._fill(deadline)
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def read_until(self, mark: bytes, timeout: float = TIMEOUT_S) -> bytes:
        deadline = time.monotonic() + timeout
        while (at := self.buffer.find(mark)) < 0:
            self._fill(deadline)
        return self.read_exactly(at + len(mark))

    def read_to_end(self, timeout: float = TIMEOUT_S) -> bytes:
        """Everything until the server closes; TimeoutError when it does not."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._fill(deadline)
        except Ended:
            rest = bytes(self.buffer)
            self.buffer.clear()
            return rest

    def read_response(self, timeout: float = TIMEOUT_S, head_only: bool = False) -> Response:
        status_line, *lines = self.read_until(b"\r\n\r\n", timeout).decode("latin-1").splitlines()
        headers = {}
        for line in lines:
            if line:
                name, value = line.split(":", 1)
                headers[name.strip().lower()] = value.strip()
        protocol, status = status_line.split(" ", 2)[:2]
        assert protocol in ("HTTP/1.1", "HTTP/1.0"), status_line
        if head_only or status in ("101", "204", "304"):
            body = b""
        elif "content-length" in headers:
            body = self.read_exactly(int(headers["content-length"]), timeout)
        else:
            body = self.read_to_end(timeout)
        return Response(int(status), headers, body)

    def finish_sending(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:  # not connected: the server was faster
            raise Ended(str(error)) from error

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class RawWebSocket(RawConnection):
    """An upgraded connection. It answers nothing by itself: no pongs, no closes."""

    def __init__(
        self,
        port: int,
        path: str = "/ws",
        receive_buffer: int | None = None,
        right_behind: bytes = b"",
        source: str | None = None,
        tls: ssl.SSLContext | None = None,
        extensions: str | None = None,
    ) -> None:
        """`right_behind` goes out in the same write as the upgrade request; `extensions` are offered."""
        super().__init__(port, receive_buffer, source, tls)
        offered = {} if extensions is None else {"Sec_WebSocket_Extensions": extensions}
        self.send(request_head(path, **offered) + right_behind)
        response = self.read_response()
        self.extensions = response.headers.get("sec-websocket-extensions")
        assert response.status == 101, response
        assert response.headers["sec-websocket-accept"] == ACCEPT
        assert response.headers["upgrade"].lower() == "websocket"

    def send_text(self, text: str | bytes) -> None:
        self.send(frame(TEXT, text))

    def send_binary(self, data: bytes) -> None:
        self.send(frame(BINARY, data))

    def read_frame(self, timeout: float = TIMEOUT_S) -> Frame:
        deadline = time.monotonic() + timeout

        def take(size: int) -> bytes:
            return self.read_exactly(size, max(0.001, deadline - time.monotonic()))

        first, second = take(2)
        fin, opcode, length = bool(first & 0x80), first & 0x0F, second & 0x7F
        assert not first & 0x70, f"the server set reserved bits: {first:#x}"
        assert not second & 0x80, "the server masked a frame"
        if length == 126:
            length = struct.unpack(">H", take(2))[0]
            assert length > 125, "length not minimal"
        elif length == 127:
            length = struct.unpack(">Q", take(8))[0]
            assert 0xFFFF < length < 1 << 63, "length not minimal"
        if opcode >= CLOSE:
            assert fin and length <= 125, "bad control frame from the server"
        return Frame(opcode, take(length), fin)

    def read_data(self, timeout: float = TIMEOUT_S) -> Frame:
        """The next frame that is neither ping nor pong; a close raises Ended."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.read_frame(max(0.001, deadline - time.monotonic()))
            if got.opcode == CLOSE:
                raise Ended(f"closed {got.close_code} {got.close_reason!r}")
            if got.opcode not in (PING, PONG):
                return got

    def read_close(self, timeout: float = TIMEOUT_S) -> Frame:
        """Skips everything before the server's close frame."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.read_frame(max(0.001, deadline - time.monotonic()))
            if got.opcode == CLOSE:
                return got

    def expect_failed(self, code: int, timeout: float = TIMEOUT_S) -> None:
        """The server says `code` and ends TCP, without an answer from this side."""
        got = self.read_close(timeout)
        assert got.close_code == code, f"closed {got.close_code} {got.close_reason!r}, not {code}"
        self.expect_end(timeout)

    def expect_end(self, timeout: float = TIMEOUT_S) -> None:
        rest = self.read_to_end(timeout)
        assert rest == b"", f"data after the close frame: {rest[:80]!r}"

    def close_normally(self, code: int = 1000) -> None:
        """The closing handshake, begun by this side."""
        self.send(close_frame(code))
        assert self.read_close().close_code == code
        self.expect_end()
        self.socket.close()
