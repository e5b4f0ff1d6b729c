"""How spans go to the collector, and what an operator may say of that: docs/tracing.md."""

from __future__ import annotations

import time

import pytest

from support.canang_process import run_to_end, sanitized
from support.certificates import Authority
from support.clients import receive
from support.redis_process import free_port
from support.trace_collector import NEVER, Raw, TraceCollector
from support.tracing import (  # noqa: F401  fixtures among them
    call,
    collector,
    counted,
    end,
    lines_with_number,
    member,
    MIB,
    MOST_WAITING,
    new_collector,
    PUBLISH,
    publish,
    sampled,
    SAMPLED,
    side_by_side,
    start,
    TRACE,
    trace,
    wait_counted,
    warnings,
)
from support.waiting import eventually, wait_until


# -- the collector -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/v1/traces"),
        ("/", "/v1/traces"),
        ("/v1/traces", "/v1/traces"),
        ("/otlp", "/otlp/v1/traces"),
        ("/otlp/", "/otlp/v1/traces"),
        ("/tenant/1/v1/traces", "/tenant/1/v1/traces"),
        ("/v1/traces/more", "/v1/traces/more/v1/traces"),
    ],
)
def test_spans_go_to_the_path_of_the_endpoint(start, collector, path, asked):
    canang = start(otlp_endpoint=collector.url(path))
    publish(canang, SAMPLED)
    end(canang)
    assert {request.path for request in collector.requests()} == {asked}


def test_each_request_has_the_headers_of_the_operator_decoded(start, collector):
    canang = start(otlp_headers="X-Key=a%20b%2Cc%3Dd,Authorization=Basic%20YTpi,x-plain=1")
    publish(canang, SAMPLED)
    end(canang)
    assert collector.spans(trace=TRACE)
    for request in collector.requests():
        assert request.headers["x-key"] == "a b,c=d"
        assert request.headers["authorization"] == "Basic YTpi"
        assert request.headers["x-plain"] == "1"


def test_what_fails_for_a_while_is_sent_again(side_by_side):
    for status, collector, canang in side_by_side([429, 502, 503, 504]):
        wait_counted(canang, "exported", 2)
        first, second = collector.requests()
        assert first.raw == second.raw, status
        assert 0.9 < second.at - first.at < 4, status
        assert counted(canang, "dropped") == counted(canang, "rejected") == 0, status


def test_what_fails_for_good_is_dropped_at_once(side_by_side):
    for status, collector, canang in side_by_side([400, 401, 404, 500]):
        wait_counted(canang, "dropped", 2)
        publish(canang, sampled(2))
        end(canang)
        assert len(collector.requests()) == 2, status
        assert {span.trace for span in collector.spans()} == {trace(2)}, "it is not sent again"
        assert lines_with_number(canang, status), "it is logged"


def test_a_reason_is_logged_once_a_minute(start, collector):
    collector.usual = 404
    canang = start()
    publish(canang, sampled(1))
    wait_counted(canang, "dropped", 2)
    publish(canang, sampled(2))
    end(canang)
    assert len(collector.requests()) == 2
    assert len(lines_with_number(canang, 404)) == 1


async def test_a_collector_that_is_not_there_holds_up_nobody_and_gets_all_when_it_is(start_canang):
    with TraceCollector(port=free_port()) as collector:
        collector.stop()
        canang = start_canang(otlp_endpoint=collector.url(), trace_sample="1")
        client = await member(canang)
        before = len(warnings(canang))
        for number in range(50):
            began = time.monotonic()
            publish(canang, data=number)
            assert await receive(client) == str(number)
            assert time.monotonic() - began < 1
        await eventually(lambda: len(warnings(canang)) > before, "it was tried")
        assert counted(canang, "exported") == 0
        assert canang.metrics()["canang_trace_spans_waiting"] > 0
        collector.start()
        await eventually(lambda: counted(canang, "exported") == 150, "all are sent", 12)
        canang.wait_metric("canang_trace_spans_waiting", 0)
        assert counted(canang, "dropped") == 0
        await client.close()
        end(canang)
        assert len(collector.spans(PUBLISH)) == len(collector.spans("deliver")) == 50
        assert not collector.faults


def test_a_collector_that_went_away_gets_the_rest_when_it_is_back(start_canang):
    with TraceCollector(port=free_port()) as collector:
        canang = start_canang(otlp_endpoint=collector.url())
        publish(canang, sampled(1))
        wait_counted(canang, "exported", 2)
        collector.stop()
        publish(canang, sampled(2))
        collector.start()
        end(canang)
        assert len(collector.spans(trace=trace(2))) == 2


def test_a_collector_that_never_answers_has_its_time(start, collector):
    collector.answers = [NEVER]
    canang = start(otlp_timeout="500ms")
    publish(canang, SAMPLED)
    wait_until(collector.requests, "it is asked")
    assert publish(canang), "nobody waits for it"
    wait_counted(canang, "exported", 2)
    first, second = collector.requests()
    assert first.raw == second.raw
    assert 1.3 < second.at - first.at < 6, "its time, and a second"


def test_a_node_ends_though_the_collector_never_answers(start, collector):
    collector.usual = NEVER
    canang = start()
    publish(canang, SAMPLED)
    began = time.monotonic()
    end(canang)
    assert time.monotonic() - began < 4, "it has 2 s"
    assert collector.requests(), "it was tried"


async def test_what_waits_is_sent_when_the_node_ends(start, collector):
    canang = start()
    client = await member(canang)
    publish(canang, SAMPLED)
    assert await receive(client) == "1"
    await client.close()
    began = time.monotonic()
    end(canang)
    assert [span.name for span in collector.spans()] == [PUBLISH, "broker", "deliver"]
    assert time.monotonic() - began < 3


def test_what_the_collector_does_not_want_is_counted(start, collector):
    collector.answers = [
        {"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}},
        {"partialSuccess": {"rejectedSpans": 1}},  # as some have it
    ]
    canang = start()
    call(canang, "broadcast", SAMPLED, channels=["a", "b", "c", "d"], data=1)
    wait_counted(canang, "rejected", 3)
    wait_counted(canang, "exported", 2)
    publish(canang, sampled(2))
    wait_counted(canang, "rejected", 4)
    wait_counted(canang, "exported", 3)
    assert counted(canang, "dropped") == 0
    end(canang)
    assert len(collector.requests()) == 2, "what was rejected is not sent again"


GARBAGE = [
    b"garbage",
    b'{"partialSuccess":{"rejectedSpans":"-5"}}',
    b'{"partialSuccess":{"rejectedSpans":"99999999999999999999"}}',
    b'{"partialSuccess":[]}',
    b"[" * 100_000,
    Raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
    Raw(b""),
]


def test_garbage_for_an_answer_loses_no_count_and_ends_nothing(side_by_side):
    began = side_by_side(GARBAGE)
    for answer, collector, canang in began:
        wait_until(collector.requests, "it is asked")
        publish(canang, sampled(2))
    for answer, collector, canang in began:
        wait_until(lambda: len(collector.spans(trace=trace(2))) == 2, f"the next, after {answer!r}", 8)

        def settled():
            metrics = canang.metrics()
            return metrics.total("canang_trace_spans_total") == 4 and not metrics["canang_trace_spans_waiting"]

        wait_until(settled, f"each span is counted once, after {answer!r}", 8)
        assert min(counted(canang, result) for result in ("exported", "dropped", "rejected")) >= 0


def test_of_what_waits_there_is_only_so_much(start, collector):
    collector.usual = NEVER
    canang = start(history_size=1)
    rooms = [f"{number:04d}" + "x" * 200 for number in range(1000)]
    done = 0

    def broadcasts(count):
        nonlocal done
        for _ in range(count):
            done += 1
            call(canang, "broadcast", sampled(done), channels=rooms, data=1)

    def accounted():
        metrics = canang.metrics()
        waiting = metrics["canang_trace_spans_waiting"]
        assert waiting <= MOST_WAITING
        return metrics.total("canang_trace_spans_total", result="dropped") + waiting

    broadcasts(12)  # with its request a broadcast has 1,001 spans
    wait_until(lambda: accounted() >= 12 * 1001 - 512, "what does not wait is dropped")
    before = canang.rss_bytes()
    broadcasts(40)
    wait_until(lambda: accounted() >= 52 * 1001 - 512, "what does not wait is dropped")
    assert counted(canang, "dropped") >= 52 * 1001 - MOST_WAITING - 512
    assert counted(canang, "exported") == 0
    if not sanitized():  # 40,000 spans with their rooms' names would take more
        assert canang.rss_bytes() - before < 8 * MIB
    canang.kill()


# -- TLS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def test_spans_are_sent_over_tls(start_canang, authority):
    with TraceCollector(authority.certify("collector")) as collector:
        canang = start_canang(
            otlp_endpoint=collector.url(host="localhost"), otlp_ca=authority.certificate
        )
        publish(canang, SAMPLED)
        end(canang)
        assert len(collector.spans(trace=TRACE)) == 2 and not collector.faults


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_collector_whose_certificate_is_not_right_gets_nothing(start_canang, authority, wrong):
    own = authority.certify(f"wrong-{wrong}", host="elsewhere.example")
    ca = authority.certificate if wrong == "name" else None
    host = "localhost" if wrong == "name" else "127.0.0.1"
    with TraceCollector(own) as collector:
        canang = start_canang(otlp_endpoint=collector.url(host=host), otlp_ca=ca)
        before = len(warnings(canang))
        publish(canang, SAMPLED)
        end(canang)
        assert collector.connections and not collector.requests()
        assert len(warnings(canang)) > before, "the log says why"


# -- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("otlp-endpoint", url) for url in (
            "nonsense", "ftp://collector:4318", "http://", "http://:4318", "http://collector:99999",
            "collector:4318", "http://collector:4318/a b")),
        *(("trace-sample", share) for share in ("1.5", "-0.1", "nan", "inf", "-nan", "1e9", "half", "0.5x")),
        *(("otlp-headers", headers) for headers in (
            "no-equals-sign", "a=1,no-equals-sign", "=value", "two words=1", "a:b=1", "a=%zz", "a=%4",
            "a=x%0d%0aInjected:%20yes", "a=%00")),
        *(("otlp-timeout", wait) for wait in ("banana", "-1s", "9ms")),
        ("otlp-ca", "/no/such/file.pem"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused(option, value):
    refused = run_to_end(
        ["--otlp-endpoint", "https://127.0.0.1:4318", f"--{option}={value}", "--check-config"]
    )
    assert refused.returncode == 2, refused
    assert f"--{option}" in refused.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("trace-sample", share) for share in ("0", "1", "0.01", "1.0", "0.5")),
        *(("otlp-endpoint", url) for url in ("http://[::1]:4318", "https://collector.example", "http://a/otlp")),
        *(("otlp-headers", headers) for headers in ("a=1", "a=1,b=2", "a=x%20y", "a=b=c")),
        *(("otlp-timeout", wait) for wait in ("10ms", "1s")),
        ("trace-service", "chat"),
    ],
)  # fmt: skip
def test_a_good_value_is_taken(option, value):
    taken = run_to_end(
        ["--otlp-endpoint", "http://127.0.0.1:4318", f"--{option}={value}", "--check-config"]
    )
    assert taken.returncode == 0, taken


@pytest.mark.parametrize(("host", "is_warned"), [("10.0.0.1", True), ("127.0.0.1", False)])
def test_an_endpoint_that_others_can_read_is_warned_of(start, host, is_warned):
    canang = start(otlp_endpoint=f"http://{host}:1")
    assert any("TLS" in warning for warning in warnings(canang)) == is_warned


@pytest.mark.parametrize(
    ("options", "is_warned"),
    [({"trace_sample": "0.5"}, True), ({"otlp_headers": "a=1"}, True), ({"trace_sample": "0"}, False)],
)
def test_options_of_traces_that_nobody_gets_are_warned_of(start_canang, options, is_warned):
    canang = start_canang(**options)
    assert any("--otlp-endpoint" in warning for warning in warnings(canang)) == is_warned


@pytest.mark.parametrize("share", ["0.05", "1", "1.0", "'0.05'"])
def test_a_share_in_the_file_may_be_a_number(tmp_path, share):
    file = tmp_path / "canang.toml"
    file.write_text(f'otlp-endpoint = "http://127.0.0.1:4318"\ntrace-sample = {share}\n')
    taken = run_to_end(["--config", str(file), "--check-config"])
    assert taken.returncode == 0, taken
    file.write_text(f'otlp-endpoint = "http://127.0.0.1:4318"\ntrace-sample = 1{share.strip(chr(39))}\n')
    refused = run_to_end(["--config", str(file), "--check-config"])
    assert refused.returncode == 2 and "trace-sample" in refused.stderr


def test_keys_of_the_collector_are_in_no_log(start, collector):
    collector.usual = 401
    canang = start(otlp_headers="X-Key=hidden%20secret,Authorization=hidden-too", log_level="debug")
    publish(canang, SAMPLED)
    end(canang)
    assert collector.requests()[0].headers["x-key"] == "hidden secret"
    assert lines_with_number(canang, 401)
    assert "hidden" not in canang.stdout() + canang.stderr()


@pytest.mark.parametrize("headers", ["X-Key=hidden%zz", "hidden", "X-Key=1,hidden", "X Y=hidden"])
def test_keys_of_the_collector_are_in_no_refusal(headers):
    refused = run_to_end(
        ["--otlp-endpoint", "http://127.0.0.1:4318", "--otlp-headers", headers, "--check-config"]
    )
    assert refused.returncode == 2
    assert "hidden" not in refused.stdout + refused.stderr
