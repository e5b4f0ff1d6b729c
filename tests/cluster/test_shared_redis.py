"""Others on the same Redis: other databases with the same prefix, and foreign epochs on our channels."""

from __future__ import annotations

import asyncio

import pytest
from support.canang_process import CanangProcess
from support.cluster import Cluster
from support.waiting import eventually


def reads(node: CanangProcess) -> float:
    return node.metrics()["canang_history_reads_total"]


async def test_databases_with_one_prefix_do_not_hear_each_other(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = [await cluster.add_node(f"{redis.url}/{n}") for n in (0, 0, 1, 1)]
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        before = [reads(node) for node in nodes]
        for n in range(30):
            await members[0].send(f"zero {n}")
            await members[2].send(f"one {n}")
        await asyncio.gather(members[1].has_last("zero 29"), members[3].has_last("one 29"))
        assert [reads(node) for node in nodes] == before, "nothing that had to be looked after"
        for member, mine in zip(members, ("zero", "zero", "one", "one"), strict=True):
            assert member.data == [f"{mine} {n}" for n in range(30)]
        channels = {channel.decode() for channel in redis.ask("PUBSUB", "CHANNELS", "*:r")}
        assert {channel.split("}:")[1] for channel in channels} == {"c:r", "c1:r"}


async def test_comings_and_goings_are_told_in_the_database_where_they_are(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = [await cluster.add_node(f"{redis.url}/{n}", join_leave="*") for n in (0, 3, 3)]
    async with cluster.clients():
        members = [
            await cluster.member(f"m{n}", "r", [node], user=f"u{n}").has_come()
            for n, node in enumerate(nodes)
        ]
        before = [reads(node) for node in nodes]
        guest = await cluster.member("guest", "r", [nodes[1]], user="guest").joined()
        await members[2].until(lambda: ("joined", "guest") in members[2].events, "told")
        await guest.leave()
        await members[2].until(lambda: ("left", "guest") in members[2].events, "told too", 10)
        assert [reads(node) for node in nodes] == before, "the channel brought it"
        assert {user for _, user in members[0].events} == {"u0"}
        assert {user for _, user in members[2].events} == {"u2", "guest"}
        assert all(len(member.joins) == 1 for member in members)


def foreign_message(epoch: str, offset: int, payload: bytes) -> bytes:
    """As another cluster's envelope: one publication, of a node that nobody here knows."""
    entry = b"\0" * 16 + b"\0" + b"\0" * 8 + len(payload).to_bytes(4, "little") + payload
    return b"1 %s %d 1\n" % (epoch.encode(), offset) + entry


@pytest.mark.parametrize("offset", [1, 1000])
async def test_a_foreign_epoch_costs_a_read_a_second_and_not_the_history(
    cluster: Cluster, offset: int
):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        for n in range(20):
            await member.send(f"{n}".ljust(10_000, "."))
        await member.has(20)
        [channel] = redis.ask("PUBSUB", "CHANNELS", "*:c:r")
        before = node.metrics()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for n in range(150):
            redis.ask("PUBLISH", channel, foreign_message("zzzzzzzzzz", offset + n, b"not ours"))
            await asyncio.sleep(0.02)
        await member.send("ours")
        await member.has_last("ours")
        seconds = loop.time() - began
        after = node.metrics()
        read = after["canang_history_reads_total"] - before["canang_history_reads_total"]
        assert 1 <= read <= seconds + 2
        received = "canang_redis_received_bytes_total"
        assert after[received] - before[received] < 100_000, "not the history of 200 KB each time"
        assert len(member.data) == 21 and len(member.joins) == 1
        assert cluster.faults(settled=True, all_senders_logged=True) == []


async def test_an_epoch_that_changes_is_no_foreign_one(cluster: Cluster):
    """After foreign messages a real change is found as soon as ever."""
    redis = cluster.start_redis()
    here, there = await cluster.start(2, redis)
    async with cluster.clients():
        member = await cluster.member("m", "r", [here]).joined()
        other = await cluster.member("other", "r", [there]).joined()
        await member.send("before")
        await other.has(1)
        [channel] = redis.ask("PUBSUB", "CHANNELS", "*:c:r")
        redis.ask("PUBLISH", channel, foreign_message("zzzzzzzzzz", 9, b"not ours"))
        redis.ask("FLUSHALL")
        await member.send("after")
        await asyncio.gather(member.has_last("after", 5), other.has_last("after", 5))
        await eventually(lambda: len(other.joins) == 2, "told of the new epoch", 5)
        assert other.joins[-1].recovered is False
