"""Centrifugo's fallback transports: HTTP streaming and SSE, with what clients say in requests of their own."""

from __future__ import annotations

import asyncio
import json
import re
import signal

import pytest

from support.centrifugo import BAD_REQUEST, Json, honest_pair, peers
from support.emulation import (
    BAD,
    BUSY,
    EMULATION,
    HTTP_STREAM,
    SSE,
    STREAMS,
    TAKEN,
    TOO_LARGE,
    UNAVAILABLE,
    UNKNOWN,
    Emulated,
    JsonEvents,
    JsonLines,
    ProtobufStream,
    ask,
)
from support.server_api import call
from support.waiting import eventually

SHUTDOWN, TOO_MANY, FORCED = 3001, 3013, 3503
CONNECT = json.dumps({"id": 1, "connect": {}})
streams = pytest.mark.parametrize("format", STREAMS, ids=lambda format: format.name)


@streams
async def test_a_client_hears_and_is_heard(canang, format):
    async with peers(canang, Json) as (other,):
        await other.subscribe("kitchen")
        peer = await Emulated.connected(canang.port, format, user="ana")
        assert peer.headers["content-type"] == format.answered_with
        assert peer.headers["x-accel-buffering"] == "no"
        assert "no-store" in peer.headers["cache-control"]
        assert not {"content-length", "transfer-encoding"} & set(peer.headers)
        assert re.fullmatch(r"[0-9a-f]{32}\d+", peer.session)
        await peer.subscribe("kitchen")
        for n in range(20):  # on connections of their own, so on both loops
            await peer.publish("kitchen", {"n": n, "text": 'é "鑼"\n\\'})
        await other.publish("kitchen", "from a websocket")
        heard = await peer.has("kitchen", 21)
        assert [value["n"] for value in heard[:20]] == list(range(20))
        assert heard[20] == "from a websocket"
        await other.has("kitchen", 21)
        assert other.values("kitchen") == heard
        there = (await peer.ask(presence={"channel": "kitchen"}))["presence"]["presence"]
        assert sorted(info.get("user", "") for info in there.values()) == ["", "ana"]
        await peer.end()


@streams
async def test_several_commands_come_in_one_request(canang, format):
    peer = await Emulated.connected(canang.port, format)
    room = {"channel": "room"}
    commands = [peer.numbered(subscribe=room)]
    commands += [peer.numbered(publish=room | {"data": format.data(n)}) for n in range(50)]
    assert (await peer.say(*commands)).status == TAKEN
    assert await peer.has("room", 50) == list(range(50))
    await peer.end()


@streams
async def test_the_first_request_may_bring_more_than_the_connect(canang, format):
    first = format.encode(({"id": 1, "connect": {}}, {"id": 2, "subscribe": {"channel": "room"}}))
    peer = await Emulated.connected(canang.port, format, first=first)
    assert "subscribe" in await peer.reply(2)
    await peer.end()


async def test_http_1_0_has_streams_too(canang):
    for format in STREAMS:
        peer = await Emulated.connected(canang.port, format, version="1.0")
        await peer.subscribe("room")
        await peer.end()


async def test_each_client_has_a_session_of_its_own(canang):
    """Nobody says anything for another, or is told whether there is one."""
    ana = await Emulated.connected(canang.port)
    budi = await Emulated.connected(canang.port)
    assert ana.session != budi.session and ana.node == budi.node
    session = ana.session
    for wrong in (
        session[:-1],
        session + "0",
        session.upper() if session.upper() != session else "A" * 33,
        "0" * len(session),
        session[1:] + session[0],
        session[:32] + "99999",
        "x",
    ):
        ana.session = wrong
        assert (await ana.say_raw("nonsense")).status == UNKNOWN, wrong
    ana.session = session
    for wrong in ("aaaaaaaaaa", ana.node[:-1], "x" * 64):
        ana.node, node = wrong, ana.node
        assert (await ana.say_raw("nonsense")).status == UNKNOWN, wrong
        ana.node = node
    for peer in (ana, budi):
        await peer.subscribe("room")
        await peer.end()


async def test_a_session_ends_with_its_response(canang):
    peer = await Emulated.connected(canang.port)
    await peer.subscribe("room")
    await peer.end()
    await eventually(lambda: canang.metrics()["canang_connections"] == 0, "it has gone")
    assert (await peer.say_raw("{}")).status == UNKNOWN
    assert canang.metrics().closes() in ({("1005", "normal"): 1}, {("1006", "abnormal"): 1})


WRONG = {
    "no-body": (HTTP_STREAM, "", {}, BAD),
    "no-body-of-protobuf": (HTTP_STREAM, "", {"Content-Type": "application/octet-stream"}, BAD),
    "sse-no-body": (SSE, "", {}, BAD),
    "too-large": (HTTP_STREAM, "x" * 70_000, {}, TOO_LARGE),
    "a-megabyte": (HTTP_STREAM, "x" * 2**20, {}, TOO_LARGE),
    "no-user": (f"{HTTP_STREAM}?user=", CONNECT, {}, BAD),
    "another-site": (HTTP_STREAM, CONNECT, {"Origin": "https://evil.example"}, 403),
    "emulation-no-body": (EMULATION, "", {}, BAD),
    "emulation-not-json": (EMULATION, "nonsense", {}, BAD),
    "emulation-half": (EMULATION, '{"session":"s","node":"n","data":"', {}, BAD),
    "emulation-no-data": (EMULATION, '{"session":"s","node":"n"}', {}, BAD),
    "emulation-data-is-no-text": (EMULATION, '{"session":"s","node":"n","data":{}}', {}, BAD),
    "emulation-garbage": (EMULATION, "\xff\x00garbage", {"Content-Type": "application/octet-stream"}, BAD),
    "emulation-a-megabyte": (EMULATION, "x" * 2**20, {}, TOO_LARGE),
    "emulation-large-message": (
        EMULATION, json.dumps({"session": "s", "node": "n", "data": "x" * 70_000}), {}, TOO_LARGE),
    "emulation-of-nobody": (EMULATION, '{"session":"s","node":"n","data":"x"}', {}, UNKNOWN),
    "emulation-of-another-site": (
        EMULATION, '{"session":"s","node":"n","data":"x"}', {"Origin": "https://evil.example"}, 403),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "headers", "status"), WRONG.values(), ids=WRONG.keys())
async def test_a_bad_request_is_refused(canang, path, body, headers, status):
    async with honest_pair(canang):
        assert (await ask(canang.port, path, body, headers)).status == status


WRONG_METHODS = [
    ("GET", HTTP_STREAM, 405),
    ("PUT", HTTP_STREAM, 405),
    ("GET", EMULATION, 405),
    ("GET", SSE, 400),
    ("GET", f"{SSE}?cf_connect=", 400),
    ("DELETE", SSE, 405),
]


@pytest.mark.parametrize(("method", "path", "status"), WRONG_METHODS)
async def test_another_method_is_refused(canang, method, path, status):
    assert (await ask(canang.port, path, method=method)).status == status


BAD_FIRST = {
    "not-json": "hello",
    "half": '{"id":1,"connect":{}',
    "array": "[]",
    "empty": "{}\n{",
    "not-connect": '{"id":1,"subscribe":{"channel":"mine"}}',
    "no-id": '{"connect":{}}',
    "two-connects": '{"id":1,"connect":{}}\n{"id":2,"connect":{}}',
    "protobuf": "\x02\x08\x01",
}


@pytest.mark.parametrize("format", [JsonLines, JsonEvents], ids=lambda format: format.name)
@pytest.mark.parametrize("first", BAD_FIRST.values(), ids=BAD_FIRST.keys())
async def test_who_does_not_begin_with_connect_is_told_so_and_ends(canang, format, first):
    async with honest_pair(canang):
        peer = await Emulated.open(canang.port, format, first)
        assert await peer.closed() == BAD_REQUEST
        await peer.end()


BAD_PROTOBUF = {
    "text": b"hello",
    "json": CONNECT.encode(),
    "endless-length": b"\xff" * 11,
    "longer-than-the-body": b"\x64\x08\x09",
    "not-connect": b"\x0a\x08\x01\x2a\x06\x0a\x04mine",
}


@pytest.mark.parametrize("first", BAD_PROTOBUF.values(), ids=BAD_PROTOBUF.keys())
async def test_the_same_in_protobuf(canang, first):
    async with honest_pair(canang):
        peer = await Emulated.open(canang.port, ProtobufStream, first)
        assert await peer.closed() == BAD_REQUEST
        await peer.end()


@streams
async def test_what_breaks_the_protocol_later_ends_it(canang, format):
    bad = {JsonLines: "nonsense", JsonEvents: '{"id":5,', ProtobufStream: b"\xff" * 11}[format]
    async with honest_pair(canang):
        for said in (bad, format.encode(({"id": 9, "connect": {}},))):
            peer = await Emulated.connected(canang.port, format)
            await peer.subscribe("mine")
            assert (await peer.say_raw(said)).status == TAKEN
            assert await peer.closed() == BAD_REQUEST
            assert (await peer.say_raw(said)).status == UNKNOWN
            await peer.end()


@streams
async def test_pings_come_and_are_answered(start_canang, format):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    peer = await Emulated.connected(canang.port, format)
    assert (await peer.reply(1))["connect"]["ping"] == 1
    await eventually(lambda: len(peer.pings) >= 4, "four pings", 8)
    await peer.subscribe("alive")
    peer.does_pong = False
    await eventually(lambda: not peer.is_open, "its end", 8)
    assert canang.metrics().closes() == {("1006", "ping_timeout"): 1}
    await peer.end()


@streams
async def test_a_node_that_drains_sends_its_clients_away(canang, format):
    peer = await Emulated.connected(canang.port, format)
    await peer.subscribe("room")
    canang.signal(signal.SIGTERM)
    assert await peer.closed() == SHUTDOWN
    await peer.end()
    assert await asyncio.to_thread(canang.wait_exit) == 0


@streams
async def test_a_user_that_is_disconnected_is_told_the_code(canang, format):
    peer = await Emulated.connected(canang.port, format, user="ana")
    await call(canang, "disconnect", user="ana")
    assert await peer.closed() == FORCED
    await peer.end()


async def test_sessions_count_for_the_limits_of_connections(start_canang):
    canang = start_canang(max_connections=2)
    first = [await Emulated.connected(canang.port, format) for format in (JsonLines, JsonEvents)]
    refused = await ask(canang.port, HTTP_STREAM, CONNECT)
    assert refused.status == 503 and refused.headers["retry-after"] == "1"
    await first[0].subscribe("room")
    await first[0].end()
    await eventually(lambda: canang.metrics()["canang_connections"] == 1, "one has gone")
    again = await Emulated.connected(canang.port)
    for peer in (first[1], again):
        await peer.end()


async def test_an_address_has_no_more_than_its_share(start_canang):
    canang = start_canang(max_connections_per_ip=2)
    all = [await Emulated.connected(canang.port) for _ in range(2)]
    assert (await ask(canang.port, HTTP_STREAM, CONNECT)).status == 429
    for peer in all:
        await peer.end()


async def test_pages_of_allowed_origins_may_use_it(start_canang):
    canang = start_canang(allowed_origin="https://chat.example.org")
    page = {"Origin": "https://chat.example.org"}
    for path in (HTTP_STREAM, SSE, EMULATION):
        asked = page | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        leave = await ask(canang.port, path, headers=asked, method="OPTIONS")
        assert leave.status == 204
        assert leave.headers["access-control-allow-origin"] == page["Origin"]
        assert leave.headers["access-control-allow-headers"] == "content-type"
    peer = await Emulated.connected(canang.port, headers=page)
    assert peer.headers["access-control-allow-origin"] == page["Origin"]
    body = JsonLines.wrapped(peer.node, peer.session, "{}")
    said = await ask(canang.port, EMULATION, body, page)
    assert said.status == TAKEN and said.headers["access-control-allow-origin"] == page["Origin"]
    await peer.end()


async def test_who_publishes_too_much_is_held_back_and_the_rest_is_refused(start_canang):
    """What is said in requests pays as what is said on a socket: nothing piles up without a limit, and one that goes
    on for 10 s is closed."""
    canang = start_canang(publish_rate=20)
    async with peers(canang, Json) as (other,):
        await other.subscribe("flood")
        peer = await Emulated.connected(canang.port)
        await peer.subscribe("flood")

        async def publish(n: int) -> int:
            command = {"id": 1000 + n, "publish": {"channel": "flood", "data": n}}
            return (await peer.say(command, timeout=30)).status

        statuses = await asyncio.gather(*(publish(n) for n in range(600)))
        assert set(statuses) <= {TAKEN, BUSY, UNAVAILABLE, UNKNOWN}
        assert statuses.count(BUSY) > 200, "what is over the limit of a session"
        assert statuses.count(TAKEN) >= 20 * 5
        assert await peer.closed(15) == TOO_MANY
        heard = peer.values("flood")
        assert len(set(heard)) == len(heard) >= 20 * 5, "the rest waited when it was closed"
        assert not {n for n in heard if statuses[n] == BUSY}, "what was refused is not done"
        await other.publish("flood", "after")
        await other.until(lambda: "after" in other.values("flood"), "goes on")
        await peer.end()
    await eventually(lambda: canang.metrics()["canang_inbox_bytes"] == 0, "nothing is left")
