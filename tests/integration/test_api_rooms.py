"""What the server API tells of rooms and nodes; on a node that runs alone."""

from __future__ import annotations

import asyncio
import base64
import json

from support.centrifugo import Json, peers
from support.clients import close_all, open_client, receive
from support.server_api import ApiAnswer, post, publish
from support.waiting import eventually


def ask(canang, path: str, **fields) -> ApiAnswer:
    return post(canang, f"/api/{path}", fields)


def history(canang, **fields) -> dict:
    return ask(canang, "history", **fields).result


def offsets(result: dict) -> list[int]:
    return [one["offset"] for one in result["publications"]]


# --- lists, and removals ------------------------------------------------------------------------


def channels(canang, **fields) -> dict[str, int]:
    listed = ask(canang, "channels", **fields).result["channels"]
    return {name: one["num_clients"] for name, one in listed.items()}


async def test_rooms_with_members_are_listed(canang):
    assert channels(canang) == {}
    rooms = ["kitchen", "kitchen", "hall", "ns:a", "ns:b"]
    clients = [await open_client(canang.url(f"/ws/{room}")) for room in rooms]
    await canang.members_are(5)
    publish(canang, channel="nobody is here", data=1)
    assert channels(canang) == {"kitchen": 2, "hall": 1, "ns:a": 1, "ns:b": 1}
    assert channels(canang, pattern="ns:*") == {"ns:a": 1, "ns:b": 1}
    assert channels(canang, pattern="*a??") == {"hall": 1}
    assert channels(canang, pattern="kitchen") == {"kitchen": 2}
    assert channels(canang, pattern="[k]itchen") == {}
    await close_all(*clients)
    await eventually(lambda: channels(canang) == {}, "none is left")


async def test_more_rooms_than_a_list_may_have_are_an_error(start_canang):
    canang = start_canang(max_rooms_per_connection=11_000, publish_rate=0, publish_bytes_rate=0)
    async with peers(canang, Json) as (peer,):
        for first in range(0, 10_001, 1000):
            count = min(1000, 10_001 - first)
            await peer.send(
                *(peer.numbered(subscribe={"channel": f"r{first + n}"}) for n in range(count))
            )
        await peer.until(lambda: len(peer.replies) == 10_002, "all replies", 60)
        assert ask(canang, "channels").error == (200, 106)
        assert len(channels(canang, pattern="r1*")) == 1112
        await peer.ask(unsubscribe={"channel": "r0"})
        await eventually(lambda: len(channels(canang)) == 10_000, "as many as there may be")


def test_a_removed_history_is_gone_and_the_offsets_go_on(canang):
    for n in range(3):
        at = publish(canang, channel="kitchen", data=n, idempotency_key=f"k{n}").result
    assert ask(canang, "history_remove", channel="kitchen").result == {}
    kept = history(canang, channel="kitchen", limit=-1)
    assert kept == {"publications": [], "epoch": at["epoch"], "offset": 3}
    assert publish(canang, channel="kitchen", data=3).result["offset"] == 4
    assert publish(canang, channel="kitchen", data=2, idempotency_key="k2").result["offset"] == 3
    assert offsets(history(canang, channel="kitchen", limit=-1)) == [4]
    since = {"epoch": at["epoch"], "offset": 2}
    gone = ask(canang, "history", channel="kitchen", limit=9, since=since)
    assert gone.error == (200, 112)
    since["offset"] = 3
    assert offsets(history(canang, channel="kitchen", limit=9, since=since)) == [4]
    assert ask(canang, "history_remove", channel="nowhere").result == {}


async def test_who_resumes_from_a_removed_history_is_told_so(canang):
    at = {}
    for n in range(3):
        at = publish(canang, channel="kitchen", data=n).result
    await asyncio.to_thread(ask, canang, "history_remove", channel="kitchen")
    publish(canang, channel="kitchen", data="kept")
    for offset, recovered in ((0, False), (2, False), (3, True), (4, True)):
        client = await open_client(canang.url(f"/ws/kitchen?since={at['epoch']}:{offset}"))
        assert json.loads(await receive(client))["join"]["recovered"] is recovered, offset
        if offset == 3:
            assert json.loads(await receive(client))["offset"] == 4
        await client.close()


def test_what_cannot_be_listed_or_removed(start_canang):
    canang = start_canang(history_size=0)
    assert ask(canang, "history_remove", channel="kitchen").error == (200, 108)
    for method, body, error in (
        ("history_remove", {}, (200, 107)),
        ("history_remove", {"channel": ".."}, (200, 107)),
        ("history_remove", {"channel": "x" * 256}, (200, 107)),
        ("history_remove", {"channel": 7}, (400, 107)),
        ("history_remove", {"channel": "kitchen", "since": 1}, (200, 108)),
        ("channels", {"pattern": "*" * 256}, (200, 107)),
        ("channels", {"pattern": 7}, (400, 107)),
        ("channels", {"limit": 7}, (200, 108)),
    ):
        assert ask(canang, method, **body).error == error, (method, body)


# --- presence -----------------------------------------------------------------------------------


async def test_presence_is_told_by_connection(canang):
    clients = [
        await open_client(canang.url(f"/ws/kitchen{user}"))
        for user in ("?user=ann", "?user=ann", "?user=bob", "", "")
    ]
    await canang.members_are(5)
    presence = ask(canang, "presence", channel="kitchen").result["presence"]
    assert all(info["client"] == client for client, info in presence.items())
    assert sorted(info["user"] for info in presence.values()) == ["", "", "ann", "ann", "bob"]
    shown = json.loads(canang.get_internal("/rooms/kitchen/presence").text)["members"]
    assert set(presence) == {member["id"] for member in shown}
    stats = ask(canang, "presence_stats", channel="kitchen").result
    assert stats == {"num_clients": 5, "num_users": 3}
    await close_all(*clients)
    await eventually(
        lambda: ask(canang, "presence_stats", channel="kitchen").result["num_clients"] == 0,
        "all are gone",
    )
    assert ask(canang, "presence", channel="kitchen").result == {"presence": {}}


def test_a_room_that_nobody_knows_is_empty(canang):
    assert ask(canang, "presence", channel="nowhere").result == {"presence": {}}
    assert ask(canang, "presence_stats", channel="nowhere").result == {
        "num_clients": 0,
        "num_users": 0,
    }
    assert history(canang, channel="nowhere", limit=9) == {
        "publications": [],
        "epoch": "",
        "offset": 0,
    }


def test_what_a_room_does_not_keep_is_not_available(start_canang):
    canang = start_canang(presence="other", history_size=0)
    for method in ("presence", "presence_stats"):
        assert ask(canang, method, channel="kitchen").error == (200, 108)
        assert ask(canang, method, channel="other").status == 200
    assert ask(canang, "history", channel="kitchen").error == (200, 108)


# --- history ------------------------------------------------------------------------------------


def test_a_history_is_told_from_either_end(canang):
    epoch = [publish(canang, channel="kitchen", data=n).result for n in range(1, 8)][0]["epoch"]
    position = {"epoch": epoch, "offset": 7}
    assert history(canang, channel="kitchen") == {"publications": []} | position
    assert history(canang, channel="kitchen", limit=0) == {"publications": []} | position
    assert history(canang, channel="kitchen", limit=2) == position | {
        "publications": [{"data": 1, "offset": 1}, {"data": 2, "offset": 2}]
    }
    for limit, since, reverse, expected in (
        (-1, None, False, [1, 2, 3, 4, 5, 6, 7]),
        (-1, None, True, [7, 6, 5, 4, 3, 2, 1]),
        (3, None, True, [7, 6, 5]),
        (100, 5, False, [6, 7]),
        (1, 5, False, [6]),
        (100, 7, False, []),
        (100, 0, False, [1, 2, 3, 4, 5, 6, 7]),
        (2, 5, True, [4, 3]),
        (0, 5, False, []),
    ):
        place = {} if since is None else {"since": {"offset": since, "epoch": epoch}}
        result = history(canang, channel="kitchen", limit=limit, reverse=reverse, **place)
        assert offsets(result) == expected, (limit, since, reverse)
        assert (result["epoch"], result["offset"]) == (epoch, 7)


def test_a_position_that_is_not_of_the_history_cannot_be_recovered(start_canang):
    canang = start_canang(history_size=5)
    epoch = [publish(canang, channel="kitchen", data=n).result for n in range(9)][0]["epoch"]

    def error(offset, of=epoch, **more):
        since = {"offset": offset, "epoch": of}
        return ask(canang, "history", channel="kitchen", limit=9, since=since, **more).error

    assert error(3) == (200, 112), "it is gone"
    assert error(10) == (200, 112), "it is yet to come"
    assert error(8, "other") == (200, 112)
    assert error(8, "") == (200, 107)
    since = {"offset": 4, "epoch": epoch}
    assert offsets(history(canang, channel="kitchen", limit=9, since=since)) == [5, 6, 7, 8, 9]


async def test_joins_and_leaves_are_not_in_it_and_do_not_count(start_canang):
    canang = start_canang(join_leave="kitchen")
    for n in range(10):
        client = await open_client(canang.url(f"/ws/kitchen?user=user{n}&meta=true"))
        await receive(client)
        publish(canang, channel="kitchen", data=n)
        await client.close()
    result = history(canang, channel="kitchen", limit=5)
    assert [one["data"] for one in result["publications"]] == [0, 1, 2, 3, 4]
    assert offsets(result)[1] > 2, "a join lies between"
    result = history(canang, channel="kitchen", limit=10, reverse=True)
    assert [one["data"] for one in result["publications"]] == list(range(9, -1, -1))
    assert len(history(canang, channel="kitchen", limit=-1)["publications"]) == 10


async def test_data_is_told_as_json_where_it_is(canang):
    client = await open_client(canang.url("/ws/kitchen"))
    for message in ('{"a": 1.50}', "hello", '"hello"', "", "7", b"\0\xff", "\u00e4 {"):
        await client.send(message)
        assert await receive(client) == message
    kept = history(canang, channel="kitchen", limit=-1)["publications"]
    assert [one["data"] for one in kept] == [
        {"a": 1.5}, "hello", "hello", "", 7, None, "\u00e4 {",
    ]  # fmt: skip
    assert base64.b64decode(kept[5]["b64data"]) == b"\0\xff"
    assert [number for number, one in enumerate(kept) if "b64data" in one] == [5]
    assert b'{"data":{"a": 1.50},"offset":1}' in ask(
        canang, "history", channel="kitchen", limit=1
    ).body, "as it was sent"
    await client.close()


def test_a_history_that_is_too_long_for_an_answer_is_told_in_parts(start_canang):
    canang = start_canang(history_size=20_000, history_bytes="64MiB", max_message_bytes="512KiB")
    for n in range(20):
        assert publish(canang, channel="large", data=f"{n:07}" * 70_000).result
    part = history(canang, channel="large", limit=-1)
    assert 10 < len(part["publications"]) < 20
    last = {"offset": offsets(part)[-1], "epoch": part["epoch"]}
    rest = history(canang, channel="large", limit=-1, since=last)
    assert offsets(part) + offsets(rest) == list(range(1, 21))
    # Many small ones: as many pages as it takes.
    for _ in range(12):
        post(canang, "/api/broadcast", {"channels": ["small"] * 1000, "data": 1})
    part = history(canang, channel="small", limit=-1)
    assert offsets(part) == list(range(1, 10_001))
    assert offsets(history(canang, channel="small", limit=5_000)) == list(range(1, 5_001))
    part = history(canang, channel="small", limit=2_500, reverse=True)
    assert offsets(part) == list(range(12_000, 9_500, -1))


# --- nodes, and what is not here ----------------------------------------------------------------


async def test_a_node_alone_tells_of_itself(start_canang):
    canang = start_canang(advertise="pod-7")
    clients = [await open_client(canang.url(f"/ws/room{n % 2}")) for n in range(3)]
    await canang.members_are(3)
    shown = json.loads(canang.get_internal("/nodes").text)["nodes"][0]
    [node] = ask(canang, "info").result["nodes"]
    assert 0 <= node.pop("uptime") < 60
    assert node == {
        "uid": shown["id"],
        "name": "pod-7",
        "version": shown["version"],
        "num_clients": 3,
        "num_channels": 2,
    }
    await close_all(*clients)


def test_there_is_no_method_for_rpc(canang):
    assert ask(canang, "rpc", method="now", params={}).error == (200, 104)
    assert ask(canang, "rpc").error == (200, 107)
