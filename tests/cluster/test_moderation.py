"""Bans, mutes and lockdowns on several nodes: at once, on every return, and whatever happens to nodes and Redis."""

from __future__ import annotations

import asyncio
import time

from support.canang_process import CanangProcess
from support.centrifugo import Peer
from support.clients import open_client, receive
from support.cluster import Cluster, answers, ask
from support.pausing import go_on, stop
from support.proxy import Proxy
from support.server_api import by_node, call, post
from support.waiting import eventually


async def all_know(nodes: list[CanangProcess], count: int) -> None:
    for node in nodes:
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == count, "a roster", 10)


async def is_let_in(node: CanangProcess, user: str, room: str = "r") -> bool:
    client = await open_client(node.url(f"/ws/{room}?user={user}&meta=true"))
    try:
        await receive(client)
        return True
    except Exception:
        assert client.close_code == 3507
        return False
    finally:
        await client.close()


async def known_on(node: CanangProcess) -> int:
    return (await call(node, "moderation"))["total"]


async def knows(node: CanangProcess, wanted: set[tuple[str, bool]], timeout: float = 15) -> None:
    """Waits until these are the users of all acts; the second tells which of them end."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        acts = (await call(node, "moderation"))["acts"]
        seen = {(act["user"], "ttl" in act) for act in acts}
        if seen == wanted:
            return
        assert loop.time() - began < timeout, f"not within {timeout} s: {wanted}; it is {seen}"
        await asyncio.sleep(0.05)


async def test_a_banned_user_is_out_on_another_node_within_100_ms(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    await all_know(nodes, 2)
    took = []
    for n in range(10):
        client = await open_client(nodes[1].url(f"/ws/r?user=ann{n}&meta=true"))
        await receive(client)
        began = time.monotonic()
        banned = asyncio.create_task(call(nodes[0], "ban", user=f"ann{n}", reason="spam"))
        await asyncio.wait_for(client.wait_closed(), 5)
        took.append(time.monotonic() - began)
        assert (client.close_code, client.close_reason) == (3507, "banned: spam")
        result = await banned
        assert (result["complete"], result["connections"]) == (True, 1)
        assert not await is_let_in(nodes[0], f"ann{n}")
        assert not await is_let_in(nodes[1], f"ann{n}")
    assert sorted(took)[len(took) // 2] < 0.1, took


async def test_acts_hold_on_nodes_that_come_and_after_a_restart_of_all(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    await all_know(nodes, 2)
    await call(nodes[0], "ban", user="ann", channel="r")
    await call(nodes[1], "mute", user="bob", ttl=3600)
    await call(nodes[1], "lockdown", namespace="chat", on=True)
    late = await cluster.add_node(redis.url)
    assert not await is_let_in(late, "ann")
    assert await is_let_in(late, "ann", "other")
    for node in [*nodes, late]:
        node.stop()
    [again] = await cluster.start(1, redis)
    assert not await is_let_in(again, "ann")
    bob = await Peer.open(again, user="bob")
    await bob.connect()
    await bob.subscribe("chat:1")
    await bob.subscribe("talk:1")
    for room, said in (("chat:1", "muted"), ("talk:1", "muted")):
        reply = await bob.ask(publish={"channel": room, "data": "x"})
        assert reply["error"]["message"] == said
    eve = await Peer.open(again, user="eve")
    await eve.connect()
    await eve.subscribe("chat:1")
    reply = await eve.ask(publish={"channel": "chat:1", "data": "x"})
    assert reply["error"]["message"] == "locked"
    acts = (await call(again, "moderation"))["acts"]
    assert [act["act"] for act in acts] == ["ban", "lockdown", "mute"]
    await bob.end()
    await eve.end()


async def test_a_mute_and_its_end_reach_other_nodes_at_once(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    await all_know(nodes, 2)
    ann = await Peer.open(nodes[1], user="ann")
    await ann.connect()
    await ann.subscribe("r")
    for _ in range(3):
        assert (await call(nodes[0], "mute", user="ann", reason="caps"))["complete"] is True
        reply = await ann.ask(publish={"channel": "r", "data": "x"})
        assert reply["error"]["message"] == "muted: caps", "when it is answered it is in force"
        lifted = await call(nodes[0], "unmute", user="ann")
        assert (lifted["complete"], lifted["found"]) == (True, True)
        assert "error" not in await ann.ask(publish={"channel": "r", "data": "y"})
    await ann.end()


async def test_a_node_that_is_stopped_meanwhile_knows_it_when_it_goes_on(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis())
    await all_know(nodes, 2)
    other = (await ask(nodes[1], "/nodes"))[1]["node"]
    ann = await open_client(nodes[1].url("/ws/r?user=ann&meta=true"))
    await receive(ann)
    stop(nodes[1].process)
    try:
        result = await call(nodes[0], "ban", user="ann")
        assert result["complete"] is False
        assert by_node(result)[other] == ("timed_out", 0)
    finally:
        go_on(nodes[1].process)
    await asyncio.wait_for(ann.wait_closed(), 5)
    assert ann.close_code == 3507
    assert not await is_let_in(nodes[1], "ann")


async def test_a_node_that_is_cut_off_from_redis_meanwhile_reads_it_when_it_is_back(
    cluster: Cluster,
):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with Proxy(redis.port) as proxy:
        far = await cluster.add_node(proxy.url)
        await all_know([node], 2)
        ann = await open_client(far.url("/ws/r?user=ann&meta=true"))
        await receive(ann)
        proxy.cut()
        result = await call(node, "ban", user="ann")
        assert result["complete"] is False
        assert ann.close_code is None, "it cannot know"
        proxy.mend()
        await asyncio.wait_for(ann.wait_closed(), 15)
        assert ann.close_code == 3507
        assert not await is_let_in(far, "ann")


async def test_a_node_lets_nobody_in_before_it_knows_who_is_banned(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    await call(node, "ban", user="ann")
    node.stop()
    redis.pause()
    try:
        blind = await cluster.add_node(redis.url, ready=False)
        status = (await asyncio.to_thread(blind.get, "/ws/r?user=ann")).status
        assert status != 101
        assert blind.metrics()["canang_moderation_known"] == 0
        assert (await ask(blind, "/readyz"))[0] == 503
    finally:
        redis.resume()
    await answers(blind, "/readyz", lambda status, _: status == 200, "ready", 15)
    assert blind.metrics()["canang_moderation_known"] == 1
    assert not await is_let_in(blind, "ann")


async def test_a_redis_that_comes_back_empty_is_given_the_acts_back(cluster: Cluster):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    await all_know(nodes, 2)
    await call(nodes[0], "ban", user="ann")
    await call(nodes[0], "mute", user="bob", ttl=3600)
    redis.kill()
    redis.start()
    await eventually(lambda: redis.ask("HLEN", "canang:{moderation}:acts") == 2, "given back", 20)
    for node in nodes:
        await answers(node, "/readyz", lambda status, _: status == 200, "ready", 15)
        assert not await is_let_in(node, "ann")
    late = await cluster.add_node(redis.url)
    assert not await is_let_in(late, "ann")
    assert (await call(late, "unban", user="ann"))["found"] is True
    for node in nodes:  # some may only find their way back
        async with asyncio.timeout(15):
            while await known_on(node) != 1:
                await asyncio.sleep(0.05)


async def test_what_an_empty_redis_does_not_take_at_first_is_given_back_all_the_same(
    cluster: Cluster,
):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    for user in ("ann", "bob", "eve"):
        await call(node, "ban", user=user)
    reads = node.metrics()["canang_moderation_reads_total"]
    redis.kill()
    redis.options += ["--min-replicas-to-write", "1"]
    redis.start()
    await eventually(
        lambda: node.metrics()["canang_moderation_reads_total"] > reads, "it reads that", 20
    )
    assert await known_on(node) == 3
    refused = await asyncio.to_thread(post, node, "/api/ban", {"user": "new"})
    assert refused.error[1] == 100
    assert redis.ask("HLEN", "canang:{moderation}:acts") == 0
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    assert (await call(node, "ban", user="new"))["complete"] is True
    assert await known_on(node) == 4, "an order ends no other"
    await eventually(lambda: redis.ask("HLEN", "canang:{moderation}:acts") == 4, "given back", 10)
    assert await known_on(node) == 4
    assert node.metrics()["canang_moderation_put_back_total"] == 3


async def test_a_redis_that_has_gone_back_learns_what_came_later_and_all_nodes_what_it_takes_then(
    cluster: Cluster,
):
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    await all_know(nodes, 2)
    await call(nodes[0], "ban", user="ann", ttl=600)
    await call(nodes[0], "ban", user="bob")
    redis.ask("SAVE")
    await call(nodes[0], "ban", user="ann")
    await call(nodes[0], "unban", user="bob")
    for node in nodes:
        await knows(node, {("ann", False)})
    stop(nodes[1].process)
    try:
        redis.kill()
        redis.start()
        acts = "canang:{moderation}:acts"
        await eventually(
            lambda: redis.ask("HGET", acts, "bu*\nann").endswith(b" 0 ")
            and redis.ask("HGET", acts, "bu*\nbob") is None,
            "the ban for good and the lift are given back",
            20,
        )
        await asyncio.gather(*(call(nodes[0], "ban", user=f"new{n}") for n in range(4)))
    finally:
        go_on(nodes[1].process)
    wanted = {("ann", False), *((f"new{n}", False) for n in range(4))}
    for node in nodes:
        await knows(node, wanted)
    late = await cluster.add_node(redis.url)
    await knows(late, wanted)


async def test_what_is_lifted_right_after_a_loss_is_not_given_back(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    for n in range(5):
        assert (await call(node, "ban", user="ann"))["complete"] is True
        redis.ask("FLUSHALL")
        lifted = await call(node, "unban", user="ann")
        assert (lifted["found"], lifted["complete"]) == (True, True)
        other = await call(node, "ban", user="bob")  # behind what the node gives back
        assert other["complete"] is True
        await knows(node, {("bob", False)}, 0)
        assert redis.ask("HLEN", "canang:{moderation}:acts") == 1


async def test_acts_end_also_where_several_redis_tell_the_end_or_one_tells_it_anew(
    cluster: Cluster,
):
    redises = [cluster.start_redis(), cluster.start_redis()]
    node = await cluster.add_node(",".join(redis.url for redis in redises))
    await asyncio.gather(*(call(node, "ban", user=f"ann{n}", ttl=2) for n in range(8)))
    await call(node, "ban", user="bob", ttl=3)
    redises[1].ask("FLUSHALL")
    await knows(node, {("bob", True)})
    await knows(node, set())
    assert await is_let_in(node, "ann0")
    assert (await call(node, "ban", user="eve"))["complete"] is True


async def test_a_node_cut_off_from_one_of_two_redis_says_done_only_to_what_it_knows(
    cluster: Cluster,
):
    redises = [cluster.start_redis(), cluster.start_redis()]
    async with Proxy(redises[0].port) as proxy:
        both = f"{proxy.url},{redises[1].url}"
        near = await cluster.add_node(both)
        links_of_near = len(proxy.links)
        far = await cluster.add_node(both)
        await all_know([near, far], 2)
        assert (await call(near, "ban", user="ann"))["complete"] is True
        proxy.cut(links_of_near)
        lifted = await call(near, "unban", user="ann")
        assert (lifted["found"], lifted["complete"]) == (True, False)
        assert not await is_let_in(far, "ann"), "the one that it does not reach had told of it"
        assert (await call(near, "ban", user="bob"))["complete"] is True, "the other one tells it"
        proxy.mend()
        await knows(far, {("bob", False)})
        assert (await call(near, "unban", user="bob"))["complete"] is True


async def test_with_two_redis_one_is_enough_for_a_ban_and_both_are_needed_to_lift_it(
    cluster: Cluster,
):
    redises = [cluster.start_redis(), cluster.start_redis()]
    both = ",".join(redis.url for redis in redises)
    nodes = [await cluster.add_node(both, redis_probe_interval="200ms") for _ in range(2)]
    await all_know(nodes, 2)
    assert (await call(nodes[0], "ban", user="ann"))["complete"] is True
    assert [redis.ask("HLEN", "canang:{moderation}:acts") for redis in redises] == [1, 1]
    redises[0].kill()
    await eventually(
        lambda: all(n.metrics().total("canang_redis_up") == 1 for n in nodes), "one is away", 15
    )
    assert (await call(nodes[0], "ban", user="bob"))["complete"] is True
    assert (await asyncio.to_thread(post, nodes[0], "/api/unban", {"user": "ann"})).error[1] == 100
    assert await known_on(nodes[1]) == 2, "it holds still"
    redises[0].start()
    await eventually(
        lambda: all(n.metrics().total("canang_redis_up") == 2 for n in nodes), "both are up", 20
    )
    assert (await call(nodes[1], "unban", user="ann"))["found"] is True
    assert await known_on(nodes[0]) == 1


async def test_what_stands_in_redis_and_is_no_act_is_counted_and_ignored(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    await call(node, "ban", user="ann")
    redis.ask("HSET", "canang:{moderation}:acts", "garbage", "garbage")
    redis.ask("ZADD", "canang:{moderation}:numbers", 1000, "garbage")
    redis.ask("HSET", "canang:{moderation}:about", "r", 1000)
    await eventually(
        lambda: node.metrics()["canang_moderation_bad_entries_total"] == 1, "counted", 5
    )
    assert await known_on(node) == 1
    assert (await call(node, "ban", user="bob"))["complete"] is True
    assert await known_on(node) == 2


async def test_a_room_is_full_on_all_nodes(cluster: Cluster, tmp_path):
    config = tmp_path / "rooms.toml"
    config.write_text("[namespaces.small]\nmembers-max = 2\n")
    nodes = await cluster.start(2, cluster.start_redis(), config=str(config))
    await all_know(nodes, 2)
    here, there = [await Peer.open(node, user=f"u{n}") for n, node in enumerate(nodes)]
    for peer in (here, there):
        await peer.connect()
        await peer.subscribe("small:1")
    await answers(nodes[0], "/rooms/small:1", lambda _, page: page["members"] == 2, "two", 10)
    third = await Peer.open(nodes[1], user="third")
    await third.connect()
    reply = await third.ask(subscribe={"channel": "small:1"})
    assert (reply["error"]["code"], reply["error"]["message"]) == (106, "the room is full")
    await here.end()
    async with asyncio.timeout(20):
        while "error" in await third.ask(subscribe={"channel": "small:1"}):
            await asyncio.sleep(0.1)
    await there.end()
    await third.end()


async def test_a_publish_that_redis_refuses_takes_no_turn_of_slow_mode(cluster: Cluster, tmp_path):
    config = tmp_path / "rooms.toml"
    config.write_text('[namespaces.slow]\nslow-mode = "60s"\nallow-publish = "anyone"\n')
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, config=str(config), redis_publish_timeout="500ms")
    ann = await Peer.open(node, user="ann")
    await ann.connect()
    await ann.subscribe("slow:in")

    async def error_of(room: str) -> int:
        reply = await ann.ask(publish={"channel": room, "data": "x"})
        return reply.get("error", {}).get("code", 0)

    redis.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    for room in ("slow:in", "slow:out"):  # as a member, and from outside
        for _ in range(3):
            assert await error_of(room) == 100
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    for room in ("slow:in", "slow:out"):
        async with asyncio.timeout(15):
            while (error := await error_of(room)) != 0:
                assert error == 100, "it is never told that it has to wait"
                await asyncio.sleep(0.05)
        assert await error_of(room) == 111, "one is stored"
    await ann.end()
