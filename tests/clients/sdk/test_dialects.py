"""A room is one room, whatever protocol its members speak: plain, events, or Centrifugo's in either format."""

import asyncio
import base64
import json

import pytest

from support.centrifugo import Json, Protobuf, peers
from support.clients import open_client, receive
from support.event_stream import EventStream
from support.server_api import post

ROOM = "hall"
BYTES = bytes(range(256))
TEXTS = ["hello", "", "{", '{"a":1}x', "nul", "tru", "'a'", "01", "é 鑼 \U0001f941", 'say "hi"\\', "a\nb"]
JSONS = ['{"a":[1,2.50,{"b":null}]}', "[]", "5", '"text"', "true", " [1, 2]\t", '"\\u00e9"']


async def plain_member(canang, query="meta=true"):
    member = await open_client(canang.url(f"/ws/{ROOM}?{query}"))
    return member, json.loads(await receive(member))["join"]


async def receive_frames(member, count):
    return [json.loads(await receive(member)) for _ in range(count)]


async def test_all_see_the_same_order_and_the_same_offsets(canang):
    stream = await EventStream.open(canang.port, f"/sse?room={ROOM}")
    await stream.joined()
    plain, at = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as members:
        for member in members:
            told = await member.subscribe(ROOM, recoverable=True)
            assert (told["epoch"], told.get("offset", 0)) == (at["epoch"], at["offset"])

        async def write(name, publish):
            for n in range(30):
                await publish(json.dumps([name, n]))

        await asyncio.gather(
            write("plain", plain.send),
            *(
                write(m.format.name, lambda text, m=m: m.publish(ROOM, json.loads(text)))
                for m in members
            ),
        )
        seen = [(f["offset"], json.loads(f["data"])) for f in await receive_frames(plain, 90)]
        assert [offset for offset, _ in seen] == [at["offset"] + 1 + n for n in range(90)]
        for member in members:
            pubs = await member.has(ROOM, 90)
            assert [(p["offset"], member.format.value(p["data"])) for p in pubs] == seen
        await stream.until(lambda: len(stream.of_type()) >= 90, "has 90")
        events = [json.loads(data) for data in stream.of_type()]
        assert [(e["offset"], json.loads(e["data"])) for e in events] == seen
        for name in ("plain", "json", "protobuf"):
            assert [n for who, n in (value for _, value in seen) if who == name] == [*range(30)]
    await plain.close()
    await stream.close()


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_that_is_not_json_is_a_json_string(canang, text):
    plain, _ = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as (in_json, in_protobuf):
        for member in (in_json, in_protobuf):
            await member.subscribe(ROOM)
        await plain.send(text)
        (pub,) = await in_json.has(ROOM, 1)
        assert pub["data"] == text
        (pub,) = await in_protobuf.has(ROOM, 1)
        assert pub.get("data", b"") == text.encode()
    await plain.close()


@pytest.mark.parametrize("text", JSONS)
async def test_a_text_that_is_json_is_that_json(canang, text):
    plain, _ = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as (in_json, in_protobuf):
        for member in (in_json, in_protobuf):
            await member.subscribe(ROOM)
        await plain.send(text)
        (pub,) = await in_json.has(ROOM, 1)
        assert pub["data"] == json.loads(text)
        (pub,) = await in_protobuf.has(ROOM, 1)
        assert pub["data"] == text.encode()
    await plain.close()


async def test_json_that_is_deep_is_that_json_or_a_text(canang):
    text = "[" * 500 + "]" * 500
    plain, _ = await plain_member(canang)
    async with peers(canang, Json) as (member,):
        await member.subscribe(ROOM)
        await plain.send(text)
        await plain.send('"after"')
        deep, after = await member.has(ROOM, 2)
        assert deep["data"] in (text, json.loads(text))
        assert after["data"] == "after"
    await plain.close()


async def test_json_over_several_lines_is_one_line_of_a_frame(canang):
    """A line feed ends a reply."""
    plain, _ = await plain_member(canang)
    async with peers(canang, Json) as (member,):
        await member.subscribe(ROOM)
        await plain.send('{\n  "a": [1,\n2],\r\n "b": "c"\n}\n')
        (pub,) = await member.has(ROOM, 1)
        assert pub["data"] == {"a": [1, 2], "b": "c"}
    await plain.close()


@pytest.mark.parametrize("data", [b"", b"\0", b"text", b'{"a":1}', BYTES], ids=len)
async def test_bytes_are_base64_in_json_and_bytes_in_protobuf(canang, data):
    plain, _ = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as (in_json, in_protobuf):
        for member in (in_json, in_protobuf):
            await member.subscribe(ROOM)
        await plain.send(data)
        (pub,) = await in_json.has(ROOM, 1)
        assert pub["data"] == base64.b64encode(data).decode()
        (pub,) = await in_protobuf.has(ROOM, 1)
        assert pub.get("data", b"") == data
    await plain.close()


@pytest.mark.parametrize("value", [{"a": [1, None, "é"]}, "text", 5, [], ""], ids=repr)
@pytest.mark.parametrize("format", [Json, Protobuf], ids=lambda format: format.name)
async def test_json_is_a_text_to_plain_members(canang, format, value):
    plain, _ = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as members:
        for member in members:
            await member.subscribe(ROOM)
        (writer,) = (member for member in members if member.format is format)
        await writer.publish(ROOM, value)
        (frame,) = await receive_frames(plain, 1)
        assert json.loads(frame["data"]) == value
        for member in members:
            await member.has(ROOM, 1)
            assert member.values(ROOM) == [value]
    await plain.close()


async def test_bytes_from_protobuf_reach_all(canang):
    plain, _ = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as (in_json, in_protobuf):
        for member in (in_json, in_protobuf):
            await member.subscribe(ROOM)
        await in_protobuf.ask(publish={"channel": ROOM, "data": BYTES})
        (frame,) = await receive_frames(plain, 1)
        assert base64.b64decode(frame["data64"]) == BYTES
        (pub,) = await in_json.has(ROOM, 1)
        assert base64.b64decode(pub["data"]) == BYTES
        (pub,) = await in_protobuf.has(ROOM, 1)
        assert pub["data"] == BYTES
    await plain.close()


async def test_a_place_learned_in_one_protocol_is_a_place_in_the_others(canang):
    plain, at = await plain_member(canang)
    for n in range(5):
        await plain.send(str(n))
    frames = await receive_frames(plain, 5)
    await plain.close()
    place = {"epoch": at["epoch"], "offset": frames[2]["offset"]}
    async with peers(canang, Json, Protobuf) as members:
        for member in members:
            told = await member.subscribe(ROOM, recoverable=True, recover=True, **place)
            assert told["recovered"]
            assert [member.format.value(p["data"]) for p in told["publications"]] == [3, 4]

    again, join = await plain_member(canang, f"since={place['epoch']}:{place['offset']}")
    assert join["recovered"]
    assert [frame["data"] for frame in await receive_frames(again, 2)] == ["3", "4"]
    await again.close()


async def test_the_tags_of_a_publication_come_with_it(canang):
    """Live, in what is recovered and in the history; and not to those who have no word for them."""
    tags = {"kind": "goal", 'é "x"': "", "n": "v" * 1024}
    plain, at = await plain_member(canang)
    async with peers(canang, Json, Protobuf) as members:
        for member in members:
            await member.subscribe(ROOM)
        published = post(canang, "/api/publish", {"channel": ROOM, "data": {"a": 1}, "tags": tags})
        assert published.result["offset"] == at["offset"] + 1
        for member in members:
            (pub,) = await member.has(ROOM, 1)
            assert pub["tags"] == tags
            asked = {"channel": ROOM, "limit": 9, "since": {"offset": 0, "epoch": ""}}
            history = (await member.ask(history=asked))["history"]
            assert [p["tags"] for p in history["publications"]] == [tags]
            assert "info" not in pub
    async with peers(canang, Json, Protobuf) as members:
        for member in members:
            place = {"epoch": at["epoch"], "offset": at["offset"]}
            told = await member.subscribe(ROOM, recover=True, **place)
            assert [p["tags"] for p in told["publications"]] == [tags]
    (frame,) = await receive_frames(plain, 1)
    assert frame["data"] == '{"a":1}' and "tags" not in frame
    told = post(canang, "/api/history", {"channel": ROOM, "limit": 9}).result["publications"]
    assert told == [{"data": {"a": 1}, "tags": tags, "offset": 1}]
    await plain.close()


async def test_presence_and_history_are_of_all_members(canang):
    plain, _ = await plain_member(canang, "meta=true&user=ana")
    async with peers(canang, Json, user="budi") as (member,):
        await member.subscribe(ROOM)
        stats = (await member.ask(presence_stats={"channel": ROOM}))["presence_stats"]
        assert stats == {"num_clients": 2, "num_users": 2}
        presence = (await member.ask(presence={"channel": ROOM}))["presence"]["presence"]
        assert sorted(info["user"] for info in presence.values()) == ["ana", "budi"]
        assert all(info["client"] == client for client, info in presence.items())
        await plain.send("from plain")
        await member.publish(ROOM, "from json")
        await member.has(ROOM, 2)
        history = (await member.ask(history={"channel": ROOM, "limit": 10}))["history"]
        assert sorted(p["data"] for p in history["publications"]) == ["from json", "from plain"]
    await plain.close()
