"""Frames of Centrifugo's protocol in both formats: batches, pings, and what the first reply announces."""

import asyncio
import json

import pytest

from support.centrifugo import ALL_FORMATS, FORMATS, Json, Peer, Protobuf, peers

all_formats = pytest.mark.parametrize("format", ALL_FORMATS, ids=lambda format: format.name)
formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


@all_formats
async def test_each_way_to_ask_for_a_format_gives_it(canang, format):
    async with peers(canang, format, connected=False) as (peer,):
        told = await peer.connect()
        assert told["client"] != ""
        assert peer.socket.subprotocol == (format.subprotocols or [None])[0]
        assert all(isinstance(frame, bytes) == issubclass(format, Protobuf) for frame in peer.frames)


@formats
async def test_a_batch_is_answered_whole(canang, format):
    room = {"channel": "mine"}
    async with peers(canang, format, connected=False) as (peer,):
        await peer.send(
            {"id": 7, "connect": {"name": "test", "version": "1"}},
            {"id": 8, "subscribe": room},
            {"id": 4_294_967_295, "subscribe": {"channel": "other"}},
            {"id": 10, "rpc": {"method": "no"}},
            {"id": 11, "subscribe": room},
            {"id": 12, "unsubscribe": {"channel": "third"}},
            {"id": 13, "publish": {"channel": "fourth", "data": format.data("no")}},
        )
        kinds = {
            7: "connect", 8: "subscribe", 4_294_967_295: "subscribe", 10: "error", 11: "error",
            12: "unsubscribe", 13: "error",
        }  # fmt: skip
        for number, kind in kinds.items():
            assert set(await peer.reply(number)) == {"id", kind}
        assert list(peer.replies)[0] == 7
        codes = [peer.replies[number]["error"]["code"] for number in (10, 11, 13)]
        assert codes == [104, 105, 103]


@formats
async def test_each_reply_names_the_result_that_it_has(canang, format):
    """Also one without fields: a strict client takes the reply for another's otherwise."""
    room = {"channel": "mine"}
    async with peers(canang, format) as (peer,):
        for command in (
            {"subscribe": room},
            {"publish": room | {"data": format.data("x")}},
            {"presence": room},
            {"presence_stats": room},
            {"history": room},
            {"unsubscribe": room},
        ):
            assert set(await peer.ask(**command)) == {"id", *command}


@formats
async def test_a_batch_may_ask_about_the_room_that_it_joins(canang, format):
    room = {"channel": "mine"}
    async with peers(canang, format) as (peer,):
        await peer.send(
            {"id": 8, "subscribe": room},
            {"id": 9, "presence_stats": room},
            {"id": 10, "presence": room},
            {"id": 11, "history": room | {"limit": 100}},
        )
        for number in (8, 9, 10, 11):
            assert "error" not in await peer.reply(number)
        assert peer.replies[9]["presence_stats"]["num_clients"] == 1
        assert len(peer.replies[10]["presence"]["presence"]) == 1


@formats
async def test_a_batch_may_publish_in_the_room_that_it_joins(canang, format):
    room = {"channel": "mine"}
    async with peers(canang, format) as (peer,):
        publications = [
            {"id": 20 + n, "publish": room | {"data": format.data(n)}} for n in range(50)
        ]
        await peer.send({"id": 8, "subscribe": room}, *publications)
        for number in (8, *range(20, 70)):
            assert "error" not in await peer.reply(number)
        await peer.has("mine", 50)
        assert peer.values("mine") == list(range(50))


async def test_lines_may_end_with_line_feeds_and_have_spaces(canang):
    async with peers(canang, Json, connected=False) as (peer,):
        await peer.send_raw(
            '{"id": 1, "connect": {}}\n{ "subscribe" : {"channel":"\\u006dine"} , "id" : 2 }\n'
        )
        assert "connect" in await peer.reply(1)
        assert "subscribe" in await peer.reply(2)
        publish = {"id": 3, "publish": {"channel": "mine", "data": "here"}}
        await peer.send_raw(f"{json.dumps(publish)}\n")
        assert "publish" in await peer.reply(3)
        await peer.has("mine", 1)


async def test_what_is_unknown_in_a_command_is_skipped(canang):
    """Clients of tomorrow ask for what there is not today."""
    async with peers(canang, Json, connected=False) as (peer,):
        connect = {"id": 1, "connect": {"future": {"a": [1]}, "flag": 1, "headers": {"a": "b"}}}
        subscribe = {"id": 2, "new": 5, "subscribe": {"channel": "mine", "later": "x", "flag": 1}}
        await peer.send_raw(json.dumps(connect))
        await peer.send_raw(json.dumps(subscribe))
        assert "connect" in await peer.reply(1)
        assert "subscribe" in await peer.reply(2)

    async with peers(canang, Protobuf, connected=False) as (peer,):
        future = b"\xf2\x3f\x03abc"  # field 1022, three bytes
        connect = b"\x08\x01" + b"\x22" + bytes([len(future)]) + future + future
        subscribe = b"\x08\x02" + b"\x2a" + bytes([6 + len(future)]) + b"\x0a\x04mine" + future
        await peer.send_raw(b"".join(bytes([len(c)]) + c for c in (connect, subscribe)))
        assert "connect" in await peer.reply(1)
        assert "subscribe" in await peer.reply(2)


@formats
@pytest.mark.parametrize("seconds", [1, 25])
async def test_the_connect_reply_announces_the_pings(start_canang, format, seconds):
    canang = start_canang(ping_interval=f"{seconds}s", pong_timeout="1s")
    async with peers(canang, format, connected=False) as (peer,):
        told = await peer.connect()
        assert (told["ping"], told["pong"]) == (seconds, True)


@formats
async def test_pings_come_as_announced_and_are_answered_with_pongs(start_canang, format):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    async with peers(canang, format, connected=False) as (peer,):
        began = asyncio.get_running_loop().time()
        await peer.connect()
        await peer.until(lambda: len(peer.pings) == 5, "five pings")
        moments = [began, *peer.pings]
        waits = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
        assert 0 <= waits[0] < 1.6, "the first may come early"
        assert all(0.6 < wait < 1.6 for wait in waits[1:]), waits
        assert len([frame for frame in peer.frames if frame == format.pong]) == 5, "alone in a frame"
        await peer.subscribe("alive")
        await peer.publish("alive", "still")
        await peer.has("alive", 1)


@formats
async def test_no_ping_comes_before_the_connect_reply(start_canang, format):
    """An SDK knows only from there whether it has to pong."""
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    async with peers(canang, format, connected=False) as (peer,):
        loop = asyncio.get_running_loop()
        end = loop.time() + 2.5  # the wait is the measurement: two pings
        await peer.until(lambda: peer.frames or loop.time() > end, "waits")
        assert peer.frames == []
        await peer.connect()
        await peer.until(lambda: peer.pings, "a ping")


@formats
async def test_commands_do_not_replace_pings(start_canang, format):
    """SDKs close a connection on which no ping comes for too long, whatever else does."""
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    async with peers(canang, format) as (peer,):
        await peer.subscribe("busy")
        before = len(peer.pings)
        async with asyncio.timeout(10):
            while len(peer.pings) < before + 3:
                await peer.publish("busy", "work")
                await asyncio.sleep(0.05)
        waits = [b - a for a, b in zip(peer.pings, peer.pings[1:], strict=False)]
        assert all(wait < 1.6 for wait in waits), waits


@formats
async def test_nothing_is_told_of_a_room_before_its_reply(canang, format):
    """Else an SDK would not know what it is for."""
    async with peers(canang, format, format) as (writer, _):
        await writer.subscribe("busy", recoverable=True)
        is_over = asyncio.Event()

        async def write():
            n = 0
            while not is_over.is_set():
                await writer.publish("busy", n)
                n += 1

        writing = asyncio.create_task(write())
        for _ in range(20):
            reader = await Peer.open(canang, format)
            await reader.connect()
            told = await reader.subscribe("busy", recoverable=True)
            await reader.has("busy", 3)
            told_in_all = [m for frame in reader.frames for m in format.decode(frame) if m]
            kinds = ["push" if "push" in message else "reply" for message in told_in_all]
            assert kinds.index("push") == 2, "after the replies to connect and subscribe"
            offsets = [pub["offset"] for pub in reader.publications("busy")]
            assert offsets == [told.get("offset", 0) + 1 + n for n in range(len(offsets))]
            await reader.end()
        is_over.set()
        await writing
