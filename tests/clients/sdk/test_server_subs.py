"""Subscriptions that the server begins, in frames of Centrifugo's protocol in both formats."""

import asyncio

import pytest

from support.centrifugo import FORMATS, Json, Peer, peers
from support.clients import open_client, receive
from support.server_api import call, post

ALREADY = 105
formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


def pushes(peer, kind, room):
    return [p[kind] for p in peer.pushes if kind in p and p.get("channel") == room]


async def subscribed(peer, room, count=1):
    """The last push that it is subscribed."""
    await peer.until(lambda: len(pushes(peer, "subscribe", room)) >= count, "a subscribe push")
    return pushes(peer, "subscribe", room)[-1]


async def connected(canang, format, user):
    peer = await Peer.open(canang, format, user)
    told = await peer.connect()
    return peer, told["client"]


@formats
async def test_the_server_subscribes_and_unsubscribes_a_user(canang, format):
    async with peers(canang, format, format, user="ann") as ann, peers(canang, Json) as (guest,):
        result = await call(canang, "subscribe", user="ann", channel="news")
        assert (result["complete"], result["connections"]) == (True, 2)
        for peer in ann:
            told = await subscribed(peer, "news")
            assert told["recoverable"] and told["positioned"] and told["epoch"]
            assert told.get("offset", 0) == 0
        sent = await call(canang, "publish", channel="news", data=1)
        for peer in ann:
            [publication] = await peer.has("news", 1)
            assert peer.format.value(publication["data"]) == 1
            assert publication["offset"] == sent["offset"]
        stats = await call(canang, "presence_stats", channel="news")
        assert stats == {"num_clients": 2, "num_users": 1}
        result = await call(canang, "unsubscribe", user="ann", channel="news")
        assert result["connections"] == 2
        for peer in ann:
            await peer.until(lambda peer=peer: pushes(peer, "unsubscribe", "news"), "an end")
            [end] = pushes(peer, "unsubscribe", "news")
            assert (end["code"], end["reason"]) == (2000, "server unsubscribe")
        await call(canang, "publish", channel="news", data=2)
        for peer in ann:
            await peer.subscribe("end")
            await peer.publish("end", "end")
            await peer.has("end", 1)
            assert peer.values("news") == [1]
        assert guest.pushes == []


@formats
async def test_nothing_comes_before_the_push_and_nothing_is_missing_behind_it(canang, format):
    is_over = asyncio.Event()

    async def write():
        n = 0
        while not is_over.is_set():
            await call(canang, "publish", channel="busy", data=n)
            n += 1

    writing = asyncio.create_task(write())
    for turn in range(10):
        peer, client = await connected(canang, format, "ann")
        result = await call(canang, "subscribe", user="ann", client=client, channel="busy")
        assert result["connections"] == 1, turn
        await peer.has("busy", 3)
        kinds = [next(k for k in ("pub", "subscribe") if k in push) for push in peer.pushes]
        assert kinds.index("subscribe") == 0 and kinds.count("subscribe") == 1
        at = pushes(peer, "subscribe", "busy")[0].get("offset", 0)
        offsets = [pub["offset"] for pub in peer.publications("busy")]
        assert offsets == [at + 1 + n for n in range(len(offsets))]
        await peer.end()
    is_over.set()
    await writing


@formats
async def test_what_followed_a_position_comes_behind_the_push(canang, format):
    for n in range(5):
        at = await call(canang, "publish", channel="past", data=n)
    since = {"offset": 2, "epoch": at["epoch"]}
    async with peers(canang, format, user="ann") as (peer,):
        await call(canang, "subscribe", user="ann", channel="past", recover_since=since)
        told = await subscribed(peer, "past")
        assert (told["offset"], told["epoch"]) == (2, at["epoch"])
        await peer.has("past", 3)
        await call(canang, "publish", channel="past", data="live")
        await peer.has("past", 4)
        assert peer.values("past") == [2, 3, 4, "live"]

    async with peers(canang, format, user="bob") as (peer,):
        wrong = {"offset": 2, "epoch": "another"}
        await call(canang, "subscribe", user="bob", channel="past", recover_since=wrong)
        told = await subscribed(peer, "past")
        assert (told["offset"], told["epoch"]) == (6, at["epoch"]), "where the room stands"
        await call(canang, "publish", channel="past", data="next")
        await peer.has("past", 1)
        assert peer.values("past") == ["next"]


@formats
async def test_who_is_in_a_room_is_not_subscribed_to_it_again(canang, format):
    async with peers(canang, format, user="ann") as (peer,):
        await peer.subscribe("own")
        assert (await call(canang, "subscribe", user="ann", channel="own"))["connections"] == 0
        assert (await call(canang, "subscribe", user="ann", channel="given"))["connections"] == 1
        assert (await call(canang, "subscribe", user="ann", channel="given"))["connections"] == 0
        await subscribed(peer, "given")
        reply = await peer.ask(subscribe={"channel": "given"})
        assert reply["error"]["code"] == ALREADY
        await peer.publish("given", "as a member")
        await peer.has("given", 1)
        assert "unsubscribe" in await peer.ask(unsubscribe={"channel": "given"})
        await peer.subscribe("given")
        await peer.publish("given", "as one by itself")
        await peer.has("given", 2)
        assert len(pushes(peer, "subscribe", "own")) == 0
        assert len(pushes(peer, "subscribe", "given")) == 1


async def test_the_server_needs_no_permission(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('[rooms]\nallow-subscribe = "nobody"\n')
    canang = start_canang(config=str(config))
    async with peers(canang, Json, user="ann") as (peer,):
        assert "error" in await peer.ask(subscribe={"channel": "closed"})
        assert (await call(canang, "subscribe", user="ann", channel="closed"))["connections"] == 1
        await subscribed(peer, "closed")
        await call(canang, "publish", channel="closed", data="inside")
        await peer.has("closed", 1)


@formats
async def test_one_connection_of_a_user_can_be_meant(canang, format):
    first, first_id = await connected(canang, format, "ann")
    second, second_id = await connected(canang, format, "ann")
    guest, guest_id = await connected(canang, format, "")

    async def does(method, **fields):
        return (await call(canang, method, **fields))["connections"]

    assert await does("subscribe", user="ann", client=first_id, channel="one") == 1
    assert await does("subscribe", user="bob", client=first_id, channel="one") == 0
    assert await does("subscribe", user="ann", client="elsewhere/1", channel="one") == 0
    assert await does("subscribe", client=guest_id, channel="one") == 1, "it has no user"
    assert await does("subscribe", client=second_id, channel="one") == 0, "it has one"
    await subscribed(first, "one")
    await subscribed(guest, "one")
    assert await does("unsubscribe", user="ann", client=second_id, channel="one") == 0
    assert await does("unsubscribe", client=guest_id, channel="one") == 1
    await guest.until(lambda: pushes(guest, "unsubscribe", "one"), "an end")
    assert pushes(first, "unsubscribe", "one") == pushes(second, "subscribe", "one") == []
    third, third_id = await connected(canang, format, "ann")
    assert await does("disconnect", user="ann", whitelist=[second_id, third_id, "x/1"]) == 1
    assert await first.closed() == 3503
    assert await does("refresh", user="ann", client=second_id) == 0
    assert await does("refresh", user="ann", client=second_id, expired=True) == 1
    assert await second.closed() == 3005
    assert await does("disconnect", client=guest_id) == 1
    assert await guest.closed() == 3503
    await third.subscribe("end")
    await third.end()


async def test_a_plain_client_has_no_word_for_it(canang):
    plain = await open_client(canang.url("/ws/kitchen?user=ann"))
    await canang.members_are(1)
    assert (await call(canang, "subscribe", user="ann", channel="hall"))["connections"] == 0
    await call(canang, "publish", channel="hall", data="not for it")
    await plain.send("still alone in the kitchen")
    assert await receive(plain) == "still alone in the kitchen"
    await plain.close()


async def test_a_connection_has_no_more_rooms_than_it_may(start_canang):
    canang = start_canang(max_rooms_per_connection=2)
    async with peers(canang, Json, user="ann") as (peer,):
        await peer.subscribe("own")
        got = [
            (await call(canang, "subscribe", user="ann", channel=f"room{n}"))["connections"]
            for n in range(3)
        ]
        assert got == [1, 0, 0]
        await subscribed(peer, "room0")
        await peer.publish("own", "goes on")
        await peer.has("own", 1)


async def test_many_connections_of_a_user_are_subscribed(canang):
    crowd = [await Peer.open(canang, Json, "crowd") for _ in range(600)]
    await asyncio.gather(*(peer.connect() for peer in crowd))
    assert (await call(canang, "subscribe", user="crowd", channel="all"))["connections"] == 600
    await call(canang, "publish", channel="all", data="to all")
    for peer in crowd:
        await peer.has("all", 1)
    assert (await call(canang, "unsubscribe", user="crowd", channel="all"))["connections"] == 600
    await asyncio.gather(*(peer.end() for peer in crowd))
    await canang.members_are(0)


async def test_a_batch_subscribes_and_unsubscribes_in_its_order(canang):
    async with peers(canang, Json, user="ann") as (peer,):
        ann = {"user": "ann", "channel": "short"}
        commands = [{"subscribe": ann}, {"publish": {"channel": "short", "data": 1}},
                    {"unsubscribe": ann}, {"subscribe": ann}, {"unsubscribe": ann}]  # fmt: skip
        answer = await asyncio.to_thread(post, canang, "/api/batch", {"commands": commands})
        told = [next(iter(one.values())) for one in answer.json["replies"]]
        assert [one.get("connections") for one in told] == [1, None, 1, 1, 1]
        await peer.until(lambda: len(pushes(peer, "unsubscribe", "short")) == 2, "both ends")
        kinds = [next(k for k in push if k != "channel") for push in peer.pushes]
        assert kinds == ["subscribe", "pub", "unsubscribe", "subscribe", "unsubscribe"]
