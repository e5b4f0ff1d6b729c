"""Everything that can go wrong short of losing data, in random order under load: nothing is lost, and
who comes and goes is told exactly.

`./dev chaos` makes 20 runs of 75 s. CANANG_CHAOS_SEED makes another run (it repeats as far as processes
can be repeated), CANANG_CHAOS_RUNS so many with seeds that follow it, CANANG_CHAOS_SECONDS longer ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from support.canang_process import CanangProcess
from support.cluster import Cluster, answers, ask
from support.member import Member
from support.mishaps import Mishaps
from support.pausing import go_on, stop
from support.presence_judge import presence_faults
from support.proxy import COMMANDS, DOWN, SUBSCRIPTION, UP, Proxy
from support.redis_process import RedisProcess

SECONDS = float(os.environ.get("CANANG_CHAOS_SECONDS", "6"))
SEED = int(os.environ.get("CANANG_CHAOS_SEED", "1"))
RUNS = int(os.environ.get("CANANG_CHAOS_RUNS", "1"))
OPTIONS = {
    "redis_command_timeout": "500ms",
    "redis_probe_interval": "200ms",
    "redis_probe_timeout": "1s",
    "redis_publish_timeout": "5s",
    "history_size": 1_000_000,
    "history_bytes": "64MiB",
    "drain_period": "1s",
    "join_leave": "*",
}
ROOMS = 5
CLIENTS = 4  # of each room


class Chaos(Mishaps):
    """Three nodes, each behind a proxy of its own, and what may happen to them."""

    def __init__(
        self, seed: int, cluster: Cluster, redis: RedisProcess, proxies: list[Proxy]
    ) -> None:
        super().__init__(random.Random(seed), redis, proxies)
        self.cluster = cluster
        self.nodes: list[CanangProcess] = []
        self.members: list[Member] = []
        self.done: list[str] = []

    async def act(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            self.link_ends, self.link_is_wedged, self.bytes_wait, self.redis_ends_links,
            self.scripts_are_forgotten, self.redis_pauses, self.redis_restarts, self.node_is_killed,
            self.node_ends, self.node_pauses, self.clients_vanish,
        ]  # fmt: skip
        act = self.dice.choice(acts)
        self.done.append(act.__name__)
        await act()

    async def link_ends(self) -> None:
        self.dice.choice(self.proxies).end(self.dice.choice([None, COMMANDS, SUBSCRIPTION]))

    async def link_is_wedged(self) -> None:
        kind, ways = self.dice.choice([COMMANDS, SUBSCRIPTION]), [(UP,), (DOWN,), (UP, DOWN)]
        self.dice.choice(self.proxies).wedge(kind, *self.dice.choice(ways))

    async def redis_restarts(self) -> None:
        self.redis.kill()
        await asyncio.sleep(self.dice.uniform(0, 0.4))
        self.redis.start()

    async def node_is_killed(self) -> None:
        await self._replace(signal.SIGKILL)

    async def node_ends(self) -> None:
        await self._replace(signal.SIGTERM)

    async def _replace(self, number: int) -> None:
        place = self.dice.randrange(len(self.nodes))
        self.nodes[place].signal(number)
        code = await asyncio.to_thread(self.nodes[place].wait_exit)
        assert code == (0 if number == signal.SIGTERM else -number)
        self.nodes[place] = await self.start_node(place)
        for member in self.members:
            member.nodes = self.nodes

    async def start_node(self, place: int) -> CanangProcess:
        url = self.proxies[place].url
        return await self.cluster.add_node(url, ready=False, **OPTIONS)

    async def node_pauses(self) -> None:
        node = self.dice.choice(self.nodes)
        stop(node.process)
        await asyncio.sleep(self.dice.uniform(0.05, 1.2))
        go_on(node.process)

    async def clients_vanish(self) -> None:
        for member in self.dice.sample(self.members, 5):
            member.vanish()


@pytest.mark.timeout(60 + 2 * SECONDS)
@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
async def test_whatever_happens_nothing_acknowledged_is_lost_doubled_or_out_of_order(
    cluster: Cluster, seed: int
):
    print(f"CANANG_CHAOS_SEED={seed}")
    redis = cluster.start_redis("--appendonly", "yes", "--appendfsync", "always")
    async with (
        Proxy(redis.port) as one, Proxy(redis.port) as two, Proxy(redis.port) as three,
        cluster.clients(),
    ):  # fmt: skip
        chaos = Chaos(seed, cluster, redis, [one, two, three])
        chaos.nodes = [await chaos.start_node(place) for place in range(3)]
        chaos.members = [
            cluster.member(f"r{room}/{n}", f"r{room}", chaos.nodes, user=f"u{n}")
            for room in range(ROOMS)
            for n in range(CLIENTS)
        ]
        await asyncio.gather(*(member.joined() for member in chaos.members))
        is_over = asyncio.Event()
        load = asyncio.create_task(cluster.chatter(is_over, chaos.dice.choice))
        end = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < end:
            await chaos.act()
            await asyncio.sleep(chaos.dice.uniform(0, 0.4))
        is_over.set()
        await load
        print("acts:", " ".join(chaos.done))
        await settle(chaos)
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        told = [join for member in chaos.members for join in member.joins[1:] if not join.recovered]
        assert told == [], "nothing was lost, so nobody is told of a loss"
        await presence_heals(chaos)
        judge_counts(chaos)


async def presence_heals(chaos: Chaos) -> None:
    """All nodes show exactly those who are there, and all members were told exactly that."""
    users = [f"u{n}" for n in range(CLIENTS)]
    for room in range(ROOMS):
        for node in chaos.nodes:
            await answers(
                node, f"/rooms/r{room}/presence",
                lambda status, page: status == 200
                and sorted(member["user"] for member in page["members"]) == users,
                f"r{room} shows {users}", 20,
            )  # fmt: skip
            _, page = await ask(node, f"/rooms/r{room}")
            assert page["members"] == CLIENTS, page
        members = [member for member in chaos.members if member.room == f"r{room}"]
        await settle_room(members)  # what was told last has reached everybody
        assert presence_faults(members, users) == []


async def settle_room(members: list[Member]) -> None:
    """A last publication reaches all of a room; one that fails is tried again."""
    lasts: list[str] = []
    writer, deadline = members[0], time.monotonic() + 30
    while not any(last in writer.data for last in lasts):
        assert time.monotonic() < deadline, f"{writer.room} goes on\n{writer.tail()}"
        await writer.joined()
        lasts.append(f"last {writer.room} {len(writer.sent)}")
        await writer.send(lasts[-1])
        await asyncio.sleep(0.3)
    top = max(member.position[1] for member in members)
    for member in members:
        await member.until(lambda m=member: m.position[1] >= top, f"is at {top}", 20)


async def settle(chaos: Chaos) -> None:
    for room in range(ROOMS):
        await settle_room([member for member in chaos.members if member.room == f"r{room}"])


def judge_counts(chaos: Chaos) -> None:
    """That the run was worth something."""
    sent = sum(len(member.sent) for member in chaos.members)
    got = {(member.room, data) for member in chaos.members for data in member.data}
    came_back = sum(len(member.joins) - 1 for member in chaos.members)
    print(f"sent {sent}, stored {len(got)}, {came_back} later join frames")
    assert len(got) > 100 and len(got) > 0.5 * sent
