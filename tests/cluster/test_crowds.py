"""A crowd of silent connections cannot take a node's links to Redis away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.canang_process import CanangProcess
from support.cluster import Cluster, ready
from support.crowd import Crowd
from support.waiting import eventually

FILES = 400


def reconnects(node: CanangProcess) -> float:
    return node.metrics().total("canang_redis_reconnects_total")


@pytest.mark.parametrize("port_of", [lambda n: n.port, lambda n: n.internal_port],
                         ids=["public port", "internal port"])  # fmt: skip
async def test_links_are_rebuilt_while_a_silent_crowd_wants_all_descriptors(
    cluster: Cluster, port_of: Callable[[CanangProcess], int]
):
    redis = cluster.start_redis()
    node = await cluster.add_node(redis.url, files=FILES, redis_probe_interval="200ms")
    other = await cluster.add_node(redis.url)
    async with cluster.clients():
        here = await cluster.member("here", "r", [node]).joined()
        there = await cluster.member("there", "r", [other]).joined()
        with Crowd(port_of(node), 600) as crowd:
            await eventually(crowd.is_complete, "the crowd is there", 20)
            for n in range(3):
                before = await asyncio.to_thread(reconnects, node)
                await asyncio.to_thread(redis.kill_clients, "normal")
                await asyncio.to_thread(redis.kill_clients, "pubsub")
                await there.send(f"hello {n}")
                await here.has_last(f"hello {n}", 10)
                await eventually(
                    lambda before=before: reconnects(node) >= before + 2, "both links are back", 10
                )
                await ready(node, 1)
            late = await cluster.member("late", "r", [node]).joined()
            await late.send("in spite of the crowd")
            await there.has_last("in spite of the crowd", 10)
        assert here.errors == []
