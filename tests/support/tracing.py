"""A node that tells a collector its spans, and what its tests ask of both."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from .centrifugo import FORMATS
from .clients import open_client
from .hook_backend import HookBackend
from .server_api import post
from .trace_collector import TraceCollector
from .waiting import wait_until


TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
OTHER_TRACE, OTHER_PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
MOST_WAITING, MOST_TAGS = 8192, 32
PUBLISH = "POST /api/publish"
MIB = 1 << 20
by_format = pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)


@pytest.fixture
def collector():
    with TraceCollector() as made:
        yield made
    assert not made.faults, made.faults


@pytest.fixture
def start(collector, start_canang):
    """A server that sends its spans to the collector, by default of those requests alone that want it."""

    def begin(**options):
        return start_canang(**{"otlp_endpoint": collector.url(), "trace_sample": "0"} | options)

    return begin


@pytest.fixture
def new_collector():
    """Those that it makes end after the servers."""
    made = []
    with ExitStack() as stack:

        def begin(answer):
            collector = stack.enter_context(TraceCollector())
            collector.answers = [answer]
            made.append(collector)
            return collector

        yield begin
    faults = [fault for collector in made for fault in collector.faults]
    assert not faults, faults


@pytest.fixture
def side_by_side(new_collector, start_canang):
    """`side_by_side(answers)`: for each a collector that answers its first request so, and a node that has two spans for
    it. What takes its time takes it for all at once.
    """

    def begin(answers):
        made = []
        for answer in answers:
            collector = new_collector(answer)
            canang = start_canang(otlp_endpoint=collector.url(), trace_sample="0", workers=1)
            publish(canang, sampled(1))
            made.append((answer, collector, canang))
        return made

    return begin


@pytest.fixture
def backend():
    with HookBackend() as made:
        yield made


def publish(canang, traceparent=None, room="kitchen", data=1, **fields):
    """The answer's result."""
    return call(canang, "publish", traceparent, channel=room, data=data, **fields)["result"]


def call(canang, method, traceparent=None, **fields):
    answer = post(canang, f"/api/{method}", fields, headers_of(traceparent))
    assert answer.status == 200, answer.body
    return answer.json


def headers_of(traceparent):
    return {} if traceparent is None else {"traceparent": traceparent}


def trace(number):
    return f"{number:032x}"


def sampled(number):
    """The header of a request in a trace of its own."""
    return f"00-{trace(number)}-{PARENT}-01"


def end(canang):
    """Then the collector has all spans that there are: what waits is sent when the node ends."""
    assert canang.stop() == 0, canang.tail()


def counted(canang, result):
    return canang.metrics().total("canang_trace_spans_total", result=result)


def wait_counted(canang, result, count, timeout=8.0):
    wait_until(lambda: counted(canang, result) >= count, f"{count} spans are {result}", timeout)
    assert counted(canang, result) == count


def lines_with_number(canang, number):
    return [line for line in canang.log_messages() if re.search(rf"\b{number}\b", line)]


def warnings(canang):
    return [one["msg"] for one in canang.log_records() if one["level"].lower() not in ("debug", "info")]


async def member(canang, room="kitchen", query=""):
    """A plain client that has joined."""
    before = canang.metrics()["canang_members"]
    client = await open_client(canang.url(f"/ws/{room}{query}"))
    await canang.members_are(before + 1)
    return client


def tags_of(publication):
    return publication.get("tags")
