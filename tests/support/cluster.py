"""Nodes on one Redis, and clients that resume on any of them and log all that they get."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import WebSocketException

from .canang_process import CanangProcess
from .checker import Got, Joined
from .clients import open_client
from .redis_process import RedisProcess
from .waiting import eventually

PATIENCE_S = 15.0


class Member:
    """A client with `meta=true` that comes back with `since`, to any of its nodes."""

    def __init__(self, name: str, room: str, nodes: Sequence[CanangProcess], user: str = "") -> None:
        self.name, self.room, self.nodes, self.user = name, room, list(nodes), user
        self.log: list[Joined | Got] = []
        self.events: list[tuple[str, str]] = []  # ("joined" or "left", user)
        self.errors: list[dict[str, Any]] = []
        self.socket: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def position(self) -> tuple[str, int] | None:
        return (self.log[-1].epoch, self.log[-1].offset) if self.log else None

    @property
    def data(self) -> list[str]:
        return [entry.data for entry in self.log if isinstance(entry, Got)]

    @property
    def joins(self) -> list[Joined]:
        return [entry for entry in self.log if isinstance(entry, Joined)]

    def start(self) -> Member:
        self._task = asyncio.create_task(self._run())
        return self

    async def joined(self) -> Member:
        await eventually(lambda: self.socket and self.log, f"{self.name} has joined", PATIENCE_S)
        return self

    async def leave(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = self.socket = None

    async def send(self, message: str | bytes) -> None:
        await self.socket.send(message)

    async def has(self, count: int, timeout: float = PATIENCE_S) -> None:
        await eventually(
            lambda: len(self.data) >= count, f"{self.name} has {count} publications", timeout
        )

    async def has_last(self, data: str, timeout: float = PATIENCE_S) -> None:
        def has() -> bool:
            assert self._task and not self._task.done(), f"{self.name}: {self._task}"
            return data in self.data

        await eventually(has, f"{self.name} has got {data!r}", timeout)

    async def _run(self) -> None:
        turn = random.randrange(len(self.nodes))
        while True:
            node = self.nodes[turn % len(self.nodes)]
            turn += 1
            query = "since=%s:%d" % self.position if self.position else "meta=true"
            query += f"&user={quote(self.user)}" if self.user else ""
            try:
                url = node.url(f"/ws/{quote(self.room, safe='')}?{query}")
                async with await open_client(url, open_timeout=3, close_timeout=0.2) as self.socket:
                    async for frame in self.socket:
                        self._take(json.loads(frame))
            except (OSError, WebSocketException, EOFError):
                pass
            finally:
                self.socket = None
            await asyncio.sleep(random.uniform(0.02, 0.15))  # as a polite client would

    def _take(self, frame: dict[str, Any]) -> None:
        if "join" in frame:
            at = frame["join"]
            assert at["room"] == self.room
            self.log.append(Joined(at["epoch"], at["offset"], at["recovered"]))
        elif "error" in frame:
            self.errors.append(frame["error"])
        else:
            event = next((kind for kind in ("joined", "left") if kind in frame), None)
            if event:
                self.events.append((event, frame[event]["user"]))
                data = f"{event} {frame[event]['id']}"
            else:
                data = frame.get("data") or frame["data64"]
            self.log.append(Got(frame["epoch"], frame["offset"], data))


class Cluster:
    """Made by the `cluster` fixture; nodes and their Redis end with the test."""

    def __init__(
        self,
        start_canang: Callable[..., CanangProcess],
        start_redis: Callable[..., RedisProcess],
    ) -> None:
        self._start_canang = start_canang
        self.start_redis = start_redis
        self.nodes: list[CanangProcess] = []
        self.members: list[Member] = []

    async def add_node(self, redis: str, *, ready: bool = True, **options: Any) -> CanangProcess:
        """Waits in a thread: proxies and clients of the test go on while the node starts."""
        # Not started there: the kernel ends a child with the thread that made it.
        node = self._start_canang(ready=False, redis=redis, **({"drain-period": "2s"} | options))
        await asyncio.to_thread(node.wait_ready if ready else node.wait_listening)
        self.nodes.append(node)
        return node

    async def start(self, count: int, redis: RedisProcess, **options: Any) -> list[CanangProcess]:
        return [await self.add_node(redis.url, **options) for _ in range(count)]

    def member(
        self, name: str, room: str, nodes: Sequence[CanangProcess] | None = None, user: str = ""
    ) -> Member:
        member = Member(name, room, nodes or self.nodes, user).start()
        self.members.append(member)
        return member

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[None]:
        """Ends all members at the end of the block."""
        try:
            yield
        finally:
            await asyncio.gather(*(member.leave() for member in self.members))


async def ask(node: CanangProcess, path: str) -> tuple[int, Any]:
    """The status and the JSON of a page of the internal port; the loop of the test goes on."""
    answer = await asyncio.to_thread(node.get_internal, path)
    return answer.status, json.loads(answer.text)


async def answers(
    node: CanangProcess, path: str, wanted: Callable[[int, Any], Any], what: str, timeout: float
) -> float:
    """Waits until `wanted(status, json)`; the seconds that it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        seen = await ask(node, path)
        if wanted(*seen):
            return loop.time() - began
        assert loop.time() - began < timeout, f"not within {timeout} s: {what}; it is {seen}"
        await asyncio.sleep(0.1)


async def ready(node: CanangProcess, timeout: float = PATIENCE_S) -> float:
    return await answers(node, "/readyz", lambda status, _: status == 200, "ready", timeout)


async def unready(node: CanangProcess, timeout: float = PATIENCE_S) -> float:
    return await answers(node, "/readyz", lambda status, _: status == 503, "unready", timeout)


@pytest.fixture
def cluster(
    start_canang: Callable[..., CanangProcess], start_redis: Callable[..., RedisProcess]
) -> Iterator[Cluster]:
    yield Cluster(start_canang, start_redis)
