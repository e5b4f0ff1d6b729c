"""A client of a room that comes back whenever its connection ends, and logs all that happens."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from websockets.exceptions import WebSocketException

from .canang_process import CanangProcess
from .clients import open_client
from .journal import Ended, Entry, Failed, Got, Joined, Opened, Sent, line_of
from .waiting import eventually

PATIENCE_S = 15.0


class Member:
    """`meta=true` at first and then `since`, each time at the next of its nodes.

    Lives in the event loop of the test. `nodes` may be changed at any time.
    """

    def __init__(
        self,
        name: str,
        room: str,
        nodes: Sequence[CanangProcess],
        user: str = "",
        echo: bool = True,
    ) -> None:
        self.name, self.room, self.nodes = name, room, list(nodes)
        self.user, self.echo = user, echo
        self.log: list[Entry] = []
        self.events: list[tuple[str, str]] = []  # ("joined" or "left", user)
        self.errors: list[dict[str, Any]] = []
        self.socket: Any = None
        self.position: tuple[str, int] | None = None
        self._is_joined = False
        self._task: asyncio.Task[None] | None = None

    # -- what it has had -----------------------------------------------------------------------

    @property
    def data(self) -> list[str]:
        return [entry.data for entry in self.log if isinstance(entry, Got)]

    @property
    def sent(self) -> list[str]:
        return [entry.data for entry in self.log if isinstance(entry, Sent)]

    @property
    def joins(self) -> list[Joined]:
        return [entry for entry in self.log if isinstance(entry, Joined)]

    def tail(self, lines: int = 15) -> str:
        state = "connected" if self.socket else "not connected"
        return "\n".join(
            [f"--- log of {self.name} ({state})", *(line_of(entry) for entry in self.log[-lines:])]
        )

    # -- what it does --------------------------------------------------------------------------

    def start(self) -> Member:
        self._task = asyncio.create_task(self._run())
        return self

    async def leave(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def vanish(self) -> None:
        """Its connection is gone without a word; it will come back."""
        if self.socket:
            self.socket.transport.abort()

    async def send(self, message: str | bytes) -> None:
        socket = self.socket
        self._note(Sent(text_of(message), self._now()))
        await socket.send(message)

    # -- what it waits for ---------------------------------------------------------------------

    async def until(
        self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S
    ) -> None:
        """Fails with the end of its log."""

        def holds() -> Any:
            if self._task and self._task.done():
                self._task.result()  # raises what ended it
            return condition()

        try:
            await eventually(holds, f"{self.name}: {what}", timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.tail()}") from None

    async def joined(self) -> Member:
        await self.until(lambda: self.socket and self._is_joined, "has joined")
        return self

    async def has_come(self) -> Member:
        """In a room whose joins are told: its own is, so that whoever joins from now on is told later."""
        await self.until(lambda: ("joined", self.user) in self.events, "is told of itself")
        return self

    async def has(self, count: int, timeout: float = PATIENCE_S) -> None:
        await self.until(lambda: len(self.data) >= count, f"has {count} publications", timeout)

    async def has_last(self, data: str, timeout: float = PATIENCE_S) -> None:
        await self.until(lambda: data in self.data, f"has got {data!r}", timeout)

    # -- its life ------------------------------------------------------------------------------

    async def _run(self) -> None:
        turn = random.randrange(len(self.nodes))
        while True:
            await self._visit(self.nodes[turn % len(self.nodes)])
            turn += 1
            await asyncio.sleep(random.uniform(0.02, 0.15))  # as a polite client would

    async def _visit(self, node: CanangProcess) -> None:
        since = self.position
        query = f"since={since[0]}:{since[1]}" if since else "meta=true"
        query += f"&user={quote(self.user)}" if self.user else ""
        query += "" if self.echo else "&echo=false"
        url = node.url(f"/ws/{quote(self.room, safe='')}?{query}")
        try:
            async with await open_client(url, open_timeout=3, close_timeout=0.2) as socket:
                self.socket = socket
                self._note(Opened(f"port {node.port}", since, self.echo, self._now()))
                async for frame in socket:
                    self._take(json.loads(frame))
        except (OSError, WebSocketException, EOFError) as error:
            if not self.socket:
                self._note_refusal(f"not opened: {error}")
        finally:
            if self.socket:
                code, reason = self.socket.close_code, self.socket.close_reason
                self._note(Ended(code, reason or "", self._now()))
            self.socket, self._is_joined = None, False

    def _take(self, frame: dict[str, Any]) -> None:
        if "join" in frame:
            at = frame["join"]
            assert at["room"] == self.room
            self.position = (at["epoch"], at["offset"])
            self._note(Joined(at["epoch"], at["offset"], at["recovered"], self._now()))
            self._is_joined = True
        elif "error" in frame:
            self.errors.append(frame["error"])
            self._note(Failed(frame["error"]["code"], self._now()))
        else:
            event = next((kind for kind in ("joined", "left") if kind in frame), None)
            if event:
                self.events.append((event, frame[event]["user"]))
                data = f"{event} {frame[event]['id']}"
            else:
                data = frame["data"] if "data" in frame else frame["data64"]
            self.position = (frame["epoch"], frame["offset"])
            self._note(Got(frame["epoch"], frame["offset"], data, bool(event), self._now()))

    def _note(self, entry: Entry) -> None:
        self.log.append(entry)

    def _note_refusal(self, why: str) -> None:
        refused = Ended(None, why, self._now())
        if not self.log or self.log[-1] != refused:  # it tries often
            self._note(refused)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def text_of(message: str | bytes) -> str:
    """As the log has it: what is binary comes back as base64."""
    return message if isinstance(message, str) else base64.b64encode(message).decode()
