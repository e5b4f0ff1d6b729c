"""The server API of nodes on one Redis: it does not matter which node is asked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.canang_process import CanangProcess
from support.clients import close_all, open_client, receive
from support.cluster import Cluster, answers
from support.server_api import ApiAnswer, call, post
from support.waiting import eventually


async def ask(node: CanangProcess, method: str, **fields: Any) -> ApiAnswer:
    return await asyncio.to_thread(post, node, f"/api/{method}", fields)


async def id_of(node: CanangProcess) -> str:
    return json.loads(node.get_internal("/nodes").text)["node"]


async def all_know(nodes: list[CanangProcess], count: int) -> None:
    for node in nodes:
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == count, "a roster", 10)


def data_of(result: dict[str, Any]) -> list[Any]:
    return [one["data"] for one in result["publications"]]


async def test_a_broadcast_reaches_the_members_on_all_nodes(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    rooms = [f"room{n}" for n in range(10)]
    clients = [await open_client(node.url(f"/ws/{room}")) for node in nodes for room in rooms]
    for node in nodes:
        await node.members_are(10)
    for turn in range(3):
        node = nodes[turn % 2]
        sent = await call(node, "broadcast", channels=[*rooms, "", "empty"], data=turn)
        offsets = [one["result"]["offset"] for one in sent["responses"] if "result" in one]
        assert offsets == [turn + 1] * 11
        assert sent["responses"][10]["error"]["code"] == 107
    for client in clients:
        assert [await receive(client) for _ in range(3)] == ["0", "1", "2"]
    await close_all(*clients)


async def test_bytes_reach_the_members_on_another_node(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    client = await open_client(nodes[1].url("/ws/kitchen"))
    await call(nodes[0], "publish", channel="kitchen", b64data="AP8=")
    assert await receive(client) == b"\0\xff"
    [kept] = (await call(nodes[1], "history", channel="kitchen", limit=9))["publications"]
    assert kept == {"data": None, "b64data": "AP8=", "offset": 1}
    await client.close()


async def test_tags_wait_until_all_nodes_can_read_them(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    await all_know(nodes, 2)
    sent = {"channel": "kitchen", "data": 1, "tags": {"k": "v"}}
    await call(nodes[0], "publish", **sent)
    # as a node of a release that tells nothing of notes
    later = int(redis.ask("TIME")[0]) * 1000 + 9_000
    redis.ask("HSET", "canang:{p00}:nodes:info", "older", '{"id":"older"}')
    redis.ask("ZADD", "canang:{p00}:nodes:leases", later, "older")
    await all_know(nodes, 3)
    await call(nodes[0], "publish", **sent)
    await call(nodes[1], "publish", **sent, skip_history=True)
    kept = (await call(nodes[1], "history", channel="kitchen", limit=9))["publications"]
    assert [one.get("tags") for one in kept] == [{"k": "v"}, None]


async def test_a_history_is_the_same_through_any_node(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis(), join_leave="kitchen")
    client = await open_client(nodes[0].url("/ws/kitchen?user=ann"))
    position = {}
    for n in range(20):
        position = await call(nodes[n % 2], "publish", channel="kitchen", data=n)
    for node in nodes:
        result = await call(node, "history", channel="kitchen", limit=-1)
        assert data_of(result) == list(range(20))
        assert {"epoch": result["epoch"], "offset": result["offset"]} == position
        newest = await call(node, "history", channel="kitchen", limit=3, reverse=True)
        assert data_of(newest) == [19, 18, 17]
        tenth = {"offset": result["publications"][9]["offset"], "epoch": result["epoch"]}
        rest = await call(node, "history", channel="kitchen", limit=4, since=tenth)
        assert data_of(rest) == [10, 11, 12, 13]
        wrong = await ask(
            node, "history", channel="kitchen", limit=4, since={"offset": 1, "epoch": "other"}
        )
        assert wrong.error == (200, 112)
    await client.close()


async def test_a_history_is_removed_on_all_nodes(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    member = await open_client(nodes[1].url("/ws/kitchen?meta=true"))
    joined = json.loads(await receive(member))["join"]
    for n in range(5):
        at = await call(nodes[0], "publish", channel="kitchen", data=n)
    for _ in range(5):
        await receive(member)
    await call(nodes[0], "history_remove", channel="kitchen")
    after = await call(nodes[0], "publish", channel="kitchen", data="after")
    assert after == {"offset": at["offset"] + 1, "epoch": at["epoch"]}
    assert json.loads(await receive(member))["offset"] == after["offset"], "it is not disturbed"
    for node in nodes:
        result = await call(node, "history", channel="kitchen", limit=-1)
        assert (data_of(result), result["offset"]) == (["after"], after["offset"])
        for offset, recovered in ((joined["offset"], False), (3, False), (at["offset"], True)):
            since = f"{at['epoch']}:{offset}"
            client = await open_client(node.url(f"/ws/kitchen?since={since}"))
            told = json.loads(await receive(client))["join"]
            assert told["recovered"] is recovered, (offset, told)
            if recovered:
                assert json.loads(await receive(client))["offset"] == after["offset"]
            await client.close()
    await member.close()


async def test_the_rooms_of_all_nodes_are_listed(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    rooms = ["kitchen", "kitchen", "hall"]
    clients = [await open_client(node.url(f"/ws/{room}")) for node in nodes for room in rooms]

    async def listed(node: CanangProcess, **fields: Any) -> dict[str, int]:
        found = (await call(node, "channels", **fields))["channels"]
        return {name: one["num_clients"] for name, one in found.items()}

    for node in nodes:
        async with asyncio.timeout(10):
            while await listed(node) != {"kitchen": 4, "hall": 2}:
                await asyncio.sleep(0.02)
        assert await listed(node, pattern="h?ll") == {"hall": 2}
        assert await listed(node, pattern="nothing*") == {}
    await close_all(*clients)


async def test_presence_is_of_all_nodes(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    clients = [
        await open_client(node.url(f"/ws/kitchen?user={user}"))
        for node in nodes
        for user in ("ann", "bob")
    ]
    for node in nodes:
        await answers(node, "/rooms/kitchen", lambda _, page: page["members"] == 4, "four", 10)
        presence = (await call(node, "presence", channel="kitchen"))["presence"]
        assert sorted(info["user"] for info in presence.values()) == ["ann", "ann", "bob", "bob"]
        assert len({name.split("/")[0] for name in presence}) == 2, "of both nodes"
        stats = await call(node, "presence_stats", channel="kitchen")
        assert stats == {"num_clients": 4, "num_users": 2}
    await close_all(*clients)


async def test_all_nodes_are_told_of(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    client = await open_client(nodes[2].url("/ws/kitchen"))

    def is_one(_: int, page: dict[str, Any]) -> bool:
        return sum(one["connections"] for one in page["nodes"]) == 1

    for node in nodes:
        await answers(node, "/nodes", is_one, "one connection", 10)
        of_all = (await call(node, "info"))["nodes"]
        assert {one["uid"] for one in of_all} == {await id_of(one) for one in nodes}
        assert sorted(one["num_clients"] for one in of_all) == [0, 0, 1]
        assert sorted(one["num_channels"] for one in of_all) == [0, 0, 1]
        assert all(one["version"] and one["name"] for one in of_all)
    await client.close()


async def test_a_batch_sees_what_it_did_itself(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    commands: list[dict[str, Any]] = []
    for n in range(50):
        commands += [
            {"publish": {"channel": f"room{n % 5}", "data": n}},
            {"history": {"channel": f"room{n % 5}", "limit": 1, "reverse": True}},
        ]
    told = (await ask(nodes[0], "batch", commands=commands)).json["replies"]
    for n in range(50):
        assert told[2 * n]["publish"]["offset"] == n // 5 + 1
        assert data_of(told[2 * n + 1]["history"]) == [n]


async def test_without_redis_there_is_an_error_and_no_silence(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, redis_probe_interval="200ms")
    assert (await ask(node, "publish", channel="kitchen", data=1)).result["offset"] == 1
    redis.pause()
    try:
        for method, fields in (
            ("history", {"channel": "kitchen", "limit": 1}),
            ("presence", {"channel": "kitchen"}),
            ("presence_stats", {"channel": "kitchen"}),
        ):
            assert (await ask(node, method, **fields)).error == (200, 100), method
    finally:
        redis.resume()
    kitchen = {"channel": "kitchen"}
    await eventually(
        lambda: "result" in post(node, "/api/history", kitchen).json, "it is back", 10
    )
    assert (await ask(node, "history", **kitchen)).result["offset"] == 1
