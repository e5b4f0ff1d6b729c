"""Who is in a room, on which node, and that it heals."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from support.clients import close_all, open_client
from support.cluster import Cluster, answers, ask
from support.pausing import go_on, stop
from support.waiting import eventually


async def users(node, room: str) -> list[str]:
    _, page = await ask(node, f"/rooms/{room}/presence")
    return sorted(member["user"] for member in page["members"])


async def test_the_presence_of_a_killed_node_is_gone_within_15_seconds_with_leaves(
    cluster: Cluster,
):
    redis = cluster.start_redis()
    stays, dies = await cluster.start(2, redis, join_leave="*")
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [stays], user="watcher").joined()
        gone = [await open_client(dies.url(f"/ws/r?user=gone{n}")) for n in range(3)]
        await eventually(lambda: len(watcher.events) >= 4, "all joins are told")
        assert sorted(watcher.events) == [("joined", f"gone{n}") for n in range(3)] + [
            ("joined", "watcher")
        ]
        await answers(stays, "/rooms/r", lambda _, page: page["members"] == 4, "four members", 5)
        dies.signal(signal.SIGKILL)
        await answers(stays, "/rooms/r", lambda _, page: page["members"] == 1, "gone", 15)
        assert await users(stays, "r") == ["watcher"]
        await eventually(
            lambda: sorted(watcher.events[4:]) == [("left", f"gone{n}") for n in range(3)],
            "their leaves are told, once", 5,
        )  # fmt: skip
        await answers(stays, "/nodes", lambda _, page: len(page["nodes"]) == 1, "one node", 15)
        assert stays.metrics()["canang_nodes"] == 1
        assert (
            redis.ask("KEYS", "*:r:*") != []
            and len(redis.ask("HKEYS", redis.ask("KEYS", "*:n:r")[0])) == 1
        )
        await close_all(*gone)


@pytest.mark.parametrize("alone", [False, True], ids=["cluster", "one node"])
async def test_a_reload_does_not_flap_and_a_leave_is_told_after_the_grace(
    cluster: Cluster, start_canang, alone: bool
):
    if alone:
        here = there = start_canang(join_leave="chat*")
    else:
        here, there = await cluster.start(2, cluster.start_redis(), join_leave="chat*")
    async with cluster.clients():
        watcher = await cluster.member("watcher", "chat", [here], user="watcher").has_come()
        anna = await open_client(there.url("/ws/chat?user=anna"))
        second_tab = await open_client(here.url("/ws/chat?user=anna"))
        await eventually(lambda: ("joined", "anna") in watcher.events, "anna has come")
        await close_all(anna)  # the other tab is still there
        await close_all(second_tab)
        await asyncio.sleep(1)
        back = await open_client(there.url("/ws/chat?user=anna"))
        await asyncio.sleep(4.5)  # longer than the grace: nothing may be told
        assert watcher.events == [("joined", "watcher"), ("joined", "anna")]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await close_all(back)
        await eventually(lambda: ("left", "anna") in watcher.events, "anna has gone", 6)
        assert 2.5 < loop.time() - began
        assert [data.split()[0] for data in watcher.data] == ["joined", "joined", "left"]


async def test_rooms_without_the_option_tell_nothing_and_counts_are_kept_all_the_same(
    cluster: Cluster,
):
    here, there = await cluster.start(2, cluster.start_redis(), presence="vip*", join_leave="chat*")
    async with cluster.clients():
        watcher = await cluster.member("watcher", "quiet", [here]).joined()
        clients = [await open_client(there.url("/ws/quiet?user=x")) for _ in range(3)]
        await answers(here, "/rooms/quiet", lambda _, p: p["members"] == 4, "four members", 5)
        assert await users(here, "quiet") == []
        vip = await open_client(there.url("/ws/vip1?user=v"))
        await answers(here, "/rooms/vip1", lambda _, p: p["members"] == 1, "one member", 5)
        assert await users(here, "vip1") == ["v"]
        await close_all(*clients, vip)
        await answers(here, "/rooms/quiet", lambda _, p: p["members"] == 1, "one member", 5)
        assert watcher.events == [] and watcher.data == []


async def test_a_node_that_ends_in_order_leaves_nothing_behind(cluster: Cluster):
    redis = cluster.start_redis()
    stays, ends = await cluster.start(2, redis)
    clients = [await open_client(ends.url(f"/ws/r{n}")) for n in range(5)]
    await answers(stays, "/rooms/r0", lambda _, page: page["members"] == 1, "one member", 5)
    await answers(stays, "/nodes", lambda _, page: len(page["nodes"]) == 2, "two nodes", 5)
    ends.signal(signal.SIGTERM)
    assert await asyncio.to_thread(ends.wait_exit) == 0
    assert [redis.ask("KEYS", pattern) for pattern in ("*:p:*", "*:n:*", "*:r:*")] == [[], [], []]
    await answers(stays, "/nodes", lambda _, page: len(page["nodes"]) == 1, "one node", 5)
    await close_all(*clients)


async def test_a_node_that_was_stopped_for_long_comes_back_with_its_members(cluster: Cluster):
    redis = cluster.start_redis()
    stays, sleeps = await cluster.start(2, redis)
    client = await open_client(sleeps.url("/ws/r?user=sleeper"))
    await answers(stays, "/rooms/r", lambda _, page: page["members"] == 1, "one member", 5)
    stop(sleeps.process)
    await answers(stays, "/rooms/r", lambda _, page: page["members"] == 0, "taken away", 15)
    go_on(sleeps.process)
    await answers(stays, "/rooms/r", lambda _, page: page["members"] == 1, "there again", 10)
    assert await users(stays, "r") == ["sleeper"]
    await close_all(client)


async def test_the_roster_tells_what_each_node_is(cluster: Cluster):
    redis = cluster.start_redis()
    here = await cluster.add_node(redis.url, advertise="node-a")
    await cluster.add_node(redis.url, advertise="node-b")
    client = await open_client(here.url("/ws/r"))
    await answers(
        here, "/nodes",
        lambda _, page: sorted(n["address"] for n in page["nodes"]) == ["node-a", "node-b"]
        and sum(n["connections"] for n in page["nodes"]) == 1,
        "both nodes, one connection", 8,
    )  # fmt: skip
    _, page = await ask(here, "/nodes")
    own = next(node for node in page["nodes"] if node["id"] == page["node"])
    assert own["address"] == "node-a" and own["rooms"] == 1
    assert set(own) == {
        "id", "address", "version", "started", "state", "connections", "rooms",
        "publications_per_second", "deliveries_per_second", "ready", "reason", "closed", "used",
    }  # fmt: skip
    await close_all(client)


@pytest.mark.parametrize("alone", [False, True], ids=["cluster", "one node"])
async def test_joins_and_leaves_displace_no_message_from_the_history(
    cluster: Cluster, start_canang, alone: bool
):
    options = {"join_leave": "*", "history_size": 20}
    if alone:
        here = there = start_canang(**options)
    else:
        here, there = await cluster.start(2, cluster.start_redis(), **options)
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [here], user="watcher").joined()
        await eventually(lambda: watcher.events, "it has come")
        since = watcher.position
        for n in range(20):
            await watcher.send(f"m{n}")
        await watcher.has_last("m19")
        for n in range(60):
            await close_all(await open_client(there.url(f"/ws/r?user=u{n}")))
        await eventually(lambda: watcher.events.count(("left", "u59")), "the last has gone", 20)
        joined = [user for kind, user in watcher.events if kind == "joined"]
        assert joined == ["watcher", *(f"u{n}" for n in range(60))]
        messages = [f"m{n}" for n in range(20)]
        for node in {here, there}:
            for query in ("history=20&meta=true", f"since={since[0]}:{since[1]}"):
                client = await open_client(node.url(f"/ws/r?{query}"))
                join = json.loads(await client.recv())["join"]
                assert join["recovered"] is query.startswith("since")
                got, offset = [], join["offset"]
                while len(got) < 20 or offset < watcher.position[1]:
                    frame = json.loads(await asyncio.wait_for(client.recv(), 5))
                    assert frame["offset"] > offset
                    offset = frame["offset"]
                    got += [frame["data"]] if "data" in frame else []
                assert got == messages
                await close_all(client)
