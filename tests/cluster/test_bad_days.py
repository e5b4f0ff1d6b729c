"""Nodes are killed, Redis stops, restarts, loses everything, links break: what the promises say."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest
from support.canang_process import WITHOUT_RATES
from support.checker import faults_of
from support.clients import open_client, receive
from support.cluster import Cluster, answers, ask, ready, unready
from support.pausing import go_on, stop
from support.proxy import Proxy
from support.waiting import eventually
from websockets.exceptions import ConnectionClosed, InvalidStatus


@pytest.mark.timeout(120)
async def test_nodes_killed_under_load_cost_resuming_clients_nothing(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(3, redis)
    rooms = [f"r{n}" for n in range(8)]
    async with cluster.clients():
        members = {
            room: [cluster.member(f"{room}/{n}", room, nodes) for n in range(4)] for room in rooms
        }
        everybody = [member for all_ in members.values() for member in all_]
        await asyncio.gather(*(member.joined() for member in everybody))
        is_over = asyncio.Event()

        async def kill() -> None:
            for _ in range(4):
                await asyncio.sleep(0.7)
                victim = random.choice(nodes)
                victim.signal(signal.SIGKILL)
                await asyncio.to_thread(victim.wait_exit)
                nodes.remove(victim)
                nodes.append(await cluster.add_node(redis.url))
                for member in everybody:
                    member.nodes = nodes
            is_over.set()

        await asyncio.gather(cluster.chatter(is_over), kill())
        await asyncio.gather(*(member.joined() for member in everybody))
        for room in rooms:
            await members[room][0].send(f"{room} last")
            await asyncio.gather(*(member.has_last(f"{room} last") for member in members[room]))
            # whatever reached anybody was stored: all must have it
            acknowledged = {data for member in members[room] for data in member.data}
            assert faults_of({m.name: m.log for m in members[room]}, acknowledged) == []
        assert all(join.recovered for member in everybody for join in member.joins[1:])
        assert sum(len(member.joins) - 1 for member in everybody) > 10, "somebody had to come back"


async def test_redis_restarted_empty_is_told_and_then_all_goes_on(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    async with cluster.clients():
        members = [cluster.member(f"m{i}", "r", [node]) for i, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        plain = await open_client(nodes[0].url("/ws/r"))
        for n in range(10):
            await members[0].send(f"before {n}")
        await asyncio.gather(*(member.has(10) for member in members))
        assert [await receive(plain) for _ in range(10)] == [f"before {n}" for n in range(10)]
        redis.kill()
        redis.start()
        for member in members:
            await eventually(lambda m=member: len(m.joins) > 1, "told of the new epoch", 10)
            assert member.joins[-1].recovered is False
        with pytest.raises(ConnectionClosed) as closed:
            await receive(plain, 10)
        assert closed.value.rcvd.code == 3010
        for n in range(10):
            await members[1].send(f"after {n}")
        await asyncio.gather(*(member.has_last("after 9") for member in members))
        assert faults_of({m.name: m.log for m in members}) == []
        assert [m.data[-10:] for m in members] == [[f"after {n}" for n in range(10)]] * 2
        await answers(
            nodes[0], "/rooms/r", lambda _, page: page.get("members") == 2, "presence healed", 10
        )


async def test_redis_restarted_with_its_data_loses_nothing(cluster: Cluster):
    redis = cluster.start_redis("--appendonly", "yes", "--appendfsync", "always")
    nodes = await cluster.start(2, redis)
    async with cluster.clients():
        members = [cluster.member(f"m{i}", "r", [node]) for i, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        for n in range(10):
            await members[0].send(f"a{n}")
        await asyncio.gather(*(member.has(10) for member in members))
        redis.kill()
        redis.start()
        await asyncio.gather(*(ready(node) for node in nodes))
        for n in range(10):
            await members[1].send(f"b{n}")
        await asyncio.gather(*(member.has_last("b9") for member in members))
        sent = [f"{x}{n}" for x in "ab" for n in range(10)]
        assert faults_of({m.name: m.log for m in members}, sent) == []
        assert all(join.recovered for member in members for join in member.joins[1:])


@pytest.mark.parametrize("seconds", [1, 12])
async def test_redis_stopped_for_a_while(cluster: Cluster, seconds: int):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    loop = asyncio.get_running_loop()
    async with cluster.clients():
        members = [cluster.member(f"m{i}", "r", [node]) for i, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        plain = await open_client(nodes[0].url("/ws/r"))
        await members[0].send("before")
        await asyncio.gather(*(member.has(1) for member in members))
        redis.pause()
        began = loop.time()
        for n in range(5):
            await members[0].send(f"meanwhile {n}")
        if seconds > 2:
            await eventually(lambda: members[0].errors, "an error for the publisher", 4)
            assert 1.5 < loop.time() - began < 3.5
            assert members[0].errors[0]["code"] == "unavailable"
            assert members[0].socket, "it stays connected"
            with pytest.raises(InvalidStatus) as refused:
                await open_client(nodes[0].url("/ws/a-new-room"))
            assert refused.value.response.status_code == 503
            await unready(nodes[0], seconds)
            healthy, _ = await ask(nodes[0], "/healthz")
            assert healthy == 200, "liveness is not about Redis"
        await asyncio.sleep(max(0.0, began + seconds - loop.time()))
        redis.resume()
        began = loop.time()
        await asyncio.gather(*(ready(node) for node in nodes))
        await members[1].send("after")
        await asyncio.gather(*(member.has_last("after") for member in members))
        assert loop.time() - began < 3, "normal 3 s after"
        acknowledged = {data for member in members for data in member.data}
        if seconds < 2:
            assert {f"meanwhile {n}" for n in range(5)} <= acknowledged
        assert faults_of({m.name: m.log for m in members}, acknowledged) == []
        assert all(len(member.joins) == 1 for member in members), "nothing was lost"
        await plain.close()


async def test_a_client_without_meta_is_closed_when_its_publish_fails(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, redis_publish_timeout="500ms")
    plain = await open_client(node.url("/ws/r"))
    redis.pause()
    await plain.send("lost?")
    with pytest.raises(ConnectionClosed) as closed:
        await receive(plain, 5)
    assert closed.value.rcvd.code == 1013
    redis.resume()


async def test_nodes_that_are_cut_off_are_unready_and_catch_up(cluster: Cluster):
    """The connections of one end, those of the other stay and nothing arrives."""
    redis = cluster.start_redis()
    here = await cluster.add_node(redis.url)
    async with Proxy(redis.port) as refuses, Proxy(redis.port) as swallows, cluster.clients():
        there = [await cluster.add_node(proxy.url) for proxy in (refuses, swallows)]
        writer = await cluster.member("writer", "r", [here]).joined()
        behind = [
            await cluster.member(name, "r", [node]).joined()
            for name, node in zip(("refused", "swallowed"), there, strict=True)
        ]
        await writer.send("before")
        await asyncio.gather(*(member.has(1) for member in behind))
        refuses.cut()
        swallows.swallows = True
        for n in range(20):
            await writer.send(f"m{n}")
        for seconds in await asyncio.gather(*(unready(node, 12) for node in there)):
            assert seconds < 10.5
        assert (await ask(here, "/readyz"))[0] == 200
        refuses.mend()
        swallows.mend()
        for seconds in await asyncio.gather(*(ready(node, 12) for node in there)):
            assert seconds < 10
        await asyncio.gather(*(member.has(21) for member in behind))
        assert cluster.faults(writer.data, settled=True, all_senders_logged=True) == []
        assert [len(member.joins) for member in behind] == [1, 1]


async def test_a_killed_output_buffer_costs_nothing(cluster: Cluster):
    """Redis disconnects a subscriber that does not read: what it missed comes from the history."""
    redis = cluster.start_redis("--client-output-buffer-limit", "pubsub 1mb 1mb 0")
    options = {"history_bytes": "64MiB", "outbox_limit": "64MiB"} | WITHOUT_RATES
    here, there = await cluster.start(2, redis, **options)
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [here]).joined()
        behind = await cluster.member("behind", "r", [there]).joined()
        killed = int(redis.info("clients").get("pubsub_clients", 0))
        stop(there.process)
        sent = [f"{n}".ljust(60_000, ".") for n in range(110)]
        for data in sent:
            await writer.send(data)
        await writer.has(110)
        go_on(there.process)
        await behind.has(110)
        assert faults_of({m.name: m.log for m in (writer, behind)}, sent) == []
        assert len(behind.joins) == 1
        gaps = there.metrics()
        assert gaps.total("canang_gaps_total", result="filled") >= 1, killed
        assert gaps.total("canang_redis_reconnects_total", link="subscription") >= 1


async def test_what_was_acknowledged_while_redis_broke_is_there(cluster: Cluster):
    """Links that break at any moment: nothing acknowledged is lost, nothing is doubled."""
    redis = cluster.start_redis()
    async with Proxy(redis.port) as proxy, cluster.clients():
        # What is published while a link is away must not outgrow the history.
        here = await cluster.add_node(proxy.url, history_size=1000)
        there = await cluster.add_node(redis.url, history_size=1000)
        writer = await cluster.member("writer", "r", [here]).joined()
        reader = await cluster.member("reader", "r", [there]).joined()
        for n in range(300):
            await writer.send(f"m{n}")
            if n % 60 == 30:
                proxy.cut()
                proxy.mend()
            if n % 3 == 0:
                await asyncio.sleep(0.005)
        await eventually(
            lambda: len(writer.data) + len(writer.errors) >= 300, "all have an answer", 15
        )
        assert writer.errors == [], "Redis was away for less than the publish timeout"
        await reader.has_last("m299")
        sent = [f"m{n}" for n in range(300)]
        assert faults_of({m.name: m.log for m in (writer, reader)}, sent) == []
        assert writer.data == sent == reader.data


async def test_an_idle_room_notices_within_ten_seconds_what_it_missed(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        await member.send("seen")
        await member.has(1)
        # a publication that was stored, and whose message never arrived
        [meta] = redis.ask("KEYS", "*:m:r")
        [stream] = redis.ask("KEYS", "*:s:r")
        body = redis.ask("XRANGE", stream, "1-0", "1-0")[0][1][1].replace(b"seen", b"lost")
        redis.ask("XADD", stream, "2-0", "b", body)
        redis.ask("HSET", meta, "o", "2")
        await member.has(2, 10)
        assert member.data == ["seen", "lost"]
        assert faults_of({"m": member.log}) == []
        assert node.metrics().total("canang_gaps_total", result="filled") == 1
