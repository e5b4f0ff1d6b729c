"""A node that comes later gets its share of the connections, and nobody misses anything by that."""

import asyncio
import json

from support.waiting import eventually


def connections(node):
    return node.metrics()["canang_connections"]


async def test_a_node_that_comes_later_gets_its_share(cluster, start_redis):
    redis = start_redis()
    first = await cluster.add_node(redis.url, rebalance_after="1s")
    async with cluster.clients():
        members = [cluster.member(f"m{n}", f"room-{n % 8}") for n in range(160)]
        await asyncio.gather(*(member.joined() for member in members))
        second = await cluster.add_node(redis.url, rebalance_after="1s")
        for member in members:
            member.nodes = [first, second]
        is_over = asyncio.Event()
        talking = asyncio.create_task(cluster.chatter(is_over, pause_s=0.05))
        await eventually(lambda: connections(second) >= 70, "the second has its share", 30)
        is_over.set()
        await talking
        await eventually(lambda: connections(first) + connections(second) == 160, "all are back")
        assert connections(first) <= 90
        shed = first.metrics().total("canang_closes_total", code="1012", reason="rebalance")
        assert 70 <= shed < 160
        assert second.metrics().total("canang_closes_total", reason="rebalance") == 0
        for room in range(8):
            speaker = members[room]
            await eventually(lambda speaker=speaker: speaker.socket, "it is back")
            await speaker.send("the end")
            together = members[room::8]
            for member in together:
                await member.has_last("the end")
            for member in together:
                assert member.data == together[0].data, "the same, in order, exactly once"
                assert all(join.recovered for join in member.joins[1:])


async def test_a_node_that_is_told_so_keeps_its_connections(cluster, start_redis):
    redis = start_redis()
    first = await cluster.add_node(redis.url, rebalance_after="0s")
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "room") for n in range(120)]
        await asyncio.gather(*(member.joined() for member in members))
        await cluster.add_node(redis.url)
        for _ in range(12):
            assert connections(first) == 120
            await asyncio.sleep(0.5)  # the time in which the other test's node sheds


async def test_nodes_tell_their_state(cluster, start_redis):
    redis = start_redis()
    first = await cluster.add_node(redis.url)
    second = await cluster.add_node(redis.url, drain_grace="20s")

    def states():
        told = first.get_internal("/nodes")
        return sorted(node["state"] for node in json.loads(told.text)["nodes"])

    await eventually(lambda: states() == ["ready", "ready"], "both are ready", 10)
    second.get_internal("/drain", "POST")
    await eventually(lambda: states() == ["draining", "ready"], "one drains", 10)
    second.kill()
