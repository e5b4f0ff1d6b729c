"""What the SDKs of Centrifugo's protocol, as they are published, do in rooms of one node."""

import asyncio

import pytest

from support.sdk import SdkError
from support.waiting import eventually

DATA = [
    {"text": 'é, "鑼" and\nmore', "deep": [{"a": [1, -2.5, None, True, {}]}, []]},
    "just text",
    "",
    "\u2028\U0001f941",
    9007199254740991,
    [],
    False,
]


async def some(start_client, port, *users):
    """Connected clients of these users."""
    return await asyncio.gather(*(start_client(port, user).connect() for user in users))


async def error_of(attempt):
    with pytest.raises(SdkError) as raised:
        await attempt
    return raised.value.code


async def test_a_client_has_an_id_and_its_user_is_in_the_presence(canang, start_client):
    ana, budi, guest = await some(start_client, canang.port, "ana", "budi & co", None)
    for client in (ana, budi, guest):
        await client.join("who")
    assert len({ana.id, budi.id, guest.id, ""}) == 4
    there = {(ana.id, "ana"), (budi.id, "budi & co"), (guest.id, "")}
    assert {(c["client"], c["user"]) for c in await ana.presence("who")} == there


async def test_the_presence_follows_who_comes_and_goes(canang, start_client):
    ana, ana_again, budi = await some(start_client, canang.port, "ana", "ana", "budi")

    async def becomes(users, clients):
        async def is_so():
            present = sorted(c["user"] for c in await ana.presence("doors"))
            stats = await ana.ask("stats", room="doors")
            return present == users and stats == {"clients": clients, "users": len(set(users))}

        async with asyncio.timeout(10):
            while not await is_so():
                await asyncio.sleep(0.02)

    for client in (ana, ana_again, budi):
        await client.join("doors")
    await becomes(["ana", "ana", "budi"], 3)
    await budi.leave("doors")
    await becomes(["ana", "ana"], 2)
    await ana_again.disconnect()
    await becomes(["ana"], 1)


async def test_what_one_publishes_reaches_all_as_it_was(canang, start_client):
    ana, budi, citra = await some(start_client, canang.port, "ana", "budi", "citra")
    for client in (ana, budi, citra):
        await client.join("data")
    await ana.publish("data", *DATA)
    for client in (ana, budi, citra):
        await client.has("publication", len(DATA), "data")
        assert client.data("data") == DATA


async def test_all_are_told_who_published(canang, start_client):
    """Live and in the history."""
    ana, guest, budi = await some(start_client, canang.port, "ana", None, "budi & co")
    for client in (ana, guest, budi):
        await client.join("named")
    for client in (ana, guest, budi):
        await client.publish("named", "hello")
    users = ["ana", "", "budi & co"]
    for client in (ana, guest, budi):
        told = await client.has("publication", 3, "named")
        assert [one["user"] for one in told] == users
    history = await ana.history("named", 10)
    assert [one["user"] for one in history["publications"]] == users


async def test_two_hundred_publications_keep_their_order(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    at = await budi.join("order", recoverable=True)
    await ana.join("order")
    await ana.publish("order", *range(200))
    for client in (ana, budi):
        await client.has("publication", 200, "order")
        assert client.data("order") == list(range(200))
        assert client.offsets("order") == [at["offset"] + 1 + n for n in range(200)]


async def test_two_publishers_are_seen_in_one_order(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    for client in (ana, budi):
        await client.join("both")
    await asyncio.gather(
        *(client.publish("both", *([name, n] for n in range(50))) for name, client in
          (("ana", ana), ("budi", budi)))
    )  # fmt: skip
    for client in (ana, budi):
        await client.has("publication", 100, "both")
    assert ana.data("both") == budi.data("both")
    assert ana.offsets("both") == budi.offsets("both")
    for name in ("ana", "budi"):
        assert [n for who, n in ana.data("both") if who == name] == list(range(50))


async def test_rooms_of_one_socket_are_apart(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    for room in ("kitchen", "hall/été 50%"):
        await ana.join(room)
        await budi.join(room)
    for n in range(20):
        await budi.publish("kitchen", f"kitchen {n}")
        await budi.publish("hall/été 50%", f"hall {n}")
    await ana.has("publication", 40)
    assert ana.data("kitchen") == [f"kitchen {n}" for n in range(20)]
    assert ana.data("hall/été 50%") == [f"hall {n}" for n in range(20)]


async def test_nothing_arrives_after_unsubscribing(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    for room in ("left", "stayed"):
        await ana.join(room)
        await budi.join(room)
    await budi.publish("left", "before")
    await ana.has("publication", 1, "left")
    await ana.leave("left")
    await budi.publish("left", "while away")
    await budi.has("publication", 2, "left")
    await budi.publish("stayed", "still here")
    await ana.has("publication", 1, "stayed")

    await ana.join("left")
    await budi.publish("left", "after")
    await ana.has("publication", 2, "left")
    assert ana.data("left") == ["before", "after"]
    assert ana.data("stayed") == ["still here"]


async def test_the_history_has_limit_since_and_reverse(canang, start_client):
    (ana,) = await some(start_client, canang.port, "ana")
    await ana.join("past")
    await ana.publish("past", *range(10))
    await ana.has("publication", 10, "past")
    first = ana.offsets("past")[0]

    async def read(**asked):
        found = await ana.history("past", **asked)
        assert found["offset"] == first + 9
        assert [p["offset"] - first for p in found["publications"]] == [
            p["data"] for p in found["publications"]
        ], "each has the offset that it was delivered with"
        return [p["data"] for p in found["publications"]]

    at = {"offset": first + 3, "epoch": (await ana.history("past"))["epoch"]}
    assert await read() == list(range(10))
    assert await read(limit=0) == []
    assert await read(limit=3) == [0, 1, 2]
    assert await read(limit=3, reverse=True) == [9, 8, 7]
    assert await read(since=at) == [4, 5, 6, 7, 8, 9]
    assert await read(since=at, limit=2) == [4, 5]
    assert await read(since=at, limit=2, reverse=True) == [2, 1]
    assert await read(since=at | {"offset": first + 9}) == []


async def test_joins_and_leaves_of_users_are_told(start_canang, start_client):
    canang = start_canang(join_leave="*")
    ana, budi, deaf = await some(start_client, canang.port, "ana", "budi", "citra")
    await ana.join("doors", join_leave=True)
    await deaf.join("doors")
    await budi.join("doors")

    def told(event, user):
        return [e for e in ana.of(event, "doors") if e["user"] == user]

    await ana.until(lambda: told("join", "budi"), "is told that budi has joined")
    assert told("leave", "budi") == []
    assert told("join", "budi")[0]["client"] != ""
    await budi.disconnect()
    await ana.until(lambda: told("leave", "budi"), "is told that budi has left")
    await ana.publish("doors", "end")
    await deaf.has("publication", 1, "doors")
    assert len(told("join", "budi")) == len(told("leave", "budi")) == 1
    assert deaf.of("join") + deaf.of("leave") == [], "it did not ask for them"


async def test_who_is_not_in_the_room_may_nothing_there(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    await ana.join("closed")
    await budi.join("open")
    assert await error_of(budi.publish("closed", "hello?")) == 103
    assert await error_of(budi.presence("closed")) == 103
    assert await error_of(budi.ask("stats", room="closed")) == 103
    assert await error_of(budi.history("closed")) == 103
    await ana.publish("closed", "end")
    await ana.has("publication", 1, "closed")
    assert ana.data("closed") == ["end"]
    assert budi.of("disconnected") == [], "an error ends nothing"


async def test_there_are_no_remote_procedures(canang, start_client):
    (ana,) = await some(start_client, canang.port, "ana")
    assert await error_of(ana.ask("rpc", method="add", data=[1, 2])) == 104
    await ana.join("after")
    await ana.publish("after", "still works")
    await ana.has("publication", 1, "after")


async def test_a_server_forgets_who_has_disconnected(canang, start_client):
    ana, budi = await some(start_client, canang.port, "ana", "budi")
    await ana.join("gone")
    await canang.members_are(1)
    await ana.disconnect()
    await canang.members_are(0)
    assert budi.of("disconnected") == []
    await eventually(
        lambda: canang.metrics()["canang_connections"] == 1, "budi's connection alone is left"
    )
