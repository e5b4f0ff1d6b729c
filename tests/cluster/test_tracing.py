"""Publications that are followed from one node to others: docs/tracing.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.canang_process import CanangProcess
from support.centrifugo import Json, Peer
from support.clients import open_client, receive
from support.cluster import Cluster, answers
from support.server_api import ApiAnswer, call, post
from support.trace_collector import ERROR, UNSET, TraceCollector
from support.waiting import eventually

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
PUBLISH = "POST /api/publish"


@pytest.fixture
def collector() -> Iterator[TraceCollector]:
    with TraceCollector() as made:
        yield made
    assert not made.faults, made.faults


async def traced(
    cluster: Cluster, collector: TraceCollector, count: int = 2, **options: Any
) -> list[CanangProcess]:
    """Nodes that know of each other, and send spans of those requests that want it."""
    told = {"otlp_endpoint": collector.url(), "trace_sample": "0"}
    nodes = await cluster.start(count, cluster.start_redis(), **(told | options))
    await all_know(nodes, count)
    return nodes


async def all_know(nodes: list[CanangProcess], count: int) -> None:
    for node in nodes:
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == count, "a roster", 10)


def id_of(node: CanangProcess) -> str:
    return json.loads(node.get_internal("/nodes").text)["node"]


async def publish(node: CanangProcess, traceparent: str, room: str, data: Any, **more: Any) -> ApiAnswer:
    body = {"channel": room, "data": data} | more
    return await asyncio.to_thread(post, node, "/api/publish", body, {"traceparent": traceparent})


async def peer(node: CanangProcess, room: str) -> Peer:
    made = await Peer.open(node, Json)
    await made.connect()
    await made.subscribe(room)
    return made


async def end(*nodes: CanangProcess) -> None:
    """Then the collector has all spans that there are: what waits is sent when a node ends."""
    for code in await asyncio.gather(*(asyncio.to_thread(node.stop) for node in nodes)):
        assert code == 0


async def test_each_node_with_members_delivers_what_one_of_them_published(cluster, collector):
    nodes = await traced(cluster, collector)
    ids = [id_of(node) for node in nodes]
    members = [await peer(node, "kitchen") for node in nodes]
    stored = (await publish(nodes[0], SAMPLED, "kitchen", {"n": 1})).result
    told = [(await member.has("kitchen", 1))[0] for member in members]
    for member in members:
        await member.end()
    await end(*nodes)
    request, broker = collector.one(PUBLISH), collector.one("broker")
    assert {span.trace for span in collector.spans()} == {TRACE}
    assert (request.parent, broker.parent) == (PARENT, request.id)
    assert request.node == broker.node == ids[0]
    assert broker.attributes["canang.offset"] == stored["offset"]
    delivers = collector.spans("deliver")
    assert sorted(span.node for span in delivers) == sorted(ids)
    for span in delivers:
        assert (span.parent, span.attributes["canang.members"]) == (broker.id, 1)
        assert broker.start_ns <= span.start_ns <= span.end_ns
    assert [one["data"] for one in told] == [{"n": 1}] * 2
    assert [one["tags"] for one in told] == [{"traceparent": broker.traceparent}] * 2
    assert len(collector.spans()) == 4


async def test_a_node_without_members_leaves_the_deliver_to_the_one_that_has_some(cluster, collector):
    nodes = await traced(cluster, collector)
    ids = [id_of(node) for node in nodes]
    client = await open_client(nodes[1].url("/ws/kitchen"))
    await nodes[1].members_are(1)
    await publish(nodes[0], SAMPLED, "kitchen", {"n": 1})
    assert await receive(client) == '{"n":1}'
    await client.close()
    await end(*nodes)
    broker, deliver = collector.one("broker"), collector.one("deliver")
    assert (broker.node, deliver.node) == (ids[0], ids[1])
    assert (deliver.trace, deliver.parent) == (TRACE, broker.id)


async def test_what_skips_the_history_is_followed_to_other_nodes(cluster, collector):
    nodes = await traced(cluster, collector)
    client = await open_client(nodes[1].url("/ws/kitchen"))
    await nodes[1].members_are(1)
    assert (await publish(nodes[0], SAMPLED, "kitchen", 1, skip_history=True)).result == {}
    assert await receive(client) == "1"
    await client.close()
    await end(*nodes)
    broker = collector.one("broker")
    assert collector.one("deliver").parent == broker.id
    assert "canang.offset" not in broker.attributes


async def test_the_trace_is_in_the_history_that_any_node_tells(cluster, collector):
    nodes = await traced(cluster, collector)
    at = (await publish(nodes[0], SAMPLED, "kitchen", "first")).result
    await publish(nodes[1], SAMPLED, "kitchen", "second")
    kept = [await call(node, "history", channel="kitchen", limit=9) for node in nodes]
    client = await open_client(nodes[1].url(f"/ws/kitchen?since={at['epoch']}:{at['offset']}"))
    assert json.loads(await receive(client))["join"]["recovered"]
    assert json.loads(await receive(client))["data"] == '"second"'
    await client.close()
    await end(*nodes)
    brokers = [{"traceparent": span.traceparent} for span in collector.spans("broker")]
    assert len(brokers) == 2
    for history in kept:
        assert [one["tags"] for one in history["publications"]] == brokers
    assert not collector.spans("deliver"), "who resumes gets it without a span"


async def test_a_node_that_follows_nothing_hands_on_the_trace(cluster, collector):
    redis = cluster.start_redis()
    first = await cluster.add_node(redis.url, otlp_endpoint=collector.url(), trace_sample="0")
    second = await cluster.add_node(redis.url)
    await all_know([first, second], 2)
    member = await peer(second, "kitchen")
    await publish(first, SAMPLED, "kitchen", 1)
    await publish(second, SAMPLED, "kitchen", 2)
    told, other = await member.has("kitchen", 2)
    await member.end()
    await end(first, second)
    broker = collector.one("broker")
    assert told["tags"] == {"traceparent": broker.traceparent}
    assert not other.get("tags")
    assert [span.name for span in collector.spans()] == [PUBLISH, "broker"]


async def test_while_a_node_knows_no_tags_others_have_no_deliver(cluster, collector):
    redis = cluster.start_redis()
    told = {"otlp_endpoint": collector.url(), "trace_sample": "0"}
    nodes = await cluster.start(2, redis, **told)
    member = await peer(nodes[1], "kitchen")
    # as a node of a release that tells nothing of notes
    later = int(redis.ask("TIME")[0]) * 1000 + 9_000
    redis.ask("HSET", "canang:{p00}:nodes:info", "older", '{"id":"older"}')
    redis.ask("ZADD", "canang:{p00}:nodes:leases", later, "older")
    await all_know(nodes, 3)
    await publish(nodes[0], SAMPLED, "kitchen", {"n": 1})
    [told] = await member.has("kitchen", 1)
    assert told["data"] == {"n": 1} and not told.get("tags")
    await member.end()
    await end(*nodes)
    broker = collector.one("broker", TRACE)
    assert broker.attributes["canang.offset"] == 1 and broker.status == UNSET
    assert not collector.spans("deliver")


async def test_what_redis_does_not_store_is_an_error_of_the_spans(cluster, collector):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, otlp_endpoint=collector.url(), trace_sample="0")
    member = await peer(node, "kitchen")
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    refused = await publish(node, SAMPLED, "kitchen", "lost")
    redis.ask("CONFIG", "SET", "maxmemory", "0")
    assert refused.error[1] == 100

    def is_stored() -> bool:
        return "result" in post(node, "/api/publish", {"channel": "kitchen", "data": "kept"}).json

    await eventually(is_stored, "it stores again", 10)
    assert (await member.has("kitchen", 1))[0]["data"] == "kept"
    await member.end()
    await end(node)
    request, broker = collector.one(PUBLISH), collector.one("broker")
    assert (request.status, request.attributes["canang.api.error"]) == (ERROR, 100)
    assert (broker.status, broker.parent) == (ERROR, request.id)
    assert "canang.offset" not in broker.attributes
    assert not collector.spans("deliver")
