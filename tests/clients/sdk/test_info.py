"""What tokens say of clients is told to others, in Centrifugo's protocol and in ours, and by the server API."""

import asyncio
import json

import pytest

from support.centrifugo import FORMATS, Json, Peer
from support.clients import open_client, receive
from support.event_stream import EventStream
from support.server_api import call
from support.tokens import SECRET, room_token, token

formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
CARD = {"name": "Ann \U0001f941", "n": [1.5, None]}
SEAT = {"row": 7}
TOO_MUCH = 106


@pytest.fixture
def canang(start_canang):
    return start_canang(token_hmac_secret=SECRET, join_leave="*")


async def connected(canang, format, user, **claims):
    peer = await Peer.open(canang, format)
    reply = await peer.ask(connect={"token": token(user, **claims)})
    assert "connect" in reply, reply
    return peer


def ann(canang, format):
    return connected(canang, format, "ann", info=CARD)


async def has_seat(peer, room="r"):
    await peer.subscribe(room, token=room_token(room, "ann", info=SEAT), join_leave=True)


def infos(peer, who):
    """Of a ClientInfo."""
    return [who.get(name) and peer.format.value(who[name]) for name in ("conn_info", "chan_info")]


def pushes(peer, kind, user):
    found = [push[kind]["info"] for push in peer.pushes if kind in push]
    return [infos(peer, who) for who in found if who.get("user") == user]


@formats
async def test_members_are_told_what_tokens_say(canang, format):
    bob = await connected(canang, format, "bob")
    at = await bob.subscribe("r", join_leave=True, recoverable=True)
    told = await ann(canang, format)
    await has_seat(told)
    await bob.until(lambda: pushes(bob, "join", "ann"), "ann has come")
    assert pushes(bob, "join", "ann") == [[CARD, SEAT]]
    assert pushes(bob, "join", "bob") == [[None, None]]
    await told.publish("r", "hello")
    await bob.publish("r", "hello ann")
    first, second = await bob.has("r", 2)
    assert infos(bob, first["info"]) == [CARD, SEAT]
    assert infos(bob, second["info"]) == [None, None]
    present = (await bob.ask(presence={"channel": "r"}))["presence"]["presence"]
    assert {who["user"]: infos(bob, who) for who in present.values()} == {
        "ann": [CARD, SEAT],
        "bob": [None, None],
    }
    kept = (await bob.ask(history={"channel": "r", "limit": 10}))["history"]["publications"]
    assert [infos(bob, one["info"]) for one in kept] == [[CARD, SEAT], [None, None]]
    await bob.ask(unsubscribe={"channel": "r"})
    back = await bob.subscribe("r", recover=True, epoch=at["epoch"], offset=at.get("offset", 0), join_leave=True)
    assert [infos(bob, one["info"]) for one in back["publications"]] == [[CARD, SEAT], [None, None]]
    await told.end()
    await bob.until(lambda: pushes(bob, "leave", "ann"), "ann has gone")
    assert pushes(bob, "leave", "ann") == [[CARD, SEAT]]
    await bob.end()


@formats
async def test_what_tokens_say_ends_with_what_they_are_of(canang, format):
    """A token of a room says it there alone, and a new token says something else from then on."""
    told = await ann(canang, format)
    await has_seat(told)
    await told.subscribe("other")
    for room, seat in (("r", SEAT), ("other", None)):
        await told.publish(room, 1)
        (first,) = await told.has(room, 1)
        assert infos(told, first["info"]) == [CARD, seat]
    await told.ask(refresh={"token": token("ann", info="new")})
    shown = room_token("r", "ann", info=8)
    assert "sub_refresh" in await told.ask(sub_refresh={"channel": "r", "token": shown})
    await told.publish("r", 2)
    assert infos(told, (await told.has("r", 2))[1]["info"]) == ["new", 8]
    await told.ask(unsubscribe={"channel": "r"})
    await told.subscribe("r")
    await told.publish("r", 3)
    assert infos(told, (await told.has("r", 3))[2]["info"]) == ["new", None]
    present = (await told.ask(presence={"channel": "r"}))["presence"]["presence"]
    assert [infos(told, who) for who in present.values()] == [["new", None]]
    await told.end()


async def test_the_server_api_and_the_internal_port_tell_it(canang):
    told = await ann(canang, Json)
    await has_seat(told)
    await told.publish("r", 1)
    (who,) = (await call(canang, "presence", channel="r"))["presence"].values()
    expected = {"user": "ann", "client": who["client"], "conn_info": CARD, "chan_info": SEAT}
    assert who == expected
    (kept,) = (await call(canang, "history", channel="r", limit=9))["publications"]
    assert kept["info"] == expected
    (member,) = json.loads(canang.get_internal("/rooms/r/presence").text)["members"]
    assert (member["info"], member["room_info"]) == (CARD, SEAT)
    await told.end()


async def test_who_comes_and_goes_is_told_to_plain_clients_with_it(canang):
    eve = token("eve", info={"is": "watching"})
    plain = await open_client(canang.url(f"/ws/r?meta=true&token={eve}"))
    stream = await EventStream.open(canang.port, f"/sse/r?token={token('fay')}")
    assert json.loads(await receive(plain))["join"]
    own = json.loads(await receive(plain))["joined"]
    assert own["user"] == "eve" and own["info"] == {"is": "watching"} and "room_info" not in own
    told = await ann(canang, Json)
    await has_seat(told)
    await told.end()

    def events(kind):
        found = [json.loads(event.data) for event in stream.events if event.type == kind]
        return [event for event in found if event["user"] == "ann"]

    async with asyncio.timeout(10):
        while not events("left"):
            assert await stream.read_some(), "the stream goes on"
    for (event,) in (events("joined"), events("left")):
        assert (event["info"], event["room_info"]) == (CARD, SEAT)
    seen = []
    while not seen or "left" not in seen[-1]:
        seen.append(json.loads(await receive(plain)))
    assert [(*event.values(),)[-1]["user"] for event in seen] == ["fay", "ann", "ann"]
    assert seen[1]["joined"]["info"] == seen[2]["left"]["info"] == CARD
    assert seen[1]["joined"]["room_info"] == seen[2]["left"]["room_info"] == SEAT
    await plain.close()
    await stream.close()


async def test_an_answer_is_bounded_by_what_tokens_say(canang):
    """1 MiB of it; counts are told all the same."""
    long = "i" * 4000
    crowd = await asyncio.gather(*(connected(canang, Json, f"user{n}", info=long) for n in range(140)))
    rooms = {"few": crowd[:100], "many": crowd}
    for room, members in rooms.items():
        shown = [room_token(room, f"user{n}", info=long) for n in range(len(members))]
        await asyncio.gather(*(m.subscribe(room, token=t) for m, t in zip(members, shown, strict=True)))
    present = (await crowd[0].ask(presence={"channel": "few"}))["presence"]["presence"]
    assert len(present) == 100
    assert all((who["conn_info"], who["chan_info"]) == (long, long) for who in present.values())
    refused = await crowd[0].ask(presence={"channel": "many"})
    assert refused["error"]["code"] == TOO_MUCH
    counted = await crowd[0].ask(presence_stats={"channel": "many"})
    assert counted["presence_stats"] == {"num_clients": 140, "num_users": 140}
    await asyncio.gather(*(peer.end() for peer in crowd))
