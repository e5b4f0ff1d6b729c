"""A client of event streams: reads the format as WHATWG HTML, 9.2.6, says, and comes back as EventSource does."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .canang_process import CanangProcess
from .waiting import eventually

PATIENCE_S = 15.0


@dataclass(frozen=True)
class Event:
    type: str
    data: str
    id: str  # the last one at that moment


@dataclass
class Parser:
    """The interpretation of a stream, byte by byte as a browser has it."""

    last_id: str = ""
    retry_ms: int | None = None
    comments: int = 0
    events: list[Event] = field(default_factory=list)
    _buffer: str = ""
    _type: str = ""
    _data: list[str] = field(default_factory=list)
    _id: str = ""

    def feed(self, text: str) -> None:
        self._buffer += text
        while "\n" in self._buffer:
            line, self._buffer = self._buffer.split("\n", 1)
            assert "\r" not in line, "we end lines with LF"
            self._take(line)

    def _take(self, line: str) -> None:
        if not line:
            self._dispatch()
        elif line.startswith(":"):
            self.comments += 1
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._type = value
            elif name == "data":
                self._data.append(value)
            elif name == "id":
                self._id = value
            elif name == "retry":
                self.retry_ms = int(value)
            else:
                raise AssertionError(f"a field that we do not send: {line!r}")

    def _dispatch(self) -> None:
        self.last_id = self._id
        if self._data:
            self.events.append(Event(self._type or "message", "\n".join(self._data), self._id))
        self._type, self._data = "", []


class EventStream:
    """One response. `status` and `headers` are known once it is opened."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self.parser = Parser()
        self.body = b""  # of an answer that is no stream
        self.is_over = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        version: str = "1.1",
        last_id: str = "",
        method: str = "GET",
        limit: int = 2**16,
    ) -> EventStream:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
        fields = {"Host": f"127.0.0.1:{port}", "Accept": "text/event-stream"} | (headers or {})
        if last_id:
            fields["Last-Event-ID"] = last_id
        lines = [f"{method} {path} HTTP/{version}", *(f"{k}: {v}" for k, v in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        stream = cls(reader, writer)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await stream._read_header()
        except BaseException:
            stream.abort()
            raise
        stream.parser.last_id = stream.parser._id = last_id
        return stream

    async def _read_header(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.split("\r\n")[:-2]
        self.status = int(first.split()[1])
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in rest)}

    @property
    def events(self) -> list[Event]:
        return self.parser.events

    def of_type(self, wanted: str = "message") -> list[str]:
        return [event.data for event in self.events if event.type == wanted]

    async def read_some(self) -> bool:
        """False at the end."""
        size_left = int(self.headers.get("content-length", "-1"))
        if self.headers.get("transfer-encoding") == "chunked":
            data = await self._read_chunk()
        elif size_left >= 0 and len(self.body) >= size_left:
            data = b""
        else:
            data = await self._reader.read(65536)
        if not data:
            self.is_over = True
            return False
        self.body += data
        if self.headers.get("content-type") == "text/event-stream":
            self.parser.feed(self._decoder.decode(data))
        return True

    async def _read_chunk(self) -> bytes:
        size = int(await self._reader.readline() or b"0", 16)
        data = await self._reader.readexactly(size)
        await self._reader.readline()
        return data

    async def until(
        self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S
    ) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    if not await self.read_some():
                        assert condition(), f"the stream ended before: {what}\n{self.events}"
        except TimeoutError:
            raise AssertionError(f"not in {timeout} s: {what}\n{self.events}") from None

    async def has(self, *messages: str, timeout: float = PATIENCE_S) -> None:
        """Exactly these, in this order."""
        await self.until(
            lambda: len(self.of_type()) >= len(messages), f"has {len(messages)}", timeout
        )
        assert self.of_type() == list(messages)

    async def joined(self, rooms: int = 1) -> EventStream:
        def holds() -> bool:
            return len(self.of_type("join")) + len(self.of_type("reset")) >= rooms

        await self.until(holds, "has joined")
        return self

    async def read_all(self, timeout: float = PATIENCE_S) -> None:
        await self.until(lambda: self.is_over, "is over", timeout)

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)


class EventSource:
    """Comes back with the last id whenever its stream ends, each time to the next of its nodes. As a browser it
    gives up when it gets anything but a stream."""

    def __init__(self, name: str, path: str, nodes: Sequence[CanangProcess]) -> None:
        self.name, self.path, self.nodes = name, path, list(nodes)
        self.events: list[Event] = []
        self.last_id = ""
        self.opened = 0
        self.retries_ms: list[int] = []
        self.stream: EventStream | None = None
        self.failed: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> EventSource:
        self._task = asyncio.create_task(self._run())
        return self

    def of_type(self, wanted: str = "message") -> list[str]:
        return [event.data for event in self.events if event.type == wanted]

    async def until(
        self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S
    ) -> None:
        def holds() -> Any:
            assert not self.failed, f"{self.name} gave up: {self.failed}"
            if self._task and self._task.done():
                self._task.result()
            return condition()

        try:
            await eventually(holds, f"{self.name}: {what}", timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.events[-20:]}") from None

    async def leave(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.stream:
            self.stream.abort()

    async def _run(self) -> None:
        turn = 0
        while True:
            await self._visit(self.nodes[turn % len(self.nodes)])
            turn += 1
            await asyncio.sleep(0.05)  # not as long as it is told to: the tests would take as long

    async def _visit(self, node: CanangProcess) -> None:
        try:
            stream = await EventStream.open(node.port, self.path, last_id=self.last_id)
        except (OSError, EOFError):
            return
        if stream.status != 200:
            self.failed = f"status {stream.status}"
            return
        self.stream = stream
        self.opened += 1
        try:
            while await stream.read_some():
                self._gather(stream)
        except OSError:
            pass
        finally:
            self._gather(stream)
            stream.abort()
            self.stream = None

    def _gather(self, stream: EventStream) -> None:
        self.events += stream.events
        stream.events.clear()
        self.last_id = stream.parser.last_id
        if stream.parser.retry_ms is not None:
            self.retries_ms.append(stream.parser.retry_ms)
            stream.parser.retry_ms = None
