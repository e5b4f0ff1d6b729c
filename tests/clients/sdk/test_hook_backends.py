"""Backends in Node and in Python that answer hooks, and the SDKs with what these let them do."""

import json
import subprocess
import sys
import urllib.request

import pytest

from support.process_lifetime import die_with_parent
from support.sdk import DRIVERS, Sdk, SdkError, js_command
from support.waiting import wait_until

SECRET = "a-secret-that-signs-requests"
BACKENDS = ["node", "python"]
SDK_OF = [Sdk("js", "json"), Sdk("js", "protobuf"), Sdk("js", "json", "sse"), Sdk("python", "json")]

pytestmark = [
    pytest.mark.parametrize("backend", BACKENDS, indirect=True),
    pytest.mark.parametrize("sdk", SDK_OF, ids=str),
]


class Backend:
    def __init__(self, language):
        command = (
            js_command("js/hook_backend.mjs")
            if language == "node"
            else [sys.executable, str(DRIVERS / "python" / "hook_backend.py")]
        )
        self._process = subprocess.Popen(
            [*command, SECRET], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
        )
        self._port = int(self._process.stdout.readline())

    def options(self, *hooks):
        return {f"hook_{hook}": f"http://127.0.0.1:{self._port}/{hook}" for hook in hooks}

    def events(self, kind):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=10) as answer:
            return [event for event in json.load(answer) if event["type"] == kind]

    def end(self):
        self._process.kill()  # it keeps nothing
        self._process.communicate()


@pytest.fixture
def backend(request):
    made = Backend(request.param)
    yield made
    made.end()


@pytest.fixture
def canang(start_canang, backend):
    hooks = backend.options("connect", "subscribe", "publish", "rpc", "disconnect", "rooms")
    return start_canang(**hooks, hook_secret=SECRET)


async def refused(asked):
    with pytest.raises(SdkError) as error:
        await asked
    return error.value.code


async def test_it_decides_who_a_client_is_and_what_it_may_do(canang, start_client, backend):
    ann = start_client(canang.port)
    await ann.connect()
    await ann.has("server_subscribed", 1, "news")
    await ann.join("lobby")
    [member] = await ann.presence("lobby")
    assert (member["user"], member["info"]) == ("ann", {"name": "Ann"})
    await ann.publish("lobby", "hello")
    await ann.has("publication", 1, "lobby")
    assert ann.data("lobby") == [{"by": "ann", "said": "hello"}]
    assert await refused(ann.publish("lobby", "bad")) == 1001
    assert await ann.ask("rpc", method="sum", data=[1, 2, 3]) == {"data": 6}
    assert await refused(ann.ask("rpc", method="other", data=None)) == 1002
    await ann.ask("subscribe", room="secret-1", recoverable=False, join_leave=False, delta="")
    [end] = await ann.has("unsubscribed", 1, "secret-1")
    assert end["code"] == 1000
    assert ann.data("lobby") == [{"by": "ann", "said": "hello"}]


async def test_it_throws_out_whom_it_wants_and_is_told_that_it_has_gone(canang, start_client, backend):
    ann = start_client(canang.port)
    await ann.connect()
    await ann.join("lobby")
    ann.tell("publish", room="lobby", data="spam")
    [end] = await ann.has("disconnected")
    assert (end["code"], end["reason"]) == (4500, "no spam")
    [gone] = wait_until(lambda: backend.events("disconnect"), "it is told")
    assert (gone["user"], gone["code"]) == ("ann", 4500)
    told = wait_until(
        lambda: len(backend.events("vacated")) == 2 and backend.events("occupied"), "of its rooms, too"
    )
    assert {event["channel"] for event in told} == {"news", "lobby"}


async def test_with_another_secret_nobody_comes_in(start_canang, start_client, backend):
    canang = start_canang(**backend.options("connect"), hook_secret="another-secret-of-the-tests")
    ann = start_client(canang.port)
    await ann.ask("connect")
    wait_until(
        lambda: canang.metrics().total("canang_hook_requests_total", hook="connect", result="status") >= 2,
        "it tries again",
    )
    assert not ann.of("connected")
