"""EventSource in a cluster: what a node's death, a drain and a Redis without a memory do to it."""

from __future__ import annotations

import asyncio
import json

from support.clients import open_client, receive
from support.cluster import Cluster
from support.event_stream import EventSource, EventStream


async def author_of(node, room: str):
    return await open_client(node.url(f"/ws/{room}?meta=true"))


async def say(author, text: str) -> None:
    """Published, and back: every node has it before long."""
    await author.send(text)
    while json.loads(await receive(author)).get("data") != text:
        pass


async def test_the_sudden_death_of_a_node_costs_no_message(cluster: Cluster):
    doomed, other, writing = await cluster.start(3, cluster.start_redis())
    author = await author_of(writing, "news")
    sources = [EventSource(f"source {n}", "/sse/news", [doomed, other]).start() for n in range(20)]
    for source in sources:
        await source.until(lambda s=source: s.of_type("join"), "joined")
    for n in range(20):
        await say(author, f"n{n}")
    doomed.process.kill()
    for n in range(20, 60):
        await say(author, f"n{n}")
    said = [f"n{n}" for n in range(60)]
    for source in sources:
        await source.until(lambda s=source: len(s.of_type()) >= 60, "has all")
        assert source.of_type() == said
        assert source.of_type("reset") == []
        assert source.opened >= 2
        await source.leave()
    await author.close()


async def test_several_rooms_survive_it_too(cluster: Cluster):
    doomed, other, writing = await cluster.start(3, cluster.start_redis())
    rooms = [f"room {n}" for n in range(5)]
    authors = [await author_of(writing, room.replace(" ", "%20")) for room in rooms]
    path = "/sse?" + "&".join(f"room={room.replace(' ', '+')}" for room in rooms)
    source = EventSource("source", path, [doomed, other]).start()
    await source.until(lambda: len(source.of_type("join")) == 5, "joined")
    for n in range(100):
        if n == 40:
            doomed.process.kill()
        await say(authors[n % 3], f"n{n}")
    await source.until(lambda: len(source.of_type()) >= 100, "has all")
    got = [json.loads(data) for data in source.of_type()]
    for k, room in enumerate(rooms):
        assert [at["data"] for at in got if at["room"] == room] == [
            f"n{n}" for n in range(100) if n % 3 == k
        ]
    assert source.of_type("reset") == []
    await source.leave()
    for author in authors:
        await author.close()


async def test_a_node_that_drains_hands_its_clients_over(cluster: Cluster):
    leaving, other = await cluster.start(2, cluster.start_redis())
    author = await author_of(other, "hand-over")
    source = EventSource("source", "/sse/hand-over", [leaving, other]).start()
    await source.until(lambda: source.of_type("join"), "joined")
    leaving.process.terminate()
    for n in range(30):
        await say(author, f"n{n}")
    await source.until(lambda: len(source.of_type()) >= 30, "has all")
    assert source.of_type() == [f"n{n}" for n in range(30)]
    assert source.of_type("reset") == [] and source.of_type("close") == []
    assert any(100 <= pause <= 1000 for pause in source.retries_ms)
    await source.leave()
    await author.close()
    assert await asyncio.to_thread(leaving.wait_exit) == 0


async def test_a_redis_that_forgot_is_told(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    author = await author_of(node, "forgotten")
    source = EventSource("source", "/sse/forgotten", [node]).start()
    await source.until(lambda: source.of_type("join"), "joined")
    await say(author, "one")
    await source.until(lambda: source.of_type() == ["one"], "one")
    before = source.last_id
    redis.ask("FLUSHALL")
    await say(author, "two")
    await source.until(lambda: "two" in source.of_type(), "two")
    assert source.of_type("reset"), "what may have been lost is told"
    assert source.last_id.split(":")[0] != before.split(":")[0]
    await source.leave()
    back = await EventStream.open(node.port, "/sse/forgotten", last_id=before)
    await back.until(lambda: back.of_type("reset"), "reset")
    await say(author, "three")
    await back.has("three")
    await back.close()
    await author.close()
