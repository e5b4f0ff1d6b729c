"""Publishing over the server API, in one room and in many, on a node that runs alone."""

from __future__ import annotations

import base64
import json

import pytest

from support.clients import close_all, open_client, receive
from support.server_api import ApiAnswer, post, publish


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


async def test_bytes_are_delivered_as_a_binary_message(canang):
    client = await open_client(canang.url("/ws/kitchen"))
    await canang.members_are(1)
    for sent in (b"\0\xff", bytes(range(256)) * 100, b"{}"):
        coded = base64.b64encode(sent).decode()
        assert publish(canang, channel="kitchen", b64data=coded).result["offset"]
        assert await receive(client) == sent
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


# --- broadcast ----------------------------------------------------------------------------------


async def test_a_broadcast_is_published_in_all_its_channels(canang):
    rooms = [f"room{n}" for n in range(20)]
    clients = [await open_client(canang.url(f"/ws/{room}")) for room in rooms]
    await canang.members_are(20)
    first = publish(canang, channel="room7", data=0).result
    sent = post(canang, "/api/broadcast", {"channels": rooms, "data": {"n": 1}}).result
    assert [one["result"]["offset"] for one in sent["responses"]] == [
        2 if room == "room7" else 1 for room in rooms
    ]
    assert sent["responses"][7]["result"]["epoch"] == first["epoch"]
    for room, client in zip(rooms, clients, strict=True):
        if room == "room7":
            assert await receive(client) == "0"
        assert await receive(client) == '{"n":1}'
    await close_all(*clients)


async def test_each_channel_of_a_broadcast_has_an_answer_of_its_own(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('[namespaces.small]\nmax-message-bytes = 4\n')
    canang = start_canang(config=config)
    channels = ["kitchen", "", "small:a", ".", "kitchen"]
    [one, empty, small, dot, two] = post(
        canang, "/api/broadcast", {"channels": channels, "data": "hello"}
    ).result["responses"]
    assert (one["result"]["offset"], two["result"]["offset"]) == (1, 2)
    assert [bad["error"]["code"] for bad in (empty, small, dot)] == [107, 107, 107]
    assert "the room takes 4" in small["error"]["message"]


def test_a_broadcast_takes_the_fields_of_a_publish(canang):
    def broadcast(**fields) -> ApiAnswer:
        return post(canang, "/api/broadcast", {"channels": ["a", "b"]} | fields)

    first = broadcast(data=1, idempotency_key="k").result
    assert broadcast(data=2, idempotency_key="k").result == first
    assert broadcast(data=3, skip_history=True).result == {"responses": [{"result": {}}] * 2}
    assert broadcast(b64data="AA==").result["responses"][1]["result"]["offset"] == 2
    assert broadcast(data=1, b64data="AA==").error == (200, 107)
    assert broadcast().error == (200, 107)
    assert broadcast(data=1, channels=["c"] * 1001).error == (200, 107)
    assert broadcast(data=1, channels=[f"c{n}" for n in range(1000)]).status == 200
