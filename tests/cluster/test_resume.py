"""Joining with a position: on any node, exactly once, and never a false `recovered`."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from support.checker import faults_of
from support.clients import close_all, open_client, receive
from support.cluster import Cluster
from websockets.exceptions import InvalidStatus


async def frames(url: str, count: int):
    client = await open_client(url)
    got = [json.loads(await receive(client)) for _ in range(count)]
    await close_all(client)
    return got


@pytest.mark.parametrize("alone", [False, True], ids=["cluster", "one node"])
async def test_since_brings_what_followed_or_says_no(cluster: Cluster, start_canang, alone: bool):
    if alone:
        here = there = start_canang(history_size=10)
    else:
        here, there = await cluster.start(2, cluster.start_redis(), history_size=10)
    writer = await open_client(here.url("/ws/a%20b?meta=true"))
    first = json.loads(await receive(writer))["join"]
    assert first == {"room": "a b", "epoch": first["epoch"], "offset": 0, "recovered": False}
    for n in range(1, 31):
        await writer.send(f"m{n}" if n % 2 else bytes([n]))
        assert json.loads(await receive(writer))["offset"] == n
    epoch = first["epoch"]

    def url(query: str) -> str:
        return there.url(f"/ws/a%20b?{query}")

    join, *rest = await frames(url(f"since={epoch}:27"), 4)
    assert join == {"join": {"room": "a b", "epoch": epoch, "offset": 27, "recovered": True}}
    assert rest == [
        {"epoch": epoch, "offset": 28, "data64": "HA=="},
        {"epoch": epoch, "offset": 29, "data": "m29"},
        {"epoch": epoch, "offset": 30, "data64": "Hg=="},
    ]
    at_top = {"join": {"room": "a b", "epoch": epoch, "offset": 30, "recovered": True}}
    assert await frames(url(f"since={epoch}:30"), 1) == [at_top]
    for since in (f"{epoch}:31", f"{epoch}:3", "another:27", f"{epoch}:0"):
        [join] = await frames(url(f"since={since}"), 1)
        assert join == {"join": {"room": "a b", "epoch": epoch, "offset": 30, "recovered": False}}, since
    join, *rest = await frames(url("meta=true&history=2"), 3)
    assert join == {"join": {"room": "a b", "epoch": epoch, "offset": 28, "recovered": False}}
    assert [frame["offset"] for frame in rest] == [29, 30]
    await close_all(writer)


@pytest.mark.parametrize(
    "query", ["since=", "since=x", "since=x:", "since=:1", "since=x:-1", "since=x:1.5",
              "since=x:99999999999999999999", "meta=1", "user=", "user=%07"],
)  # fmt: skip
async def test_a_bad_query_is_refused(start_canang, query: str):
    node = start_canang()
    with pytest.raises(InvalidStatus) as refused:
        await open_client(node.url(f"/ws/a?{query}"))
    assert refused.value.response.status_code == 400


async def test_clients_that_come_and_go_while_publications_go_on_miss_nothing(cluster: Cluster):
    # enough history for a client that is away for all of it
    await cluster.start(2, cluster.start_redis(), history_size=1000, history_bytes="8MiB")
    async with cluster.clients():
        writer = await cluster.member("writer", "busy").joined()
        restless = [cluster.member(f"restless {n}", "busy") for n in range(8)]
        await asyncio.gather(*(member.joined() for member in restless))
        sent = []
        for n in range(600):
            sent.append(f"m{n}")
            await writer.send(sent[-1])
            if n % 5 == 0:
                victim = random.choice(restless)
                if victim.socket:
                    victim.socket.transport.abort()  # gone without a word
                await asyncio.sleep(0.01)
        await asyncio.gather(*(member.has_last("m599") for member in [writer, *restless]))
        logs = {member.name: member.log for member in [writer, *restless]}
        assert faults_of(logs, sent) == []
        assert sum(len(member.joins) for member in restless) > 30
        assert all(join.recovered for member in restless for join in member.joins[1:])


async def test_a_storm_of_returning_clients_costs_redis_a_read_a_room(cluster: Cluster):
    redis = cluster.start_redis()
    here, there = await cluster.start(2, redis)
    async with cluster.clients():
        writer = await cluster.member("writer", "storm", [here]).joined()
        for n in range(20):
            await writer.send(f"m{n}")
        await writer.has(20)
        epoch, top = writer.position
        before = there.metrics()["canang_history_reads_total"]
        clients = await asyncio.gather(
            *(open_client(there.url(f"/ws/storm?since={epoch}:{top - 5}")) for _ in range(200))
        )
        for client in clients:
            got = [json.loads(await receive(client)) for _ in range(6)]
            assert got[0]["join"]["recovered"] is True
            assert [frame["offset"] for frame in got[1:]] == list(range(top - 4, top + 1))
        assert there.metrics()["canang_history_reads_total"] - before <= 3
        await close_all(*clients)
