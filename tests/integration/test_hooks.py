"""What the operator's program is asked and told about clients: docs/hooks.md."""

import asyncio
import json
import signal
import time
from contextlib import suppress
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.asking import ask
from support.canang_process import run_to_end
from support.centrifugo import FORMATS, Json, Peer, Protobuf, honest_pair, peers
from support.certificates import Authority
from support.clients import open_client, receive
from support.hook_backend import NEVER, QUESTIONS, HookBackend
from support.raw_websocket import RawWebSocket
from support.redis_process import free_port
from support.tokens import SECRET, token
from support.waiting import eventually, wait_until

HOOK_SECRET = "a-secret-that-signs-requests"
by_format = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)


@pytest.fixture
def backend():
    with HookBackend() as made:
        yield made


@pytest.fixture
def start(start_canang, backend):
    """`start("connect", "rpc", ...)`: a server that asks these of the backend."""

    def begin(*hooks, **options):
        return start_canang(**backend.options(*hooks), **options)

    return begin


def results(canang, hook, result):
    return canang.metrics().total("canang_hook_requests_total", hook=hook, result=result)


async def one(canang, format=Json, connect=None, **options):
    """A client that has connected."""
    peer = await Peer.open(canang, format, **options)
    reply = await peer.ask(connect=connect or {})
    assert "connect" in reply, reply
    return peer, reply["connect"]


# -- connect -----------------------------------------------------------------------------------


@by_format
async def test_it_says_who_a_client_is_and_what_it_is_told(start, backend, format):
    backend.answers["connect"] = {"result": {
        "user": "ann", "info": {"name": "Ann"}, "data": {"motd": "hi"}, "channels": ["news"],
        "meta": {"plan": "pro"}}}  # fmt: skip
    canang = start("connect", "subscribe")
    said = {"data": format.data({"from": "test"}), "name": "tests", "version": "1.2",
            "subs": {"other": {}}}  # fmt: skip
    ann, reply = await one(canang, format, said)
    try:
        [question] = backend.bodies("connect")
        assert question == {
            "client": reply["client"], "transport": "websocket", "protocol": format.name,
            "encoding": "json", "name": "tests", "version": "1.2", "channels": ["other"],
            "data": {"from": "test"}}  # fmt: skip
        assert format.value(reply["data"]) == {"motd": "hi"}
        assert list(reply["subs"]) == ["news"]
        await ann.subscribe("lobby")
        presence = (await ann.ask(presence={"channel": "lobby"}))["presence"]["presence"]
        [member] = presence.values()
        assert member["user"] == "ann" and format.value(member["conn_info"]) == {"name": "Ann"}
        [question] = backend.bodies("subscribe")
        assert (question["user"], question["meta"]) == ("ann", {"plan": "pro"})
        assert question["client"] == reply["client"] and question["channel"] == "lobby"
    finally:
        await ann.end()


@by_format
async def test_it_refuses_a_client_with_an_error_or_a_disconnect_of_its_own(start, backend, format):
    canang = start("connect")
    backend.answers["connect"] = {"error": {"code": 1000, "message": "not today", "temporary": True}}
    async with peers(canang, format, connected=False) as [peer]:
        error = (await peer.ask(connect={}))["error"]
        assert error == {"code": 1000, "message": "not today", "temporary": True}
        backend.answers["connect"] = {"result": {"user": "ann"}}
        assert "connect" in await peer.ask(connect={}), "it may try again"
    backend.answers["connect"] = {"disconnect": {"code": 4001, "reason": "out"}}
    async with peers(canang, format, connected=False) as [peer]:
        await peer.send(peer.numbered(connect={}))
        assert await peer.closed() == 4001
        assert peer.socket.close_reason == "out"


async def test_a_client_with_a_token_is_who_that_says_and_the_backend_is_not_asked(start, backend):
    canang = start("connect", token_hmac_secret=SECRET)
    peer, _ = await one(canang, connect={"token": token("bob")})
    await peer.subscribe("lobby")
    [member] = (await peer.ask(presence={"channel": "lobby"}))["presence"]["presence"].values()
    assert member["user"] == "bob" and not backend.asked()
    await peer.end()
    async with peers(canang, Json, connected=False) as [bad]:
        await bad.send(bad.numbered(connect={"token": token("bob", "another secret of thirty-two chars")}))
        assert await bad.closed() == 3500
    assert not backend.asked()


async def test_what_it_does_not_say_a_user_is_called_in_the_url_is_not_believed(start, backend):
    canang = start("connect")
    peer, _ = await one(canang, user="bob")
    await peer.subscribe("lobby")
    [member] = (await peer.ask(presence={"channel": "lobby"}))["presence"]["presence"].values()
    assert member.get("user", "") == ""
    await peer.end()


async def test_fields_of_the_clients_request_are_passed_on_where_they_are_named(start, backend):
    canang = start("connect", "subscribe", hook_headers="Cookie,X-Tenant")
    fields = {"Cookie": "session=1", "x-tenant": "blue", "X-Other": "secret"}
    client = await open_client(canang.url("/ws/lobby"), additional_headers=fields)
    await client.close()
    for hook in ("connect", "subscribe"):
        [asked] = backend.asked(hook)
        assert asked.headers["cookie"] == "session=1" and asked.headers["x-tenant"] == "blue"
        assert "x-other" not in asked.headers
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["host"] == f"127.0.0.1:{backend.port}"


# -- plain clients -----------------------------------------------------------------------------


async def test_plain_clients_are_asked_about_before_the_upgrade(start, backend):
    canang = start("connect", "subscribe")
    backend.answers["connect"] = {"result": {"user": "ann", "info": {"name": "Ann"}}}
    ann = await open_client(canang.url("/ws/lobby?meta=true&user=bob"))
    assert json.loads(await receive(ann))["join"]["room"] == "lobby"
    assert [q["protocol"] for q in backend.bodies("connect")] == ["plain"]
    assert [(q["user"], q["channel"]) for q in backend.bodies("subscribe")] == [("ann", "lobby")]
    await ann.close()
    for hook, answer, status in (
        ("connect", {"error": {"code": 1000, "message": "no"}}, 403),
        ("connect", {"error": {"code": 1000, "message": "no", "temporary": True}}, 503),
        ("connect", {"disconnect": {"code": 4001, "reason": "no"}}, 403),
        ("subscribe", {"error": {"code": 1000, "message": "no"}}, 403),
        ("subscribe", {"disconnect": {"code": 4001, "reason": "no"}}, 403),
        ("connect", b"garbage", 503),
        ("subscribe", b"garbage", 503),
    ):
        backend.answers = {"connect": {"result": {"user": "ann"}}, hook: answer}
        for path in ("/ws/lobby", "/sse/lobby"):
            if path.startswith("/ws"):
                with pytest.raises(InvalidStatus) as refused:
                    await open_client(canang.url(path))
                got = refused.value.response.status_code
            else:
                got = canang.get(path).status
            assert got == status, (hook, answer, path)


async def test_what_plain_clients_publish_is_asked_about(start, backend):
    canang = start("publish")
    ann = await open_client(canang.url("/ws/lobby"))
    backend.answers["publish"] = {"result": {}}
    await ann.send("no JSON")
    assert await receive(ann) == "no JSON"
    await ann.send(b"\xff\x00")
    assert await receive(ann) == b"\xff\x00"
    text, binary = backend.bodies("publish")
    assert (text["encoding"], text["b64data"]) == ("binary", "bm8gSlNPTg==") and "data" not in text
    assert (binary["encoding"], binary["b64data"]) == ("binary", "/wA=")
    backend.answers["publish"] = {"result": {"data": {"clean": 1}}}
    await ann.send('{"dirty":1}')
    assert json.loads(await receive(ann)) == {"clean": 1}
    backend.answers["publish"] = {"error": {"code": 1000, "message": "no"}}
    await ann.send("bad")
    await ann.wait_closed()
    assert (ann.close_code, ann.close_reason) == (1008, "not allowed")
    again = await open_client(canang.url("/ws/lobby"))
    backend.answers["publish"] = {"disconnect": {"code": 4001, "reason": "out"}}
    await again.send("bad")
    await again.wait_closed()
    assert (again.close_code, again.close_reason) == (4001, "out")


# -- rooms -------------------------------------------------------------------------------------


@by_format
async def test_it_says_who_may_be_in_a_room(start, backend, format):
    canang = start("subscribe")
    backend.answers["subscribe"] = lambda asked: (
        {"result": {"info": {"role": "guest"}, "data": {"topic": "x"}}}
        if asked["channel"] == "open"
        else {"error": {"code": 1001, "message": "members only"}}
    )
    async with peers(canang, format) as [peer]:
        reply = await peer.subscribe("open", data=format.data({"why": 1}))
        assert format.value(reply["data"]) == {"topic": "x"}
        assert backend.bodies("subscribe")[0]["data"] == {"why": 1}
        [member] = (await peer.ask(presence={"channel": "open"}))["presence"]["presence"].values()
        assert format.value(member["chan_info"]) == {"role": "guest"}
        error = (await peer.ask(subscribe={"channel": "closed"}))["error"]
        assert (error["code"], error["message"]) == (1001, "members only")
        backend.answers["subscribe"] = {"disconnect": {"code": 4003, "reason": "enough"}}
        await peer.send(peer.numbered(subscribe={"channel": "other"}))
        assert await peer.closed() == 4003


async def test_it_is_not_asked_about_rooms_whose_settings_say_so(start, backend, tmp_path):
    file = tmp_path / "canang.toml"
    file.write_text("""
[rooms]
hook-subscribe = false
hook-publish = false
[namespaces.asked]
hook-subscribe = true
[namespaces.shut]
allow-subscribe = "nobody"
hook-subscribe = true
""")
    canang = start("subscribe", "publish", config=file)
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("lobby")
        await peer.publish("lobby", 1)
        await peer.subscribe("asked:1")
        assert (await peer.ask(subscribe={"channel": "shut:1"}))["error"]["code"] == 103
        assert (await peer.ask(subscribe={"channel": "$private"}))["error"]["code"] == 103
    assert [q["channel"] for q in backend.bodies("subscribe")] == ["asked:1"]
    assert not backend.asked("publish")


@by_format
async def test_it_says_what_may_be_published_and_changes_it(start, backend, format):
    canang = start("publish")
    backend.answers["publish"] = lambda asked: (
        {"error": {"code": 1002, "message": "language"}}
        if asked["data"] == "bad"
        else {"result": {"data": {"by": asked["user"], "said": asked["data"]}}}
    )
    async with peers(canang, format, user="ann") as [peer]:
        await peer.subscribe("lobby")
        await peer.publish("lobby", "good")
        refused = await peer.ask(publish={"channel": "lobby", "data": format.data("bad")})
        assert refused["error"]["code"] == 1002
        await peer.publish("lobby", "better")
        await peer.has("lobby", 2)
        assert [value["said"] for value in peer.values("lobby")] == ["good", "better"]
        history = (await peer.ask(history={"channel": "lobby", "limit": 10}))["history"]
        assert len(history["publications"]) == 2, "what was refused is not kept"


async def test_what_is_published_keeps_its_order_while_it_is_asked_about(start, backend):
    canang = start("publish")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("lobby")
        await peer.send(*(peer.numbered(publish={"channel": "lobby", "data": n}) for n in range(50)))
        await peer.has("lobby", 50)
        assert peer.values("lobby") == list(range(50))
    assert len(backend.bodies("publish")) == 50


# -- calls -------------------------------------------------------------------------------------


@by_format
async def test_it_answers_what_clients_ask(start, backend, format):
    canang = start("rpc")
    backend.answers["rpc"] = lambda asked: (
        {"result": {"data": {"sum": sum(asked["data"])}}}
        if asked["method"] == "sum"
        else {"error": {"code": 1003, "message": "no such thing"}}
    )
    async with peers(canang, format, user="ann") as [peer]:
        reply = await peer.ask(rpc={"method": "sum", "data": format.data([1, 2])})
        assert format.value(reply["rpc"]["data"]) == {"sum": 3}
        assert backend.bodies("rpc")[0]["user"] == "ann"
        assert (await peer.ask(rpc={"method": "other"}))["error"]["code"] == 1003
        backend.answers["rpc"] = {"result": {}}
        assert "error" not in await peer.ask(rpc={"method": "nothing"})


async def test_without_that_hook_nobody_answers_calls(start):
    canang = start("publish")
    async with peers(canang, Json) as [peer]:
        assert (await peer.ask(rpc={"method": "sum"}))["error"]["code"] == 104


# -- how long ----------------------------------------------------------------------------------


async def test_it_is_asked_whether_a_client_may_stay(start, backend):
    canang = start("connect", "refresh")
    backend.answers["connect"] = {"result": {"user": "ann", "expire_at": int(time.time()) + 2}}
    backend.answers["refresh"] = {"result": {"expire_at": int(time.time()) + 4}}
    peer, reply = await one(canang)
    assert not reply.get("expires"), "the server sees to it"
    await peer.until(lambda: backend.bodies("refresh"), "it is asked")
    assert backend.bodies("refresh")[0]["user"] == "ann"
    backend.answers["refresh"] = {"result": {"expired": True}}
    assert await peer.closed() == 3005
    assert len(backend.bodies("refresh")) == 2


async def test_a_client_stays_where_nobody_can_be_asked_whether_it_may(start, backend):
    canang = start("connect", "refresh")
    backend.answers["connect"] = {"result": {"user": "ann", "expire_at": int(time.time()) + 2}}
    backend.answers["refresh"] = b"garbage"
    peer, _ = await one(canang)
    await peer.until(lambda: results(canang, "refresh", "bad_answer") == 1, "it was asked")
    assert peer.is_open
    await peer.subscribe("lobby")
    await peer.end()


# What does not say that a client may stay.
GOES = [
    {},
    {"result": None},
    {"result": {}},
    {"result": {"expired": "true"}},
    {"result": {"expired": True, "info": "x" * 5000}},
    {"error": {"message": "no"}},
    {"error": {"code": 4001}},
]


@pytest.mark.parametrize("answer", GOES, ids=lambda one: str(one)[:40])
async def test_a_client_goes_where_it_is_not_said_that_it_may_stay(start, backend, answer):
    canang = start("connect", "refresh")
    backend.answers["connect"] = {"result": {"user": "ann", "expire_at": int(time.time()) + 2}}
    backend.answers["refresh"] = answer
    peer, _ = await one(canang)
    assert await peer.closed() == 3005


@pytest.mark.parametrize("answer", [one for one in GOES if one != {"result": {}}], ids=lambda one: str(one)[:40])
async def test_a_client_leaves_a_room_where_it_is_not_said_that_it_may_stay(start, backend, answer):
    canang = start("subscribe", "sub_refresh")
    backend.answers["subscribe"] = {"result": {"expire_at": int(time.time()) + 2}}
    backend.answers["sub_refresh"] = answer
    async with peers(canang, Json, user="ann") as [peer]:
        await peer.subscribe("lobby")
        await peer.until(lambda: [p for p in peer.pushes if "unsubscribe" in p], "it has to go")
        assert peer.is_open


async def test_what_comes_with_questions_is_what_the_last_refresh_has_said(start, backend):
    canang = start("connect", "refresh", "rpc")
    soon = int(time.time()) + 2
    backend.answers["connect"] = {"result": {"user": "ann", "expire_at": soon, "meta": {"role": "mod"}}}
    backend.answers["refresh"] = {"result": {"expire_at": soon + 3600, "meta": ["none"]}}
    peer, _ = await one(canang)
    await peer.until(lambda: results(canang, "refresh", "ok") == 1, "it was asked")
    await peer.ask(rpc={"method": "x"})
    assert backend.bodies("refresh")[0]["meta"] == {"role": "mod"}
    assert backend.bodies("rpc")[0]["meta"] == ["none"]
    await peer.end()


@pytest.mark.parametrize("ago_s", [5, 1_000_000_000])
async def test_a_yes_that_is_over_is_a_no(start, backend, ago_s):
    canang = start("connect", "subscribe")
    at = int(time.time()) - ago_s
    backend.answers["connect"] = {"result": {"user": "ann", "expire_at": at}}
    async with peers(canang, Json, connected=False) as [peer]:
        assert (await peer.ask(connect={}))["error"]["code"] == 110
    backend.answers["connect"] = {"result": {"user": "ann"}}
    backend.answers["subscribe"] = {"result": {"expire_at": at}}
    peer, _ = await one(canang)
    assert (await peer.ask(subscribe={"channel": "lobby"}))["error"]["code"] == 110
    await peer.end()


async def test_it_is_asked_whether_a_client_may_stay_in_a_room(start, backend):
    canang = start("subscribe", "sub_refresh")
    backend.answers["subscribe"] = {"result": {"expire_at": int(time.time()) + 2}}
    backend.answers["sub_refresh"] = {"result": {"expire_at": int(time.time()) + 4}}
    async with peers(canang, Json, user="ann") as [peer]:
        await peer.subscribe("lobby")
        await peer.until(lambda: backend.bodies("sub_refresh"), "it is asked")
        assert backend.bodies("sub_refresh")[0]["channel"] == "lobby"
        backend.answers["sub_refresh"] = {"result": {"expired": True}}
        await peer.until(lambda: [p for p in peer.pushes if "unsubscribe" in p], "it has to go")
        assert peer.is_open and len(backend.bodies("sub_refresh")) == 2


# -- events ------------------------------------------------------------------------------------


async def test_it_is_told_of_clients_that_have_gone(start, backend):
    canang = start("connect", "disconnect")
    backend.answers["connect"] = {"result": {"user": "ann", "meta": {"plan": "pro"}}}
    peer, reply = await one(canang)
    await peer.socket.close(1000)
    await peer.end()
    [gone] = wait_until(lambda: backend.events("disconnect"), "it is told")
    assert abs(gone.pop("time_ms") / 1000 - time.time()) < 30
    assert gone == {"type": "disconnect", "client": reply["client"], "transport": "websocket",
                    "protocol": "json", "user": "ann", "code": 1000, "reason": "normal",
                    "meta": {"plan": "pro"}}  # fmt: skip
    backend.answers["connect"] = {"error": {"code": 1000, "message": "no"}}
    refused = await Peer.open(canang)
    await refused.ask(connect={})
    await refused.end()
    backend.answers["connect"] = {"result": {"user": "bob"}}
    with RawWebSocket(canang.port, "/ws/lobby") as cut:
        cut.reset()
    [gone] = wait_until(lambda: backend.events("disconnect", user="bob"), "it is told")
    assert (gone["code"], gone["protocol"]) == (1006, "plain")
    assert len(backend.events("disconnect")) == 2, "nobody knew of the one that was refused"


async def test_it_is_told_which_rooms_have_members(start, backend):
    canang = start("rooms", room_linger="100ms")
    async with peers(canang, Json, Protobuf) as pair:
        for peer in pair:
            await peer.subscribe("lobby")
        [event] = wait_until(lambda: backend.events("rooms"), "it is told")
        assert (event["type"], event["channel"]) == ("occupied", "lobby") and event["node"]
        for peer in pair:
            assert "error" not in await peer.ask(unsubscribe={"channel": "lobby"})
        [event] = wait_until(lambda: backend.events("rooms", type="vacated"), "it is told")
        assert event["channel"] == "lobby"
        await pair[0].subscribe("lobby")
        wait_until(lambda: len(backend.events("rooms", type="occupied")) == 2, "it is told again")
    types = [event["type"] for event in backend.events("rooms")]
    assert types[:3] == ["occupied", "vacated", "occupied"]


async def test_a_room_whose_member_comes_back_at_once_was_occupied_all_the_time(start, backend):
    canang = start("rooms", room_linger="1m")
    for _ in range(3):
        async with peers(canang, Json) as [peer]:
            await peer.subscribe("lobby")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("last")
        wait_until(lambda: backend.events("rooms", channel="last"), "it is told")
    assert len(backend.events("rooms", channel="lobby")) == 1


async def test_it_is_not_told_of_rooms_whose_settings_say_so(start, backend, tmp_path):
    file = tmp_path / "canang.toml"
    file.write_text("[namespaces.quiet]\nhook-rooms = false\n")
    canang = start("rooms", config=file)
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("quiet:1")
        await peer.subscribe("lobby")
        wait_until(lambda: backend.events("rooms"), "it is told")
    assert not backend.events("rooms", channel="quiet:1")


async def test_what_waits_is_told_before_the_server_ends(start, backend):
    canang = start("rooms", "disconnect", room_linger="1m")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("lobby")
        canang.signal(signal.SIGINT)
        await peer.closed()
    assert canang.wait_exit() == 0
    assert [event["type"] for event in backend.events("rooms")] == ["occupied", "vacated"]
    [gone] = backend.events("disconnect")
    assert gone["reason"] == "drain"


async def test_events_wait_for_a_backend_that_is_away(start_canang):
    port = free_port()
    canang = start_canang(hook_rooms=f"http://127.0.0.1:{port}/rooms")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("lobby")
        wait_until(lambda: results(canang, "rooms", "unreachable") >= 1, "it was tried")
        await peer.subscribe("other")
        with HookBackend(port=port) as backend:
            wait_until(lambda: len(backend.events("rooms")) == 2, "it is told", 20)
            assert [event["channel"] for event in backend.events("rooms")] == ["lobby", "other"]
            wait_until(
                lambda: canang.metrics().total("canang_hook_events_total", result="told") == 2, "counted"
            )
    metrics = canang.metrics()
    assert metrics.total("canang_hook_events_total", result="lost") == 0


async def test_events_are_tried_again_where_they_are_not_taken(start, backend):
    backend.status = 500
    canang = start("rooms")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("lobby")
        wait_until(lambda: results(canang, "rooms", "status") >= 1, "it was refused")
        backend.status = 204
        wait_until(
            lambda: canang.metrics().total("canang_hook_events_total", result="told") == 1, "taken", 10
        )
    assert len(backend.events("rooms")) >= 2, "the same event"


# -- signatures --------------------------------------------------------------------------------


async def test_requests_are_signed(start, backend):
    canang = start("connect", "rooms", hook_secret=HOOK_SECRET)
    peer, _ = await one(canang)
    await peer.subscribe("lobby")
    wait_until(lambda: backend.asked("rooms"), "it is told")
    await peer.end()
    for asked in (backend.asked("connect")[0], backend.asked("rooms")[0]):
        assert asked.is_signed(HOOK_SECRET)
        assert not asked.is_signed("another-secret-of-the-tests")
        asked.raw += b" "
        assert not asked.is_signed(HOOK_SECRET)


def test_clients_cannot_make_their_own_signature():
    refused = run_to_end(["--hook-headers", "X-Canang-Signature", "--check-config"])
    assert refused.returncode == 2 and "--hook-headers" in refused.stderr


async def test_no_secret_is_in_the_log(start_canang, backend):
    url = backend.url("connect") + "?key=" + quote("secret in the query")
    canang = start_canang(hook_connect=url, hook_secret=HOOK_SECRET, log_level="debug")
    backend.status = 500
    async with peers(canang, Json, connected=False) as [peer]:
        await peer.ask(connect={})
    canang.wait_log("status 500")
    assert HOOK_SECRET not in canang.stderr() + canang.stdout()
    assert "query" not in canang.stderr() + canang.stdout()


# -- connections to it -------------------------------------------------------------------------


async def test_a_connection_is_kept_for_the_next_question(start, backend):
    canang = start("rpc")
    async with peers(canang, Json) as [peer]:
        for n in range(5):
            assert "error" not in await peer.ask(rpc={"method": "x", "data": n})
    assert len({asked.connection for asked in backend.asked()}) == 1
    assert canang.metrics()["canang_hook_connections_total"] == 1


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


async def test_it_is_asked_over_tls(start_canang, authority):
    with HookBackend(authority.certify("backend")) as backend:
        canang = start_canang(
            **backend.options("rpc", host="localhost"), hook_ca=authority.certificate
        )
        async with peers(canang, Json) as [peer]:
            for n in range(3):
                assert "error" not in await peer.ask(rpc={"method": "x", "data": n})
        assert len({asked.connection for asked in backend.asked()}) == 1


async def test_what_comes_unasked_over_tls_answers_no_later_question(start_canang, authority):
    with HookBackend(authority.certify("backend")) as backend:
        backend.unasked = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + b'{"result":{}}'
        backend.answers["subscribe"] = lambda asked: (
            {"result": {}} if asked["channel"].startswith("yes") else {"error": {"code": 1000, "message": "no"}}
        )
        canang = start_canang(
            **backend.options("subscribe", host="localhost"), hook_ca=authority.certificate
        )
        async with peers(canang, Json) as [peer]:
            for n in range(3):
                assert "error" not in await peer.ask(subscribe={"channel": f"yes{n}"})
                assert (await peer.ask(subscribe={"channel": f"no{n}"}))["error"]["code"] == 1000


@pytest.mark.parametrize("wrong", ["unknown authority", "another name", "expired"])
async def test_it_is_not_asked_where_its_certificate_is_wrong(start_canang, authority, tmp_path, wrong):
    days = -1 if wrong == "expired" else 2
    other = Authority(tmp_path, "other")
    with HookBackend(authority.certify("backend", days), host="0.0.0.0") as backend:
        canang = start_canang(
            **backend.options("rpc", host="127.0.0.2" if wrong == "another name" else "localhost"),
            hook_ca=(other if wrong == "unknown authority" else authority).certificate,
        )
        async with peers(canang, Json) as [peer]:
            error = (await peer.ask(rpc={"method": "x"}))["error"]
            assert (error["code"], error["temporary"]) == (100, True)
        assert not backend.asked()
        canang.wait_log("certificate verify failed")


# -- bad answers -------------------------------------------------------------------------------

TEN_MB = 10 * 1024 * 1024


def is_down(backend):
    backend.end()


def says(**more):
    def prepare(backend):
        for name, value in more.items():
            setattr(backend, name, value)

    return prepare


def answers(answer, **more):
    def prepare(backend):
        backend.answers = dict.fromkeys(QUESTIONS, answer)
        says(**more)(backend)

    return prepare


# What the backend does, and what becomes of the request.
BAD = {
    "500": (says(status=500), "status"),
    "404": (says(status=404), "status"),
    "a redirect": (says(status=302), "status"),
    "a proxy's 502": (says(status=502), "status"),
    "HTML": (answers(b"<html>busy</html>"), "bad_answer"),
    "nothing": (answers(b""), "bad_answer"),
    "no result": (answers({}), "bad_answer"),
    "a list": (answers([]), "bad_answer"),
    "bytes that are not UTF-8": (answers(b'{"result":{"data":"\xff"}}'), "bad_answer"),
    "half of an object": (answers(b'{"result":{'), "bad_answer"),
    "nesting": (answers(b'{"result":{"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"), "bad_answer"),
    "10 MB": (answers({"result": {"data": "x" * TEN_MB}}), "too_large"),
    "a header of 10 MB": (says(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * TEN_MB), "too_large"),
    "no HTTP": (says(raw=b"220 mail.example ESMTP\r\n\r\n"), "bad_answer"),
    "half of an answer": (
        says(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"res'),
        "unreachable",
    ),
    "slowly": (answers({"result": {}}, pace_s=0.2), "timeout"),
    "never": (answers(NEVER), "timeout"),
    "no connection": (is_down, "unreachable"),
}
ONLY_ASKED = """
[rooms]
hook-subscribe = false
hook-publish = false
[namespaces.asked]
hook-subscribe = true
hook-publish = true
"""


@pytest.mark.parametrize("bad", BAD)
async def test_without_an_answer_clients_are_refused_and_nobody_else_notices(start, backend, tmp_path, bad):
    prepare, result = BAD[bad]
    file = tmp_path / "canang.toml"
    file.write_text(ONLY_ASKED)
    canang = start("subscribe", "publish", "rpc", config=file, hook_timeout="500ms")
    async with peers(canang, Json) as [peer], honest_pair(canang):
        prepare(backend)
        began = time.monotonic()
        refused = (await peer.ask(subscribe={"channel": "asked:1"}))["error"]
        assert (refused["code"], refused.get("temporary")) == (100, True)
        assert time.monotonic() - began < 3
        for command in ({"publish": {"channel": "asked:1", "data": 1}}, {"rpc": {"method": "x"}}):
            assert (await peer.ask(**command))["error"]["code"] == 100
        assert peer.is_open
    assert results(canang, "subscribe", result) == 1
    assert canang.metrics()["canang_hook_in_flight"] == 0


# Of these the ones that say that nobody is there.
ABSENT = ["a proxy's 502", "half of an answer", "slowly", "never", "no connection"]


@pytest.mark.parametrize("bad", ABSENT)
async def test_where_the_operator_says_so_clients_may_then_subscribe_and_publish(start, backend, bad):
    canang = start("subscribe", "publish", "rpc", hook_fail="open", hook_timeout="200ms")
    async with peers(canang, *FORMATS) as pair:
        BAD[bad][0](backend)
        for peer in pair:
            await peer.subscribe("lobby")
            await peer.publish("lobby", peer.format.name)
        await pair[0].has("lobby", 2)
        assert (await pair[0].ask(rpc={"method": "x"}))["error"]["code"] == 100, "there is no answer"


@pytest.mark.parametrize("fail", ["open", "closed"])
async def test_without_an_answer_nobody_comes_in(start, backend, fail):
    canang = start("connect", hook_fail=fail)
    backend.answers["connect"] = b"garbage"
    async with peers(canang, Json, connected=False) as [peer]:
        error = (await peer.ask(connect={}))["error"]
        assert (error["code"], error["temporary"]) == (100, True)
    assert ask(canang, "/ws/lobby").status == 503


@pytest.mark.parametrize("bad", [one for one in BAD if one not in ABSENT])
async def test_who_answers_wrongly_is_there_and_has_let_nobody_in(start, backend, bad):
    canang = start("subscribe", "publish", hook_fail="open")
    async with peers(canang, Json) as [peer]:
        BAD[bad][0](backend)
        for command in ({"subscribe": {"channel": "lobby"}}, {"publish": {"channel": "lobby", "data": 1}}):
            assert (await peer.ask(**command))["error"]["code"] == 100


# What is meant for a no, and what the client is told.
NOES = {
    "an error": ({"error": {"code": 1000, "message": "no"}}, (1000, "no")),
    "without a code": ({"error": {"message": "denied"}}, (103, "denied")),
    "of code 0": ({"error": {"code": 0, "message": "denied"}}, (103, "denied")),
    "of code 4003": ({"error": {"code": 4003, "message": "no"}}, (4003, "no")),
    "that is empty": ({"error": {}}, (103, "permission denied")),
    "that is a text": ({"result": {}, "error": "denied"}, (103, "permission denied")),
    "with a capital letter": ({"result": {}, "Error": {"Code": 1000, "Message": "no"}}, (1000, "no")),
}


@pytest.mark.parametrize("no", NOES)
async def test_where_it_says_no_clients_are_refused_however_it_says_it(start, backend, no):
    answer, told = NOES[no]
    canang = start("subscribe", "publish", hook_fail="open")
    backend.answers |= {"subscribe": answer, "publish": answer}
    async with peers(canang, Json) as [peer]:
        for command in ({"subscribe": {"channel": "lobby"}}, {"publish": {"channel": "lobby", "data": 1}}):
            error = (await peer.ask(**command))["error"]
            assert (error["code"], error["message"]) == told and "temporary" not in error
    if told[0] == 103:
        canang.wait_log("its error has no code from 100 on")


@pytest.mark.parametrize("end", [{}, {"code": 403}, "out"], ids=str)
async def test_a_disconnect_without_a_code_is_one(start, backend, end):
    canang = start("subscribe", hook_fail="open")
    backend.answers["subscribe"] = {"result": {}, "disconnect": end}
    async with peers(canang, Json) as [peer]:
        await peer.send(peer.numbered(subscribe={"channel": "lobby"}))
        assert await peer.closed() == 4500


async def test_a_backend_that_is_not_there_is_spared_until_it_is_back(start_canang):
    port = free_port()
    canang = start_canang(hook_rpc=f"http://127.0.0.1:{port}/rpc")
    async with peers(canang, Json) as [peer]:
        for _ in range(11):
            assert (await peer.ask(rpc={"method": "x"}))["error"]["code"] == 100
        assert results(canang, "rpc", "unreachable") == 10
        assert results(canang, "rpc", "breaker") == 1
        assert canang.metrics().total("canang_hook_breaker_state", hook="rpc") == 2
        canang.wait_log("is not asked for a while")
        with HookBackend(port=port) as backend:
            deadline = time.monotonic() + 20
            while "error" in await peer.ask(rpc={"method": "x"}):
                assert time.monotonic() < deadline, "it is asked again"
            assert backend.asked("rpc")
            assert canang.metrics().total("canang_hook_breaker_state", hook="rpc") == 0
            canang.wait_log("answers again")


async def test_a_name_that_is_not_known_is_a_backend_that_is_not_there(start_canang):
    canang = start_canang(hook_rpc="https://hooks.invalid/rpc", hook_timeout="3s")
    async with peers(canang, Json) as [peer], honest_pair(canang):
        error = (await peer.ask(rpc={"method": "x"}))["error"]
        assert (error["code"], error["temporary"]) == (100, True)
    assert results(canang, "rpc", "unreachable") + results(canang, "rpc", "timeout") == 1


async def test_a_crowd_that_waits_for_answers_holds_up_nobody(start, backend, tmp_path):
    file = tmp_path / "canang.toml"
    file.write_text(ONLY_ASKED)
    canang = start("subscribe", config=file, hook_timeout="2s", hook_in_flight=4)
    async with peers(canang, *[Json] * 50) as crowd, honest_pair(canang):
        backend.answers["subscribe"] = NEVER
        for peer in crowd:
            await peer.send(*(peer.numbered(subscribe={"channel": f"asked:{n}"}) for n in range(5)))
        await eventually(lambda: canang.metrics()["canang_hook_waiting"] >= 40, "they wait")
        assert canang.metrics()["canang_hook_in_flight"] == 4
        assert len(backend.asked("subscribe")) <= 8, "those under way, then and before"
    await eventually(lambda: canang.metrics()["canang_hook_waiting"] == 0, "they have gone", 20)
    assert canang.metrics()["canang_hook_in_flight"] <= 4


@by_format
async def test_one_message_brings_no_more_questions_than_may_wait(start, backend, format):
    canang = start("rpc", "publish")
    async with peers(canang, format) as [peer]:
        for more in ({"rpc": {"method": "x"}}, {"publish": {"channel": "lobby", "data": format.data(1)}}):
            commands = [peer.numbered(**more) for _ in range(600)]
            await peer.send(*commands)
            replies = [await peer.reply(one["id"]) for one in commands]
            refused = [one["error"]["code"] for one in replies if "error" in one]
            assert set(refused) == {100} and 300 < len(refused) < 400
        assert "error" not in await peer.ask(rpc={"method": "x"}), "the next one is asked"


async def test_who_is_refused_does_not_stay_by_trying_again(start, backend):
    canang = start("connect")
    backend.answers["connect"] = {"error": {"code": 1000, "message": "no"}}
    async with peers(canang, Json, connected=False) as [peer]:
        began = time.monotonic()
        while peer.is_open:
            assert time.monotonic() < began + 15, "10 s are for all its tries"
            with suppress(AssertionError, ConnectionClosed):  # it is closed
                await peer.ask(connect={})
            await asyncio.sleep(0.3)


def test_a_client_cannot_push_out_what_a_proxy_says_of_it(start):
    canang = start("connect", hook_headers="Cookie,X-Real-Ip")
    for path in ("/ws/lobby", "/sse/lobby"):
        assert ask(canang, path, Cookie="x" * 8200, X_Real_Ip="192.0.2.1").status == 431


async def test_a_connection_that_the_backend_has_closed_costs_nothing(start, backend):
    canang = start("subscribe")
    backend.raw = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + b'{"result":{}}'
    async with peers(canang, Json) as [peer]:
        for n in range(20):
            await peer.subscribe(f"room-{n}")
    assert results(canang, "subscribe", "ok") == 20


def test_what_is_wrong_with_an_option_is_told_without_its_value():
    for option, value in (("connect", "ftp://x/?key=hidden"), ("secret", "hidden"), ("ca", "/hidden")):
        refused = run_to_end([f"--hook-{option}", value, "--check-config"])
        assert refused.returncode == 2 and f"--hook-{option}" in refused.stderr, refused
        if option != "ca":
            assert "hidden" not in refused.stderr


def test_a_url_that_others_can_read_is_warned_of(start_canang):
    canang = start_canang(hook_rpc="http://10.0.0.1:1/rpc?key=hidden")
    [line] = canang.wait_log("is not asked with TLS")
    assert "hidden" not in line
