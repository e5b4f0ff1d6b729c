"""Nodes on one Redis, and clients that resume on any of them and log all that they get."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from .canang_process import CanangProcess
from .checker import Fault, faults_of
from .fixtures import show_on_failure
from .member import PATIENCE_S, Member
from .redis_process import RedisProcess

SHOWN_LOGS = 8


class Cluster:
    """Made by the `cluster` fixture; nodes and their Redis end with the test."""

    def __init__(
        self,
        start_canang: Callable[..., CanangProcess],
        start_redis: Callable[..., RedisProcess],
        directory: Path,
    ) -> None:
        self._directory = directory
        self._start_canang = start_canang
        self.start_redis = start_redis
        self.nodes: list[CanangProcess] = []
        self.members: list[Member] = []
        self._found: list[Fault] = []

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
        self,
        name: str,
        room: str,
        nodes: Sequence[CanangProcess] | None = None,
        user: str = "",
        echo: bool = True,
    ) -> Member:
        member = Member(name, room, nodes or self.nodes, user, echo).start()
        self.members.append(member)
        return member

    def faults(self, acknowledged: Iterable[str] = (), **judged: bool) -> list[Fault]:
        """What all members logged, judged room by room; `acknowledged` is of one room only."""
        rooms = {member.room for member in self.members}
        lost = set(acknowledged)
        assert not lost or len(rooms) == 1
        logs = {
            room: {m.name: m.log for m in self.members if m.room == room} for room in sorted(rooms)
        }
        self._found = [fault for log in logs.values() for fault in faults_of(log, lost, **judged)]
        return self._found

    async def chatter(
        self,
        is_over: asyncio.Event,
        choose: Callable[[list[Member]], Member] = random.choice,
        pause_s: float = 0.01,
    ) -> None:
        """In each room one of its members, if it is connected, publishes: over and over."""
        rooms: dict[str, list[Member]] = {}
        for member in self.members:
            rooms.setdefault(member.room, []).append(member)
        for n in itertools.count():
            for room, members in rooms.items():
                if is_over.is_set():
                    return
                writer = choose(members)
                try:
                    if writer.socket:
                        await writer.send(f"{room} {n}")
                except ConnectionClosed:
                    pass
            await asyncio.sleep(pause_s)

    def shown_on_failure(self) -> list[tuple[str, str]]:
        whole = self._directory / "clients.log"
        whole.write_text("\n".join(member.tail(len(member.log)) for member in self.members))
        faults = "\n".join(str(fault) for fault in self._found[: 2 * SHOWN_LOGS])
        logs = [(f"client {m.name}", m.tail()) for m in self.members[:SHOWN_LOGS]]
        return [*logs, (f"{len(self._found)} faults", f"{faults}\nwhole logs of clients: {whole}")]

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
    request: pytest.FixtureRequest,
    start_canang: Callable[..., CanangProcess],
    start_redis: Callable[..., RedisProcess],
    tmp_path: Path,
) -> Iterator[Cluster]:
    made = Cluster(start_canang, start_redis, tmp_path)
    show_on_failure(request.node, made.shown_on_failure)
    yield made


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """`assert faults_of(...) == []` shows each fault with the log around it."""
    if op != "==" or not isinstance(left, list) or not any(isinstance(x, Fault) for x in left):
        return None
    shown = [line for fault in left[:SHOWN_LOGS] for line in str(fault).splitlines()]
    return [f"{len(left)} faults:", *shown]
