"""A client of Centrifugo's protocol that is told each command, right or wrong, and does nothing by itself but pong.

The messages are dicts of the protocol's own names (client.proto) in either format. What is `bytes` there is here what
that format has for it: any JSON value with JSON, bytes with Protobuf.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from centrifuge.protocol import client_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from .canang_process import CanangProcess
from .clients import open_client
from .waiting import eventually

PATIENCE_S = 10.0
ENDPOINT = "/connection/websocket"
BAD_REQUEST, STALE, NOT_AVAILABLE, NO_PONG = 3501, 3502, 3508, 3012
TOO_BIG = 1009

Message = dict[str, Any]


class Json:
    """Commands and replies are lines of a text frame."""

    name = "json"
    query, subprotocols = "", None
    pong = "{}"

    @staticmethod
    def encode(commands: tuple[Message, ...]) -> str:
        return "\n".join(json.dumps(command) for command in commands)

    @staticmethod
    def decode(frame: str | bytes) -> list[Message]:
        assert isinstance(frame, str), "JSON comes in text frames"
        return [json.loads(line) for line in frame.strip("\n").split("\n")]

    @staticmethod
    def data(value: Any) -> Any:
        return value

    @staticmethod
    def value(data: Any) -> Any:
        return data


class Protobuf:
    """Commands and replies have their lengths before them, in a binary frame."""

    name = "protobuf"
    query, subprotocols = "format=protobuf", None
    pong = b"\0"

    @classmethod
    def encode(cls, commands: tuple[Message, ...]) -> bytes:
        messages = [ParseDict(base64_of(c), client_pb2.Command()) for c in commands]
        bodies = [message.SerializeToString() for message in messages]
        return b"".join(varint(len(body)) + body for body in bodies)

    @staticmethod
    def decode(frame: str | bytes) -> list[Message]:
        assert isinstance(frame, bytes), "Protobuf comes in binary frames"
        replies, at = [], 0
        while at < len(frame):
            length, at = read_varint(frame, at)
            assert at + length <= len(frame), "the reply is whole"
            reply = client_pb2.Reply.FromString(frame[at : at + length])
            replies.append(plain(MessageToDict(reply, preserving_proto_field_name=True)))
            at += length
        return replies

    @staticmethod
    def data(value: Any) -> bytes:
        return json.dumps(value).encode()

    @staticmethod
    def value(data: bytes) -> Any:
        return json.loads(data)


class ProtobufByName(Protobuf):
    """Asked for by the name that browsers and SDKs ask for."""

    name = "protobuf-by-name"
    query, subprotocols = "", ["centrifuge-protobuf"]


FORMATS = [Json, Protobuf]
ALL_FORMATS = [*FORMATS, ProtobufByName]


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def base64_of(message: Any) -> Any:
    """As ParseDict has bytes."""
    if isinstance(message, dict):
        return {key: base64_of(value) for key, value in message.items()}
    return base64.b64encode(message).decode() if isinstance(message, bytes) else message


def plain(message: Any) -> Any:
    """MessageToDict has bytes in base64 and 64-bit numbers in text."""
    if isinstance(message, list):
        return [plain(value) for value in message]
    if not isinstance(message, dict):
        return message
    made = {key: plain(value) for key, value in message.items()}
    for key, value in made.items():
        if key in ("data", "conn_info", "chan_info"):
            made[key] = base64.b64decode(value)
        elif key == "offset":
            made[key] = int(value)
    return made


class Peer:
    """Made by `open`, or by `async with peers(...)`."""

    def __init__(self, format: type, socket: ClientConnection, does_pong: bool) -> None:
        self.format, self.socket = format, socket
        self.does_pong = does_pong
        self.replies: dict[int, Message] = {}
        self.pushes: list[Message] = []
        self.pings: list[float] = []  # when each came
        self.frames: list[str | bytes] = []
        self._numbers = itertools.count(1)
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls, server: CanangProcess, format: type = Json, user: str = "", does_pong: bool = True
    ) -> Peer:
        query = "&".join(filter(None, [format.query, f"user={user}" if user else ""]))
        url = server.url(f"{ENDPOINT}?{query}")
        return cls(format, await open_client(url, subprotocols=format.subprotocols), does_pong)

    async def _read(self) -> None:
        async for frame in self.socket:
            self.frames.append(frame)
            for reply in self.format.decode(frame):
                await self._take(reply)

    async def _take(self, reply: Message) -> None:
        if reply == {}:
            self.pings.append(asyncio.get_running_loop().time())
            if self.does_pong:
                await self.send_raw(self.format.pong)
        elif "push" in reply:
            self.pushes.append(reply["push"])
        else:
            assert reply["id"] not in self.replies, f"a second reply: {reply}"
            self.replies[reply["id"]] = reply

    # -- what it does ----------------------------------------------------------------------------

    async def send_raw(self, frame: str | bytes) -> None:
        """What cannot be sent any more is not: the close is what tests look at."""
        try:
            await self.socket.send(frame)
        except ConnectionClosed:
            pass

    async def send(self, *commands: Message) -> None:
        """In one frame."""
        await self.send_raw(self.format.encode(commands))

    def numbered(self, **command: Any) -> Message:
        return {"id": next(self._numbers)} | command

    async def ask(self, **command: Any) -> Message:
        """The reply to one command."""
        asked = self.numbered(**command)
        await self.send(asked)
        return await self.reply(asked["id"])

    async def connect(self) -> Message:
        return (await self.ask(connect={}))["connect"]

    async def subscribe(self, room: str, **more: Any) -> Message:
        reply = await self.ask(subscribe={"channel": room} | more)
        assert "subscribe" in reply, reply
        return reply["subscribe"]

    async def publish(self, room: str, value: Any) -> None:
        reply = await self.ask(publish={"channel": room, "data": self.format.data(value)})
        assert "error" not in reply, reply

    async def end(self) -> None:
        await self.socket.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # -- what it was told ------------------------------------------------------------------------

    def publications(self, room: str) -> list[Message]:
        return [p["pub"] for p in self.pushes if "pub" in p and p.get("channel") == room]

    def values(self, room: str) -> list[Any]:
        return [self.format.value(pub["data"]) for pub in self.publications(room)]

    @property
    def is_open(self) -> bool:
        return not self._task.done()

    async def reply(self, number: int, timeout: float = PATIENCE_S) -> Message:
        await self.until(lambda: number in self.replies, f"reply {number}", timeout)
        return self.replies[number]

    async def has(self, room: str, count: int, timeout: float = PATIENCE_S) -> list[Message]:
        await self.until(
            lambda: len(self.publications(room)) >= count, f"{count} publications", timeout
        )
        return self.publications(room)

    async def until(
        self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S
    ) -> None:
        def holds() -> Any:
            seen = condition()
            if not seen and self._task.done():
                self._task.result()  # raises what it could not read
                raise AssertionError(f"closed ({self.socket.close_code}) before: {what}")
            return seen

        try:
            await eventually(holds, what, timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.tail()}") from None

    async def closed(self, timeout: float = PATIENCE_S) -> int:
        """The code that the server closed it with; 1006 where the connection just ended."""
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._task)
        except TimeoutError:
            raise AssertionError(f"not closed in {timeout} s\n{self.tail()}") from None
        except ConnectionClosed:
            pass
        return self.socket.close_code

    async def outcome(self, number: int, timeout: float = PATIENCE_S) -> int:
        """The code of the error that answers a command, or that of the close; 0: the command was carried out."""
        await eventually(
            lambda: number in self.replies or not self.is_open, f"an end of {number}", timeout
        )
        if number not in self.replies:
            return await self.closed()
        return self.replies[number].get("error", {}).get("code", 0)

    def tail(self, frames: int = 10) -> str:
        shown = [repr(frame[:300]) for frame in self.frames[-frames:]]
        return "\n".join(["--- beginnings of the last frames", *shown])


@asynccontextmanager
async def peers(
    server: CanangProcess, *formats: type, connected: bool = True, **options: Any
) -> AsyncIterator[list[Peer]]:
    """One of each format."""
    made = [await Peer.open(server, format, **options) for format in formats]
    try:
        for peer in made if connected else []:
            await peer.connect()
        yield made
    finally:
        await asyncio.gather(*(peer.end() for peer in made))


@asynccontextmanager
async def honest_pair(server: CanangProcess, room: str = "honest") -> AsyncIterator[None]:
    """Two clients that talk to each other meanwhile, in both formats: nothing of it is lost, and nobody closed."""
    async with peers(server, Json, Protobuf, user="honest") as pair:
        for peer in pair:
            await peer.subscribe(room)
        is_over = asyncio.Event()

        async def talk() -> int:
            for n in itertools.count():
                await pair[n % 2].publish(room, n)
                if is_over.is_set():
                    return n + 1
                await asyncio.sleep(0.01)

        talking = asyncio.create_task(talk())
        try:
            yield
        finally:
            is_over.set()
            (said,) = await asyncio.gather(talking)
        for peer in pair:
            await peer.has(room, said)
            assert peer.values(room) == list(range(said)), "each got all, once, in order"
            assert peer.is_open
