"""The server API of a node that runs alone."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed

from support.canang_process import http_request
from support.clients import close_all, open_client, receive
from support.raw_websocket import RawConnection
from support.server_api import ApiAnswer, call, post
from support.waiting import eventually

KEY = "0123456789abcdef-of-a-service"
OTHER_KEY = "fedcba9876543210-of-a-service"
INTERNAL_KEY = "0123456789abcdef-of-an-operator"
METHODS = ("publish", "disconnect", "unsubscribe")
PUBLISH = {"channel": "kitchen", "data": {"n": 1}}


def publish(canang, **fields) -> ApiAnswer:
    return post(canang, "/api/publish", fields)


# --- publish ------------------------------------------------------------------------------------


async def test_members_get_what_is_published_and_the_answer_tells_where_it_is(canang):
    plain = await open_client(canang.url("/ws/kitchen"))
    meta = await open_client(canang.url("/ws/kitchen?meta=true"))
    join = json.loads(await receive(meta))["join"]
    await canang.members_are(2)
    result = publish(canang, channel="kitchen", data={"text": "dinner"}).result
    assert result == {"offset": join["offset"] + 1, "epoch": join["epoch"]}
    assert await receive(plain) == '{"text":"dinner"}'
    assert json.loads(await receive(meta)) == {
        "epoch": result["epoch"],
        "offset": result["offset"],
        "data": '{"text":"dinner"}',
    }
    await close_all(plain, meta)


async def test_a_room_without_members_keeps_it_for_who_comes(canang):
    first = publish(canang, channel="later", data="one").result
    second = publish(canang, channel="later", data=2).result
    assert (second["epoch"], second["offset"]) == (first["epoch"], first["offset"] + 1)
    client = await open_client(canang.url("/ws/later?history=10"))
    assert [await receive(client), await receive(client)] == ['"one"', "2"]
    await client.close()


@pytest.mark.parametrize(
    ("sent", "delivered"),
    [
        ("null", "null"),
        ("-1.50E+3", "-1.50E+3"),
        ("18446744073709551615", "18446744073709551615"),
        (' {"b" : 1, "a": [ 2 , "x  y" ] } ', '{"b":1,"a":[2,"x  y"]}'),
        ('"\\u00e4\\n\\ud83d\\ude00"', '"\\u00e4\\n\\ud83d\\ude00"'),
        ('"\u00e4"', '"\u00e4"'),
        ("[" * 60 + "]" * 60, "[" * 60 + "]" * 60),
    ],
)
async def test_data_is_delivered_as_the_json_that_it_was_sent_as(canang, sent, delivered):
    client = await open_client(canang.url("/ws/kitchen"))
    await canang.members_are(1)
    assert post(canang, "/api/publish", f'{{"data":{sent},"channel":"kitchen"}}').result
    assert await receive(client) == delivered
    await client.close()


async def test_a_retry_with_the_same_key_is_not_delivered_twice(canang):
    client = await open_client(canang.url("/ws/kitchen"))
    await canang.members_are(1)
    first = publish(canang, channel="kitchen", data=1, idempotency_key="k").result
    assert publish(canang, channel="kitchen", data=1, idempotency_key="k").result == first
    other = publish(canang, channel="kitchen", data=2, idempotency_key="l").result
    assert other["offset"] == first["offset"] + 1
    assert publish(canang, channel="hall", data=3, idempotency_key="k").result["offset"] == 1
    assert [await receive(client), await receive(client)] == ["1", "2"]
    await client.close()


async def test_what_skips_the_history_has_no_place_in_it(canang):
    client = await open_client(canang.url("/ws/kitchen"))
    await canang.members_are(1)
    first = publish(canang, channel="kitchen", data=1).result
    assert publish(canang, channel="kitchen", data=2, skip_history=True).result == {}
    third = publish(canang, channel="kitchen", data=3).result
    assert third["offset"] == first["offset"] + 1
    assert [await receive(client) for _ in range(3)] == ["1", "2", "3"]
    late = await open_client(canang.url("/ws/kitchen?history=10"))
    assert [await receive(late), await receive(late)] == ["1", "3"]
    await close_all(client, late)


# --- commands -----------------------------------------------------------------------------------


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
    for body in ({"user": "ann"}, {"channel": "kitchen"}, {"user": "ann", "channel": ".."}):
        assert post(canang, "/api/unsubscribe", body).error == (200, 107), body


def test_what_it_does_not_have_is_refused_unless_it_means_nothing(canang):
    for field, value in (("b64data", "aGk="), ("tags", {"a": "b"}), ("delta", True), ("xyz", 1)):
        answer = publish(canang, channel="kitchen", data=1, **{field: value})
        assert answer.error == (200, 108)
        assert field in answer.json["error"]["message"]
    assert post(canang, "/api/disconnect", {"user": "ann", "client": "c"}).error == (200, 108)
    assert publish(canang, channel="kitchen", data=1, b64data="", tags={}, delta=False).result


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
    assert post(canang, "/api/refresh", {}).status == 404
    assert post(canang, "/api/", {}).status == 404


# --- keys ---------------------------------------------------------------------------------------


@pytest.fixture(params=["127.0.0.1:0", "0.0.0.0:0"])
def keyed(request, start_canang):
    return start_canang(
        api_key=f"{KEY},{OTHER_KEY}", internal_key=INTERNAL_KEY, internal_listen=request.param
    )


def test_each_of_the_keys_opens_the_api(keyed):
    for key in (KEY, OTHER_KEY):
        for headers in (
            {"X-API-Key": key},
            {"x-api-key": key},
            {"Authorization": f"apikey {key}"},
            {"Authorization": f"ApiKey   {key}"},
            {"Authorization": f"Bearer {INTERNAL_KEY}", "X-API-Key": key},
        ):
            assert post(keyed, "/api/publish", PUBLISH, headers).result, headers
            assert post(keyed, "/api/disconnect", {"user": "ann"}, headers).result


def test_without_a_right_key_it_is_closed(keyed):
    for headers in (
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": f"{KEY},{OTHER_KEY}"},
        {"X-API-Key": f"apikey {KEY}"},
        {"X-API-Key": INTERNAL_KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": KEY},
        {"Authorization": f"Bearer {INTERNAL_KEY}"},
        {"Authorization": f"apikey {INTERNAL_KEY}"},
    ):
        for method in METHODS:
            answer = post(keyed, f"/api/{method}", b"not even JSON", headers)
            assert answer.status == 401, headers
            assert answer.headers["www-authenticate"] == 'apikey realm="canang"'
            assert b"X-API-Key" in answer.body
            assert KEY.encode() not in answer.body
    assert post(keyed, "/api/publish?api_key=" + KEY, PUBLISH).status == 401


def test_a_key_of_the_api_opens_nothing_else(keyed):
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"apikey {KEY}"},
                    {"Authorization": f"Bearer {KEY}"}):  # fmt: skip
        for path in ("/nodes", "/rooms/kitchen"):
            answer = http_request(
                keyed.internal_port, path, headers=headers, host=keyed.internal_host
            )
            assert answer.status == 401
        assert post(keyed, "/drain", b"", headers).status == 401


def test_without_any_key_it_is_for_this_machine_only(start_canang):
    beyond = start_canang(internal_listen="0.0.0.0:0")
    assert post(beyond, "/api/publish", PUBLISH).status == 403
    operators = start_canang(internal_key=INTERNAL_KEY)
    answer = post(
        operators, "/api/publish", PUBLISH, {"Authorization": f"Bearer {INTERNAL_KEY}"}
    )
    assert answer.status == 403
    assert b"--api-key" in answer.body


def test_pages_of_web_sites_cannot_use_it(canang, keyed):
    page = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    assert post(canang, "/api/publish", PUBLISH, page).status == 403
    assert post(canang, "/api/publish", PUBLISH, {"Host": "evil.example"}).status == 403
    assert post(keyed, "/api/publish", PUBLISH, page | {"X-API-Key": KEY}).status == 403
