"""What Centrifugo's protocol has for commands that are wrong, and that they are their sender's business only."""

import json

import pytest

from support.centrifugo import (
    BAD_REQUEST,
    FORMATS,
    NO_PONG,
    NOT_AVAILABLE,
    STALE,
    TOO_BIG,
    Json,
    Peer,
    Protobuf,
    honest_pair,
    peers,
    varint,
)

FORBIDDEN, NO_METHOD, ALREADY, LIMIT, BAD, UNRECOVERABLE = 103, 104, 105, 106, 107, 112
ABNORMAL = 1006
formats = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)


def cases(named):
    return pytest.mark.parametrize("bad", named.values(), ids=named.keys())


NESTED = '{"id":9,"publish":{"channel":"mine","data":%s}}'

NOT_JSON = {
    "words": "hello",
    "half-a-command": '{"id":9,"publish":{"channel":"mine"',
    "half-of-two": '{"id":9,"presence":{"channel":"mine"}}\n{"id":10,',
    "two-in-a-line": '{"id":9,"rpc":{}},{"id":10,"rpc":{}}',
    "array": "[]",
    "number": "7",
    "text": '"{}"',
    "nothing": "",
    "line-feeds": "\n\n\n",
    "bytes": b"\xff\xfe\x00",
    "id-is-text": '{"id":"nine","presence":{"channel":"mine"}}',
    "id-is-negative": '{"id":-9,"presence":{"channel":"mine"}}',
    "id-is-a-fraction": '{"id":9.5,"presence":{"channel":"mine"}}',
    "id-of-33-bits": '{"id":4294967296,"presence":{"channel":"mine"}}',
    "room-is-a-number": '{"id":9,"presence":{"channel":5}}',
    "request-is-a-text": '{"id":9,"presence":"mine"}',
    "offset-of-65-bits": '{"id":9,"subscribe":{"channel":"m","recover":true,"offset":18446744073709551616}}',
    "offset-is-negative": '{"id":9,"subscribe":{"channel":"m","recover":true,"offset":-1}}',
    "flag-is-a-number": '{"id":9,"subscribe":{"channel":"m","recover":1}}',
}


@cases(NOT_JSON)
async def test_what_is_not_json_ends_the_connection(canang, bad):
    async with honest_pair(canang), peers(canang, Json) as (peer,):
        await peer.subscribe("mine")
        await peer.send_raw(bad)
        assert await peer.closed() == BAD_REQUEST


NOT_PROTOBUF = {
    "nothing": b"",
    "text": "hello",
    "json": '{"id":9,"presence":{"channel":"mine"}}',
    "endless-length": b"\xff" * 11,
    "length-of-63-bits": varint(2**63) + b"\x08\x09",
    "longer-than-the-frame": varint(100) + b"\x08\x09",
    "no-end-of-the-length": b"\x80",
    "cut-inside-a-field": b"\x03\x52\x06m",
    "wrong-kind-of-field": b"\x05\x55\x01\x02\x03\x04",  # presence as four bytes
    "field-number-0": b"\x02\x00\x01",
    "group-without-end": b"\x01\x0b",
    "room-is-not-utf-8": b"\x08\x08\x09\x32\x04\x0a\x02\xff\xfe",
    "half-of-two": b"\x02\x08\x09\x05\x08",
}


@cases(NOT_PROTOBUF)
async def test_what_is_not_protobuf_ends_the_connection(canang, bad):
    async with honest_pair(canang), peers(canang, Protobuf) as (peer,):
        await peer.subscribe("mine")
        await peer.send_raw(bad)
        assert await peer.closed() == BAD_REQUEST


WRONG = {
    "no-id": {"presence": {"channel": "mine"}},
    "id-0": {"id": 0, "presence": {"channel": "mine"}},
    "second-connect": {"id": 9, "connect": {}},
}


@formats
@cases(WRONG)
async def test_a_command_that_cannot_be_ends_the_connection(canang, format, bad):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("mine")
        await peer.send(bad)
        assert await peer.closed() == BAD_REQUEST


@cases({"unknown": {"id": 9, "frobnicate": {"channel": "mine"}}, "none": {"id": 9}})
async def test_a_method_of_another_protocol_is_refused(canang, bad):
    async with honest_pair(canang), peers(canang, Json) as (peer,):
        await peer.send_raw(json.dumps(bad))
        assert await peer.outcome(9) in (NO_METHOD, BAD_REQUEST)


async def test_a_command_without_a_method_is_refused(canang):
    async with honest_pair(canang), peers(canang, Protobuf) as (peer,):
        await peer.send({"id": 9})
        assert await peer.outcome(9) in (NO_METHOD, BAD_REQUEST)


@formats
async def test_there_is_nobody_to_send_messages_to(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.send({"send": {"data": format.data({"a": 1})}})
        assert await peer.closed() == NOT_AVAILABLE


TOO_EARLY = {
    "subscribe": {"id": 1, "subscribe": {"channel": "mine"}},
    "unsubscribe": {"id": 1, "unsubscribe": {"channel": "mine"}},
    "publish": {"id": 1, "publish": {"channel": "honest"}},
    "presence": {"id": 1, "presence": {"channel": "honest"}},
    "history": {"id": 1, "history": {"channel": "honest", "limit": 10}},
    "rpc": {"id": 1, "rpc": {"method": "a"}},
    "send": {"send": {}},
    "connect-without-id": {"connect": {}},
}


@formats
@cases(TOO_EARLY)
async def test_a_command_before_connect_ends_the_connection(canang, format, bad):
    async with honest_pair(canang), peers(canang, format, connected=False) as (peer,):
        await peer.send(bad)
        assert await peer.closed() == BAD_REQUEST
        assert peer.frames == [], "and it is told nothing"


# -- refused, and the connection goes on -----------------------------------------------------------

NO_NAMES = {
    "256-bytes": "a" * 256,
    "128-letters-of-two-bytes": "é" * 128,
    "line-feed": "a\nb",
    "nul": "\0",
    "delete": "\x7f",
    "next-line": "a\x85b",
}


async def is_of_use(peer):
    """It has its rooms, and can be in others."""
    await peer.subscribe("another")
    await peer.publish("another", "still here")
    await peer.has("another", 1)


@formats
@cases(NO_NAMES)
async def test_a_name_that_no_room_has_is_refused(canang, format, bad):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        reply = await peer.ask(subscribe={"channel": bad})
        assert reply["error"]["code"] == BAD
        assert reply["error"]["message"] != ""
        await is_of_use(peer)


@formats
@pytest.mark.parametrize(
    "method", ["subscribe", "unsubscribe", "publish", "presence", "presence_stats", "history"]
)
async def test_a_room_without_a_name_is_refused(canang, format, method):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.send({"id": 9, method: {}})
        assert await peer.outcome(9) in (BAD, BAD_REQUEST)


async def test_half_a_surrogate_harms_nobody(canang):
    """Decoders differ: it is a mistake, or U+FFFD."""
    async with honest_pair(canang), peers(canang, Json) as (peer,):
        await peer.send_raw('{"id":9,"subscribe":{"channel":"\\ud800"}}')
        outcome = await peer.outcome(9)
        assert outcome in (0, BAD, BAD_REQUEST)
        if outcome != BAD_REQUEST:
            await is_of_use(peer)


@formats
async def test_the_longest_names_are_names(canang, format):
    async with peers(canang, format) as (peer,):
        for name in ("a" * 255, "é" * 127 + "b", "a b/c?d=%20&e#f+:", "鑼\U0001f941", '"\\'):
            await peer.subscribe(name)
            await peer.publish(name, "here")
            await peer.has(name, 1)


@formats
async def test_subscribing_twice_is_refused(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("mine")
        reply = await peer.ask(subscribe={"channel": "mine"})
        assert reply["error"]["code"] == ALREADY
        await peer.publish("mine", "once")
        await is_of_use(peer)
        assert peer.values("mine") == ["once"]


@formats
async def test_subscribing_twice_in_one_frame_is_refused(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.send(*({"id": n, "subscribe": {"channel": "mine"}} for n in (8, 9)))
        assert sorted([await peer.outcome(8), await peer.outcome(9)]) == [0, ALREADY]
        await peer.publish("mine", "once")
        await is_of_use(peer)
        assert peer.values("mine") == ["once"]


@formats
async def test_a_connection_has_a_number_of_rooms(start_canang, format):
    canang = start_canang(max_rooms_per_connection=3)
    async with honest_pair(canang), peers(canang, format) as (peer,):
        for n in range(3):
            await peer.subscribe(f"mine {n}")
        reply = await peer.ask(subscribe={"channel": "one too many"})
        assert reply["error"]["code"] == LIMIT
        await peer.ask(unsubscribe={"channel": "mine 1"})
        await is_of_use(peer)


@formats
async def test_who_is_not_in_a_room_may_nothing_there(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        room = {"channel": "honest"}
        for command in (
            {"publish": room | {"data": format.data("x")}},
            {"presence": room},
            {"presence_stats": room},
            {"history": room | {"limit": 10}},
        ):
            reply = await peer.ask(**command)
            assert reply["error"]["code"] == FORBIDDEN, command
        await is_of_use(peer)


@formats
async def test_leaving_a_room_that_one_is_not_in_is_no_error(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        assert "unsubscribe" in await peer.ask(unsubscribe={"channel": "honest"})
        await is_of_use(peer)


@formats
async def test_a_method_that_there_is_not_is_refused(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        reply = await peer.ask(rpc={"method": "add", "data": format.data([1, 2])})
        assert reply["error"]["code"] == NO_METHOD
        await is_of_use(peer)


@formats
async def test_history_since_another_epoch_is_refused(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("mine")
        await peer.publish("mine", 1)
        asked = {"channel": "mine", "limit": 10, "since": {"epoch": "nonsense", "offset": 0}}
        assert (await peer.ask(history=asked))["error"]["code"] == UNRECOVERABLE
        await is_of_use(peer)


# -- positions that are made up --------------------------------------------------------------------

MADE_UP = {
    "another-epoch": lambda at: {"epoch": "nonsense", "offset": at["offset"]},
    "another-epoch-from-0": lambda at: {"epoch": "nonsense", "offset": 0},
    "above-the-top": lambda at: {"epoch": at["epoch"], "offset": at["offset"] + 1000},
    "one-above-the-top": lambda at: {"epoch": at["epoch"], "offset": at["offset"] + 1},
    "above-what-a-double-has": lambda at: {"epoch": at["epoch"], "offset": 2**53 + 1},
    "above-what-is-signed": lambda at: {"epoch": at["epoch"], "offset": 2**63},
    "the-largest": lambda at: {"epoch": at["epoch"], "offset": 2**64 - 1},
    "long-epoch": lambda at: {"epoch": "e" * 1000, "offset": at["offset"]},
}


async def room_with_three(format, canang, room="mine"):
    """Where it ends, after 3 publications."""
    async with peers(canang, format) as (peer,):
        await peer.subscribe(room, recoverable=True)
        for n in range(3):
            await peer.publish(room, n)
        reply = await peer.ask(history={"channel": room})
        return reply["history"]


@formats
@cases(MADE_UP)
async def test_a_position_that_is_made_up_recovers_nothing(canang, format, bad):
    at = await room_with_three(format, canang)
    async with honest_pair(canang), peers(canang, format) as (peer,):
        told = await peer.subscribe("mine", recoverable=True, recover=True, **bad(at))
        assert told["was_recovering"] and not told.get("recovered")
        assert told.get("publications", []) == []
        assert (told["epoch"], told["offset"]) == (at["epoch"], at["offset"])
        await peer.publish("mine", "after")
        await peer.has("mine", 1)
        assert peer.values("mine") == ["after"]
        assert peer.publications("mine")[0]["offset"] == at["offset"] + 1


@formats
async def test_a_position_that_is_right_recovers_the_rest(canang, format):
    at = await room_with_three(format, canang)
    for missed in (0, 1, 3):
        async with peers(canang, format) as (peer,):
            since = {"epoch": at["epoch"], "offset": at["offset"] - missed}
            told = await peer.subscribe("mine", recoverable=True, recover=True, **since)
            assert told["was_recovering"] and told["recovered"]
            found = told.get("publications", [])
            assert [format.value(p["data"]) for p in found] == list(range(3 - missed, 3))
            assert told.get("offset", 0) == since["offset"], "the place before the first of them"
            assert [p["offset"] for p in found] == [at["offset"] - n for n in range(missed)][::-1]


# -- too much --------------------------------------------------------------------------------------


@formats
async def test_a_message_that_the_room_has_no_place_for_is_refused(start_canang, tmp_path, format):
    config = tmp_path / "canang.toml"
    config.write_text('[namespaces.small]\nmax-message-bytes = "1KiB"\n')
    canang = start_canang(config=config)
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("small:mine")
        await peer.publish("small:mine", "x" * 1000)
        publish = {"channel": "small:mine", "data": format.data("y" * 2000)}
        await peer.send({"id": 9, "publish": publish})
        assert await peer.outcome(9) in (LIMIT, TOO_BIG)
        assert peer.values("small:mine") == ["x" * 1000]


@formats
async def test_a_frame_that_is_too_big_ends_the_connection(start_canang, format):
    canang = start_canang(max_message_bytes="64KiB")
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("mine")
        await peer.send({"id": 9, "publish": {"channel": "mine", "data": format.data("x" * 200_000)}})
        assert await peer.closed() in (TOO_BIG, BAD_REQUEST)
        assert peer.publications("mine") == []


async def test_a_megabyte_of_nested_arrays_ends_the_connection(canang):
    async with honest_pair(canang), peers(canang, Json) as (peer,):
        await peer.subscribe("mine")
        await peer.send_raw(NESTED % ("[" * 500_000 + "]" * 500_000))
        assert await peer.closed() in (TOO_BIG, BAD_REQUEST)


class JsonOfShortLines(Json):
    """Python's own decoder does not go as deep as some servers' do."""

    @staticmethod
    def decode(frame):
        return Json.decode("\n".join(line for line in frame.split("\n") if len(line) < 1000) or "{}")


@pytest.mark.parametrize("depth", [60, 30_000])
async def test_arrays_as_deep_as_fit_harm_nobody(canang, depth):
    async with honest_pair(canang), peers(canang, JsonOfShortLines) as (peer,):
        await peer.subscribe("mine")
        await peer.send_raw(NESTED % ("[" * depth + "]" * depth))
        outcome = await peer.outcome(9)
        assert outcome in ([0] if depth == 60 else [0, BAD, BAD_REQUEST])


@formats
async def test_ten_thousand_commands_in_a_frame_end_the_connection(start_canang, format):
    canang = start_canang(max_message_bytes="1MiB")
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.subscribe("mine")
        await peer.send(*({"id": 9 + n, "presence": {"channel": "mine"}} for n in range(10_000)))
        assert await peer.closed() == BAD_REQUEST


@formats
async def test_ten_thousand_pongs_in_a_frame_end_the_connection(canang, format):
    async with honest_pair(canang), peers(canang, format) as (peer,):
        await peer.send(*({} for _ in range(10_000)))
        assert await peer.closed() == BAD_REQUEST


# -- too little ------------------------------------------------------------------------------------


@formats
async def test_who_says_nothing_after_the_upgrade_is_closed_as_stale(canang, format):
    async with honest_pair(canang), peers(canang, format, connected=False) as (peer,):
        assert await peer.closed(timeout=20) == STALE


@formats
async def test_a_pong_does_not_stand_for_connect(canang, format):
    async with honest_pair(canang), peers(canang, format, connected=False) as (peer,):
        await peer.send({})
        assert await peer.closed(timeout=20) in (BAD_REQUEST, STALE)


@formats
async def test_who_answers_no_ping_is_closed(start_canang, format):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    async with honest_pair(canang), peers(canang, format, does_pong=False) as (peer,):
        assert await peer.closed() in (NO_PONG, ABNORMAL)
        assert len(peer.pings) >= 1


# -- who has left is gone --------------------------------------------------------------------------


async def test_what_was_closed_for_its_commands_leaves_nothing(canang):
    before = canang.settled_resources()
    for frame in ("hello", json.dumps({"id": 9, "connect": {}}), NESTED % ("[" * 50_000)):
        peer = await Peer.open(canang)
        await peer.connect()
        await peer.subscribe("mine")
        await peer.send_raw(frame)
        await peer.closed()
        await peer.end()
    await canang.members_are(0)
    canang.wait_resources(before)
