"""The SDKs of Centrifugo's protocol, as they are published, where publications are told as deltas."""

import asyncio

import pytest

from support.proxy import Proxy

TABLES = '[namespaces.d]\ndelta = "fossil"\n'


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "canang.toml"
    file.write_text(TABLES)
    return str(file)


def document(n):
    """They differ in a few figures."""
    rest = [{"id": i, "name": f"é{i}鑼", "price": 7 * i + (n if i == 3 else 0)} for i in range(20)]
    return {"n": n, "what": 'a "long" document\nthat stays nearly the same', "rest": rest}


def documents(*numbers):
    return [document(n) for n in range(*numbers)]


async def test_a_client_has_what_was_published(start_canang, start_client, config):
    canang = start_canang(config=config)
    ana, budi, citra = await asyncio.gather(
        *(start_client(canang.port).connect() for _ in range(3))
    )
    await ana.join("d:a", delta="fossil")
    await budi.join("d:a")
    await budi.publish("d:a", *documents(50), "short", [], False, *documents(50, 60))
    await citra.join("d:a", delta="fossil", join_leave=True)
    await citra.publish("d:a", *documents(60, 100))
    said = [*documents(50), "short", [], False, *documents(50, 100)]
    for client in (ana, budi):
        await client.has("publication", len(said), "d:a")
        assert client.data("d:a") == said
    await citra.has("publication", 40, "d:a")
    assert citra.data("d:a") == documents(60, 100)
    assert ana.offsets("d:a") == budi.offsets("d:a")
    assert canang.metrics()["canang_sent_bytes_total"] > 0


async def test_a_room_without_them_gives_none(start_canang, start_client, config):
    canang = start_canang(config=config)
    ana = await start_client(canang.port).connect()
    await ana.join("other", delta="fossil")
    await ana.publish("other", *documents(10))
    await ana.has("publication", 10, "other")
    assert ana.data("other") == documents(10)


async def test_what_was_missed_is_recovered_and_the_chain_goes_on(
    start_canang, start_client, config
):
    canang = start_canang(config=config)
    budi = await start_client(canang.port).connect()
    await budi.join("d:a")
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port).connect()
        await ana.join("d:a", recoverable=True, delta="fossil")
        for n in range(0, 60, 20):
            await budi.publish("d:a", *documents(n, n + 10))
            await ana.has("publication", n + 10, "d:a")
            subscribed = len(ana.of("subscribed", "d:a"))
            proxy.cut()
            await ana.has("connecting", subscribed + 1)
            if n != 20:  # nothing is missed in between
                await budi.publish("d:a", *documents(n + 10, n + 20))
            proxy.mend()
            back = (await ana.has("subscribed", subscribed + 1, "d:a"))[-1]
            assert back["recovered"]
            if n == 20:
                await budi.publish("d:a", *documents(n + 10, n + 20))
            await ana.has("publication", n + 20, "d:a")
        assert ana.data("d:a") == documents(60)
        assert ana.offsets("d:a") == budi.offsets("d:a")


async def test_a_node_that_is_killed_costs_nothing(cluster, start_redis, start_client, config):
    doomed, other = await cluster.start(2, start_redis(), config=config)
    budi = await start_client(other.port, "budi").connect()
    async with Proxy(doomed.port) as proxy:
        ana = await start_client(proxy.port, "ana").connect()
        for client in (ana, budi):
            await client.join("d:a", recoverable=True, delta="fossil")
        await ana.publish("d:a", *documents(10))
        for client in (ana, budi):
            await client.has("publication", 10, "d:a")
        doomed.kill()
        await ana.has("connecting", 2)
        await budi.publish("d:a", *documents(10, 30))
        proxy.target_port = other.port
        _, back = await ana.has("subscribed", 2, "d:a")
        assert back["was_recovering"] and back["recovered"]
        await ana.publish("d:a", *documents(30, 40))
        for client in (ana, budi):
            await client.has("publication", 40, "d:a")
            assert client.data("d:a") == documents(40)
        assert ana.offsets("d:a") == budi.offsets("d:a")
