"""`/sse`: what is published in rooms, to EventSource."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import signal
import subprocess

import pytest

from support.canang_process import WITHOUT_RATES
from support.clients import close_all, open_client, receive, receive_up_to
from support.event_stream import EventStream
from support.nginx import Nginx
from support.server_api import call
from support.waiting import eventually, wait_until

RETRY_MS = range(1000, 3001)
RETURN_MS = range(100, 1001)


async def publish(canang, room, *messages):
    """Publishes, and waits until all of it came back."""
    client = await open_client(canang.url(f"/ws/{room}"))
    for message in messages:
        await client.send(message)
    await receive_up_to(client, messages[-1])
    await client.close()


async def subscribe(canang, path, rooms=1, **options):
    stream = await EventStream.open(canang.port, path, **options)
    assert stream.status == 200, stream.headers
    return await stream.joined(rooms)


def places(stream, kind="message"):
    return [event.id for event in stream.events if event.type == kind]


async def test_publications_come_as_data_with_their_places(canang):
    stream = await subscribe(canang, "/sse/kitchen")
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["x-accel-buffering"] == "no"
    assert "no-transform" in stream.headers["cache-control"]
    assert "transfer-encoding" not in stream.headers and "content-length" not in stream.headers
    assert stream.parser.retry_ms in RETRY_MS
    [join] = stream.events
    at = json.loads(join.data)
    epoch = at["epoch"]
    assert (join.type, join.id) == ("join", f"{epoch}:0")
    assert at == {"room": "kitchen", "epoch": epoch, "offset": 0, "recovered": False}
    await publish(canang, "kitchen", "dinner", "", " is: ready ", "é鑼")
    await stream.has("dinner", "", " is: ready ", "é鑼")
    assert places(stream) == [f"{epoch}:{n}" for n in range(1, 5)]
    await stream.close()


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("a\nb", "a\nb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n", "\n"),
        ("a\n\n\nb\n", "a\n\n\nb\n"),
        ("\r", "\n"),
        ("data: x\n\nevent: y", "data: x\n\nevent: y"),
        ("a\0b", "a\0b"),
        ("\ufeffa", "\ufeffa"),
    ],
)
async def test_lines_of_a_text_come_back_as_lines(canang, said, heard):
    stream = await subscribe(canang, "/sse/lines")
    await publish(canang, "lines", said)
    await stream.has(heard)
    await stream.close()


async def test_what_is_binary_comes_as_an_event_of_its_own(canang):
    stream = await subscribe(canang, "/sse/binary")
    await publish(canang, "binary", b"\x00\xff\n", "text", b"")
    await stream.until(lambda: len(stream.of_type("binary")) == 2, "both")
    assert [base64.b64decode(data) for data in stream.of_type("binary")] == [b"\x00\xff\n", b""]
    await stream.has("text")
    await stream.close()


async def test_who_comes_and_goes_is_told(start_canang):
    canang = start_canang(join_leave="people*")
    stream = await subscribe(canang, "/sse/people?user=ana")
    client = await open_client(canang.url("/ws/people?user=budi"))
    await stream.until(lambda: len(stream.of_type("joined")) == 2, "both came")
    await client.close()
    await stream.until(lambda: stream.of_type("left"), "one left")
    assert [json.loads(data)["user"] for data in stream.of_type("joined")] == ["ana", "budi"]
    assert json.loads(stream.of_type("left")[0])["user"] == "budi"
    epoch = stream.events[0].id.split(":")[0]
    assert [event.id for event in stream.events] == [f"{epoch}:{n}" for n in range(4)]
    await stream.close()


async def test_the_lobby_is_the_room_without_a_name(canang):
    stream = await subscribe(canang, "/sse")
    await publish(canang, "lobby", "hello")
    await stream.has("hello")
    assert places(stream)[0].endswith(":1")
    await stream.close()


async def test_names_are_as_on_ws(canang):
    stream = await subscribe(canang, "/sse/a/b%20c%3Fd")
    await publish(canang, "a/b%20c%3Fd", "hello")
    await stream.has("hello")
    await stream.close()


async def test_the_history_comes_first(canang):
    await publish(canang, "past", *(f"n{n}" for n in range(20)))
    stream = await subscribe(canang, "/sse/past?history=3")
    await publish(canang, "past", "live")
    await stream.has("n17", "n18", "n19", "live")
    join = json.loads(stream.of_type("join")[0])
    assert (join["offset"], join["recovered"]) == (17, False)
    await stream.close()


# -- coming back -------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["header", "lastEventId", "since", "header and since"])
async def test_who_comes_back_gets_what_it_missed(canang, by):
    await publish(canang, "back", *(f"n{n}" for n in range(10)))
    stream = await subscribe(canang, "/sse/back?history=10")
    await stream.until(lambda: len(stream.of_type()) == 10, "all")
    last = places(stream)[6]
    await stream.close()
    wrong = places(stream)[1]
    path, header = {
        "header": ("/sse/back?history=10", last),
        "lastEventId": (f"/sse/back?lastEventId={last}", ""),
        "since": (f"/sse/back?since={last}", ""),
        "header and since": (f"/sse/back?since={wrong}&lastEventId={wrong}", last),
    }[by]
    again = await subscribe(canang, path, last_id=header)
    await again.has("n7", "n8", "n9")
    join = again.events[0]
    assert json.loads(join.data)["recovered"] is True
    assert (join.type, join.id) == ("join", last)
    await again.close()


async def test_who_comes_back_at_the_top_gets_nothing_twice(canang):
    stream = await subscribe(canang, "/sse/top")
    await publish(canang, "top", "one")
    await stream.has("one")
    await stream.close()
    again = await subscribe(canang, "/sse/top", last_id=places(stream)[0])
    await publish(canang, "top", "two")
    await again.has("two")
    assert again.of_type("reset") == []
    await again.close()


async def test_who_was_told_nothing_but_its_place_comes_back_from_there(canang):
    stream = await subscribe(canang, "/sse/early")
    await stream.close()
    last = stream.parser.last_id
    await publish(canang, "early", "one")
    again = await subscribe(canang, "/sse/early", last_id=last)
    await again.has("one")
    await again.close()


async def test_what_skips_the_history_leaves_the_place_as_it_was(canang):
    stream = await subscribe(canang, "/sse/passing")
    await publish(canang, "passing", "one")
    await stream.has("one")
    await call(canang, "publish", channel="passing", data="by the way", skip_history=True)
    await stream.has("one", '"by the way"')
    await stream.close()
    last = stream.parser.last_id
    assert places(stream) == [last, last] and last.endswith(":1")
    await publish(canang, "passing", "two")
    again = await subscribe(canang, "/sse/passing", last_id=last)
    await again.has("two")
    assert again.of_type("reset") == []
    await again.close()


@pytest.mark.parametrize("last_id", ["42", "x:", "nonsense", "éé", "a=b:1", "zzzzzzzzzz:1", ":"])
async def test_an_id_that_is_none_of_ours_is_told_and_the_stream_goes_on(canang, last_id):
    await publish(canang, "made-up", "before")
    stream = await subscribe(
        canang, "/sse/made-up", headers={"Last-Event-ID": last_id.encode().decode("latin-1")}
    )
    [reset] = stream.events
    at = json.loads(reset.data)
    assert (reset.type, reset.id) == ("reset", f"{at['epoch']}:1")
    assert at == {"room": "made-up", "epoch": at["epoch"], "offset": 1}
    await publish(canang, "made-up", "after")
    await stream.has("after")
    await stream.close()
    again = await subscribe(canang, "/sse/made-up", last_id=reset.id)
    await again.has("after")
    assert json.loads(again.of_type("join")[0])["recovered"] is True
    await again.close()


async def test_a_place_that_is_not_kept_any_more_is_told(start_canang):
    canang = start_canang(history_size=5)
    stream = await subscribe(canang, "/sse/short")
    await publish(canang, "short", "n0")
    await stream.has("n0")
    await stream.close()
    await publish(canang, "short", *(f"n{n}" for n in range(1, 10)))
    again = await subscribe(canang, "/sse/short", last_id=places(stream)[0])
    assert [event.type for event in again.events] == ["reset"]
    assert again.events[0].id.endswith(":10")
    await publish(canang, "short", "live")
    await again.has("live")
    await again.close()


async def test_a_history_that_has_expired_is_told(start_canang):
    canang = start_canang(history_ttl="1s")
    keeper = await subscribe(canang, "/sse/old")
    await publish(canang, "old", "one")
    await keeper.has("one")
    first = keeper.events[0].id

    async def is_reset():
        again = await subscribe(canang, "/sse/old", last_id=first)
        found = again.of_type("reset")
        await again.close()
        return found

    for _ in range(200):
        if await is_reset():
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("the history did not expire")
    await keeper.close()


# -- several rooms -----------------------------------------------------------------------------


async def test_several_rooms_come_over_one_stream(canang):
    stream = await subscribe(canang, "/sse?room=a&room=b%20%26%2C%3D", rooms=2)
    joins = {json.loads(data)["room"]: json.loads(data) for data in stream.of_type("join")}
    assert set(joins) == {"a", "b &,="}
    await publish(canang, "a", "one\ntwo")
    await stream.until(lambda: len(stream.of_type()) == 1, "one")
    await publish(canang, "b%20%26%2C%3D", b"\x00")
    await stream.until(lambda: len(stream.of_type()) == 2, "two")
    assert [json.loads(data) for data in stream.of_type()] == [
        {"room": "a", "epoch": joins["a"]["epoch"], "offset": 1, "data": "one\ntwo"},
        {"room": "b &,=", "epoch": joins["b &,="]["epoch"], "offset": 1, "data64": "AA=="},
    ]
    a, b = (joins[room]["epoch"] for room in ("a", "b &,="))
    assert places(stream) == [f"a={a}:1,b%20%26%2C%3D={b}:0", f"a={a}:1,b%20%26%2C%3D={b}:1"]
    await stream.close()


async def test_one_room_in_the_query_has_the_form_of_several(canang):
    stream = await subscribe(canang, "/sse?room=a")
    await publish(canang, "a", "one")
    await stream.until(lambda: stream.of_type(), "one")
    [event] = [event for event in stream.events if event.type == "message"]
    at = json.loads(event.data)
    assert event.id == f"a={at['epoch']}:1"
    await stream.close()
    await publish(canang, "a", "two")
    again = await subscribe(canang, "/sse?room=a", last_id=event.id)
    await again.until(lambda: again.of_type(), "two")
    assert [json.loads(data)["data"] for data in again.of_type()] == ["two"]
    await again.close()


async def test_each_room_is_taken_on_where_the_client_was_in_it(canang):
    path = "/sse?room=a&room=b&room=c"
    stream = await subscribe(canang, path, rooms=3)
    await publish(canang, "a", "a1", "a2")
    await publish(canang, "b", "b1")
    await stream.until(lambda: len(stream.of_type()) == 3, "three")
    await stream.close()
    last = next(event.id for event in stream.events if '"a1"' in event.data)
    await publish(canang, "c", "c1")
    again = await subscribe(canang, path, rooms=3, last_id=last)
    await again.until(lambda: len(again.of_type()) == 3, "what it missed")
    got = {(at["room"], at["data"]) for at in map(json.loads, again.of_type())}
    assert got == {("a", "a2"), ("b", "b1"), ("c", "c1")}
    assert all(json.loads(data)["recovered"] for data in again.of_type("join"))
    await again.close()


async def test_a_room_that_cannot_be_taken_on_is_told_alone(canang):
    stream = await subscribe(canang, "/sse?room=a&room=b", rooms=2)
    last = stream.parser.last_id.split(",")
    await stream.close()
    parts = [part if part.startswith("a=") else "b=zzzzzzzzzz:7" for part in last]
    await publish(canang, "a", "a1")
    again = await subscribe(canang, "/sse?room=a&room=b", rooms=2, last_id=",".join(parts))
    await again.until(lambda: again.of_type(), "what it missed")
    assert [json.loads(data)["room"] for data in again.of_type("join")] == ["a"]
    assert [json.loads(data)["room"] for data in again.of_type("reset")] == ["b"]
    await again.close()
    third = await subscribe(canang, "/sse?room=a&room=b", rooms=2, last_id="nonsense")
    assert sorted(json.loads(data)["room"] for data in third.of_type("reset")) == ["a", "b"]
    await third.close()


async def test_as_many_rooms_as_one_may_be_in(canang):
    rooms = [f"room-{n}-{'x' * 15}" for n in range(128)]
    path = "/sse?" + "&".join(f"room={room}" for room in rooms)
    stream = await subscribe(canang, path, rooms=128)
    await publish(canang, rooms[77], "here")
    await stream.until(lambda: stream.of_type(), "it")
    last = stream.parser.last_id
    assert last.count(",") == 127
    await stream.close()
    await publish(canang, rooms[5], "there")
    again = await subscribe(canang, path, rooms=128, last_id=last)
    await again.until(lambda: again.of_type(), "it")
    assert [json.loads(data)["data"] for data in again.of_type()] == ["there"]
    assert again.of_type("reset") == []
    await again.close()


async def test_a_room_that_one_may_not_join_is_told_and_the_others_go_on(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text(
        '[namespaces.closed]\nallow-subscribe = "nobody"\n'
        '[namespaces.past]\nallow-history = "nobody"\n'
    )
    canang = start_canang(config=str(config))
    await publish(canang, "past:a", "before")
    await publish(canang, "open", "before")
    path = "/sse?room=open&room=closed:a&room=past:a&history=5"
    stream = await subscribe(canang, path, rooms=2)
    await stream.until(lambda: stream.of_type("refused"), "it is told")
    assert [json.loads(data) for data in stream.of_type("refused")] == [{"room": "closed:a"}]
    await publish(canang, "past:a", "after")
    await stream.until(lambda: len(stream.of_type()) == 2, "both")
    got = {(at["room"], at["data"]) for at in map(json.loads, stream.of_type())}
    assert got == {("open", "before"), ("past:a", "after")}, "no history where one may not see it"
    assert "closed" not in stream.parser.last_id
    await stream.close()
    refused = await EventStream.open(canang.port, "/sse/closed:a", last_id="abc:1")
    assert refused.status == 403
    await refused.close()


async def test_who_is_removed_from_a_room_stays_in_its_others(canang):
    stream = await subscribe(canang, "/sse?room=a&room=b&room=c&user=ann", rooms=3)
    other = await subscribe(canang, "/sse?room=a&user=bob")
    await canang.members_are(4)
    assert (await call(canang, "unsubscribe", user="ann", channel="a"))["connections"] == 1
    await stream.until(lambda: stream.of_type("unsubscribed"), "it is told")
    [told] = map(json.loads, stream.of_type("unsubscribed"))
    assert told == {"room": "a", "code": 3503, "reason": "removed from the room"}
    await canang.members_are(3)
    for room in ("a", "b", "c"):
        await publish(canang, room, f"in {room}")
    await stream.until(lambda: len(stream.of_type()) == 2, "both")
    await other.until(lambda: other.of_type(), "it")
    assert {json.loads(data)["room"] for data in stream.of_type()} == {"b", "c"}
    assert (await call(canang, "disconnect", user="ann"))["connections"] == 1, "one connection"
    await stream.until(lambda: stream.is_over, "the end")
    [end] = map(json.loads, stream.of_type("close"))
    assert end["code"] == 3503
    await canang.members_are(1)
    await other.close()


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/sse/", "a room name is"),
        ("/sse/%00", "a room name is"),
        ("/sse/%2e%2e", "a room name is"),
        ("/sse/a%", "a room name is"),
        ("/sse?room=", "a room name is"),
        ("/sse?room=a&room=a", "a room is named twice"),
        ("/sse/a?room=b", "rooms stand in the path or in the query"),
        ("/sse?" + "&".join(f"room={n}" for n in range(129)), "more rooms than"),
        ("/sse?" + "&".join(f"room={n}{'x' * 200}" for n in range(50)), "too long"),
        ("/sse/a?history=x", "history is"),
        ("/sse/a?history=-1", "history is"),
        ("/sse/a?since=x", "since is"),
        ("/sse?room=a&since=x:1", "since is"),
        ("/sse/a?user=", "user is"),
        ("/sse/a?user=%07", "user is"),
    ],
)
async def test_bad_requests_get_one_line(canang, path, line):
    stream = await EventStream.open(canang.port, path)
    await stream.read_all()
    assert stream.status == 400
    assert line in stream.body.decode()
    assert stream.body.decode().count("\n") <= 1


async def test_other_methods(canang):
    head = await EventStream.open(canang.port, "/sse/a", {"Connection": "close"}, method="HEAD")
    assert head.status == 200
    assert head.headers["content-type"] == "text/event-stream"
    assert await head._reader.read() == b""
    post = await EventStream.open(canang.port, "/sse/a", {"Content-Length": "0"}, method="POST")
    assert post.status == 405
    assert "GET" in post.headers["allow"]
    for stream in (head, post):
        await stream.close()
    canang.wait_metric("canang_connections", 0)


async def test_pages_of_allowed_origins_may_read(start_canang):
    canang = start_canang(allowed_origin="https://a.example")
    stream = await subscribe(canang, "/sse/a", headers={"Origin": "https://a.example"})
    assert stream.headers["access-control-allow-origin"] == "https://a.example"
    assert stream.headers["vary"] == "Origin"
    await stream.close()
    stream = await EventStream.open(canang.port, "/sse/a", {"Origin": "https://b.example"})
    assert stream.status == 403
    await stream.close()
    options = await EventStream.open(
        canang.port,
        "/sse/a",
        {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
        method="OPTIONS",
    )
    assert options.status == 204
    assert options.headers["access-control-allow-origin"] == "https://a.example"
    await options.close()


async def test_http_1_0_gets_the_same(canang):
    stream = await subscribe(canang, "/sse/old-http", version="1.0")
    await publish(canang, "old-http", "hello")
    await stream.has("hello")
    await stream.close()


async def test_connections_count_and_are_limited(start_canang):
    canang = start_canang(max_connections=2)
    first = await subscribe(canang, "/sse/a")
    client = await open_client(canang.url("/ws/a"))
    canang.wait_metric("canang_connections", 2)
    refused = await EventStream.open(canang.port, "/sse/a")
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0
    back = await EventStream.open(canang.port, "/sse/a", last_id="x:1")
    await back.read_all()
    assert back.status == 200, "a browser would never come back"
    assert json.loads(back.of_type("close")[0])["code"] == 1013
    assert back.parser.retry_ms in RETRY_MS
    rejected = canang.metrics().total("canang_handshakes_rejected_total", reason="connections")
    assert rejected == 2
    await close_all(client)
    await first.close()
    await refused.close()
    canang.wait_metric("canang_connections", 0)
    assert canang.metrics().closes() == {("1000", "normal"): 1, ("1005", "normal"): 1}


# -- life and end ------------------------------------------------------------------------------


async def test_comments_keep_it_alive_and_silence_is_no_death(start_canang):
    canang = start_canang(ping_interval="300ms", pong_timeout="200ms")
    stream = await subscribe(canang, "/sse/quiet")
    await stream.until(lambda: stream.parser.comments >= 5, "five comments")
    assert canang.metrics().closes() == {}
    await stream.close()


async def test_who_takes_nothing_is_given_up(start_canang):
    canang = start_canang(
        ping_interval="1s", pong_timeout="1s", outbox_limit="64MiB", **WITHOUT_RATES
    )
    stream = await EventStream.open(canang.port, "/sse/full", limit=1024)
    author = await open_client(canang.url("/ws/full?echo=false"))
    # more than the sockets' buffers take, so that what waits is never acknowledged
    for _ in range(400):
        await author.send("x" * 60_000)
    await eventually(
        lambda: canang.metrics().closes() == {("1006", "ping_timeout"): 1}, "given up", 20
    )
    stream.abort()
    await author.close()


async def test_a_slow_reader_is_closed_and_comes_back_where_it_was(start_canang):
    canang = start_canang(
        outbox_limit="100KiB", slow_consumer_grace="0s", history_size=1000, history_bytes="64MiB",
        **WITHOUT_RATES,
    )  # fmt: skip
    stream = await EventStream.open(canang.port, "/sse/slow", limit=1024)
    author = await open_client(canang.url("/ws/slow"))
    sent = [f"{n:03}" + "x" * 60_000 for n in range(200)]
    for message in sent:
        await author.send(message)
        await receive(author)
    await eventually(
        lambda: canang.metrics().closes().get(("1008", "slow_consumer")) == 1, "closed"
    )
    await stream.read_all()
    assert json.loads(stream.of_type("close")[0]) == {"code": 1008, "reason": "slow consumer"}
    assert stream.parser.retry_ms in RETRY_MS
    got = stream.of_type()
    assert 0 < len(got) < len(sent) and got == sent[: len(got)]
    again = await subscribe(canang, "/sse/slow", last_id=stream.parser.last_id)
    await again.has(*sent[len(got) :])
    await again.close()
    await author.close()


async def test_a_node_that_goes_down_says_when_to_come_back(start_canang):
    canang = start_canang(drain_period="2s")
    streams = [await subscribe(canang, "/sse/end") for _ in range(10)]
    several = await subscribe(canang, "/sse?room=end&room=other", rooms=2)
    canang.signal(signal.SIGTERM)
    await asyncio.gather(*(stream.read_all() for stream in [*streams, several]))
    pauses = {stream.parser.retry_ms for stream in streams}
    assert all(pause in RETURN_MS for pause in pauses)
    assert len(pauses) > 2, "not all at once"
    assert several.parser.retry_ms in RETURN_MS
    assert all(stream.of_type("close") == [] for stream in streams)
    for stream in [*streams, several]:
        await stream.close()
    assert await asyncio.to_thread(canang.wait_exit) == 0


# -- others' programs --------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_nginx_passes_events_on_at_once(canang, tmp_path, version):
    nginx = Nginx(tmp_path / "nginx", canang.port, version)
    try:
        stream = await EventStream.open(
            nginx.port, "/sse/proxied", {"Accept-Encoding": "gzip"}
        )
        assert stream.status == 200
        assert "content-encoding" not in stream.headers
        await stream.joined()
        await publish(canang, "proxied", "one")
        await stream.has("one")
        await publish(canang, "proxied", "two\nlines")
        await stream.has("one", "two\nlines")
        await stream.close()
        canang.wait_metric("canang_connections", 0)
        again = await EventStream.open(nginx.port, "/sse/proxied", last_id=places(stream)[0])
        await again.has("two\nlines")
        await again.close()
        wrong = await EventStream.open(nginx.port, "/sse/proxied?since=x")
        assert wrong.status == 400
        await wrong.close()
    finally:
        nginx.kill()


async def test_curl(canang, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    output = tmp_path / "curl.out"
    with output.open("wb") as file:
        curl = subprocess.Popen(
            ["curl", "-sN", f"http://127.0.0.1:{canang.port}/sse/kitchen"], stdout=file
        )
    try:
        await eventually(lambda: "event: join\n" in output.read_text(), "curl has joined")
        await publish(canang, "kitchen", "dinner is ready")
        await eventually(lambda: "\ndata: dinner is ready\n\n" in output.read_text(), "it")
    finally:
        curl.kill()
        await asyncio.to_thread(curl.wait)
    wait_until(lambda: canang.metrics()["canang_connections"] == 0, "it is gone")
