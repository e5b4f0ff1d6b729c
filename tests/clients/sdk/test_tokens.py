"""Tokens in Centrifugo's protocol, in both formats: connect, rooms, refreshes, and what happens without them."""

import asyncio
import time

import pytest

from support.centrifugo import FORMATS, Json, Peer
from support.server_api import call
from support.tokens import SECRET, RsaKey, room_token, token

formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
EXPIRED, DENIED, BAD = 109, 103, 107


@pytest.fixture
def canang(start_canang):
    return start_canang(token_hmac_secret=SECRET, personal_room="me:", token_leeway="0s")


async def connected(canang, format, shown):
    peer = await Peer.open(canang, format)
    reply = await peer.ask(connect={"token": shown})
    assert "connect" in reply, reply
    return peer, reply["connect"]


async def closed_with(peer):
    async with asyncio.timeout(40):
        await peer.socket.wait_closed()
    return peer.socket.close_code, peer.socket.close_reason


def code(reply):
    return reply["error"]["code"]


@formats
async def test_a_token_says_who_one_is_and_for_how_long(canang, format):
    peer, told = await connected(canang, format, token("ann", lasts=100))
    assert told["expires"] and 90 < told["ttl"] <= 100
    await peer.subscribe("r")
    members = (await peer.ask(presence={"channel": "r"}))["presence"]["presence"]
    assert [one["user"] for one in members.values()] == ["ann"]
    await peer.end()
    peer, told = await connected(canang, format, token("ann"))
    assert not told.get("expires") and not told.get("ttl")
    await peer.end()


@formats
async def test_commands_behind_connect_wait_for_it(canang, format, start_canang, tmp_path):
    """Also where a signature is checked beside the loop, and the rest of the message waits."""
    key = RsaKey(tmp_path)
    for server, shown in ((canang, token()), (start_canang(token_public_key=str(key.public)), key.token())):
        peer = await Peer.open(server, format)
        commands = [
            peer.numbered(connect={"token": shown}),
            peer.numbered(subscribe={"channel": "r"}),
            peer.numbered(publish={"channel": "r", "data": peer.format.data(1)}),
            peer.numbered(presence_stats={"channel": "r"}),
        ]
        await peer.send(*commands)
        for command in commands:
            reply = await peer.reply(command["id"])
            assert "error" not in reply, (command, reply)
        await peer.has("r", 1)
        await peer.end()


@formats
@pytest.mark.parametrize(
    "shown, ended",
    [
        (token(secret="another secret of thirty-two chars"), (3500, "invalid token")),
        ("x", (3500, "invalid token")),
        (room_token("r"), (3500, "invalid token")),
        ("", (3500, "invalid token")),
    ],
    ids=["another-key", "nonsense", "a-rooms", "none"],
)
async def test_who_has_no_good_token_is_sent_away(canang, format, shown, ended):
    peer = await Peer.open(canang, format)
    await peer.send(peer.numbered(connect={"token": shown} if shown else {}))
    assert await closed_with(peer) == ended


@formats
async def test_who_has_an_expired_one_may_show_another(canang, format):
    peer = await Peer.open(canang, format)
    assert code(await peer.ask(connect={"token": token(lasts=-5)})) == EXPIRED
    assert "connect" in await peer.ask(connect={"token": token()})
    await peer.subscribe("r")
    await peer.end()


@formats
async def test_a_connection_lives_as_long_as_it_is_refreshed(canang, format):
    peer, told = await connected(canang, format, token("ann", lasts=2))
    assert told["ttl"] <= 2
    for _ in range(3):
        await asyncio.sleep(1)
        reply = await peer.ask(refresh={"token": token("ann", lasts=2)})
        assert reply["refresh"]["expires"] and reply["refresh"]["ttl"] <= 2
    assert "refresh" in (await peer.ask(refresh={"token": token("ann")}))
    await peer.subscribe("r")
    await peer.end()


@formats
@pytest.mark.parametrize(
    "shown, ended",
    [
        (token("bob"), (3500, "invalid token")),
        ("x", (3500, "invalid token")),
        (token("ann", lasts=-5), (3005, "connection expired")),
    ],
    ids=["anothers", "nonsense", "expired"],
)
async def test_a_refresh_that_is_none_ends_the_connection(canang, format, shown, ended):
    peer, _ = await connected(canang, format, token("ann", lasts=60))
    await peer.send(peer.numbered(refresh={"token": shown}))
    assert await closed_with(peer) == ended


async def test_who_does_not_refresh_is_closed_some_time_later(canang):
    peer, _ = await connected(canang, Json, token("ann", lasts=3))
    room = await connected(canang, Json, token("bob"))
    reply = await room[0].ask(subscribe={"channel": "$r", "token": room_token("$r", "bob", lasts=3)})
    assert 1 <= reply["subscribe"]["ttl"] <= 3
    assert await closed_with(peer) == (3005, "connection expired")  # after 25 s in which it could
    await room[0].until(lambda: any("unsubscribe" in p for p in room[0].pushes), "the room's end")
    [end] = [p["unsubscribe"] for p in room[0].pushes if "unsubscribe" in p]
    assert (end["code"], end["reason"]) == (2501, "subscription expired")
    assert code(await room[0].ask(publish={"channel": "$r", "data": 1})) == DENIED
    await room[0].end()


@formats
async def test_a_room_may_need_a_token_of_its_own(canang, format):
    peer, told = await connected(canang, format, token("ann"))
    for shown, expected in (
        (None, DENIED),
        (room_token("$other"), DENIED),
        (room_token("$r", "bob"), DENIED),
        (room_token("$r", client="n/1"), DENIED),
        (token("ann"), DENIED),
        ("x", DENIED),
        (room_token("$r", lasts=-5), EXPIRED),
    ):
        asked = {"channel": "$r"} | ({"token": shown} if shown else {})
        assert code(await peer.ask(subscribe=asked)) == expected, shown
    asked = {"channel": "$r", "token": room_token("$r", client=told["client"], lasts=60)}
    reply = await peer.ask(subscribe=asked)
    assert reply["subscribe"]["expires"] and 50 < reply["subscribe"]["ttl"] <= 60
    await peer.publish("$r", 1)
    await peer.has("$r", 1)
    await peer.end()


@formats
async def test_a_membership_lives_as_long_as_it_is_refreshed(canang, format):
    peer, _ = await connected(canang, format, token("ann"))
    await peer.ask(subscribe={"channel": "$r", "token": room_token("$r", lasts=2)})
    reply = await peer.ask(sub_refresh={"channel": "$r", "token": room_token("$r", lasts=90)})
    assert 80 < reply["sub_refresh"]["ttl"] <= 90
    assert reply["sub_refresh"]["expires"]
    assert code(await peer.ask(sub_refresh={"channel": "$s", "token": room_token("$s")})) == DENIED
    assert code(await peer.ask(sub_refresh={"channel": "$r"})) == BAD
    reply = await peer.ask(sub_refresh={"channel": "$r", "token": room_token("$r")})
    assert not reply["sub_refresh"].get("expires")
    reply = await peer.ask(sub_refresh={"channel": "$r", "token": room_token("$r", lasts=-5)})
    assert code(reply) == EXPIRED
    [end] = [push["unsubscribe"] for push in peer.pushes if "unsubscribe" in push]
    assert end["code"] == 2501, "so that it gets another one, and subscribes anew"
    assert "subscribe" in await peer.ask(subscribe={"channel": "$r", "token": room_token("$r")})
    await peer.send(peer.numbered(sub_refresh={"channel": "$r", "token": room_token("$s")}))
    assert await closed_with(peer) == (3500, "invalid token")


@formats
async def test_a_token_has_its_bearer_put_in_rooms(canang, format):
    peer, told = await connected(canang, format, token("ann", channels=["$a", "b"], subs={"c": {}}))
    assert sorted(told["subs"]) == ["$a", "b", "c", "me:ann"]
    await peer.publish("$a", 1)
    await peer.has("$a", 1)
    await peer.end()


@formats
async def test_rooms_of_a_token_are_no_way_around_the_settings(start_canang, tmp_path, format):
    config = tmp_path / "canang.toml"
    config.write_text(
        '[namespaces.past]\nallow-history = "nobody"\n[namespaces.closed]\nallow-subscribe = "nobody"\n'
    )
    canang = start_canang(config=str(config), token_hmac_secret=SECRET)
    shown = token("ann", channels=["past:a", "closed:a", "open:a"])
    ann, told = await connected(canang, format, shown)
    assert sorted(told["subs"]) == ["open:a", "past:a"], "what is for nobody is for nobody"
    for room in ("past:a", "open:a"):
        await ann.publish(room, 1)
        await ann.has(room, 1)
    had = {
        room: {"recover": True, "epoch": told["subs"][room]["epoch"], "offset": 0}
        for room in ("past:a", "open:a")
    }
    again = await Peer.open(canang, format)
    subs = (await again.ask(connect={"token": shown, "subs": had}))["connect"]["subs"]
    assert subs["open:a"]["recovered"] and len(subs["open:a"]["publications"]) == 1
    assert not subs["past:a"].get("recovered") and not subs["past:a"].get("publications")
    await ann.end()
    await again.end()


@formats
async def test_a_new_token_may_take_away_what_the_old_one_gave(start_canang, tmp_path, format):
    config = tmp_path / "canang.toml"
    config.write_text('[rooms]\nallow-publish = "token"\n')
    canang = start_canang(config=str(config), token_hmac_secret=SECRET)
    may = token("ann", caps=[{"channels": ["r"], "allow": ["pub"]}])
    peer, _ = await connected(canang, format, may)
    await peer.subscribe("r")
    await peer.publish("r", 1)
    assert "refresh" in await peer.ask(refresh={"token": token("ann")})
    data = peer.format.data(2)
    assert code(await peer.ask(publish={"channel": "r", "data": data})) == DENIED
    assert "refresh" in await peer.ask(refresh={"token": may})
    await peer.publish("r", 3)
    await peer.has("r", 2)
    assert peer.values("r") == [1, 3]
    await peer.end()


@formats
async def test_the_backend_says_how_long_a_user_may_stay(canang, format):
    ann, _ = await connected(canang, format, token("ann", lasts=60))
    bob, _ = await connected(canang, format, token("bob"))
    later = int(time.time()) + 3600
    result = await call(canang, "refresh", user="ann", expire_at=later)
    assert result["connections"] == 1
    await ann.until(lambda: ann.pushes, "it is told")
    [push] = ann.pushes
    assert push["refresh"]["expires"] and 3500 < push["refresh"]["ttl"] <= 3600
    await call(canang, "refresh", user="ann")
    await ann.until(lambda: len(ann.pushes) == 2, "it is told")
    assert not ann.pushes[1]["refresh"].get("expires")
    await call(canang, "refresh", user="ann", expired=True)
    assert await closed_with(ann) == (3005, "connection expired")
    assert bob.pushes == []
    await bob.end()


async def test_many_rooms_with_a_token_each_are_subscribed_in_one_message(canang, start_canang, tmp_path):
    key = RsaKey(tmp_path)
    server = start_canang(token_public_key=str(key.public))
    peer, _ = await connected(server, Json, key.token("ann"))
    shown = [key.token("ann", channel=f"$r{n}") for n in range(20)]
    commands = [peer.numbered(subscribe={"channel": f"$r{n}", "token": t}) for n, t in enumerate(shown)]
    commands.append(peer.numbered(presence_stats={"channel": "$r19"}))
    await peer.send(*commands)
    for command in commands:
        assert "error" not in await peer.reply(command["id"])
    await peer.end()


async def test_thousands_of_tokens_in_one_message(start_canang, tmp_path):
    """The first is checked beside the loop, so that all others wait for it, and are then told at once."""
    key = RsaKey(tmp_path)
    server = start_canang(
        token_hmac_secret=SECRET,
        token_public_key=str(key.public),
        max_message_bytes="1MiB",
        publish_rate=0,
        publish_bytes_rate=0,
    )
    peer, _ = await connected(server, Json, token("ann"))
    await peer.subscribe("r")
    first = peer.numbered(sub_refresh={"channel": "r", "token": key.token("ann", channel="r")})
    shown = room_token("r")
    others = [peer.numbered(sub_refresh={"channel": "r", "token": shown}) for _ in range(1000)]
    await peer.send(first, *others)
    for command in [first, *others]:
        assert "sub_refresh" in await peer.reply(command["id"])
    await peer.end()


async def test_others_do_not_notice(canang):
    ann, _ = await connected(canang, Json, token("ann"))
    await ann.subscribe("r")
    for shown in ("x" * 8000, token(lasts=-1), "..", "e30.e30.e30"):
        peer = await Peer.open(canang, Json)
        await peer.send(peer.numbered(connect={"token": shown}))
        await ann.publish("r", shown[:3])
        await peer.end()
    await ann.has("r", 4)
    await ann.end()
