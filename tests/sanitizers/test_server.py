"""Two whole servers under a sanitizer, with all that happens to a cluster at once: not one report.

`./dev sanitize tsan server` runs it; it is no part of `./dev test`. CANANG_SANITIZE_SECONDS and
CANANG_SANITIZE_SEED make other runs.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.canang_process import CanangProcess, binary, sanitized
from support.clients import open_client
from support.cluster import Cluster
from support.crowd import Crowd
from support.mishaps import Mishaps
from support.proxy import COMMANDS, DOWN, SUBSCRIPTION, UP, Proxy
from support.redis_process import RedisProcess
from support.sanitizer_reports import reporting_into, reports_in
from websockets.exceptions import WebSocketException

SECONDS = float(os.environ.get("CANANG_SANITIZE_SECONDS", "75"))
SEED = int(os.environ.get("CANANG_SANITIZE_SEED", "1"))
OPTIONS = {
    "redis_command_timeout": "1s",
    "redis_probe_interval": "500ms",
    "redis_probe_timeout": "3s",
    "redis_publish_timeout": "5s",
    "join_leave": "*",
    "ping_interval": "1s",
    "pong_timeout": "5s",
    "room_linger": "200ms",
    "max_rooms": 40,  # so that rooms without members give way, on the other loop too
    "outbox_limit": "64KiB",
    "rebalance_after": "5s",
    "drain_period": "4s",
    "close_timeout": "2s",
}
ROOMS = 6
MEMBERS = 4  # of each room, who come back and resume
PASSERS_BY = 8  # at a time
SLOW_READERS = 3
BULK = "bulk"  # the room that those are in
# Where they come to their ends between two sends, or where the node is about to.
GONE = (OSError, WebSocketException, EOFError, TimeoutError)


class Trouble(Mishaps):
    """Two nodes, each behind a proxy of its own, who is in their rooms, and what befalls them."""

    def __init__(
        self, cluster: Cluster, redis: RedisProcess, proxies: list[Proxy], reports: Path
    ) -> None:
        super().__init__(random.Random(SEED), redis, proxies)
        self.cluster, self.reports = cluster, reports
        self.nodes: list[CanangProcess] = []
        self.is_over = asyncio.Event()
        self.done: Counter[str] = Counter()
        self.numbers = itertools.count()

    async def start_node(self, place: int) -> CanangProcess:
        environment = reporting_into(self.reports)
        return await self.cluster.add_node(self.proxies[place].url, env=environment, **OPTIONS)

    async def replace(self, place: int, number: int) -> int:
        """One node ends in the middle of it all, and another one takes its place."""
        ending = self.nodes[place]
        ending.signal(number)
        code = await asyncio.to_thread(ending.wait_exit, 30)
        self.nodes[place] = await self.start_node(place)
        self.done[signal.Signals(number).name] += 1
        return code

    # -- those who come and go -------------------------------------------------------------------

    async def repeat(self, what: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while not self.is_over.is_set():
            try:
                await what()
                self.done[what.__name__] += 1
            except GONE:
                self.done[f"{what.__name__} in vain"] += 1
            await asyncio.sleep(self.dice.uniform(0, 2 * pause_s))

    async def pass_by(self) -> None:
        """Joins with history, hears, publishes, and leaves in one way or another."""
        dice = self.dice
        room = dice.choice([f"r{dice.randrange(ROOMS)}", f"passing-{dice.randrange(60)}"])
        query = dice.choice(["history=50&meta=true", "history=128", "echo=false", "meta=true"])
        url = dice.choice(self.nodes).url(f"/ws/{room}?{query}&user=p{dice.randrange(9)}")
        client = await open_client(url, open_timeout=5, close_timeout=1)
        try:
            for _ in range(dice.randrange(6)):
                await client.send(f"passing {next(self.numbers)} " + "x" * dice.choice([0, 2000]))
            await asyncio.wait_for(client.recv(), 0.3)
        except TimeoutError:
            pass  # nobody said anything
        finally:
            if dice.random() < 0.5:
                client.transport.abort()
            else:
                await client.close()

    async def read_slowly(self) -> None:
        """Is sent more than it takes."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        node = self.dice.choice(self.nodes)
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", node.port))
            url = node.url(f"/ws/{BULK}?history=128")
            client = await open_client(url, sock=raw, max_queue=1, open_timeout=5, close_timeout=1)
            await asyncio.sleep(self.dice.uniform(2, 12))
            client.transport.abort()
        finally:
            raw.close()

    async def fill(self) -> None:
        """Publishes much where they read."""
        async with await open_client(
            self.dice.choice(self.nodes).url(f"/ws/{BULK}?echo=false"), open_timeout=5
        ) as client:
            for _ in range(200):
                await client.send(b"x" * 16_000)
                await asyncio.sleep(0.03)

    async def look(self) -> None:
        """What operators and their tools ask."""
        for node in list(self.nodes):
            for path in ("/metrics", "/readyz", "/nodes", "/rooms/r0", "/rooms/r1/presence"):
                await asyncio.to_thread(node.get_internal, path)

    # -- what befalls the links ------------------------------------------------------------------

    async def befall(self) -> None:
        acts = [
            self.links_are_cut, self.link_is_wedged, self.bytes_wait, self.redis_ends_links,
            self.scripts_are_forgotten, self.redis_pauses, self.members_vanish,
        ]  # fmt: skip
        act = self.dice.choice(acts)
        self.done[act.__name__] += 1
        await act()

    async def links_are_cut(self) -> None:
        proxy = self.dice.choice(self.proxies)
        proxy.cut()
        await asyncio.sleep(self.dice.uniform(0, 1))
        proxy.mend()

    async def link_is_wedged(self) -> None:
        proxy = self.dice.choice(self.proxies)
        proxy.wedge(self.dice.choice([COMMANDS, SUBSCRIPTION]), self.dice.choice([UP, DOWN]))

    async def members_vanish(self) -> None:
        for member in self.dice.sample(self.cluster.members, MEMBERS):
            member.vanish()


async def go_through_it(trouble: Trouble) -> None:
    """Links are cut all the time; one node is killed, and later the other one is drained."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    ends = [(0.35, 1, signal.SIGKILL), (0.7, 0, signal.SIGTERM)]
    while (passed := (loop.time() - began) / SECONDS) < 1:
        if ends and passed >= ends[0][0]:
            _, place, number = ends.pop(0)
            code = await trouble.replace(place, number)
            assert code == (0 if number == signal.SIGTERM else -number)
        await trouble.befall()
        await asyncio.sleep(trouble.dice.uniform(0.5, 2))


async def end_all(trouble: Trouble) -> None:
    """With everybody still there; the second one is told twice."""
    for node in trouble.nodes:
        node.signal(signal.SIGTERM)
    first, second = trouble.nodes
    await asyncio.sleep(0.5)  # in the middle of its drain
    if second.running:
        second.signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait_exit, 30) == 0
    at_once = 128 + signal.SIGTERM
    assert await asyncio.to_thread(second.wait_exit, 30) in (0, at_once, -signal.SIGTERM)


@pytest.mark.timeout(120 + 2 * SECONDS)
async def test_nothing_is_reported_of_servers_with_churn_cut_links_a_kill_and_a_drain(
    cluster: Cluster, tmp_path: Path
):
    assert sanitized(), f"{binary()} is not built with a sanitizer"
    print(f"CANANG_SANITIZE_SEED={SEED}")
    redis = cluster.start_redis()
    async with Proxy(redis.port) as one, Proxy(redis.port) as two, cluster.clients():
        trouble = Trouble(cluster, redis, [one, two], tmp_path)
        trouble.nodes += [await trouble.start_node(place) for place in range(2)]
        for room in range(ROOMS):
            for n in range(MEMBERS):
                cluster.member(f"r{room}/{n}", f"r{room}", trouble.nodes, user=f"u{n}")
        for member in cluster.members:
            member.nodes = trouble.nodes  # the list itself: who takes a place is in it
        await asyncio.gather(*(member.joined() for member in cluster.members))
        load = [
            cluster.chatter(trouble.is_over, trouble.dice.choice),
            *(trouble.repeat(trouble.pass_by, 0.02) for _ in range(PASSERS_BY)),
            *(trouble.repeat(trouble.read_slowly, 0.2) for _ in range(SLOW_READERS)),
            trouble.repeat(trouble.fill, 0.2),
            trouble.repeat(trouble.look, 0.3),
        ]
        tasks = [asyncio.create_task(one) for one in load]
        with Crowd(trouble.nodes[0].port, 100, rate=50):
            await go_through_it(trouble)
            await end_all(trouble)
        trouble.is_over.set()
        await asyncio.gather(*tasks)
    print(dict(trouble.done))
    reports = reports_in(tmp_path)
    assert not reports, "\n".join([f"{len(reports)} files of reports", *reports])
    assert cluster.faults() == []
    judge_worth(trouble)


def judge_worth(trouble: Trouble) -> None:
    """That the run was worth something."""
    members = trouble.cluster.members
    stored = {(member.room, data) for member in members for data in member.data}
    came_back = sum(len(member.joins) - 1 for member in members)
    print(f"stored {len(stored)}, {came_back} later join frames")
    assert len(stored) > 5 * SECONDS
    assert came_back > len(members)
    assert trouble.done["pass_by"] > SECONDS
    assert trouble.done["links_are_cut"] > 1
    assert trouble.done["SIGKILL"] == trouble.done["SIGTERM"] == 1
