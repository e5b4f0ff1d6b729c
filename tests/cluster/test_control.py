"""Commands that all nodes execute: to disconnect a user, to add one to a room, to remove one from it."""

from __future__ import annotations

import asyncio
import json
import time

from support.canang_process import CanangProcess, http_request
from support.centrifugo import Peer
from support.clients import close_all, open_client, receive
from support.cluster import Cluster, answers, ask
from support.pausing import go_on, stop
from support.server_api import by_node, call, post
from support.waiting import eventually


async def id_of(node: CanangProcess) -> str:
    return (await ask(node, "/nodes"))[1]["node"]


async def all_know(nodes: list[CanangProcess], count: int) -> None:
    for node in nodes:
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == count, "a roster", 10)


async def open_users(nodes: list[CanangProcess], room: str, user: str):
    return [await open_client(node.url(f"/ws/{room}?user={user}&meta=true")) for node in nodes]


async def close_code(client) -> tuple[int, str]:
    await asyncio.wait_for(client.wait_closed(), 5)
    return client.close_code, client.close_reason


async def test_a_user_is_disconnected_on_all_nodes(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    ann = [*await open_users(nodes, "kitchen", "ann"), *await open_users(nodes[:1], "hall", "ann")]
    others = [*await open_users(nodes, "kitchen", "bob")]
    others += [await open_client(node.url("/ws/kitchen")) for node in nodes]
    for turn, node in enumerate(nodes):
        result = await call(
            node, "disconnect", user="ann", disconnect={"code": 4100 + turn, "reason": "bye"}
        )
        assert result["complete"] is True
        assert result["connections"] == (4 if turn == 0 else 0)
        assert len(result["nodes"]) == 3
        assert {one["outcome"] for one in result["nodes"]} == {"done"}
        assert result["nodes"][0]["node"] == await id_of(node), "the asked one is the first"
    for client in ann:
        assert await close_code(client) == (4100, "bye")
    for client in others:
        assert client.close_code is None
    total = sum(node.metrics()["canang_control_received_total"] for node in nodes)
    assert total == 6, "three commands, each by two other nodes"
    assert sum(
        node.metrics().closes().get(("4xxx", "disconnected"), 0) for node in nodes
    ) == 4
    # Nobody is kept out: it is a command for now.
    [back] = await open_users(nodes[1:2], "kitchen", "ann")
    await back.send("here again")
    assert "join" in json.loads(await receive(back))
    await close_all(back, *others)


async def test_a_user_is_removed_from_a_room_on_all_nodes(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    kitchen = await open_users(nodes, "kitchen", "ann")
    hall = await open_users(nodes, "hall", "ann")
    bob = await open_users(nodes, "kitchen", "bob")
    await answers(nodes[0], "/rooms/kitchen", lambda _, page: page["members"] == 6, "six", 10)
    result = await call(nodes[2], "unsubscribe", user="ann", channel="kitchen")
    assert (result["complete"], result["connections"]) == (True, 3)
    for client in kitchen:
        assert await close_code(client) == (3503, "removed from the room")
    await answers(nodes[0], "/rooms/kitchen", lambda _, page: page["members"] == 3, "three", 10)
    for client in [*hall, *bob]:
        assert client.close_code is None
    assert (await call(nodes[0], "unsubscribe", user="ann", channel="nowhere"))["connections"] == 0
    await close_all(*hall, *bob)


async def test_a_user_is_subscribed_and_unsubscribed_on_all_nodes(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    await all_know(nodes, 2)
    ann = [await Peer.open(node, user="ann") for node in nodes]
    names = [(await peer.connect())["client"] for peer in ann]

    def kinds(peer: Peer) -> list[str]:
        return [kind for push in peer.pushes for kind in push if kind != "channel"]

    result = await call(nodes[0], "subscribe", user="ann", channel="kitchen")
    assert (result["complete"], result["connections"]) == (True, 2)
    assert [one["connections"] for one in result["nodes"]] == [1, 1]
    await call(nodes[1], "publish", channel="kitchen", data="to both")
    for peer in ann:
        await peer.has("kitchen", 1)
        assert kinds(peer) == ["subscribe", "pub"]
    result = await call(nodes[0], "unsubscribe", user="ann", channel="kitchen", client=names[1])
    assert (result["complete"], result["connections"]) == (True, 1)
    await ann[1].until(lambda: "unsubscribe" in kinds(ann[1]), "the other node's has left")
    since = {"offset": 0, "epoch": ann[0].pushes[0]["subscribe"]["epoch"]}
    fields = {"user": "ann", "channel": "kitchen", "recover_since": since}
    assert (await call(nodes[0], "subscribe", **fields))["connections"] == 1, "one is in already"
    await ann[1].has("kitchen", 2)
    assert ann[1].values("kitchen") == ["to both", "to both"]
    result = await call(nodes[1], "disconnect", user="ann", whitelist=[names[0]])
    assert result["connections"] == 1
    assert await ann[1].closed() == 3503
    assert (await call(nodes[1], "refresh", user="ann", expired=True))["connections"] == 1
    assert await ann[0].closed() == 3005
    for peer in ann:
        await peer.end()


async def test_a_stopped_node_is_told_of_and_executes_once_when_it_goes_on(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    stopped = await id_of(nodes[2])
    ann = await open_users(nodes, "kitchen", "ann")
    stop(nodes[2].process)
    try:
        began = time.monotonic()
        result = await call(nodes[0], "disconnect", user="ann")
        took = time.monotonic() - began
        assert 4.5 < took < 7
        assert result["complete"] is False
        assert result["connections"] == 2
        assert by_node(result)[stopped] == ("timed_out", 0)
        assert sorted(outcome for outcome, _ in by_node(result).values()) == [
            "done", "done", "timed_out",
        ]  # fmt: skip
    finally:
        go_on(nodes[2].process)
    for client in ann:
        assert await close_code(client) == (3503, "force disconnect")
    metrics = nodes[2].metrics()
    assert metrics["canang_control_received_total"] == 1, "however often it was told"
    await eventually(
        lambda: nodes[0].metrics().total("canang_control_nodes_total", outcome="late") >= 1,
        "the late answer is counted",
    )
    assert nodes[0].metrics().total("canang_control_nodes_total", outcome="timed_out") == 1


async def test_a_killed_node_is_told_of_until_its_lease_ends(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    await all_know(nodes, 3)
    killed = await id_of(nodes[2])
    ann = await open_users(nodes[:2], "kitchen", "ann")
    nodes[2].kill()
    result = await call(nodes[0], "disconnect", user="ann")
    assert result["connections"] == 2
    assert by_node(result)[killed][0] in ("timed_out", "gone")
    for client in ann:
        await close_code(client)
    await all_know(nodes[:2], 2)
    result = await call(nodes[0], "disconnect", user="ann")
    assert (result["complete"], len(result["nodes"])) == (True, 2)


async def test_a_command_goes_by_another_redis_when_one_is_away(cluster: Cluster):
    redises = [cluster.start_redis(), cluster.start_redis()]
    both = ",".join(redis.url for redis in redises)
    nodes = [await cluster.add_node(both, redis_probe_interval="200ms") for _ in range(2)]
    await all_know(nodes, 2)
    ann = await open_users(nodes, "kitchen", "ann")
    redises[0].pause()
    try:
        for _ in range(2):
            result = await call(nodes[0], "disconnect", user="ann")
            assert result["complete"] is True, result
        for client in ann:
            await close_code(client)
    finally:
        redises[0].resume()


async def test_what_is_not_a_command_is_counted_and_ignored(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    own = await id_of(node)
    [ann] = await open_users([node], "kitchen", "ann")
    command = "c 1 disconnect\n\x03\0ann\x04\x003503\0\0"
    for message in (
        "hello",
        f"2 aaaaaaaaaa {command}",
        "1 aaaaaaaaaa c 1 disconnect\n\x03\0an",
        "1 aaaaaaaaaa c 1 disconnect\n" + "x" * 5000,
    ):
        for channel in (f"canang:control:{own}", "canang:control:all"):
            redis.ask("PUBLISH", channel, message)
    await eventually(
        lambda: node.metrics().total("canang_control_bad_messages_total") == 8, "all are counted"
    )
    assert ann.close_code is None
    for channel in ("canang:control:all", f"canang:control:{own}", "canang:control:all"):
        redis.ask("PUBLISH", channel, f"1 aaaaaaaaaa {command}")
    assert await close_code(ann) == (3503, "")
    await eventually(
        lambda: node.metrics()["canang_control_repeated_total"] == 2, "copies are known"
    )
    assert node.metrics()["canang_control_received_total"] == 1


KEY = "0123456789abcdef-of-an-operator"


def roster(node: CanangProcess):
    headers = {"Authorization": f"Bearer {KEY}"}
    return json.loads(http_request(node.internal_port, "/nodes", headers=headers).text)


def connections_of(node: CanangProcess, user: str):
    headers = {"Authorization": f"Bearer {KEY}"}
    return post(node, "/console/api/user", {"user": user}, headers).result


async def test_a_users_connections_are_counted_on_all_nodes_and_stay(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis(), internal_key=KEY)
    for node in nodes:
        await eventually(lambda node=node: len(roster(node)["nodes"]) == 3, "a roster", 10)
    names = [roster(node)["node"] for node in nodes]
    ann = [*await open_users(nodes, "kitchen", "ann"), *await open_users(nodes[:1], "hall", "ann")]
    bob = await open_users(nodes[1:2], "kitchen", "bob")
    wanted = {names[0]: ("done", 2), names[1]: ("done", 1), names[2]: ("done", 1)}
    for node in nodes:
        await eventually(
            lambda node=node: by_node(connections_of(node, "ann")) == wanted, "four on three nodes", 10
        )
        result = connections_of(node, "ann")
        assert (result["complete"], result["connections"]) == (True, 4)
    assert connections_of(nodes[0], "bob")["connections"] == 1
    assert connections_of(nodes[0], "nobody")["connections"] == 0
    for client in [*ann, *bob]:
        assert client.close_code is None, "nothing was changed"
    stop(nodes[2].process)
    try:
        result = connections_of(nodes[0], "ann")
        assert (result["complete"], result["connections"]) == (False, 3)
        assert by_node(result)[names[2]] == ("timed_out", 0)
    finally:
        go_on(nodes[2].process)
    await close_all(*ann, *bob)
