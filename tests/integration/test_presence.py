"""Who is in a room, and what the internal port tells of it; on a node that runs alone."""

import json
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from support.clients import close_all, open_client, receive
from support.waiting import eventually


def page(canang, path):
    answer = canang.get_internal(path)
    assert answer.headers["content-type"] == "application/json", answer.text
    return answer.status, json.loads(answer.text)


async def next_json(client):
    return json.loads(await receive(client, timeout=10.0))


async def test_a_room_tells_its_position_and_counts(canang):
    url = f"ws://127.0.0.1:{canang.port}/ws/{quote('a room/1', safe='')}"
    ann, bob = await open_client(f"{url}?user=ann&meta=true"), await open_client(url)
    join = (await next_json(ann))["join"]
    await bob.send("x")
    assert (await next_json(ann))["offset"] == join["offset"] + 1
    path = f"/rooms/{quote('a room/1', safe='')}"
    status, room = page(canang, path)
    assert status == 200
    node = next(iter(room["nodes"]))
    assert room == {
        "room": "a room/1",
        "epoch": join["epoch"],
        "offset": join["offset"] + 1,
        "members": 2,
        "nodes": {node: 2},
    }
    _, presence = page(canang, path + "/presence")
    assert presence["room"] == "a room/1"
    assert sorted(member["user"] for member in presence["members"]) == ["", "ann"]
    for member in presence["members"]:
        assert member["node"] == node
        assert member["id"].startswith(node + "/")
    assert page(canang, "/nodes")[1]["node"] == node
    await close_all(ann, bob)
    await eventually(lambda: page(canang, path)[1]["members"] == 0, "both are gone")
    assert page(canang, path + "/presence")[1]["members"] == []


def test_a_room_that_nobody_knows_is_empty(canang):
    status, room = page(canang, "/rooms/nowhere")
    assert (status, room["members"], room["nodes"], room["epoch"]) == (200, 0, {}, "")
    assert canang.get_internal("/rooms/%00").status == 400
    assert canang.get_internal("/rooms/").status == 400


async def test_the_node_tells_what_it_is_and_does(start_canang):
    canang = start_canang(advertise="pod-7")
    client = await open_client(f"ws://127.0.0.1:{canang.port}/ws/lobby")

    def own_entry():
        status, body = page(canang, "/nodes")
        assert status == 200
        (entry,) = body["nodes"]
        assert entry["id"] == body["node"]
        return entry

    entry = own_entry()
    assert entry["address"] == "pod-7"
    assert entry["version"] and entry["started"] > 1_600_000_000
    assert (entry["connections"], entry["rooms"]) == (1, 1)
    for text in ("1", "2", "3"):
        await client.send(text)
        await receive(client)
    await eventually(lambda: own_entry()["deliveries_per_second"] > 0, "deliveries are counted")
    assert canang.metrics()["canang_nodes"] == 1
    await client.close()


async def test_coming_and_going_is_told_to_clients_with_meta_only(start_canang):
    canang = start_canang(**{"join-leave": "told.*"})
    url = f"ws://127.0.0.1:{canang.port}/ws/told.1"
    watcher, plain = await open_client(url + "?meta=true&user=eve"), await open_client(url)
    join = (await next_json(watcher))["join"]
    own, other = await next_json(watcher), await next_json(watcher)
    assert own["joined"]["user"] == "eve" and other["joined"]["user"] == ""
    assert (own["epoch"], own["offset"], other["offset"]) == (join["epoch"], 1, 2)
    ann = await open_client(url + "?user=ann")
    joined = await next_json(watcher)
    assert joined["joined"]["user"] == "ann" and joined["offset"] == 3
    await ann.close()
    ann = await open_client(url + "?user=ann")  # a reload is not told
    await ann.send("x")
    assert (await next_json(watcher))["data"] == "x"
    await ann.close()
    left = await next_json(watcher)
    assert left["left"]["user"] == "ann" and left["offset"] == 5
    assert await receive(plain) == "x", "nothing else"
    late = await open_client(f"{url}?since={join['epoch']}:0")
    assert (await next_json(late))["join"]["recovered"]
    kinds = [list(await next_json(late))[-1] for _ in range(5)]
    assert kinds == ["joined", "joined", "joined", "data", "left"]
    await close_all(watcher, plain, late)


async def test_presence_is_kept_where_it_is_asked_for(start_canang):
    canang = start_canang(presence="with.*,also")
    rooms = ("with.a", "also", "without")
    clients = [
        await open_client(f"ws://127.0.0.1:{canang.port}/ws/{room}?user=ann") for room in rooms
    ]
    assert [page(canang, f"/rooms/{room}")[1]["members"] for room in rooms] == [1, 1, 1]
    kept = [len(page(canang, f"/rooms/{room}/presence")[1]["members"]) for room in rooms]
    assert kept == [1, 1, 0]
    await close_all(*clients)


async def test_a_user_that_cannot_be_is_refused(canang):
    for bad in ("", "%00", "a" * 256, "%ff"):
        with pytest.raises(InvalidStatus) as refused:
            await open_client(f"ws://127.0.0.1:{canang.port}/ws/lobby?user={bad}")
        assert refused.value.response.status_code == 400, bad
    client = await open_client(f"ws://127.0.0.1:{canang.port}/ws/lobby?user={'a' * 255}")
    await client.close()
