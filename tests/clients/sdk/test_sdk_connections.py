"""How the SDKs of Centrifugo's protocol, as they are published, get over connections and nodes that end."""

import asyncio

import pytest

from support.cluster import answers
from support.proxy import Proxy

SHUTDOWN = 3001


async def away(client, room, proxy, meanwhile):
    """Its connection is cut, `meanwhile` happens, and it is back: what it was told when it was subscribed again."""
    subscribed = len(client.of("subscribed", room))
    proxy.cut()
    await client.has("connecting", 2)
    await meanwhile
    proxy.mend()
    return (await client.has("subscribed", subscribed + 1, room))[-1]


async def test_a_client_that_only_listens_stays_connected(start_canang, start_client):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    ana, budi = start_client(canang.port), start_client(canang.port)
    for client in (ana, budi):
        await client.connect()
        await client.join("quiet")
    loop = asyncio.get_running_loop()
    since = loop.time()
    await ana.until(lambda: loop.time() > since + 5, "waits")  # what the wait is for: five pings
    await budi.publish("quiet", "hello")
    await ana.has("publication", 1, "quiet")
    for client in (ana, budi):
        assert len(client.of("connected")) == len(client.of("connecting")) == 1


async def test_what_was_missed_is_recovered_once_and_in_order(canang, start_client):
    budi = await start_client(canang.port, "budi").connect()
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port, "ana").connect()
        for room in ("one", "two"):
            await ana.join(room, recoverable=True)
            await budi.join(room)
            await budi.publish(room, *range(10))
            await ana.has("publication", 10, room)

        async def publish():
            await budi.publish("one", *range(10, 40))
            await budi.publish("two", "missed")

        back = await away(ana, "one", proxy, publish())
        assert back["was_recovering"] and back["recovered"]
        await budi.publish("one", *range(40, 50))
        await ana.has("publication", 50, "one")
        assert ana.data("one") == list(range(50))
        assert ana.offsets("one") == budi.offsets("one")
        (_, two) = await ana.has("subscribed", 2, "two")
        assert two["was_recovering"] and two["recovered"]
        await budi.publish("two", "end")
        await ana.has("publication", 12, "two")
        assert ana.data("two") == [*range(10), "missed", "end"]


async def test_a_client_that_missed_nothing_recovers_too(canang, start_client):
    budi = await start_client(canang.port).connect()
    await budi.join("calm")
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port).connect()
        await ana.join("calm", recoverable=True)
        for n in range(3):
            back = await away(ana, "calm", proxy, asyncio.sleep(0))
            assert back["was_recovering"] and back["recovered"]
            await budi.publish("calm", n)
            await ana.has("publication", n + 1, "calm")
        assert ana.data("calm") == [0, 1, 2]


async def test_who_missed_more_than_is_kept_is_told_so(start_canang, start_client):
    canang = start_canang(history_size=5)
    budi = await start_client(canang.port).connect()
    await budi.join("gap")
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port).connect()
        await ana.join("gap", recoverable=True)
        await budi.publish("gap", "before")
        await ana.has("publication", 1, "gap")
        back = await away(ana, "gap", proxy, budi.publish("gap", *range(20)))
        assert back["was_recovering"] and not back["recovered"]
        await budi.publish("gap", "after")
        await ana.has("publication", 2, "gap")
        assert ana.data("gap") == ["before", "after"]

        back = await away(ana, "gap", proxy, budi.publish("gap", "missed"))
        assert back["recovered"], "it recovers from the place where it went on"
        await ana.has("publication", 3, "gap")
        assert ana.data("gap") == ["before", "after", "missed"]


async def test_without_recovery_a_client_goes_on_from_now(canang, start_client):
    budi = await start_client(canang.port).connect()
    await budi.join("live")
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port).connect()
        await ana.join("live")
        await budi.publish("live", "before")
        await ana.has("publication", 1, "live")
        back = await away(ana, "live", proxy, budi.publish("live", "missed"))
        assert not back["was_recovering"] and not back["recovered"]
        await budi.publish("live", "after")
        await ana.has("publication", 2, "live")
        assert ana.data("live") == ["before", "after"]


async def test_a_node_that_is_killed_costs_nothing(cluster, start_redis, start_client):
    doomed, other = await cluster.start(2, start_redis())
    budi = await start_client(other.port, "budi").connect()
    async with Proxy(doomed.port) as proxy:
        ana = await start_client(proxy.port, "ana").connect()
        await ana.join("room", recoverable=True)
        await budi.join("room")
        await ana.publish("room", *range(10))
        await budi.has("publication", 10, "room")
        await ana.has("publication", 10, "room")
        doomed.kill()
        await ana.has("connecting", 2)
        await budi.publish("room", *range(10, 30))
        proxy.target_port = other.port
        _, back = await ana.has("subscribed", 2, "room")
        assert back["was_recovering"] and back["recovered"]
        await ana.publish("room", "end")
        for client in (ana, budi):
            await client.has("publication", 31, "room")
            assert client.data("room") == [*range(30), "end"]
        assert ana.offsets("room") == budi.offsets("room")
        assert sum(c["user"] == "budi" for c in await ana.presence("room")) == 1


async def test_a_node_that_drains_sends_its_clients_to_another(
    cluster, start_redis, start_client, sdk
):
    leaving, other = await cluster.start(2, start_redis())
    budi = await start_client(other.port).connect()
    await budi.join("room")
    async with Proxy(leaving.port) as proxy:
        ana = await start_client(proxy.port).connect()
        await ana.join("room", recoverable=True)
        await budi.publish("room", *range(10))
        await ana.has("publication", 10, "room")
        proxy.target_port = other.port
        ended = asyncio.create_task(asyncio.to_thread(leaving.stop))
        _, told = await ana.has("connecting", 2)
        assert told["code"] == SHUTDOWN
        await budi.publish("room", *range(10, 30))
        _, *again = await ana.has("subscribed", 2, "room")
        assert all(back["was_recovering"] and back["recovered"] for back in again)
        assert await ended == 0
        await ana.has("publication", 30, "room")
        assert ana.data("room") == list(range(30))
        assert not ana.of("disconnected")
        if sdk.transport == "websocket":
            assert len(ana.of("connecting")) == 2
        # else a request on a connection that was kept may reach the node that ends: 503, and once more


async def test_what_is_said_may_reach_another_node_than_the_stream(
    cluster, start_redis, start_client, sdk
):
    if sdk.transport == "websocket":
        pytest.skip("a socket has no other node")
    one, other = await cluster.start(2, start_redis())
    for node in (one, other):
        await answers(node, "/nodes", lambda _, page: len(page["nodes"]) == 2, "a roster", 10)
    ana = await start_client(one.port, "ana", emulation_port=other.port).connect()
    budi = await start_client(other.port, "budi", emulation_port=one.port).connect()
    for client in (ana, budi):
        await client.join("room", recoverable=True)
    for n in range(20):
        await (ana, budi)[n % 2].publish("room", n)
    for client in (ana, budi):
        await client.has("publication", 20, "room")
        assert client.data("room") == list(range(20))
        assert len(client.of("connecting")) == 1
    assert {c["user"] for c in await ana.presence("room")} == {"ana", "budi"}
