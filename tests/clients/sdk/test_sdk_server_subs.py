"""What the SDKs of Centrifugo's protocol, as they are published, make of subscriptions that the server begins."""

import asyncio

import pytest

from support.proxy import Proxy
from support.server_api import call


@pytest.fixture
def hears_of_subscriptions(sdk):
    if sdk.language == "python":
        pytest.skip("centrifuge-python 0.7 takes no notice of the push that tells of a subscription")


@pytest.fixture(autouse=True)
def knows_rooms_of_the_server(sdk):
    if sdk.language == "page":
        pytest.skip("the chat page is in the rooms that it asks for, and in no others")


@pytest.mark.usefixtures("hears_of_subscriptions")
async def test_the_server_subscribes_and_unsubscribes_a_user(canang, start_client):
    ana, budi = start_client(canang.port, "ana"), start_client(canang.port, "budi")
    for client in (ana, budi):
        await client.connect()
    await budi.join("news")
    await budi.publish("news", "before")
    assert (await call(canang, "subscribe", user="ana", channel="news"))["connections"] == 1
    [at] = await ana.has("server_subscribed", 1, "news")
    assert at["offset"] == 1 and at["epoch"] and not at["was_recovering"]
    await budi.publish("news", *range(20))
    await call(canang, "publish", channel="news", data="from outside")
    await ana.has("server_publication", 21, "news")
    assert ana.server_data("news") == [*range(20), "from outside"]
    offsets = [e["offset"] for e in ana.of("server_publication", "news")]
    assert offsets == list(range(2, 23))
    assert (await call(canang, "unsubscribe", user="ana", channel="news"))["connections"] == 1
    await ana.has("server_unsubscribed", 1, "news")
    await budi.publish("news", "after")
    await budi.has("publication", 23, "news")
    await ana.join("end")
    await ana.publish("end", "end")
    await ana.has("publication", 1, "end")
    assert len(ana.server_data("news")) == 21
    assert ana.of("disconnected") == ana.of("publication", "news") == []


@pytest.mark.usefixtures("hears_of_subscriptions")
async def test_what_a_command_gave_is_gone_with_the_connection(canang, start_client):
    """As with Centrifugo: the server subscribes anew whom it wants subscribed."""
    ana = await start_client(canang.port, "ana").connect()
    await call(canang, "subscribe", user="ana", channel="news")
    await ana.has("server_subscribed", 1, "news")
    await call(canang, "disconnect", user="ana", disconnect={"code": 3011})
    await ana.has("connected", 2)
    if ana.sdk.language == "js":
        await ana.has("server_unsubscribed", 1, "news")
    async with asyncio.timeout(10):
        while (await call(canang, "presence_stats", channel="news"))["num_clients"]:
            await asyncio.sleep(0.02)
    assert (await call(canang, "subscribe", user="ana", channel="news"))["connections"] == 1
    await call(canang, "publish", channel="news", data="again")
    await ana.has("server_publication", 1, "news")


async def test_what_was_missed_in_a_room_of_the_server_is_recovered(start_canang, start_client):
    canang = start_canang(personal_room="personal:#")
    room = "personal:#ana"
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port, "ana").connect()
        [at] = await ana.has("server_subscribed", 1, room)
        assert at["epoch"] and not at["was_recovering"]
        for n in range(3):
            await call(canang, "publish", channel=room, data=n)
        await ana.has("server_publication", 3, room)
        proxy.cut()
        await ana.has("connecting", 2)
        for n in range(3, 6):
            await call(canang, "publish", channel=room, data=n)
        proxy.mend()
        _, back = await ana.has("server_subscribed", 2, room)
        assert back["was_recovering"] and back["recovered"]
        await call(canang, "publish", channel=room, data="live")
        await ana.has("server_publication", 7, room)
        assert ana.server_data(room) == [*range(6), "live"]
        offsets = [e["offset"] for e in ana.of("server_publication", room)]
        assert offsets == list(range(1, 8))
        assert (await call(canang, "unsubscribe", user="ana", channel=room))["connections"] == 1
        await ana.has("server_unsubscribed", 1, room)
        assert ana.of("disconnected") == []


async def test_who_missed_more_than_is_kept_of_it_is_told_so(start_canang, start_client):
    canang = start_canang(personal_room="personal:#", history_size=2)
    room = "personal:#ana"
    async with Proxy(canang.port) as proxy:
        ana = await start_client(proxy.port, "ana").connect()
        await ana.has("server_subscribed", 1, room)
        proxy.cut()
        await ana.has("connecting", 2)
        for n in range(5):
            await call(canang, "publish", channel=room, data=n)
        proxy.mend()
        _, back = await ana.has("server_subscribed", 2, room)
        assert back["was_recovering"] and not back["recovered"]
        await call(canang, "publish", channel=room, data="live")
        await ana.has("server_publication", 1, room)
        assert ana.server_data(room) == ["live"]
