"""Subscriptions that the server begins, in frames of Centrifugo's protocol in both formats."""

import asyncio

import pytest

from support.centrifugo import FORMATS, Json, Peer, peers
from support.clients import open_client, receive
from support.server_api import call, post

ALREADY = 105
formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


PERSONAL = {"personal_room": "personal:#"}


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
    assert await does("refresh", user="ann", client=second_id) == 1, "it may stay for good"
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


# --- rooms of the connect reply -------------------------------------------------------------------


async def entered(canang, format, user, **connect):
    """A client that has connected, and what it was told."""
    peer = await Peer.open(canang, format, user)
    return peer, (await peer.ask(connect=connect))["connect"]


@formats
async def test_the_connect_reply_names_the_room_of_the_user(start_canang, format):
    canang = start_canang(**PERSONAL)
    ann, told = await entered(canang, format, "ann")
    [(room, sub)] = told["subs"].items()
    assert room == "personal:#ann"
    assert sub["recoverable"] and sub["positioned"] and sub["epoch"]
    assert "recovered" not in sub and "was_recovering" not in sub and "publications" not in sub
    bob, _ = await entered(canang, format, "bob")
    guest, told = await entered(canang, format, "")
    assert "subs" not in told
    await call(canang, "publish", channel=room, data="for ann")
    await ann.has(room, 1)
    assert ann.values(room) == ["for ann"]
    reply = await ann.ask(subscribe={"channel": room})
    assert reply["error"]["code"] == ALREADY
    assert (await call(canang, "unsubscribe", user="ann", channel=room))["connections"] == 1
    await ann.until(lambda: pushes(ann, "unsubscribe", room), "an end")
    assert pushes(ann, "subscribe", room) == bob.pushes == guest.pushes == []
    for peer in (ann, bob, guest):
        await peer.end()


@formats
async def test_nobody_is_kept_out_because_there_are_many_rooms(start_canang, format):
    canang = start_canang(max_rooms=2, **PERSONAL)
    async with peers(canang, Json) as (member,):
        for room in ("one", "two"):
            assert "subscribe" in await member.ask(subscribe={"channel": room})
        ann, told = await entered(canang, format, "ann")
        assert list(told["subs"]) == ["personal:#ann"]
        await call(canang, "publish", channel="personal:#ann", data="for ann")
        assert await ann.has("personal:#ann", 1)
        reply = await ann.ask(subscribe={"channel": "three"})
        assert reply["error"]["code"] == 111, "others are refused as ever"
        await ann.end()


@formats
async def test_what_was_missed_is_in_the_connect_reply(start_canang, format):
    canang = start_canang(history_size=5, **PERSONAL)
    room = "personal:#ann"
    peer, told = await entered(canang, format, "ann")
    at = told["subs"][room]
    await peer.end()
    for n in range(3):
        await call(canang, "publish", channel=room, data=n)
    had = {"recover": True, "epoch": at["epoch"], "offset": at.get("offset", 0)}
    others = {f"other{n}": had for n in range(20)}
    peer, told = await entered(canang, format, "ann", subs=others | {room: had})
    [sub] = told["subs"].values()
    assert sub["was_recovering"] and sub["recovered"]
    assert [format.value(pub["data"]) for pub in sub["publications"]] == [0, 1, 2]
    assert [pub["offset"] for pub in sub["publications"]] == [1, 2, 3]
    assert sub.get("offset", 0) == 0, "where it was"
    await call(canang, "publish", channel=room, data="live")
    await peer.has(room, 1)
    await peer.end()

    for n in range(9):
        await call(canang, "publish", channel=room, data=n)
    for wrong in (had, had | {"epoch": "another"}, had | {"offset": 1000}):
        peer, told = await entered(canang, format, "ann", subs={room: wrong})
        sub = told["subs"][room]
        assert sub["was_recovering"] and "recovered" not in sub and "publications" not in sub
        assert (sub["offset"], sub["epoch"]) == (13, at["epoch"])
        await peer.end()
    peer, told = await entered(canang, format, "ann", subs={room: had | {"recover": False}})
    assert "was_recovering" not in told["subs"][room]
    await peer.end()


async def test_more_than_fits_into_a_reply_is_not_recovered(start_canang):
    canang = start_canang(history_bytes="4MiB", **PERSONAL)
    room = "personal:#ann"
    peer, told = await entered(canang, Json, "ann")
    at = told["subs"][room]
    await peer.end()
    for _ in range(40):
        await call(canang, "publish", channel=room, data="x" * 30_000)
    had = {"recover": True, "epoch": at["epoch"], "offset": at.get("offset", 0)}
    peer, told = await entered(canang, Json, "ann", subs={room: had})
    sub = told["subs"][room]
    assert "recovered" not in sub and "publications" not in sub and sub["offset"] == 40
    had["offset"] = 20
    again, told = await entered(canang, Json, "ann", subs={room: had})
    assert told["subs"][room]["recovered"]
    assert len(told["subs"][room]["publications"]) == 20
    for one in (peer, again):
        await one.end()


@formats
async def test_the_connect_reply_comes_before_everything_else(start_canang, format):
    """Also in a batch, and while much is published in the room."""
    canang = start_canang(**PERSONAL)
    room = "personal:#ann"
    is_over = asyncio.Event()

    async def write():
        n = 0
        while not is_over.is_set():
            await call(canang, "publish", channel=room, data=n)
            n += 1

    writing = asyncio.create_task(write())
    for _ in range(20):
        peer = await Peer.open(canang, format, "ann")
        commands = [
            {"id": 1, "connect": {}},
            {"id": 2, "subscribe": {"channel": "own"}},
            {"id": 3, "ping": {}},
            {"id": 4, "publish": {"channel": "own", "data": format.data("x")}},
        ]
        await peer.send(*commands)
        for number in (1, 2, 3, 4):
            assert "error" not in await peer.reply(number)
        await peer.has(room, 2)
        told = [m for frame in peer.frames for m in format.decode(frame) if m]
        assert told[0]["id"] == 1 and room in told[0]["connect"]["subs"]
        at = told[0]["connect"]["subs"][room].get("offset", 0)
        offsets = [pub["offset"] for pub in peer.publications(room)]
        assert offsets == [at + 1 + n for n in range(len(offsets))]
        await peer.end()
    is_over.set()
    await writing


async def test_who_leaves_its_room_at_once_is_answered_all_the_same(start_canang):
    canang = start_canang(**PERSONAL)
    peer = await Peer.open(canang, Json, "ann")
    leave = {"id": 12, "unsubscribe": {"channel": "personal:#ann"}}
    await peer.send({"id": 11, "connect": {}}, leave, {"id": 13, "ping": {}})
    told = (await peer.reply(11))["connect"]
    assert "subs" not in told
    assert "unsubscribe" in await peer.reply(12)
    assert "ping" in await peer.reply(13)
    await call(canang, "publish", channel="personal:#ann", data="not for it")
    await peer.subscribe("own")
    await peer.publish("own", "end")
    await peer.has("own", 1)
    assert peer.values("personal:#ann") == []
    await peer.end()


async def test_a_name_that_is_too_long_makes_no_room(start_canang):
    canang = start_canang(**PERSONAL)
    peer, told = await entered(canang, Json, "u" * 250)
    assert "subs" not in told
    await peer.end()
