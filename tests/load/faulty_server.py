"""A small WebSocket broadcast server that makes the mistake it is told to make.

Each message goes to every member of the room in the path, the sender too. With `--fault NAME` every
N-th message of a room goes wrong for one member, the victim: the first that joined the room. With
`--manner NAME` all is right, but sent in an unusual way that a client must understand.
With `--second-late MS` there is a second address for the same rooms, whose members get all that much
later. Prints `listening on 127.0.0.1:PORT`, for each address. Knows only as much of WebSocket as canang-load needs.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import functools
import hashlib
import logging
import struct
from collections import defaultdict

FAULTS = (
    "none",
    "lose",
    "lose_for_all",
    "double",
    "swap",
    "swap_publishers",
    "misroute",
    "corrupt",
    "retype",
    "close",
    "vanish",
    "malformed",
)
MANNERS = ("plain", "fragments", "trickle", "pings", "batches")
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    head = (0x80 if fin else 0) | opcode
    if len(payload) < 126:
        return bytes((head, len(payload))) + payload
    if len(payload) <= 0xFFFF:
        return struct.pack(">BBH", head, 126, len(payload)) + payload
    return struct.pack(">BBQ", head, 127, len(payload)) + payload


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Cuts a masked frame off the front of the data; None while it is incomplete."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7F, 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < 2 + width:
            return None
        size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    if len(data) < at + 4 + size:
        return None
    key = data[at : at + 4]
    masked = data[at + 4 : at + 4 + size]
    repeated = bytes(key) * (size // 4 + 1)
    payload = int.from_bytes(masked, "big") ^ int.from_bytes(repeated[:size], "big")
    opcode = data[0] & 0x0F
    del data[: at + 4 + size]
    return opcode, payload.to_bytes(size, "big")


class Member(asyncio.Protocol):
    def __init__(self, server: Server, late_s: float) -> None:
        self.server = server
        self.late_s = late_s
        self.data = bytearray()
        self.room: Room | None = None
        self.batch = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.room:
            self.room.members.remove(self)
            self.room = None

    def data_received(self, data: bytes) -> None:
        self.data += data
        if self.room is None and not self.take_handshake():
            return
        while (found := take_frame(self.data)) is not None and self.room:
            self.on_frame(*found)

    def take_handshake(self) -> bool:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = self.data[:end].decode().split("\r\n")
        del self.data[: end + 4]
        headers = dict(line.split(": ", 1) for line in lines[1:])
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1((headers["Sec-WebSocket-Key"] + guid).encode()).digest()
        self.transport.write(
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                f"{base64.b64encode(digest).decode()}\r\n\r\n"
            ).encode()
        )
        self.room = self.server.rooms[lines[0].split(" ")[1]]
        self.room.members.append(self)
        return True

    def on_frame(self, opcode: int, payload: bytes) -> None:
        if opcode in (TEXT, BINARY):
            self.room.publish(self, opcode, payload)
        elif opcode == PING:
            self.transport.write(frame(PONG, payload))
        elif opcode == PONG and payload != b"are you there":
            self.transport.abort()
        elif opcode == CLOSE:
            self.transport.write(frame(CLOSE, payload[:2]))
            self.transport.close()

    def send(self, opcode: int, payload: bytes) -> None:
        if self.late_s:
            asyncio.get_running_loop().call_later(self.late_s, self.send_now, opcode, payload)
        else:
            self.send_now(opcode, payload)

    def send_now(self, opcode: int, payload: bytes) -> None:
        manner = self.server.options.manner
        if manner == "fragments":
            third = len(payload) // 3
            self.transport.write(
                frame(opcode, payload[:third], fin=False)
                + frame(PING, b"are you there")
                + frame(0, payload[third : 2 * third], fin=False)
                + frame(0, payload[2 * third :])
            )
        elif manner == "trickle":
            whole = frame(opcode, payload)
            for at in range(0, len(whole), 7):
                self.transport.write(whole[at : at + 7])
        elif manner == "pings":
            self.transport.write(frame(PING, b"are you there") + frame(opcode, payload))
        elif manner == "batches":
            if not self.batch:
                asyncio.get_running_loop().call_later(0.002, self.send_batch)
            self.batch += frame(opcode, payload)
        else:
            self.transport.write(frame(opcode, payload))

    def send_batch(self) -> None:
        self.transport.write(self.batch)
        self.batch = b""


class Room:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.members: list[Member] = []
        self.count = 0
        self.held: tuple[Member, int, bytes] | None = None

    def publish(self, sender: Member, opcode: int, payload: bytes) -> None:
        self.count += 1
        now = self.count % self.server.options.every == 0
        victim = self.members[0]
        fault = self.server.options.fault if now else "none"
        if fault == "lose_for_all":
            return
        for member in self.members[1:]:
            member.send(opcode, payload)
        if self.held:
            self.release(sender, victim, opcode, payload)
        else:
            self.serve_victim(fault, sender, victim, opcode, payload)

    def release(self, sender: Member, victim: Member, opcode: int, payload: bytes) -> None:
        held_sender, held_opcode, held_payload = self.held
        self.held = None
        pair = [(opcode, payload), (held_opcode, held_payload)]
        if self.server.options.fault == "swap_publishers" and held_sender is sender:
            pair.reverse()  # two of one publisher stay in order
        for message in pair:
            victim.send(*message)

    def release_last(self, count: int, victim: Member) -> None:
        """No message followed the held one: nothing to swap it with."""
        if self.held and self.count == count:
            victim.send(*self.held[1:])
            self.held = None

    def serve_victim(
        self, fault: str, sender: Member, victim: Member, opcode: int, payload: bytes
    ) -> None:
        if fault == "lose":
            return
        if fault in ("swap", "swap_publishers"):
            self.held = (sender, opcode, payload)
            asyncio.get_running_loop().call_later(0.1, self.release_last, self.count, victim)
            return
        if fault == "corrupt":
            payload = payload[:-1] + (b"x" if payload[-1:] != b"x" else b"y")
        if fault == "retype":
            opcode = BINARY if opcode == TEXT else TEXT
        victim.send(opcode, payload)
        if fault == "double":
            victim.send(opcode, payload)
        elif fault == "misroute":
            other = next(r for r in self.server.rooms.values() if r is not self)
            other.members[0].send(opcode, payload)
        elif fault == "malformed":
            victim.transport.write(b"\xf1\x01x")
        elif fault == "close":
            victim.transport.write(frame(CLOSE, struct.pack(">H", 1008) + b"too slow"))
        elif fault == "vanish":
            victim.transport.abort()


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.rooms: dict[str, Room] = defaultdict(lambda: Room(self))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        listeners = []
        for late_s in (0.0, self.options.second_late / 1000)[: 1 + (self.options.second_late > 0)]:
            made = functools.partial(Member, self, late_s)
            listeners.append(await loop.create_server(made, "127.0.0.1", 0, backlog=1024))
            port = listeners[-1].sockets[0].getsockname()[1]
            print(f"listening on 127.0.0.1:{port}", flush=True)
        await asyncio.gather(*(listener.serve_forever() for listener in listeners))


def main() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of sends to who has vanished
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--manner", choices=MANNERS, default="plain")
    parser.add_argument("--second-late", type=int, default=0, metavar="MS")
    asyncio.run(Server(parser.parse_args()).run())


if __name__ == "__main__":
    main()
