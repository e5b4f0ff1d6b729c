"""Commands of the server API to a node that runs alone, and what it makes of bad ones."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from support.canang_process import http_request
from support.clients import close_all, open_client, receive
from support.raw_websocket import RawConnection
from support.server_api import METHODS, call, post, publish


async def test_a_node_alone_disconnects_a_user(canang):
    ann = [await open_client(canang.url(f"/ws/room{n}?user=ann")) for n in range(5)]
    bob = await open_client(canang.url("/ws/room0?user=bob"))
    await canang.members_are(6)
    result = await call(canang, "disconnect", user="ann")
    assert result["complete"] and result["connections"] == 5 and len(result["nodes"]) == 1
    for client in ann:
        with pytest.raises(ConnectionClosed):
            await receive(client)
        assert (client.close_code, client.close_reason) == (3503, "force disconnect")
    await canang.members_are(1)
    result = await call(canang, "disconnect", user="bob", disconnect={"code": 3011})
    assert result["connections"] == 1
    with pytest.raises(ConnectionClosed):
        await receive(bob)
    assert (bob.close_code, bob.close_reason) == (3011, "force reconnect")
    assert canang.metrics().closes() == {("3xxx", "disconnected"): 6}


async def test_a_user_with_very_many_connections_is_disconnected_everywhere(canang):
    crowd = [await open_client(canang.url("/ws/kitchen?user=crowd")) for _ in range(700)]
    other = await open_client(canang.url("/ws/kitchen?user=other"))
    await canang.members_are(701)
    assert (await call(canang, "disconnect", user="crowd"))["connections"] == 700
    assert (await call(canang, "disconnect", user="crowd"))["connections"] == 0, "each once"
    await canang.members_are(1, 10)
    assert canang.metrics().closes() == {("3xxx", "disconnected"): 700}
    await close_all(*crowd, other)


async def test_a_node_alone_removes_a_user_from_a_room(canang):
    kitchen = await open_client(canang.url("/ws/kitchen?user=ann"))
    hall = await open_client(canang.url("/ws/hall?user=ann"))
    await canang.members_are(2)
    result = await call(canang, "unsubscribe", user="ann", channel="kitchen")
    assert result["connections"] == 1
    with pytest.raises(ConnectionClosed):
        await receive(kitchen)
    assert (kitchen.close_code, kitchen.close_reason) == (3503, "removed from the room")
    await hall.send("still here")
    assert await receive(hall) == "still here"
    await hall.close()


def test_nobody_is_there_to_do_it_to(canang):
    for method, fields in (
        ("disconnect", {}), ("disconnect", {"client": "n/1"}), ("subscribe", {"channel": "kitchen"}),
        ("unsubscribe", {"channel": "kitchen"}), ("refresh", {"expired": True}), ("refresh", {}),
    ):  # fmt: skip
        result = post(canang, f"/api/{method}", {"user": "nobody"} | fields).result
        assert (result["complete"], result["connections"]) == (True, 0), (method, fields)


async def test_who_has_no_user_is_disconnected_by_no_name(canang):
    client = await open_client(canang.url("/ws/kitchen"))
    await canang.members_are(1)
    assert (await call(canang, "disconnect", user="ann"))["connections"] == 0
    assert post(canang, "/api/disconnect", {"user": ""}).error == (200, 107)
    await client.close()


# --- bad input ----------------------------------------------------------------------------------

UNREADABLE = [
    b"",
    b"x",
    b"[]",
    b"null",
    b'{"channel":"kitchen","data":1',
    b'{"channel":"kitchen","data":1}}',
    b'{"channel":"kitchen","data":1}{}',
    b'{"channel":"kitchen","data":01}',
    b'{"channel":"kitchen","data":1e999}',
    b'{"channel":"kitchen","data":' + b"9" * 400 + b"}",
    b'{"channel":"kitchen","data":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"channel":"\xff","data":1}',
    b'{"channel":"kitchen","data":"\xed\xa0\x80"}',
    b'{"channel":"\\ud800","data":1}',
    b'{"channel":["kitchen"],"data":1}',
    b'{"channel":"kitchen","data":1,"skip_history":1}',
    b'{"channel":"kitchen","data":1,"idempotency_key":{}}',
    b'{"channel":"kitchen","channel":"hall","data":1}',
    b"channel=kitchen&data=1",
    b"\0" * 100,
]

CANNOT_BE_DONE = [
    {"data": 1},
    {"channel": "", "data": 1},
    {"channel": None, "data": 1},
    {"channel": ".", "data": 1},
    {"channel": "a\nb", "data": 1},
    {"channel": "x" * 256, "data": 1},
    {"channel": "kitchen"},
    {"channel": "kitchen", "data": 1, "b64data": "aGk="},
    {"channel": "kitchen", "b64data": ""},
    {"channel": "kitchen", "b64data": "aGk"},
    {"channel": "kitchen", "data": 1, "idempotency_key": "k" * 256},
    {"channel": "kitchen", "data": "x" * (64 * 1024)},
]


def test_a_bad_body_gets_one_clear_answer_and_disturbs_nothing(canang):
    for body in UNREADABLE:
        answer = post(canang, "/api/publish", body)
        assert answer.error == (400, 107), body[:60]
        assert answer.json["error"]["message"].startswith("bad request: "), body[:60]
        assert answer.body.count(b"\n") == 1
    for body in CANNOT_BE_DONE:
        answer = post(canang, "/api/publish", body)
        assert answer.error == (200, 107), body
    assert publish(canang, channel="kitchen", data=1).result["offset"] == 1
    assert canang.metrics()["canang_actor_failures_total"] == 0


def test_a_bad_command_gets_one_clear_answer(canang):
    for body in (b"", b"x", b'{"user":7}', b'{"user":"ann","disconnect":"now"}',
                 b'{"user":"ann","disconnect":{"code":"3503"}}'):  # fmt: skip
        assert post(canang, "/api/disconnect", body).error == (400, 107), body
    for body in ({}, {"user": ""}, {"user": "a\0"}, {"user": "x" * 256},
                 {"user": "ann", "disconnect": {"code": 1000}},
                 {"user": "ann", "disconnect": {"code": 5000}},
                 {"user": "ann", "disconnect": {"reason": "x" * 124}}):  # fmt: skip
        assert post(canang, "/api/disconnect", body).error == (200, 107), body
    for body in ({"user": "ann"}, {"channel": "kitchen"}, {"user": "ann", "channel": ".."},
                 {"user": "ann", "channel": "x" * 256}, {"user": "x" * 256, "channel": "kitchen"},
                 {"user": "ann", "channel": "kitchen", "client": "c" * 41}):  # fmt: skip
        assert post(canang, "/api/unsubscribe", body).error == (200, 107), body
        assert post(canang, "/api/subscribe", body).error == (200, 107), body
    ann = {"user": "ann", "channel": "kitchen"}
    for more, error in (
        ({"client": 7}, (400, 107)), ({"recover_since": 7}, (400, 107)), ({"user": []}, (400, 107)),
        ({"recover_since": {"offset": 1}}, (200, 107)),
        ({"recover_since": {"offset": 1, "epoch": "e" * 256}}, (200, 107)),
        ({"data": {}}, None), ({"data": 1}, (200, 108)), ({"override": {"presence": {}}}, (200, 108)),
        ({"expire_at": 1}, (200, 108)), ({"session": "s"}, (200, 108)),
    ):  # fmt: skip
        answer = post(canang, "/api/subscribe", ann | more)
        assert ("error" not in answer.json) if error is None else answer.error == error, more
    for body, error in (
        ({}, (200, 107)), ({"user": 1}, (400, 107)), ({"user": "ann", "expired": 1}, (400, 107)),
        ({"user": "ann", "expire_at": -1}, (200, 107)),
    ):  # fmt: skip
        assert post(canang, "/api/refresh", body).error == error, body
    spared = {"user": "ann", "whitelist": ["n/1"] * 33}
    assert post(canang, "/api/disconnect", spared).error == (200, 107)


def test_what_it_does_not_have_is_refused_unless_it_means_nothing(canang):
    for field, value in (("version", 7), ("xyz", 1)):
        answer = publish(canang, channel="kitchen", data=1, **{field: value})
        assert answer.error == (200, 108)
        assert field in answer.json["error"]["message"]
    assert post(canang, "/api/disconnect", {"user": "ann", "session": "s"}).error == (200, 108)
    assert publish(canang, channel="kitchen", data=1, b64data="", tags={}, delta=False).result
    assert publish(canang, channel="kitchen", data=1, delta=True).result


def test_a_large_message_fits_and_a_larger_body_is_refused_unread(start_canang):
    canang = start_canang(max_message_bytes=10_000)
    assert publish(canang, channel="kitchen", data="x" * 9_998).result
    assert publish(canang, channel="kitchen", data="x" * 9_999).error == (200, 107)
    assert post(canang, "/api/publish", b" " * 200_000).status == 413
    with RawConnection(canang.internal_port) as client:
        client.send(
            b"POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert client.read_response().status == 413


def test_only_post_is_taken(canang):
    for method in METHODS:
        answer = http_request(canang.internal_port, f"/api/{method}")
        assert answer.status == 405
        assert answer.headers["allow"] == "POST"
    assert post(canang, "/api/dance", {}).status == 404
    assert post(canang, "/api/", {}).status == 404
