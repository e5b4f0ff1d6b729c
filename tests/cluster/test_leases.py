"""Redis cannot be used for longer than a lease, and nobody disconnects: nobody is told to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.cluster import Cluster, answers, ready
from support.member import Member
from support.proxy import Proxy
from support.redis_process import RedisProcess
from support.waiting import eventually

USERS = ("ann", "bob", "cyd")
AWAY_S = 12.5  # a lease lasts 10 s, and the last renewal may be 2 s old


async def sleep_away() -> None:
    await asyncio.sleep(AWAY_S)  # that time passes is what the test is about


async def full_memory(redis: RedisProcess, _: Proxy) -> None:
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    await sleep_away()
    redis.ask("CONFIG", "SET", "maxmemory", "0")


async def missing_replica(redis: RedisProcess, _: Proxy) -> None:
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    await sleep_away()
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "0")


async def restart(redis: RedisProcess, _: Proxy) -> None:
    redis.ask("SAVE")
    redis.kill()
    await sleep_away()
    redis.start()


async def cut(_: RedisProcess, proxy: Proxy) -> None:
    proxy.cut()
    await sleep_away()
    proxy.mend()


async def pause(redis: RedisProcess, _: Proxy) -> None:
    redis.pause()
    await sleep_away()
    redis.resume()


WAYS: list[Callable[[RedisProcess, Proxy], Awaitable[None]]] = [
    full_memory, missing_replica, restart, cut, pause,
]  # fmt: skip


async def told_by_mistake(
    cluster: Cluster, way: Callable[[RedisProcess, Proxy], Awaitable[None]]
) -> list[tuple[str, str, str]]:
    """Comings and goings of which somebody is told though nobody came or went."""
    redis = cluster.start_redis()
    async with Proxy(redis.port) as proxy:
        nodes, members = [], []
        for user in USERS:
            nodes.append(await cluster.add_node(proxy.url, join_leave="*", workers=1))
            member = cluster.member(f"{way.__name__}/{user}", "r", [nodes[-1]], user)
            members.append(await member.has_come())
        await all_told(members)
        marks = {member.name: len(member.events) for member in members}
        await way(redis, proxy)
        for node in nodes:
            await ready(node)
        await settled(redis, nodes, members)
        assert all(len(member.joins) == 1 or member.socket for member in members)
        return [
            (member.name, kind, user)
            for member in members
            for kind, user in member.events[marks[member.name] :]
        ]


async def all_told(members: list[Member]) -> None:
    for member in members:
        later = [("joined", other.user) for other in members[members.index(member) :]]
        await member.until(lambda m=member, w=later: m.events == w, f"is told {later}")


def shows(count: int) -> Callable[[int, Any], bool]:
    """Of nodes or members; a Redis that has just come back may not answer yet."""

    def judge(status: int, page: Any) -> bool:
        shown = page.get("members", len(page.get("nodes", [])))
        return status == 200 and shown == count

    return judge


async def settled(redis: RedisProcess, nodes: list, members: list[Member]) -> None:
    """Each node has its lease again, has told its members, and a newcomer is told to all."""
    for node in nodes:
        await answers(node, "/nodes", shows(3), "three nodes", 15)
        await answers(node, "/rooms/r", shows(3), "three members", 15)
    await asyncio.sleep(3)  # a wrong leave would be told by now: it is due at once
    await members[0].send("end")
    for member in members:
        await member.has_last("end")


@pytest.mark.timeout(120)
async def test_a_pause_of_redis_makes_nobody_leave_and_nobody_join_again(cluster: Cluster):
    async with cluster.clients():
        told = await asyncio.gather(*(told_by_mistake(cluster, way) for way in WAYS))
        assert dict(zip([way.__name__ for way in WAYS], told, strict=True)) == {
            way.__name__: [] for way in WAYS
        }


@pytest.mark.timeout(90)
async def test_a_node_that_died_while_redis_was_away_is_taken_away_a_lease_later(cluster: Cluster):
    redis = cluster.start_redis()
    stays, dies = await cluster.start(2, redis, join_leave="*")
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [stays], "watcher").joined()
        gone = await cluster.member("gone", "r", [dies], "gone").joined()
        await eventually(lambda: ("joined", "gone") in watcher.events, "it has come")
        redis.pause()
        dies.process.kill()
        await gone.leave()
        await sleep_away()
        redis.resume()
        await answers(stays, "/rooms/r", shows(1), "gone", 15)
        await eventually(lambda: watcher.events[-1] == ("left", "gone"), "and told", 15)
        assert watcher.events.count(("left", "gone")) == 1
