"""The links of a node to Redis end, are wedged, or lose a reply: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.canang_process import CanangProcess
from support.cluster import Cluster, answers, ready, unready
from support.member import Member
from support.proxy import COMMANDS, DOWN, SUBSCRIPTION, UP, Proxy
from support.waiting import eventually

IMPATIENT = {
    "redis_command_timeout": "500ms",
    "redis_probe_interval": "200ms",
    "redis_probe_timeout": "1s",
    "redis_publish_timeout": "10s",
    "history_size": 10_000,  # what is missed while a link is rebuilt must still be there
}


def rebuilt(node: CanangProcess, kind: str) -> float:
    return node.metrics().total("canang_redis_reconnects_total", link=kind)


async def publish_until(is_over: asyncio.Event, *writers: Member, pause: float = 0.005) -> int:
    """Each writer publishes in turn; how many each one sent."""
    count = 0
    while not is_over.is_set():
        for writer in writers:
            if writer.socket:
                await writer.send(f"{writer.name} {count}")
        count += 1
        await asyncio.sleep(pause)
    return count


async def under_load(
    disturb: Callable[[], Any], times: int, every: float, *writers: Member
) -> None:
    """Publishes while `disturb` is called, and until what it did is over."""
    is_over = asyncio.Event()
    load = asyncio.create_task(publish_until(is_over, *writers))
    for _ in range(times):
        await asyncio.sleep(every)
        disturb()
    await asyncio.sleep(every)
    is_over.set()
    await load
    for writer in writers:
        await writer.send(f"{writer.name} last")
    for member in writers:
        for writer in writers:
            await member.has_last(f"{writer.name} last", 20)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [(SUBSCRIPTION, (DOWN,), (UP, DOWN)), (COMMANDS, (UP,), (DOWN,))],
    ids=["messages do not come", "requests or replies get lost"],
)
async def test_a_wedged_link_is_found_and_rebuilt(
    cluster: Cluster, kind: str, first: tuple[str], second: tuple[str]
):
    """Its socket stays open and carries nothing. A lost reply leaves open what was stored."""
    redis = cluster.start_redis()
    async with Proxy(redis.port) as proxy, cluster.clients():
        here = await cluster.add_node(proxy.url, **IMPATIENT)
        there = await cluster.add_node(redis.url, **IMPATIENT)
        near, far = [cluster.member(name, "r", [n]) for name, n in (("near", here), ("far", there))]
        await asyncio.gather(near.joined(), far.joined())
        before = rebuilt(here, kind)
        wedged = [first, second, second]
        await under_load(lambda: proxy.wedge(kind, *wedged.pop()), 3, 1.7, near, far)
        assert rebuilt(here, kind) - before >= 3
        assert near.errors == far.errors == []
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        assert len(near.joins) == len(far.joins) == 1, "nobody was told of anything"
        assert sorted(near.data) == sorted(data for m in (near, far) for data in m.sent)


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
async def test_links_that_redis_ends_again_and_again_cost_nothing(cluster: Cluster, kind: str):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, **IMPATIENT)
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        await under_load(lambda: redis.kill_clients(kind), 12, 0.15, *members)
        assert all(member.errors == [] for member in members)
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        assert all(len(member.joins) == 1 for member in members)
        assert sorted(members[0].data) == sorted(data for m in members for data in m.sent)
        assert all(rebuilt(n, "subscription" if kind == "pubsub" else "commands") for n in nodes)


async def test_a_stop_longer_than_the_command_timeout_stores_nothing_twice(cluster: Cluster):
    """Redis still runs what it had received before the link was given up."""
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, **IMPATIENT)
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        is_over = asyncio.Event()
        load = asyncio.create_task(publish_until(is_over, *members))
        for seconds in (0.3, 0.9, 1.6):
            await asyncio.sleep(0.3)
            redis.pause()
            await asyncio.sleep(seconds)
            redis.resume()
        await asyncio.sleep(0.3)
        is_over.set()
        await load
        sent = [data for member in members for data in member.sent]
        await asyncio.gather(*(member.has(len(sent)) for member in members))
        assert all(member.errors == [] for member in members)
        assert cluster.faults(sent, settled=True, all_senders_logged=True) == []
        assert sorted(members[0].data) == sorted(sent)


async def test_scripts_that_redis_forgot_are_loaded_again(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        await under_load(lambda: redis.ask("SCRIPT", "FLUSH"), 10, 0.1, *members)
        assert all(member.errors == [] for member in members)
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        assert sorted(members[0].data) == sorted(data for m in members for data in m.sent)


async def test_a_node_whose_bytes_are_late_is_unready_and_then_catches_up(cluster: Cluster):
    """Packets wait, as behind a broken route: all of them come in the end, and far too late."""
    redis = cluster.start_redis()
    async with Proxy(redis.port) as proxy, cluster.clients():
        far = await cluster.add_node(proxy.url)
        near = await cluster.add_node(redis.url)
        writer = await cluster.member("writer", "r", [near]).joined()
        behind = await cluster.member("behind", "r", [far]).joined()
        proxy.hold()
        await behind.send("into the hole")
        for n in range(200):
            await writer.send(f"meanwhile {n}")
        await behind.until(lambda: behind.errors, "its publish fails", 4)
        assert behind.errors[0]["code"] == "unavailable"
        assert await unready(far, 12) < 11
        await answers(near, "/readyz", lambda status, _: status == 200, "the other is well", 1)
        proxy.mend()
        assert await ready(far, 12) < 10
        await behind.has_last("meanwhile 199")
        await behind.send("back again")
        await writer.has_last("back again")
        await behind.has_last("back again")
        assert cluster.faults([f"meanwhile {n}" for n in range(200)], settled=True) == []
        assert len(behind.joins) == 1


async def test_publishes_over_the_buffer_fail_and_those_in_it_are_stored(cluster: Cluster):
    """They are answered in their turn; where nothing waits in front of them, at once."""
    redis = cluster.start_redis()
    [node] = await cluster.start(
        1, redis, redis_publish_buffer="100KiB", redis_publish_timeout="10s",
        redis_command_timeout="10s",
    )  # fmt: skip
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [node]).joined()
        other = await cluster.member("other", "other room", [node]).joined()
        await writer.send("before")
        await writer.has(1)
        redis.pause()
        sent = [f"{n}".ljust(10_000, ".") for n in range(40)]
        for data in sent:
            await writer.send(data)
        await eventually(
            lambda: node.metrics().total("canang_redis_buffered_bytes") > 90_000, "it fills", 2
        )
        await other.send("x" * 10_000)
        await other.until(lambda: other.errors, "refused at once", 1)
        assert other.errors[0]["code"] == "unavailable"
        redis.resume()
        await writer.until(lambda: len(writer.data) - 1 + len(writer.errors) == 40, "all answered")
        assert {error["code"] for error in writer.errors} == {"unavailable"}
        assert writer.data == ["before", *sent[: len(writer.data) - 1]], "the first that fit"
        assert 5 <= len(writer.data) - 1 <= 10
        assert cluster.faults(settled=True) == []
        metrics = node.metrics()
        failed = metrics.total("canang_redis_publish_errors_total", reason="buffer")
        assert failed == len(writer.errors) + 1
        assert metrics.total("canang_redis_buffered_bytes") == 0


async def test_a_room_is_subscribed_where_it_has_members_and_left_after_the_last(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(3, redis, room_linger="100ms")

    def subscribers() -> dict[str, int]:
        channels = [c for c in redis.ask("PUBSUB", "CHANNELS", "*") if b":c:" in c]
        counts = redis.ask("PUBSUB", "NUMSUB", *channels) if channels else []
        names = [channel.decode().split(":c:")[1] for channel in counts[::2]]
        return dict(zip(names, counts[1::2], strict=True))

    async with cluster.clients():
        one = [cluster.member(f"one {n}", "one", [node]) for n, node in enumerate(nodes[:2])]
        two = cluster.member("two", "two", [nodes[2]])
        await asyncio.gather(*(member.joined() for member in [*one, two]))
        assert subscribers() == {"one": 2, "two": 1}
        await asyncio.gather(one[0].leave(), two.leave())
        await eventually(lambda: subscribers() == {"one": 1}, "those without members left", 12)
        await one[1].send("still heard")
        await one[1].has(1)


async def test_a_return_within_the_grace_is_no_join_though_the_reply_was_lost(cluster: Cluster):
    """Redis runs what it had received, the node tries again: by then the return is history."""
    redis = cluster.start_redis()
    here, there = await cluster.start(2, redis, **IMPATIENT, join_leave="*")
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [there], user="watcher").has_come()
        anna = await cluster.member("anna", "r", [here], user="anna").joined()
        await watcher.until(lambda: ("joined", "anna") in watcher.events, "anna has come")
        anna.nodes = [there]
        anna.vanish()
        await eventually(
            lambda: redis.ask("KEYS", "*:g:r"), "her leave waits for the grace", 2, 0.002
        )
        redis.pause()
        await anna.until(lambda: len(anna.joins) == 2, "she is back on the other node", 2)
        await eventually(
            lambda: "no reply within" in there.log_messages()[-1], "the link is given up", 2
        )
        redis.resume()
        await anna.send("hello again")
        await watcher.has_last("hello again")
        await answers(there, "/rooms/r", lambda _, page: page["members"] == 2, "two members", 5)
        assert watcher.events == [("joined", "watcher"), ("joined", "anna")]
