"""What a collector is told of publications, and what of it goes with them: docs/tracing.md."""

from __future__ import annotations

import json
import re
import time

from support.centrifugo import FORMATS, Json, peers
from support.clients import close_all, open_client, receive
from support.hook_backend import NEVER as NO_ANSWER
from support.redis_process import free_port
from support.server_api import post
from support.trace_collector import CLIENT, CONSUMER, ERROR, PRODUCER, SERVER, UNSET
from support.tracing import (  # noqa: F401  fixtures among them
    backend,
    by_format,
    call,
    collector,
    end,
    headers_of,
    member,
    MOST_TAGS,
    OTHER_PARENT,
    OTHER_TRACE,
    PARENT,
    PUBLISH,
    publish,
    sampled,
    SAMPLED,
    start,
    tags_of,
    TRACE,
    trace,
    wait_counted,
)
from support.waiting import eventually, wait_until


# -- spans -------------------------------------------------------------------------------------


async def test_a_publication_is_followed_from_the_request_to_its_members(start, collector):
    canang = start()
    client = await member(canang)
    began_ns = time.time_ns()
    stored = publish(canang, SAMPLED, data={"text": "hello"})
    assert await receive(client) == '{"text":"hello"}'
    await client.close()
    end(canang)
    ended_ns = time.time_ns()
    request, broker, deliver = (collector.one(name) for name in (PUBLISH, "broker", "deliver"))
    assert len(collector.spans()) == 3
    assert {span.trace for span in collector.spans()} == {TRACE}
    assert len({request.id, broker.id, deliver.id, PARENT}) == 4
    assert (request.parent, broker.parent, deliver.parent) == (PARENT, request.id, broker.id)
    assert (request.kind, broker.kind, deliver.kind) == (SERVER, PRODUCER, CONSUMER)
    assert {span.status for span in collector.spans()} == {UNSET}
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/publish",
        "http.response.status_code": 200,
    }
    assert broker.attributes == {
        "canang.room": "kitchen",
        "canang.bytes": len('{"text":"hello"}'),
        "canang.offset": stored["offset"],
    }
    assert deliver.attributes.keys() == {"canang.room", "canang.members", "canang.loop"}
    assert (deliver.room, deliver.attributes["canang.members"]) == ("kitchen", 1)
    for span in collector.spans():
        assert began_ns <= span.start_ns <= span.end_ns <= ended_ns
    assert request.start_ns <= broker.start_ns <= deliver.start_ns
    assert broker.end_ns <= request.end_ns, "its answer was known when it was stored"


def test_spans_are_sent_while_the_node_runs(start, collector):
    canang = start()
    publish(canang, SAMPLED)
    assert collector.wait_for("broker", TRACE)
    wait_counted(canang, "exported", 2)
    canang.wait_metric("canang_trace_spans_waiting", 0)
    told = canang.metrics().samples("canang_trace_spans_total")
    assert {labels["result"] for labels, _ in told} == {"exported", "dropped", "rejected"}
    for request in collector.requests():
        assert request.path == "/v1/traces"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["host"] == f"127.0.0.1:{collector.port}"


def test_spans_say_of_which_node_of_which_service_they_are(start, collector):
    named, unnamed = start(trace_service="chat"), start()
    told = {}
    for number, canang in enumerate((named, unnamed), 1):
        [node] = call(canang, "info")["result"]["nodes"]
        told[number] = node
        publish(canang, sampled(number))
        end(canang)
    for number, service in ((1, "chat"), (2, "canang")):
        for span in collector.spans(trace=trace(number)):
            assert span.resource["service.name"] == service
            assert span.resource["service.version"] == told[number]["version"]
            assert span.resource["service.instance.id"] == told[number]["uid"]
    assert len(collector.spans()) == 4


async def test_each_loop_that_has_members_delivers(start, collector):
    canang = start(workers=2)
    clients = [await open_client(canang.url("/ws/kitchen")) for _ in range(32)]
    await canang.members_are(32)
    publish(canang, SAMPLED)
    for client in clients:
        assert await receive(client) == "1"
    await close_all(*clients)
    end(canang)
    delivers = collector.spans("deliver")
    assert len(delivers) == len({span.attributes["canang.loop"] for span in delivers}) == 2
    assert sum(span.attributes["canang.members"] for span in delivers) == 32
    assert {span.parent for span in delivers} == {collector.one("broker").id}


async def test_a_room_without_members_has_no_deliver(start, collector):
    canang = start()
    client = await member(canang, "hall")
    publish(canang, sampled(1), "kitchen")
    publish(canang, sampled(2), "hall")
    assert await receive(client) == "1"
    await client.close()
    end(canang)
    assert collector.one("broker", trace(1)).room == "kitchen"
    assert collector.one("deliver").trace == trace(2)


async def test_what_skips_the_history_has_no_offset(start, collector):
    canang = start()
    client = await member(canang)
    assert publish(canang, SAMPLED, skip_history=True) == {}
    assert await receive(client) == "1"
    await client.close()
    end(canang)
    broker, deliver = collector.one("broker"), collector.one("deliver")
    assert "canang.offset" not in broker.attributes
    assert deliver.parent == broker.id


async def test_a_retry_with_the_same_key_is_delivered_once(start, collector):
    canang = start()
    client = await member(canang)
    for number in (1, 2):
        publish(canang, sampled(number), idempotency_key="k")
    publish(canang, sampled(3), data="last")
    assert [await receive(client), await receive(client)] == ["1", '"last"']
    await client.close()
    end(canang)
    assert [span.trace for span in collector.spans("deliver")] == [trace(1), trace(3)]
    assert len(collector.spans(PUBLISH)) == 3


async def test_who_resumes_gets_what_it_missed_without_a_span(start, collector):
    canang = start()
    client = await member(canang)
    at = publish(canang, sampled(1), data="first")
    publish(canang, sampled(2), data="missed")
    assert [await receive(client), await receive(client)] == ['"first"', '"missed"']
    back = await open_client(canang.url(f"/ws/kitchen?since={at['epoch']}:{at['offset']}"))
    assert json.loads(await receive(back))["join"]["recovered"]
    assert json.loads(await receive(back))["data"] == '"missed"'
    late = await open_client(canang.url("/ws/kitchen?history=10"))
    assert [await receive(late), await receive(late)] == ['"first"', '"missed"']
    await close_all(client, back, late)
    end(canang)
    delivers = collector.spans("deliver")
    assert [(d.trace, d.attributes["canang.members"]) for d in delivers] == [(trace(1), 1), (trace(2), 1)]


async def test_a_broadcast_has_a_broker_for_each_of_its_rooms(start, collector):
    canang = start()
    rooms = [f"room{n}" for n in range(20)]
    client = await member(canang, "room7")
    sent = call(canang, "broadcast", SAMPLED, channels=rooms, data="all")["result"]["responses"]
    assert await receive(client) == '"all"'
    await client.close()
    end(canang)
    request = collector.one("POST /api/broadcast")
    assert (request.trace, request.parent) == (TRACE, PARENT)
    assert request.attributes["http.route"] == "/api/broadcast"
    brokers = {span.room: span for span in collector.spans("broker", TRACE)}
    assert len(collector.spans("broker")) == 20 and set(brokers) == set(rooms)
    assert {span.parent for span in brokers.values()} == {request.id}
    assert len({span.id for span in brokers.values()}) == 20
    offsets = [brokers[room].attributes["canang.offset"] for room in rooms]
    assert offsets == [one["result"]["offset"] for one in sent]
    assert collector.one("deliver").parent == brokers["room7"].id


async def test_a_batch_has_a_broker_for_each_publication(start, collector):
    canang = start()
    client = await member(canang, "hall")
    commands = [
        {"publish": {"channel": "kitchen", "data": 1}},
        {"presence_stats": {"channel": "kitchen"}},
        {"broadcast": {"channels": ["kitchen", "hall"], "data": 2}},
        {"publish": {"channel": "hall", "data": 3}},
    ]
    replies = call(canang, "batch", SAMPLED, commands=commands)["replies"]
    assert replies[3]["publish"]["offset"] == 2
    assert [await receive(client), await receive(client)] == ["2", "3"]
    await client.close()
    end(canang)
    request = collector.one("POST /api/batch", TRACE)
    brokers = collector.spans("broker", TRACE)
    stored = sorted((span.room, span.attributes["canang.offset"]) for span in brokers)
    assert stored == [("hall", 1), ("hall", 2), ("kitchen", 1), ("kitchen", 2)]
    assert {span.parent for span in brokers} == {request.id}
    in_hall = {span.id for span in brokers if span.room == "hall"}
    assert {span.parent for span in collector.spans("deliver")} == in_hall
    assert len(collector.spans()) == 1 + 4 + 2


def test_requests_that_publish_nothing_have_a_span_too(start, collector):
    canang = start()
    kitchen = {"channel": "kitchen"}
    asked = (("info", {}), ("presence", kitchen), ("history", kitchen))
    for number, (method, fields) in enumerate(asked, 1):
        call(canang, method, sampled(number), **fields)
    end(canang)
    for number, (method, _) in enumerate(asked, 1):
        span = collector.one(f"POST /api/{method}", trace(number))
        assert (span.kind, span.parent) == (SERVER, PARENT)
        assert span.attributes["http.route"] == f"/api/{method}"
    assert len(collector.spans()) == 3


def test_a_bad_request_tells_its_code_and_is_no_error_of_the_node(start, collector):
    canang = start()
    for number, (body, error) in enumerate(
        (({"data": 1}, (200, 107)), ("no JSON", (400, 107)), ({"channel": "a", "data": 1, "xyz": 1}, (200, 108))),
        1,
    ):
        assert post(canang, "/api/publish", body, headers_of(sampled(number))).error == error
    end(canang)
    for number, (status, code) in enumerate(((200, 107), (400, 107), (200, 108)), 1):
        span = collector.one(PUBLISH, trace(number))
        assert span.attributes["http.response.status_code"] == status
        assert span.attributes["canang.api.error"] == code
        assert span.status == UNSET
    assert not collector.spans("broker")


async def test_an_internal_error_is_an_error_of_the_span(start, collector):
    canang = start(max_rooms=1)
    client = await member(canang)
    body = {"channel": "one-too-many", "data": 1}
    assert post(canang, "/api/publish", body, headers_of(sampled(1))).error[1] == 100
    publish(canang, sampled(2), "kitchen")
    await client.close()
    end(canang)
    failed, done = collector.one(PUBLISH, trace(1)), collector.one(PUBLISH, trace(2))
    assert (failed.status, failed.attributes["canang.api.error"]) == (ERROR, 100)
    assert done.status == UNSET and "canang.api.error" not in done.attributes
    assert {span.status for span in collector.spans("broker", trace(1))} <= {ERROR}
    assert collector.one("broker", trace(2)).status == UNSET


# -- what is followed --------------------------------------------------------------------------


def test_flags_of_the_caller_say_whether_it_is_followed(start, collector):
    canang = start(trace_sample="1")
    flags = ["00", "01", "02", "03", "fe", "ff"]
    for number, flag in enumerate(flags, 1):
        publish(canang, f"00-{trace(number)}-{PARENT}-{flag}")
    end(canang)
    followed = {span.trace for span in collector.spans()}
    assert followed == {trace(2), trace(4), trace(6)}, "the last bit counts"


# What is as if it were not there.
MALFORMED = [
    "",
    "garbage",
    "00",
    SAMPLED[:-1],  # too short
    f"00-{TRACE[:-1]}-{PARENT}-01",
    f"00-{TRACE}-{PARENT[:-1]}-01",
    f"00-{TRACE}0-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{TRACE}-{PARENT.upper()}-01",
    f"00-{TRACE}-{PARENT}-0A",
    f"00-{TRACE}-{PARENT}-0g",
    f"00-{TRACE[:-1]}g-{PARENT}-01",
    f"00-{TRACE}-{PARENT[:-1]}g-01",
    f"0g-{TRACE}-{PARENT}-01",
    f"ff-{TRACE}-{PARENT}-01",
    f"0-{TRACE}-{PARENT}-01",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"{SAMPLED}-",
    f"{SAMPLED}-tail",
    f"{SAMPLED}0",
    f"01-{TRACE}-{PARENT}-01tail",
    SAMPLED.replace("-", "_"),
    SAMPLED.replace("-", ""),
    f"00-{TRACE}-{PARENT}",
    f"00--{TRACE}-{PARENT}-01",
    f"{SAMPLED},{SAMPLED}",
    "00-" + "a" * 1021,
    "\xe9" * 55,
]


def test_a_malformed_traceparent_is_as_if_it_were_not_there(start, collector):
    canang = start(trace_sample="1")
    for number, malformed in enumerate(MALFORMED):
        publish(canang, malformed, f"room{number}")
    end(canang)
    brokers = {span.room: span for span in collector.spans("broker")}
    roots = {span.id: span for span in collector.spans(PUBLISH)}
    assert len(brokers) == len(roots) == len(MALFORMED)
    for number, malformed in enumerate(MALFORMED):
        root = roots[brokers[f"room{number}"].parent]
        assert root.parent == "" and root.trace != TRACE, malformed
    assert len({span.trace for span in roots.values()}) == len(MALFORMED), "each is a trace of its own"


def test_a_malformed_traceparent_is_no_reason_to_follow(start, collector):
    canang = start(trace_sample="0")
    for malformed in MALFORMED:
        publish(canang, malformed)
    publish(canang, SAMPLED)
    end(canang)
    assert [span.name for span in collector.spans()] == [PUBLISH, "broker"]


def test_a_request_without_the_key_of_the_api_is_not_followed(start, collector):
    canang = start(trace_sample="1", api_key="0123456789abcdef-of-a-service")
    for number, key in ((1, {}), (2, {"X-API-Key": "wrong" * 4})):
        headers = headers_of(sampled(number)) | key
        assert post(canang, "/api/publish", {"channel": "a", "data": 1}, headers).status == 401
    right = headers_of(sampled(3)) | {"X-API-Key": "0123456789abcdef-of-a-service"}
    assert post(canang, "/api/publish", {"channel": "a", "data": 1}, right).result
    end(canang)
    assert {span.trace for span in collector.spans()} == {trace(3)}


def test_of_a_later_version_the_first_fields_count(start, collector):
    canang = start()
    later = [
        f"01-{trace(1)}-{PARENT}-01",
        f"01-{trace(2)}-{PARENT}-01-what-comes-later",
        f"fe-{trace(3)}-{PARENT}-01-",
        f"01-{trace(4)}-{PARENT}-00-what-comes-later",
    ]
    for header in later:
        publish(canang, header)
    end(canang)
    for number in (1, 2, 3):
        assert collector.one(PUBLISH, trace(number)).parent == PARENT
    assert not collector.spans(trace=trace(4))


def test_by_default_none_are_followed_that_do_not_ask_for_it_and_with_a_share_of_1_all(start, collector):
    all_of, none = start(trace_sample="1"), start(trace_sample=None)
    for room, canang in (("all", all_of), ("none", none)):
        for _ in range(20):
            publish(canang, room=room)
        end(canang)
    requests = collector.spans(PUBLISH)
    assert {span.parent for span in requests} == {""}
    assert len({span.trace for span in requests}) == len(requests) == 20
    assert [span.room for span in collector.spans("broker")] == ["all"] * 20
    assert len(collector.spans()) == 40


def test_the_share_is_of_requests_without_traceparent(start, collector):
    canang = start(trace_sample="0.5")
    for number in range(400):
        publish(canang, room=f"room{number % 10}")
    for number in range(1, 21):
        publish(canang, sampled(number))
        publish(canang, f"00-{trace(1000 + number)}-{PARENT}-00")
    end(canang)
    roots = [span for span in collector.spans(PUBLISH) if not span.parent]
    assert 0.35 < len(roots) / 400 < 0.65
    wanted = {span.trace for span in collector.spans(PUBLISH) if span.parent}
    assert wanted == {trace(number) for number in range(1, 21)}
    brokers = {span.parent for span in collector.spans("broker")}
    assert brokers == {span.id for span in collector.spans(PUBLISH)}, "a trace is whole or not there"
    assert len(collector.requests()) < 40, "spans are gathered"


async def test_what_clients_publish_without_a_question_is_not_followed(start, collector):
    canang = start(trace_sample="1")
    async with peers(canang, *FORMATS) as pair:
        for peer in pair:
            await peer.subscribe("kitchen")
        await pair[0].publish("kitchen", "own")
        publish(canang, SAMPLED, data="of a service")
        for peer in pair:
            own, other = await peer.has("kitchen", 2)
            assert not own.get("tags") and other["tags"]
    end(canang)
    assert {span.trace for span in collector.spans()} == {TRACE}


async def test_without_an_endpoint_nothing_is_followed(start_canang):
    canang = start_canang(api_log="yes")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        publish(canang, SAMPLED, tags={"k": "v"})
        publish(canang, SAMPLED)
        first, second = await peer.has("kitchen", 2)
        assert tags_of(first) == {"k": "v"} and not tags_of(second)
    for line in wait_until(lambda: (seen := canang.log_with("access peer="))[1:] and seen, "two lines"):
        assert "trace=" not in line
    assert not canang.metrics().samples("canang_trace_spans_total")


# -- tags --------------------------------------------------------------------------------------


@by_format
async def test_a_client_is_told_of_the_trace(start, collector, format):
    canang = start()
    async with peers(canang, format) as [peer]:
        await peer.subscribe("kitchen")
        publish(canang, SAMPLED, data={"n": 1}, tags={"k": "v"})
        [told] = await peer.has("kitchen", 1)
        assert format.value(told["data"]) == {"n": 1}
    end(canang)
    assert told["tags"] == {"k": "v", "traceparent": collector.one("broker").traceparent}


async def test_a_tag_of_that_name_from_the_caller_is_replaced(start, collector):
    canang = start()
    full = {f"k{n}": "v" for n in range(MOST_TAGS - 1)} | {"traceparent": "of the caller"}
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        publish(canang, sampled(1), tags={"traceparent": f"00-{OTHER_TRACE}-{OTHER_PARENT}-01"})
        publish(canang, sampled(2), tags=full)
        first, second = await peer.has("kitchen", 2)
    end(canang)
    assert tags_of(first) == {"traceparent": collector.one("broker", trace(1)).traceparent}
    in_its_place = {"traceparent": collector.one("broker", trace(2)).traceparent}
    assert tags_of(second) == full | in_its_place, "which is no tag more"
    assert [span.trace for span in collector.spans("deliver")] == [trace(1), trace(2)]


async def test_with_as_many_tags_as_there_may_be_it_is_followed_to_the_broker(start, collector):
    canang = start()
    full = {f"k{n}": "v" * 20 for n in range(MOST_TAGS)}
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        publish(canang, sampled(1), data={"n": 1}, tags=full)
        publish(canang, sampled(2))
        whole, _ = await peer.has("kitchen", 2)
        assert (whole["data"], tags_of(whole)) == ({"n": 1}, full)
    end(canang)
    assert collector.one("broker", trace(1)).status == UNSET
    assert [span.trace for span in collector.spans("deliver")] == [trace(2)]


async def test_what_is_not_followed_keeps_its_tags_as_they_are(start, collector):
    canang = start()
    own = {"k": "v", "traceparent": f"00-{OTHER_TRACE}-{OTHER_PARENT}-01"}
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        publish(canang)
        publish(canang, tags=own)
        publish(canang, f"00-{TRACE}-{PARENT}-00", tags=own)
        publish(canang, sampled(1), data="last")
        *told, _ = await peer.has("kitchen", 4)
        assert not tags_of(told[0])
        assert [tags_of(one) for one in told[1:]] == [own, own]
    end(canang)
    of_tag = [span for span in collector.spans() if span.trace == OTHER_TRACE]
    assert [(span.name, span.parent) for span in of_tag] == [("deliver", OTHER_PARENT)] * 2
    assert {span.trace for span in collector.spans()} == {trace(1), OTHER_TRACE}


async def test_plain_clients_get_what_was_published_and_nothing_else(start, collector):
    canang = start()
    plain = await member(canang)
    meta = await member(canang, query="?meta=true")
    assert "join" in json.loads(await receive(meta))
    at = publish(canang, SAMPLED, data={"text": "hello"})
    assert await receive(plain) == '{"text":"hello"}'
    assert json.loads(await receive(meta)) == at | {"data": '{"text":"hello"}'}
    await close_all(plain, meta)
    end(canang)
    assert sum(span.attributes["canang.members"] for span in collector.spans("deliver")) == 2


async def test_the_trace_is_in_the_history(start, collector):
    canang = start()
    at = publish(canang, sampled(1), data="first")
    publish(canang, sampled(2), data="second")
    kept = call(canang, "history", channel="kitchen", limit=9)["result"]["publications"]
    async with peers(canang, Json) as [peer]:
        place = {"recover": True, "epoch": at["epoch"], "offset": at["offset"]}
        recovered = (await peer.subscribe("kitchen", **place))["publications"]
    end(canang)
    brokers = [collector.one("broker", trace(number)).traceparent for number in (1, 2)]
    assert [tags_of(one) for one in kept] == [{"traceparent": broker} for broker in brokers]
    assert [tags_of(one) for one in recovered] == [{"traceparent": brokers[1]}]
    assert not collector.spans("deliver")


# -- hooks -------------------------------------------------------------------------------------


async def test_a_publication_is_followed_from_the_question_about_it(start, collector, backend):
    canang = start(trace_sample="1", **backend.options("publish"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", "good")
        [told] = await peer.has("kitchen", 1)
    end(canang)
    question, broker, deliver = (
        collector.one(name) for name in ("hook publish", "broker", "deliver")
    )
    [asked] = backend.asked("publish")
    assert asked.headers["traceparent"] == question.traceparent
    assert (question.kind, question.parent, question.status) == (CLIENT, "", UNSET)
    assert question.attributes == {"canang.hook": "publish", "canang.hook.result": "ok"}
    assert {span.trace for span in collector.spans()} == {question.trace}
    assert (broker.parent, deliver.parent) == (question.id, broker.id)
    assert question.end_ns <= broker.start_ns, "it was asked about first"
    assert tags_of(told) == {"traceparent": broker.traceparent}
    assert len(collector.spans()) == 3


async def test_a_trace_that_the_answer_names_goes_on(start, collector, backend):
    backend.headers = {"traceparent": f"00-{OTHER_TRACE}-{OTHER_PARENT}-01"}
    canang = start(trace_sample="1", **backend.options("publish"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", "good")
        [told] = await peer.has("kitchen", 1)
    end(canang)
    broker, deliver = collector.one("broker"), collector.one("deliver")
    assert (broker.trace, broker.parent) == (OTHER_TRACE, OTHER_PARENT)
    assert (deliver.trace, deliver.parent) == (OTHER_TRACE, broker.id)
    assert tags_of(told) == {"traceparent": broker.traceparent}
    assert collector.one("hook publish").trace != OTHER_TRACE


async def test_a_trace_of_the_answer_that_is_not_sampled_ends_there(start, collector, backend):
    backend.headers = {"traceparent": f"00-{OTHER_TRACE}-{OTHER_PARENT}-00"}
    canang = start(trace_sample="1", **backend.options("publish"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", "good")
        [told] = await peer.has("kitchen", 1)
    end(canang)
    assert not tags_of(told)
    assert [span.name for span in collector.spans()] == ["hook publish"]


async def test_what_is_let_through_without_an_answer_is_followed_no_further(start, collector):
    url = f"http://127.0.0.1:{free_port()}/publish"
    canang = start(trace_sample="1", hook_publish=url, hook_fail="open")
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", "good")
        [told] = await peer.has("kitchen", 1)
    end(canang)
    assert not tags_of(told)
    [span] = collector.spans()
    assert (span.name, span.status) == ("hook publish", ERROR)


async def test_events_are_not_followed(start, collector, backend):
    canang = start(trace_sample="1", **backend.options("rpc", "rooms", "disconnect"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.ask(rpc={"method": "x"})
    await eventually(lambda: backend.asked("rooms") and backend.asked("disconnect"), "both are told")
    end(canang)
    assert {asked.hook for asked in backend.asked() if "traceparent" in asked.headers} == {"rpc"}
    assert {span.name for span in collector.spans()} == {"hook rpc"}


async def test_a_malformed_one_in_the_answer_changes_nothing(start, collector, backend):
    canang = start(trace_sample="1", **backend.options("publish"))
    malformed = ["garbage", f"00-{'0' * 32}-{PARENT}-01", f"{SAMPLED}-tail", "0" * 1024]
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        for header in malformed:
            backend.headers = {"traceparent": header}
            await peer.publish("kitchen", "good")
        await peer.has("kitchen", len(malformed))
    end(canang)
    questions, brokers = collector.spans("hook publish"), collector.spans("broker")
    assert len(questions) == len(malformed)
    assert [(b.trace, b.parent) for b in brokers] == [(q.trace, q.id) for q in questions]


async def test_a_refused_publication_has_the_question_alone(start, collector, backend):
    backend.answers["publish"] = {"error": {"code": 1002, "message": "language"}}
    canang = start(trace_sample="1", **backend.options("publish"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        assert "error" in await peer.ask(publish={"channel": "kitchen", "data": "bad"})
    end(canang)
    [span] = collector.spans()
    assert (span.name, span.attributes["canang.hook.result"]) == ("hook publish", "error")
    assert span.status == UNSET, "a no is an answer"


async def test_with_a_share_of_0_no_question_is_followed(start, collector, backend):
    canang = start(trace_sample="0", **backend.options("publish", "rpc"))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", "good")
        await peer.ask(rpc={"method": "x"})
        publish(canang, SAMPLED)
        first, _ = await peer.has("kitchen", 2)
        assert not tags_of(first)
    end(canang)
    assert len(backend.asked()) == 2
    assert not [asked for asked in backend.asked() if "traceparent" in asked.headers]
    assert {span.trace for span in collector.spans()} == {TRACE}


async def test_each_question_has_a_span_that_its_request_names(start, collector, backend):
    hooks = ("connect", "subscribe", "publish", "rpc")
    canang = start(trace_sample="1", **backend.options(*hooks))
    async with peers(canang, Json) as [peer]:
        await peer.subscribe("kitchen")
        await peer.publish("kitchen", 1)
        await peer.ask(rpc={"method": "x"})
    end(canang)
    for hook in hooks:
        [asked] = backend.asked(hook)
        span = collector.one(f"hook {hook}")
        assert asked.headers["traceparent"] == span.traceparent
        assert (span.kind, span.attributes["canang.hook"]) == (CLIENT, hook)
        assert span.start_ns <= span.end_ns


HOOK_ANSWERS = [
    ({"result": {}}, 200, "ok", UNSET),
    ({"error": {"code": 1000, "message": "no"}}, 200, "error", UNSET),
    (b"garbage", 200, "bad_answer", ERROR),
    ({"result": {}}, 500, "status", ERROR),
    ({"result": {"data": "x" * 70_000}}, 200, "too_large", ERROR),
    (NO_ANSWER, 200, "timeout", ERROR),
    ({"disconnect": {"code": 4001, "reason": "out"}}, 200, "disconnect", UNSET),
]


async def test_the_span_of_a_question_tells_what_came_of_it(start, collector, backend):
    canang = start(trace_sample="1", hook_timeout="500ms", **backend.options("rpc"))
    async with peers(canang, Json) as [peer]:
        for answer, status, _, _ in HOOK_ANSWERS:
            backend.answers["rpc"], backend.status = answer, status
            command = peer.numbered(rpc={"method": "x"})
            await peer.send(command)
            await peer.outcome(command["id"])
    end(canang)
    spans = collector.spans("hook rpc")
    told = [(span.attributes["canang.hook.result"], span.status) for span in spans]
    assert told == [(result, status) for _, _, result, status in HOOK_ANSWERS]
    [late] = [span for span in spans if span.attributes["canang.hook.result"] == "timeout"]
    assert 0.4e9 < late.end_ns - late.start_ns < 5e9, "until the end of the wait"


async def test_a_backend_that_is_not_there_is_an_error_of_the_span(start, collector):
    canang = start(trace_sample="1", hook_rpc=f"http://127.0.0.1:{free_port()}/rpc")
    async with peers(canang, Json) as [peer]:
        assert (await peer.ask(rpc={"method": "x"}))["error"]["code"] == 100
    end(canang)
    span = collector.one("hook rpc")
    assert (span.attributes["canang.hook.result"], span.status) == ("unreachable", ERROR)


# -- the access log ----------------------------------------------------------------------------


def test_the_access_log_has_the_trace_of_a_request_that_is_followed(start, collector):
    canang = start(trace_sample="0", api_log="yes")
    publish(canang, SAMPLED)
    publish(canang)
    publish(canang, f"00-{TRACE}-{PARENT}-00")
    lines = wait_until(lambda: (seen := canang.log_with("access peer="))[2:] and seen, "three lines")
    assert [re.findall(r" trace=(\S+)", line) for line in lines] == [[TRACE], [], []]
    assert f" status=200 trace={TRACE} " in lines[0]


def test_the_access_log_has_the_trace_that_the_node_began(start, collector):
    canang = start(trace_sample="1", api_log="yes")
    publish(canang, "garbage")
    [line] = canang.wait_log("access peer=")
    end(canang)
    [named] = re.findall(r" trace=([0-9a-f]{32})\b", line)
    assert named == collector.one(PUBLISH).trace
