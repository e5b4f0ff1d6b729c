"""Clients that come with positions that never were: Redis is not made to read for them."""

from __future__ import annotations

import asyncio
import json

from support.canang_process import CanangProcess
from support.clients import close_all, open_client, receive
from support.cluster import Cluster

PUBLICATIONS = 100
SIZE = 4000
JOINS = 300


def received(node: CanangProcess) -> float:
    return node.metrics()["canang_redis_received_bytes_total"]


def reads(node: CanangProcess) -> float:
    return node.metrics()["canang_history_reads_total"]


async def test_made_up_positions_are_told_apart_by_the_lineage_alone(cluster: Cluster):
    redis = cluster.start_redis()
    first = await cluster.add_node(redis.url)
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [first]).joined()
        for n in range(PUBLICATIONS):
            await writer.send(f"{n}".ljust(SIZE, "."))
        await writer.has(PUBLICATIONS)
        epoch = writer.position[0]
        fresh = await cluster.add_node(redis.url)  # has nothing of the room
        before, began = received(fresh), asyncio.get_running_loop().time()
        reads_before = reads(fresh)

        async def join(since: str) -> bool:
            client = await open_client(fresh.url(f"/ws/r?since={since}"), open_timeout=20)
            told = json.loads(await receive(client, 20))["join"]
            await close_all(client)
            assert told["offset"] == PUBLICATIONS
            return told["recovered"]

        made_up = ["aaaaaaaaaa:5", f"{epoch}:{PUBLICATIONS + 7}", "bbbbbbbbbb:0", f"{epoch}:99999"]
        for n in range(0, JOINS, 20):
            some = [join(made_up[i % len(made_up)]) for i in range(n, n + 20)]
            assert not any(await asyncio.gather(*some))
        seconds = asyncio.get_running_loop().time() - began
        assert reads(fresh) - reads_before <= seconds + 2, "one a second, and the first"
        assert received(fresh) - before < PUBLICATIONS * SIZE / 2, "the history was not read once"

        # Who has a position that was is served from what is kept, which is read once.
        before = received(fresh)
        client = await open_client(fresh.url(f"/ws/r?since={epoch}:{PUBLICATIONS - 3}"))
        assert json.loads(await receive(client))["join"]["recovered"] is True
        assert [json.loads(await receive(client))["offset"] for _ in range(3)] == [98, 99, 100]
        for n in range(5):
            other = await open_client(fresh.url(f"/ws/r?since={epoch}:{n + 1}"))
            assert json.loads(await receive(other))["join"]["recovered"] is True
            await close_all(other)
        await close_all(client)
        assert received(fresh) - before < 2 * PUBLICATIONS * SIZE


async def test_a_position_that_only_another_node_has_had_yet_is_recovered(cluster: Cluster):
    """The reader's own node is behind: its position is newer than what the node knows."""
    redis = cluster.start_redis()
    here, there = await cluster.start(2, redis)
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [here]).joined()
        behind = await cluster.member("behind", "r", [there]).joined()
        await writer.send("first")
        await behind.has(1)
        for turn in range(5):
            redis.ask("CLIENT", "KILL", "TYPE", "pubsub")  # what follows is missed at first
            await writer.send(f"while {turn}")
            await writer.has(2 + turn)
            epoch, offset = writer.position
            client = await open_client(there.url(f"/ws/r?since={epoch}:{offset}"))
            told = json.loads(await receive(client))["join"]
            assert (told["recovered"], told["offset"]) == (True, offset)
            await close_all(client)
        await behind.has(6)
        assert cluster.faults(settled=True, all_senders_logged=True) == []
