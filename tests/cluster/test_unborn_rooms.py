"""Rooms in which nothing was published: Redis keeps nothing of them once everybody has left."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest
from support.clients import close_all, open_client
from support.cluster import Cluster, answers
from support.redis_process import RedisProcess
from support.waiting import eventually

QUICK = {"room_linger": "100ms"}


def keys_of_rooms(redis: RedisProcess) -> list[str]:
    """All but those of nodes: leases, probes, and when members were taken away."""
    keys = [key.decode() for key in redis.ask("KEYS", "*")]
    return [key for key in keys if not re.search(r":nodes|:probe-[ms]:|:reap:|:taken:", key)]


async def test_rooms_that_were_only_joined_leave_nothing(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, **QUICK)
    for turn in range(2):
        clients = await asyncio.gather(
            *(open_client(nodes[n % 2].url(f"/ws/room{n % 150}?user=u{n}")) for n in range(200))
        )
        await answers(nodes[0], "/rooms/room0", lambda _, p: p["members"] == 2, "counted", 5)
        await close_all(*clients)
        await eventually(lambda: keys_of_rooms(redis) == [], f"nothing is left, turn {turn}", 10)
    assert int(redis.info("memory")["used_memory_dataset"]) < 1_000_000


async def test_a_silent_room_is_one_and_the_same_as_long_as_somebody_is_there(cluster: Cluster):
    """Its epoch is that of the first who came, until the last has left, whoever comes between."""
    redis = cluster.start_redis()
    nodes = await cluster.start(3, redis, **QUICK)
    async with cluster.clients():
        first, second, third = [cluster.member(f"m{n}", "r", [nodes[n]]) for n in range(3)]
        await asyncio.gather(*(member.joined() for member in (first, second, third)))
        await first.leave()
        await asyncio.sleep(1)  # the first one's node lets go of it
        first.start()
        await first.joined()
        assert [join.recovered for join in first.joins] == [False, True], "nothing was missed"
        await second.leave()
        await first.send("at last")
        await third.has(1)
        second.start()
        await second.has(1)
        epochs = {join.epoch for m in (first, second, third) for join in m.joins}
        assert len(epochs) == 1
        assert cluster.faults(["at last"], settled=True, all_senders_logged=True) == []


async def test_who_returns_to_a_silent_room_that_was_forgotten_is_told_so(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, **QUICK)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        await member.leave()
        await eventually(lambda: keys_of_rooms(redis) == [], "nothing is left")
        member.start()
        await member.until(lambda: len(member.joins) == 2, "is back")
        assert member.joins[1].recovered is False
        await member.send("heard")
        await member.has(1)
        assert len(member.joins) == 2
        assert cluster.faults(["heard"], settled=True, all_senders_logged=True) == []


@pytest.mark.timeout(90)
async def test_rooms_of_a_killed_node_and_of_one_that_drains_leave_nothing_either(
    cluster: Cluster,
):
    redis = cluster.start_redis()
    killed, drained, stays = await cluster.start(3, redis, **QUICK)
    clients = [await open_client(n.url(f"/ws/{n.port}?user=u")) for n in (killed, drained)]
    assert len(keys_of_rooms(redis)) >= 2
    killed.signal(signal.SIGKILL)
    drained.signal(signal.SIGTERM)
    await asyncio.to_thread(killed.wait_exit)
    await asyncio.to_thread(drained.wait_exit)
    await eventually(lambda: keys_of_rooms(redis) == [], "nothing is left", 30)
    await close_all(*clients)
    assert stays.running


async def test_members_come_and_go_at_once_and_nobody_is_told_of_a_loss(cluster: Cluster):
    """The moment in which one forgets a room and another joins it."""
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, room_linger="0s")
    async with cluster.clients():
        for turn in range(40):
            one = cluster.member(f"one {turn}", f"r{turn}", [nodes[0]])
            await one.joined()
            two = cluster.member(f"two {turn}", f"r{turn}", [nodes[1]])
            await asyncio.gather(one.leave(), two.joined())
            again = cluster.member(f"again {turn}", f"r{turn}", [nodes[turn % 2]])
            await again.joined()
        for member in cluster.members:
            if member.name.startswith("again"):
                await member.send(f"hello from {member.name}")
        for member in cluster.members:
            if not member.name.startswith("one"):
                await member.has(1)
                assert len(member.joins) == 1, member.tail()
        assert cluster.faults(settled=True) == []
