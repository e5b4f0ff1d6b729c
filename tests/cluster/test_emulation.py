"""Clients of Centrifugo's fallback transports whose requests reach another node than the one that has their stream."""

from __future__ import annotations

import asyncio
import time

import pytest

from support.cluster import Cluster, answers
from support.emulation import (
    STREAMS,
    TAKEN,
    TOO_LARGE,
    UNAVAILABLE,
    UNKNOWN,
    Emulated,
    JsonLines,
)
from support.pausing import go_on, stop
from support.waiting import eventually, holds_for

ANSWERED_IN_S = 8.0  # the limit of a command, and some
streams = pytest.mark.parametrize("format", STREAMS, ids=lambda format: format.name)


async def all_know(nodes, count: int) -> None:
    for node in nodes:
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == count, "a roster", 10)


async def split_client(stream_of, said_to, format=JsonLines) -> Emulated:
    peer = await Emulated.connected(stream_of.port, format)
    peer.port = said_to.port
    return peer


@streams
async def test_no_client_needs_to_stay_on_one_node(cluster: Cluster, format):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    one, other, third = nodes
    peer = await split_client(one, other, format)
    await peer.subscribe("room")
    for n in range(30):
        peer.port = (other, third, one)[n % 3].port
        await peer.publish("room", n)
    assert await peer.has("room", 30) == list(range(30))
    large = "x" * 60_000
    peer.port = other.port
    await peer.publish("room", large)
    assert (await peer.has("room", 31))[-1] == large
    await peer.end()


async def test_pongs_may_go_to_another_node(cluster: Cluster):
    options = {"ping-interval": "1s", "pong-timeout": "1s"}
    nodes = await cluster.start(2, cluster.start_redis(), **options)
    await all_know(nodes, 2)
    peer = await split_client(*nodes)
    await eventually(lambda: len(peer.pings) >= 4, "four pings", 8)
    assert peer.is_open
    await peer.end()


async def test_only_the_session_that_is_named_hears_it(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    await all_know(nodes, 2)
    ana = await split_client(*nodes)
    budi = await split_client(*nodes)
    session, node = ana.session, ana.node
    for wrong in (session[:32] + "7", "0" * 32 + session[32:], session[:-1], "x"):
        ana.session = wrong
        assert (await ana.say_raw("nonsense")).status == UNKNOWN, wrong
    ana.session = session
    for wrong in ("aaaaaaaaaa", "all", "x"):
        ana.node = wrong
        assert (await ana.say_raw("nonsense")).status == UNKNOWN, wrong
    ana.node = node
    assert (await ana.say_raw("x" * 70_000)).status == TOO_LARGE
    for peer in (ana, budi):
        await peer.subscribe("room")
        await peer.end()


async def test_what_is_made_up_makes_redis_do_nothing(cluster: Cluster):
    redis = cluster.start_redis()
    one, other = await cluster.start(2, redis)
    await all_know([one, other], 2)
    peer = await split_client(one, other)
    session = peer.session

    def at(place: int) -> str:
        return session[:place] + ("1" if session[place] == "0" else "0") + session[place + 1 :]

    before = redis.commandstats().get("publish", 0)
    for n in range(300):
        peer.session = f"{n:032x}0" if n % 2 else at(n % 32)
        assert (await peer.say_raw("{}")).status == UNKNOWN
    assert redis.commandstats().get("publish", 0) - before < 100, "probes of the links alone"
    peer.session = session
    await peer.subscribe("room")
    await peer.end()
    await eventually(lambda: one.metrics()["canang_connections"] == 0, "it has gone")
    before = redis.commandstats().get("publish", 0)
    for _ in range(300):
        assert (await peer.say_raw("{}")).status == UNKNOWN
    assert redis.commandstats().get("publish", 0) - before < 100, "it is asked for once"
    assert "announces" not in other.get_internal("/nodes").text, "the keys are no one else's"


async def test_what_is_said_to_a_node_that_has_just_started_waits_until_it_is_known(cluster: Cluster):
    redis = cluster.start_redis()
    [other] = await cluster.start(1, redis)
    [fresh] = await cluster.start(1, redis)
    peer = await split_client(fresh, other)  # before the other one has renewed its leases
    await peer.subscribe("room")
    await peer.publish("room", 1)
    assert await peer.has("room", 1) == [1]
    await peer.end()


async def test_a_session_that_has_ended_is_unknown_everywhere(cluster: Cluster):
    one, other = await cluster.start(2, cluster.start_redis())
    await all_know([one, other], 2)
    peer = await split_client(one, other)
    await peer.subscribe("room")
    await peer.end()
    await eventually(lambda: one.metrics()["canang_connections"] == 0, "it has gone")
    assert (await peer.say_raw("{}")).status == UNKNOWN


async def test_what_is_said_to_a_dead_node_is_answered_in_time(cluster: Cluster):
    doomed, other = await cluster.start(2, cluster.start_redis())
    await all_know([doomed, other], 2)
    peer = await split_client(doomed, other)
    await peer.subscribe("room")
    doomed.kill()
    began = time.monotonic()
    answer = await peer.say_raw("{}", timeout=20)
    assert answer.status in (UNKNOWN, UNAVAILABLE)
    assert time.monotonic() - began < ANSWERED_IN_S
    await all_know([other], 1)
    began = time.monotonic()
    assert (await peer.say_raw("{}")).status == UNKNOWN, "once its lease is over, at once"
    assert time.monotonic() - began < 1
    await peer.end()


async def test_what_is_said_while_the_node_or_redis_hangs_is_answered_in_time(cluster: Cluster):
    redis = cluster.start_redis()
    one, other = await cluster.start(2, redis)
    await all_know([one, other], 2)
    peer = await split_client(one, other)
    await peer.subscribe("room")

    async def is_unavailable() -> None:
        began = time.monotonic()
        assert (await peer.say_raw("{}", timeout=20)).status == UNAVAILABLE
        assert time.monotonic() - began < ANSWERED_IN_S

    stop(one.process)
    await is_unavailable()
    go_on(one.process)
    assert (await peer.say_raw("{}")).status == TAKEN
    redis.pause()
    await is_unavailable()
    redis.resume()
    await peer.end()


@pytest.mark.parametrize("comes", [True, False], ids=["that comes", "that never comes"])
async def test_a_node_that_ends_waits_for_an_answer(cluster: Cluster, comes: bool):
    """Cut off, its client could not know whether its command was carried out."""
    one, other = await cluster.start(2, cluster.start_redis())
    await all_know([one, other], 2)
    peer = await split_client(one, other)
    await peer.subscribe("room")

    def received() -> float:
        return other.metrics()["canang_received_bytes_total"]

    before = received()
    stop(one.process)
    command = peer.numbered(publish={"channel": "room", "data": peer.format.data(1)})
    said = asyncio.create_task(peer.say(command))
    await eventually(lambda: received() > before, "it is asked")
    ended = asyncio.create_task(asyncio.to_thread(other.stop))
    await eventually(other.refuses_connections, "it drains")
    drained = time.monotonic()
    await asyncio.to_thread(holds_for, lambda: not (said.done() or ended.done()), 0.5, "it waits")
    if not comes:
        assert await ended == 0
        assert 1.5 < time.monotonic() - drained < 4
        assert other.log_with("1 requests were cut")
        with pytest.raises((OSError, IndexError)):
            await said
    go_on(one.process)
    if comes:
        assert (await said).status == TAKEN
        assert await ended == 0
    assert await peer.has("room", 1) == [1]
    await peer.end()


async def test_a_crowd_of_large_messages_is_bounded_and_each_is_told_its_fate(cluster: Cluster):
    rates = {name: 0 for name in
             ("publish-rate", "publish-bytes-rate", "room-publish-rate", "room-publish-bytes-rate")}  # fmt: skip
    one, other = await cluster.start(2, cluster.start_redis(), **rates)
    await all_know([one, other], 2)
    peer = await split_client(one, other)
    await peer.subscribe("crowd")

    async def publish(n: int) -> int:
        data = f"{n:04}" + "x" * 50_000
        command = {"id": 1000 + n, "publish": {"channel": "crowd", "data": data}}
        return (await peer.say(command, timeout=30)).status

    statuses = await asyncio.gather(*(publish(n) for n in range(300)))
    assert set(statuses) <= {TAKEN, UNAVAILABLE, 429}
    assert statuses.count(TAKEN) >= 20, "what a client may have unanswered"
    heard = await peer.has("crowd", statuses.count(TAKEN), 20)
    numbers = sorted(int(value[:4]) for value in heard)
    assert numbers == [n for n, status in enumerate(statuses) if status == TAKEN]
    await peer.publish("crowd", "after")
    await peer.end()
