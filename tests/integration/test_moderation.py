"""Bans, mutes, lockdowns, slow mode and full rooms on one node."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from support.asking import ask
from support.centrifugo import Peer
from support.clients import close_all, open_client, receive
from support.server_api import call, post
from support.tokens import SECRET, token
from support.waiting import eventually

CONFIG = f"""
token-hmac-secret = "{SECRET}"
anonymous = "yes"

[namespaces.slow]
slow-mode = "2s"

[namespaces.small]
members-max = 2
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "canang.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def guarded(start_canang, config):
    """Users have tokens."""
    return start_canang(config=str(config))


async def ended(client) -> tuple[int, str]:
    await asyncio.wait_for(client.wait_closed(), 5)
    return client.close_code, client.close_reason


async def connected(server, claims: dict | None = None, user: str = "ann") -> Peer:
    peer = await Peer.open(server)
    reply = await peer.ask(connect={"token": token(user, **(claims or {}))})
    assert "connect" in reply, reply
    return peer


async def publish(peer: Peer, room: str, data="x") -> dict:
    return (await peer.ask(publish={"channel": room, "data": data})).get("error", {})


async def test_a_banned_user_is_out_and_stays_out_until_the_ban_is_lifted(canang):
    ann = [await open_client(canang.url("/ws/r?user=ann")) for _ in range(2)]
    sdk = await Peer.open(canang, user="ann")
    await sdk.connect()
    bob = await open_client(canang.url("/ws/r?user=bob&meta=true"))
    result = await call(canang, "ban", user="ann", reason="spam")
    assert (result["complete"], result["connections"]) == (True, 3)
    for client in ann:
        assert await ended(client) == (3507, "banned: spam")
    assert await sdk.closed() == 3507
    assert await ended(await open_client(canang.url("/ws/other?user=ann"))) == (3507, "banned: spam")
    back = await Peer.open(canang, user="ann")
    await back.send(back.numbered(connect={}))
    assert await back.closed() == 3507
    assert (await asyncio.to_thread(ask, canang, "/sse/r?user=ann")).status == 403
    assert bob.close_code is None
    assert canang.metrics().total("canang_moderation_refused_total", reason="banned") == 3
    assert canang.metrics()["canang_moderation_ended_total"] == 3
    lifted = await call(canang, "unban", user="ann")
    assert (lifted["found"], lifted["complete"], lifted["connections"]) == (True, True, 0)
    assert (await call(canang, "unban", user="ann"))["found"] is False
    again = await open_client(canang.url("/ws/r?user=ann&meta=true"))
    await receive(again)
    await close_all(again, bob)


async def test_a_ban_from_a_room_leaves_the_rest(canang):
    ann = await Peer.open(canang, user="ann")
    await ann.connect()
    for room in ("chat:1", "chat:2", "talk:1"):
        await ann.subscribe(room)
    result = await call(canang, "ban", user="ann", channel="chat:1", reason="rude")
    assert result["connections"] == 1
    await ann.until(lambda: any("unsubscribe" in p for p in ann.pushes), "an unsubscribe push")
    [push] = [p for p in ann.pushes if "unsubscribe" in p]
    assert push == {"channel": "chat:1", "unsubscribe": {"code": 2000, "reason": "banned: rude"}}
    error = (await ann.ask(subscribe={"channel": "chat:1"}))["error"]
    assert (error["code"], error["message"]) == (103, "banned: rude")
    assert "temporary" not in error
    assert (await publish(ann, "chat:2")) == {}
    assert (await call(canang, "ban", user="ann", namespace="chat"))["connections"] == 1
    assert (await ann.ask(subscribe={"channel": "chat:3"}))["error"]["code"] == 103
    assert (await publish(ann, "talk:1")) == {}
    plain = await open_client(canang.url("/ws/chat:9?user=ann"))
    assert await ended(plain) == (3507, "banned")
    # Nor does the server make it a member.
    assert (await call(canang, "subscribe", user="ann", channel="chat:1"))["connections"] == 0
    await ann.end()


async def test_an_address_is_banned_with_all_who_are_there(canang):
    clients = [await open_client(canang.url(f"/ws/r?user=u{n}")) for n in range(5)]
    result = await call(canang, "ban", address="127.0.0.0/8", channel="r")
    assert result["connections"] == 5
    for client in clients:
        assert await ended(client) == (3507, "banned")
    other = await open_client(canang.url("/ws/other?meta=true"))
    await receive(other)
    assert (await call(canang, "unban", address="127.0.0.0/8", channel="r"))["found"] is True
    back = await open_client(canang.url("/ws/r?meta=true"))
    await receive(back)
    await call(canang, "ban", address="192.0.2.0/24")
    again = await open_client(canang.url("/ws/r?meta=true"))
    await receive(again)
    await close_all(other, back, again)


async def test_who_is_muted_reads_on_and_is_told_why(canang):
    ann = await Peer.open(canang, user="ann")
    await ann.connect()
    await ann.subscribe("r")
    await ann.subscribe("elsewhere")
    meta = await open_client(canang.url("/ws/r?user=ann&meta=true"))
    await receive(meta)
    assert await publish(ann, "r") == {}
    result = await call(canang, "mute", user="ann", reason="caps")
    assert (result["complete"], result["connections"]) == (True, 0)
    error = await publish(ann, "r")
    assert (error["code"], error["message"]) == (103, "muted: caps")
    assert (await publish(ann, "elsewhere"))["message"] == "muted: caps"
    await meta.send("hello")
    while "error" not in (told := json.loads(await receive(meta))):
        pass
    assert told == {"error": {"code": "muted", "message": "muted: caps"}}
    plain = await open_client(canang.url("/ws/r?user=ann"))
    await plain.send("hello")
    assert await ended(plain) == (1008, "muted: caps")
    await call(canang, "publish", channel="r", data="to all")
    await ann.until(lambda: "to all" in ann.values("r"), "it reads on")
    await call(canang, "unmute", user="ann")
    assert await publish(ann, "r", "again") == {}
    assert canang.metrics().total("canang_moderation_refused_total", reason="muted") == 4
    await ann.end()
    await meta.close()


async def test_a_mute_ends_by_itself(canang):
    ann = await Peer.open(canang, user="ann")
    await ann.connect()
    await ann.subscribe("r")
    await call(canang, "mute", user="ann", channel="r", ttl=1)
    assert (await publish(ann, "r"))["code"] == 103
    [act] = (await call(canang, "moderation"))["acts"]
    assert act["ttl"] == 1 and act["act"] == "mute"
    async with asyncio.timeout(5):
        while await publish(ann, "r"):
            await asyncio.sleep(0.05)
    assert (await call(canang, "moderation")) == {"acts": [], "total": 0}
    assert canang.metrics().total("canang_moderation_acts") == 0
    await ann.end()


async def test_in_a_lockdown_moderators_alone_publish(guarded):
    grant = {"caps": [{"channels": ["chat:*"], "match": "wildcard", "allow": ["mod"]}]}
    ann, eve = await connected(guarded), await connected(guarded, grant, "eve")
    for peer in (ann, eve):
        await peer.subscribe("chat:1")
        await peer.subscribe("chat:2")
        assert await publish(peer, "chat:1") == {}
    result = await call(guarded, "lockdown", channel="chat:1", on=True, reason="calm down")
    assert result["complete"] is True and "found" not in result
    error = await publish(ann, "chat:1")
    assert (error["code"], error["message"]) == (103, "locked: calm down")
    assert await publish(eve, "chat:1") == {}
    assert await publish(ann, "chat:2") == {}
    assert (await call(guarded, "lockdown", channel="chat:1", on=False))["found"] is True
    assert await publish(ann, "chat:1") == {}
    await call(guarded, "lockdown", on=True)
    assert (await publish(ann, "chat:2"))["message"] == "locked"
    # What names somebody holds for moderators too.
    await call(guarded, "mute", user="eve")
    assert (await publish(eve, "chat:1"))["message"] == "muted"
    await ann.end()
    await eve.end()


async def test_slow_mode_paces_a_user_over_all_of_its_connections(guarded):
    grant = {"caps": [{"channels": ["slow:1"], "allow": ["mod"]}]}
    ann, other, bob = [await connected(guarded, user=u) for u in ("ann", "ann", "bob")]
    eve = await connected(guarded, grant, "eve")
    for peer in (ann, other, bob, eve):
        await peer.subscribe("slow:1")
    assert await publish(ann, "slow:1") == {}
    error = await publish(ann, "slow:1")
    assert error["code"] == 111 and "temporary" not in error
    assert error["message"] in ("slow mode: 2 s to wait", "slow mode: 1 s to wait")
    assert (await publish(other, "slow:1"))["code"] == 111, "another connection of the same user"
    assert await publish(bob, "slow:1") == {}
    for _ in range(5):
        assert await publish(eve, "slow:1") == {}
    await ann.subscribe("fast:1")
    assert await publish(ann, "fast:1") == {}
    assert await publish(ann, "fast:1") == {}
    async with asyncio.timeout(5):
        while await publish(ann, "slow:1"):
            await asyncio.sleep(0.1)
    assert guarded.metrics().total("canang_moderation_refused_total", reason="slow_mode") >= 2
    for peer in (ann, other, bob, eve):
        await peer.end()


async def test_a_full_room_takes_nobody_but_moderators(guarded):
    grant = {"caps": [{"channels": ["small:*"], "match": "wildcard", "allow": ["mod"]}]}
    ann, bob, cleo = [await connected(guarded, user=u) for u in ("ann", "bob", "cleo")]
    eve = await connected(guarded, grant, "eve")
    await ann.subscribe("small:1")
    await bob.subscribe("small:1")
    error = (await cleo.ask(subscribe={"channel": "small:1"}))["error"]
    assert (error["code"], error["message"]) == (106, "the room is full")
    plain = await open_client(guarded.url("/ws/small:1"))
    assert await ended(plain) == (1013, "the room is full")
    await eve.subscribe("small:1")
    await ann.ask(unsubscribe={"channel": "small:1"})
    await bob.ask(unsubscribe={"channel": "small:1"})
    async with asyncio.timeout(5):
        while "error" in await cleo.ask(subscribe={"channel": "small:1"}):
            await asyncio.sleep(0.05)
    for peer in (ann, bob, cleo, eve):
        await peer.end()


async def test_acts_are_listed_in_pages(canang):
    for n in range(5):
        await call(canang, "ban", user=f"user{n}", channel="r", reason="why", ttl=60)
    await call(canang, "mute", address="2001:DB8::/32", namespace="chat")
    first = await call(canang, "moderation", limit=4)
    second = await call(canang, "moderation", limit=4, after=first["next"])
    assert (first["total"], len(first["acts"]), len(second["acts"])) == (6, 4, 2)
    assert "next" not in second
    assert second["acts"][-1] == {"act": "mute", "address": "2001:db8::/32", "namespace": "chat"}
    [one] = (await call(canang, "moderation", user="user3"))["acts"]
    assert (one["act"], one["channel"], one["reason"]) == ("ban", "r", "why")
    assert 58 <= one["ttl"] <= 60
    replies = post(
        canang,
        "/api/batch",
        {"commands": [{"unban": {"user": "user3", "channel": "r"}}, {"moderation": {"user": "user3"}}]},
    ).json["replies"]
    assert replies[0]["unban"]["found"] is True
    assert replies[1]["moderation"]["acts"] == []


BAD = [
    ("ban", {}),
    ("ban", {"user": "ann", "address": "192.0.2.1"}),
    ("ban", {"address": "0.0.0.0/0"}),
    ("ban", {"address": "::/64"}),
    ("ban", {"address": "::ffff:0:0/96"}),
    ("mute", {"user": "ann", "channel": ""}),
    ("mute", {"user": "ann", "namespace": ""}),
    ("ban", {"address": "192.0.2.1/24"}),
    ("ban", {"address": "example.org"}),
    ("ban", {"user": "ann", "channel": "r", "namespace": "n"}),
    ("ban", {"user": "ann", "namespace": "a:b"}),
    ("ban", {"user": "a" * 256}),
    ("ban", {"user": "a\nb"}),
    ("mute", {"user": "ann", "ttl": -1}),
    ("mute", {"user": "ann", "ttl": 2**62}),
    ("mute", {"user": "ann", "reason": "x" * 101}),
    ("mute", {"user": "ann", "reason": "a\nb"}),
    ("lockdown", {}),
    ("moderation", {"limit": 0}),
    ("moderation", {"limit": 1001}),
    ("moderation", {"act": "kick"}),
]


@pytest.mark.parametrize(("method", "fields"), BAD, ids=lambda v: v if isinstance(v, str) else "")
def test_what_cannot_be_ordered_says_so(canang, method, fields):
    assert post(canang, f"/api/{method}", fields).error == (200, 107)
    assert canang.metrics().total("canang_moderation_orders_total") == 0


async def test_what_was_allowed_does_not_come_to_be_allowed_again_by_many_changes(canang):
    """A verdict holds until something changes, and is remembered with the number of the last change: 16 bits of it were too
    few, which 65,536 changes go around."""
    bob = await open_client(canang.url("/ws/r?user=bob&meta=true"))
    await receive(bob)
    await bob.send("hello")
    assert json.loads(await receive(bob))["data"] == "hello"
    await call(canang, "mute", user="bob")
    lock = {"lockdown": {"channel": "elsewhere", "on": True}}
    for count in [100] * 655 + [35]:
        batch = await asyncio.to_thread(post, canang, "/api/batch", {"commands": [lock] * count})
        assert not [one for one in batch.json["replies"] if "error" in one]
    await bob.send("again")
    assert json.loads(await receive(bob))["error"]["code"] == "muted"
    await bob.close()


async def test_each_order_is_one_line_in_the_log(canang):
    await call(canang, "ban", user='ann" everywhere\u2028', channel="r", ttl=60, reason='say "hi"')
    await call(canang, "unban", user='ann" everywhere\u2028', channel="r")
    lines = await eventually(
        lambda: found if len(found := canang.log_with("moderation:")) == 2 else None, "two lines"
    )
    assert 'moderation: ban user="ann\\" everywhere' in lines[0] and "\u2028" not in lines[0]
    assert 'room="r" for 60 s reason="say \\"hi\\"": done on 1 node' in lines[0]
    assert "moderation: unban user=" in lines[1]


async def test_a_restart_of_a_node_that_runs_alone_forgets(start_canang):
    first = start_canang()
    await call(first, "ban", user="ann")
    first.stop()
    second = start_canang()
    assert (await call(second, "moderation"))["total"] == 0


def test_nobody_reaches_them_without_a_key(start_canang):
    canang = start_canang(api_key="0123456789abcdef-of-a-service")
    for method in ("ban", "unban", "mute", "unmute", "lockdown", "moderation"):
        assert post(canang, f"/api/{method}", {"user": "ann"}).status == 401


async def test_a_page_hears_the_reason_of_a_refused_handshake_by_the_close(canang):
    await call(canang, "ban", user="ann", reason="spam")
    try:
        client = await open_client(canang.url("/ws/r?user=ann"))
    except InvalidStatus as refused:
        raise AssertionError(f"a status that pages cannot see: {refused}") from refused
    assert await ended(client) == (3507, "banned: spam")
