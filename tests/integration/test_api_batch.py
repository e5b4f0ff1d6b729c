"""Many commands of the server API in one request; on a node that runs alone."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from support.clients import open_client, receive
from support.server_api import ApiAnswer, post


def batch(canang, *commands: Any, **more: Any) -> ApiAnswer:
    return post(canang, "/api/batch", {"commands": list(commands)} | more)


def replies(canang, *commands: Any) -> list[dict[str, Any]]:
    answer = batch(canang, *commands)
    assert answer.status == 200, answer.body
    assert len(answer.json["replies"]) == len(commands)
    return answer.json["replies"]


def publish(channel: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"publish": {"channel": channel, "data": data} | more}


async def test_each_command_sees_what_those_before_it_did(canang):
    client = await open_client(canang.url("/ws/kitchen?user=ann"))
    await canang.members_are(1)
    [one, before, two, after, stats, gone, all_of] = replies(
        canang,
        publish("kitchen", 1),
        {"history": {"channel": "kitchen", "limit": -1}},
        {"broadcast": {"channels": ["kitchen", "hall"], "data": 2}},
        {"history": {"channel": "kitchen", "limit": -1}},
        {"presence_stats": {"channel": "kitchen"}},
        {"disconnect": {"user": "ann"}},
        {"info": {}},
    )
    assert one["publish"]["offset"] == 1
    assert [kept["data"] for kept in before["history"]["publications"]] == [1]
    offsets = [sent["result"]["offset"] for sent in two["broadcast"]["responses"]]
    assert offsets == [2, 1]
    assert [kept["data"] for kept in after["history"]["publications"]] == [1, 2]
    assert stats == {"presence_stats": {"num_clients": 1, "num_users": 1}}
    assert gone["disconnect"]["connections"] == 1
    assert len(all_of["info"]["nodes"]) == 1
    with pytest.raises(ConnectionClosed):
        while True:  # the end of it may overtake what was just published
            await receive(client)
    assert client.close_code == 3503


async def test_publishes_keep_their_order(canang):
    clients = [await open_client(canang.url(f"/ws/room{n}")) for n in range(3)]
    await canang.members_are(3)
    told = replies(canang, *(publish(f"room{n % 3}", n) for n in range(900)))
    assert [one["publish"]["offset"] for one in told] == [n // 3 + 1 for n in range(900)]
    for number, client in enumerate(clients):
        assert [int(await receive(client)) for _ in range(300)] == list(range(number, 900, 3))
        await client.close()


def test_an_error_is_of_its_command_alone(canang):
    told = replies(
        canang,
        publish("", 1),
        publish("kitchen", "x" * 70_000),
        {},
        {"dance": {}},
        {"batch": {"commands": []}},
        {"history": {"channel": "kitchen", "since": {"offset": 1, "epoch": "x"}}},
        {"subscribe": {"user": "ann", "channel": "hall", "data": 1}},
        publish("kitchen", 1) | {"info": {}},
        publish("kitchen", 2),
    )
    codes = [one["error"]["code"] for one in told[:-1]]
    assert codes == [107, 107, 104, 104, 104, 112, 108, 107]
    assert told[-1]["publish"]["offset"] == 1


def test_a_long_row_of_commands_that_are_answered_at_once(canang):
    told = replies(canang, *([{"info": {}}, publish("", 1)] * 500))
    assert [next(iter(one)) for one in told] == ["info", "error"] * 500


def test_data_in_a_batch_is_published_as_it_was_sent(canang):
    body = '{"commands":[{"publish":{"channel":"r","data":{"b": 1.50, "a": [ "x  y" ]}}}]}'
    assert post(canang, "/api/batch", body).status == 200
    kept = post(canang, "/api/history", {"channel": "r", "limit": 1})
    assert b'"data":{"b":1.50,"a":["x  y"]}' in kept.body


def test_a_batch_that_cannot_be_read_does_nothing(canang):
    for bad in (7, None, [], {"publish": []}, {"publish": {"channel": 7, "data": 1}}):
        assert batch(canang, publish("kitchen", 1), bad).error == (400, 107), bad
    assert batch(canang, parallel="yes").error == (400, 107)
    assert post(canang, "/api/batch", {}).error == (200, 107)
    assert batch(canang, *([{"info": {}}] * 1001)).error == (200, 107)
    crowd = {"broadcast": {"channels": ["kitchen"] * 501, "data": 1}}
    assert batch(canang, crowd, crowd).error == (200, 107)
    assert batch(canang, parallel=True).json == {"replies": []}
    assert replies(canang, publish("kitchen", 1))[0]["publish"]["offset"] == 1


async def test_replies_that_would_be_too_long_are_not_made(start_canang):
    canang = start_canang(history_bytes="16MiB", max_message_bytes="512KiB")
    for _ in range(20):
        post(canang, "/api/publish", {"channel": "large", "data": "x" * 500_000})
    told = replies(canang, *([{"history": {"channel": "large", "limit": -1}}] * 6))
    assert [next(iter(one)) for one in told] == ["history"] * 4 + ["error"] * 2
    assert told[-1]["error"]["code"] == 106
