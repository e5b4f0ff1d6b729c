"""Several nodes are one: the same order everywhere, nothing doubled, the same counts."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from pathlib import Path

from support.canang_process import WITHOUT_RATES, binary
from support.checker import faults_of
from support.clients import close_all, open_client, receive, receive_up_to
from support.cluster import Cluster, answers, ask


async def test_three_nodes_and_fifty_rooms_have_one_order_and_the_same_counts(cluster: Cluster):
    nodes = await cluster.start(3, cluster.start_redis())
    rooms = [f"room {n}" for n in range(50)]
    async with cluster.clients():
        members = {
            room: [cluster.member(f"{room}/{i}", room, [node]) for i, node in enumerate(nodes)]
            for room in rooms
        }
        await asyncio.gather(*(member.joined() for all_ in members.values() for member in all_))
        for round_ in range(20):
            for room in rooms:
                await random.choice(members[room]).send(f"{room}: {round_}")
        for room in rooms:
            for member in members[room]:
                await member.has(20)
            sent = [f"{room}: {n}" for n in range(20)]
            assert faults_of({m.name: m.log for m in members[room]}, sent) == []
        for room in rooms[:5]:
            path = f"/rooms/{room.replace(' ', '%20')}"
            for node in nodes:
                await answers(
                    node, path, lambda _, page: page["members"] == 3, "three members", 5
                )
            pages = [await ask(node, path) for node in nodes]
            assert pages[0] == pages[1] == pages[2]
            assert sorted(pages[0][1]["nodes"].values()) == [1, 1, 1]
            assert pages[0][1]["offset"] == 20
            present = [(await ask(node, path + "/presence"))[1]["members"] for node in nodes]
            ids = [sorted(member["id"] for member in seen) for seen in present]
            assert ids[0] == ids[1] == ids[2] and len(ids[0]) == 3


async def test_a_client_without_meta_hears_what_is_said_on_another_node(cluster: Cluster):
    here, there = await cluster.start(2, cluster.start_redis())
    one = await open_client(here.url("/ws/kitchen"))
    mute = await open_client(here.url("/ws/kitchen?echo=false"))
    other = await open_client(there.url("/ws/kitchen?history=5"))
    await one.send("text")
    await one.send(b"\x00\xff")
    assert [await receive(one) for _ in range(2)] == ["text", b"\x00\xff"]
    await mute.send("from mute")
    assert await receive(one) == "from mute"
    assert [await receive(other) for _ in range(3)] == ["text", b"\x00\xff", "from mute"]
    await other.send("last")
    assert await receive_up_to(mute, "last") == ["text", b"\x00\xff"], "its own is left out"
    late = await open_client(here.url("/ws/kitchen?history=2"))
    assert [await receive(late) for _ in range(2)] == ["from mute", "last"]
    await close_all(one, mute, other, late)


async def test_a_load_over_two_nodes_is_published_in_batches(cluster: Cluster, tmp_path: Path):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, **WITHOUT_RATES)
    result = tmp_path / "load.json"
    urls = [part for node in nodes for part in ("--url", node.url())]
    load = await asyncio.to_thread(
        subprocess.run,
        [str(binary().parent / "canang-load"), *urls, "--members", "200", "--in-flight", "32",
         "--duration", "3s", "--json", str(result), "--quiet"],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    assert load.returncode == 0, load.stderr + load.stdout
    assert json.loads(result.read_text())["run"]["deliveries"] > 10_000
    calls = sum(node.metrics()["canang_redis_publishes_total"] for node in nodes)
    published = max(node.metrics()["canang_publications_total"] for node in nodes)
    assert calls / published < 0.2


async def test_two_shards_share_the_rooms_and_one_dead_leaves_the_others_rooms_alone(
    cluster: Cluster,
):
    first, second = cluster.start_redis(), cluster.start_redis()
    # the order of the flags does not matter
    nodes = [
        await cluster.add_node(f"{first.url},{second.url}"),
        await cluster.add_node(f"{second.url},{first.url}"),
    ]
    rooms = [f"r{n}" for n in range(24)]
    async with cluster.clients():
        members = {
            room: [cluster.member(f"{room}/{i}", room, [node]) for i, node in enumerate(nodes)]
            for room in rooms
        }
        await asyncio.gather(*(member.joined() for all_ in members.values() for member in all_))
        for room, (one, other) in members.items():
            await one.send(f"{room} says")
        for room, (one, other) in members.items():
            await other.has(1)
        stored = [{key.decode().split(":", 3)[3] for key in redis.ask("KEYS", "*:s:*")}
                  for redis in (first, second)]  # fmt: skip
        assert stored[0] | stored[1] == set(rooms) and not stored[0] & stored[1]
        assert stored[0] and stored[1]
        second.kill()
        alive = sorted(stored[0])
        for room in alive:
            await members[room][1].send(f"{room} goes on")
        for room in alive:
            await members[room][0].has(2)
        await answers(
            nodes[0], "/readyz",
            lambda status, page: status == 503 and str(second.port) in page["reason"],
            "unready, and says which Redis it is", 15,
        )  # fmt: skip


async def test_rooms_that_live_on_one_node_cost_other_nodes_nothing(cluster: Cluster):
    """What a node receives from Redis must not rise with the number of nodes."""
    redis = cluster.start_redis()
    received: dict[int, float] = {}

    async def traffic_of_first(count: int) -> float:
        while len(cluster.nodes) < count:
            await cluster.add_node(redis.url)
        clients = [
            await open_client(node.url(f"/ws/{count}-only-{i}"))
            for i, node in enumerate(cluster.nodes)
        ]
        first = cluster.nodes[0]
        before = first.metrics().total("canang_redis_received_bytes_total", link="subscription")
        for n in range(200):
            for client in clients:
                await client.send(f"{n}".ljust(200, "."))
            for client in clients:
                await receive(client)
        after = first.metrics().total("canang_redis_received_bytes_total", link="subscription")
        await close_all(*clients)
        return after - before

    for count in (1, 2, 4):
        received[count] = await traffic_of_first(count)
    assert received[1] > 200 * 200
    assert received[4] < received[1] * 1.1, received
    assert received[2] < received[1] * 1.1, received
