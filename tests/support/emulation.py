"""A client of Centrifugo's protocol over its fallback transports: it hears through one response, and says each thing in
a request of its own. As `Peer` it does nothing by itself but pong."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any
from urllib.parse import quote

from google.protobuf.json_format import MessageToDict

from .centrifugo import Json, Message, Protobuf, plain, read_varint
from .waiting import eventually

PATIENCE_S = 10.0
HTTP_STREAM, SSE, EMULATION = "/connection/http_stream", "/connection/sse", "/emulation"
TAKEN, BAD, UNKNOWN, TOO_LARGE, BUSY, UNAVAILABLE = 204, 400, 404, 413, 429, 503


class Answer:
    """One that has an end."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines if line)}
        self.body = body


async def ask(
    port: int,
    path: str,
    body: bytes | str = b"",
    headers: dict[str, str] | None = None,
    method: str = "POST",
    timeout: float = PATIENCE_S,
) -> Answer:
    """On a connection of its own."""
    sent = body.encode() if isinstance(body, str) else body
    fields = {"Host": "x", "Connection": "close", "Content-Length": str(len(sent))}
    lines = [f"{k}: {v}" for k, v in (fields | (headers or {})).items()]
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()
            writer.write(head + sent)
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            return Answer(head, rest)
        finally:
            writer.close()


class JsonLines(Json):
    name = "http_stream-json"
    content_type = answered_with = "application/json"

    @staticmethod
    def take(buffer: bytes) -> tuple[list[Message], bytes]:
        *lines, rest = buffer.split(b"\n")
        return [json.loads(line) for line in lines], rest

    @staticmethod
    def wrapped(node: str, session: str, data: str) -> bytes:
        return json.dumps({"session": session, "node": node, "data": data}).encode()


class JsonEvents(JsonLines):
    name = "sse-json"
    answered_with = "text/event-stream"

    @staticmethod
    def take(buffer: bytes) -> tuple[list[Message], bytes]:
        *events, rest = buffer.split(b"\n\n")
        assert all(event.startswith(b"data: ") for event in events), events
        return [json.loads(event.removeprefix(b"data: ")) for event in events], rest


class ProtobufStream(Protobuf):
    name = "http_stream-protobuf"
    content_type = answered_with = "application/octet-stream"

    @staticmethod
    def take(buffer: bytes) -> tuple[list[Message], bytes]:
        from centrifuge.protocol import client_pb2

        replies, at = [], 0
        while at < len(buffer):
            try:
                length, begin = read_varint(buffer, at)
            except IndexError:
                break
            if begin + length > len(buffer):
                break
            reply = client_pb2.Reply.FromString(buffer[begin : begin + length])
            replies.append(plain(MessageToDict(reply, preserving_proto_field_name=True)))
            at = begin + length
        return replies, buffer[at:]

    @staticmethod
    def wrapped(node: str, session: str, data: bytes) -> bytes:
        from centrifuge.protocol import client_pb2

        made = client_pb2.EmulationRequest(node=node, session=session, data=data)
        return made.SerializeToString()


STREAMS = [JsonLines, JsonEvents, ProtobufStream]


class Emulated:
    """Made by `open`. What it says goes to `port` of any node."""

    def __init__(
        self, format: type, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        self.format, self.port = format, port
        self._reader, self._writer = reader, writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.does_pong = True
        self.node = self.session = ""
        self.replies: dict[int, Message] = {}
        self.pushes: list[Message] = []
        self.pings: list[float] = []
        self.rest = b""
        self._numbers = itertools.count(1)
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        port: int,
        format: type = JsonLines,
        first: bytes | str | None = None,
        *,
        user: str = "",
        headers: dict[str, str] | None = None,
        version: str = "1.1",
        path: str = "",
    ) -> Emulated:
        """Until the header of the answer has come. `first` is what it says first; none: a connect command."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        peer = cls(format, reader, writer, port)
        said = first if first is not None else format.encode((peer.numbered(connect={}),))
        sent = said.encode() if isinstance(said, str) else said
        path = path or (SSE if format is JsonEvents else HTTP_STREAM)
        query = [f"user={quote(user)}"] if user else []
        if format is JsonEvents:
            query.append(f"cf_connect={quote(sent)}")
        fields = {"Host": "x"} | (headers or {})
        if format is not JsonEvents:
            fields |= {"Content-Type": format.content_type, "Content-Length": str(len(sent))}
        method = "GET" if format is JsonEvents else "POST"
        lines = [f"{method} {path}?{'&'.join(query)} HTTP/{version}"]
        lines += [f"{k}: {v}" for k, v in fields.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if format is not JsonEvents:
            writer.write(sent)
        async with asyncio.timeout(PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
        answer = Answer(head[:-4], b"")
        peer.status, peer.headers = answer.status, answer.headers
        peer._reading = asyncio.create_task(peer._read())
        return peer

    @classmethod
    async def connected(cls, port: int, format: type = JsonLines, **more: Any) -> Emulated:
        peer = await cls.open(port, format, **more)
        assert peer.status == 200, peer.headers
        await peer.reply(1)
        return peer

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            replies, self.rest = self.format.take(self.rest + data)
            for reply in replies:
                await self._take(reply)

    async def _take(self, reply: Message) -> None:
        if reply == {}:
            self.pings.append(asyncio.get_running_loop().time())
            if self.does_pong:
                assert (await self.say_raw(self.format.pong)).status == TAKEN
        elif "push" in reply:
            self.pushes.append(reply["push"])
        else:
            assert reply["id"] not in self.replies, f"a second reply: {reply}"
            if "connect" in reply:  # before a ping can be answered
                self.node, self.session = reply["connect"]["node"], reply["connect"]["session"]
            self.replies[reply["id"]] = reply

    # -- what it does ----------------------------------------------------------------------------

    def numbered(self, **command: Any) -> Message:
        return {"id": next(self._numbers)} | command

    async def say_raw(self, data: Any, **more: Any) -> Answer:
        body = self.format.wrapped(self.node, self.session, data)
        return await ask(
            self.port, EMULATION, body, {"Content-Type": self.format.content_type}, **more
        )

    async def say(self, *commands: Message, **more: Any) -> Answer:
        return await self.say_raw(self.format.encode(commands), **more)

    async def ask(self, **command: Any) -> Message:
        asked = self.numbered(**command)
        assert (await self.say(asked)).status == TAKEN
        return await self.reply(asked["id"])

    async def subscribe(self, room: str, **more: Any) -> Message:
        reply = await self.ask(subscribe={"channel": room} | more)
        assert "subscribe" in reply, reply
        return reply["subscribe"]

    async def publish(self, room: str, value: Any) -> None:
        reply = await self.ask(publish={"channel": room, "data": self.format.data(value)})
        assert "error" not in reply, reply

    def abort(self) -> None:
        self._writer.transport.abort()

    async def end(self) -> None:
        self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    # -- what it was told ------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self._reading is not None and not self._reading.done()

    def values(self, room: str) -> list[Any]:
        return [
            self.format.value(push["pub"]["data"])
            for push in self.pushes
            if "pub" in push and push.get("channel") == room
        ]

    async def has(self, room: str, count: int, timeout: float = PATIENCE_S) -> list[Any]:
        await eventually(lambda: len(self.values(room)) >= count, f"{count} of {room}", timeout)
        return self.values(room)

    async def reply(self, number: int, timeout: float = PATIENCE_S) -> Message:
        await eventually(lambda: number in self.replies or not self.is_open, "a reply", timeout)
        assert number in self.replies, f"ended before: {self.pushes}"
        return self.replies[number]

    async def closed(self, timeout: float = PATIENCE_S) -> int:
        """The code that it was told last; 0: the response ended without a word."""
        await eventually(lambda: not self.is_open, "its end", timeout)
        assert self.rest == b"", "the last message is whole"
        last = self.pushes[-1] if self.pushes else {}
        return last.get("disconnect", {}).get("code", 0)
