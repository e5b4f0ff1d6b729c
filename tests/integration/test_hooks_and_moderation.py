"""Where a backend decides about clients, moderators do so too: what one of both refuses is refused."""

from __future__ import annotations

import asyncio
import threading

import pytest

from support.centrifugo import Peer
from support.hook_backend import HookBackend
from support.server_api import call
from support.waiting import eventually

CONFIG = """
[namespaces.slow]
slow-mode = "1h"

[namespaces.small]
members-max = 1
"""


class Held:
    """An answer that is given when the test says so."""

    def __init__(self) -> None:
        self.is_let_go = threading.Event()

    def __call__(self, _question: dict) -> dict:
        assert self.is_let_go.wait(10)
        return {"result": {}}


@pytest.fixture
def backend():
    with HookBackend() as made:
        made.answers["connect"] = {"result": {"user": "ann"}}
        yield made


@pytest.fixture
def canang(start_canang, backend, tmp_path):
    path = tmp_path / "canang.toml"
    path.write_text(CONFIG)
    # The answer that a test holds back is not to be late.
    options = backend.options("connect", "subscribe", "publish") | {"hook_timeout": "10s"}
    return start_canang(config=str(path), **options)


async def connected(canang) -> Peer:
    peer = await Peer.open(canang)
    await peer.connect()
    return peer


async def messages(canang, room: str) -> int:
    return len((await call(canang, "history", channel=room, limit=10))["publications"])


async def publish(peer: Peer, room: str) -> dict:
    return (await peer.ask(publish={"channel": room, "data": "x"})).get("error", {})


async def while_asked(canang, backend, hook: str, meanwhile, command) -> dict:
    """What a client is told, of whose command the backend was asked when `meanwhile` was ordered."""
    held = Held()
    backend.answers[hook] = held
    try:
        told = asyncio.create_task(command)
        await eventually(lambda: backend.asked(hook), f"the backend is asked about {hook}")
        assert (await meanwhile)["complete"]
    finally:
        held.is_let_go.set()
    return (await asyncio.wait_for(told, 10)).get("error", {})


async def test_who_is_banned_does_not_come_in_by_the_backends_word(canang, backend):
    await call(canang, "ban", user="ann", reason="spam")
    peer = await Peer.open(canang)
    await peer.send(peer.numbered(connect={}))
    assert await peer.closed() == 3507
    assert peer.socket.close_reason == "banned: spam"
    backend.answers["connect"] = {"result": {"user": "bob"}}
    bob = await connected(canang)
    await bob.end()


async def test_a_ban_that_comes_while_the_backend_is_asked_holds(canang, backend):
    ann = await connected(canang)
    ban = call(canang, "ban", user="ann", channel="r")
    error = await while_asked(canang, backend, "subscribe", ban, ann.ask(subscribe={"channel": "r"}))
    assert (error["code"], error["message"]) == (103, "banned")
    await ann.subscribe("other")
    await ann.end()


@pytest.mark.parametrize("is_member", [True, False], ids=["member", "outside"])
async def test_a_mute_that_comes_while_the_backend_is_asked_holds(canang, backend, is_member):
    ann = await connected(canang)
    if is_member:
        await ann.subscribe("r")
    mute = call(canang, "mute", user="ann", reason="caps")
    said = ann.ask(publish={"channel": "r", "data": "x"})
    error = await while_asked(canang, backend, "publish", mute, said)
    assert (error["code"], error["message"]) == (103, "muted: caps")
    assert await messages(canang, "r") == 0
    await ann.end()


@pytest.mark.parametrize("is_member", [True, False], ids=["member", "outside"])
async def test_the_backend_is_not_asked_what_a_muted_client_may_publish(canang, backend, is_member):
    ann = await connected(canang)
    if is_member:
        await ann.subscribe("r")
        assert await publish(ann, "r") == {}
    asked = len(backend.asked("publish"))
    await call(canang, "mute", user="ann")
    assert (await publish(ann, "r"))["message"] == "muted"
    assert len(backend.asked("publish")) == asked
    await call(canang, "unmute", user="ann")
    assert await publish(ann, "r") == {}
    assert len(backend.asked("publish")) == asked + 1
    await ann.end()


@pytest.mark.parametrize("is_member", [True, False], ids=["member", "outside"])
async def test_slow_mode_holds_for_what_the_backend_allows(canang, is_member):
    ann = await connected(canang)
    if is_member:
        await ann.subscribe("slow:1")
    assert await publish(ann, "slow:1") == {}
    assert (await publish(ann, "slow:1"))["message"].startswith("slow mode: ")
    await ann.end()


async def test_a_full_room_is_full_whatever_the_backend_allows(canang, backend):
    ann = await connected(canang)
    await ann.subscribe("small:1")
    backend.answers["connect"] = {"result": {"user": "bob"}}
    bob = await connected(canang)
    error = (await bob.ask(subscribe={"channel": "small:1"}))["error"]
    assert error["message"] == "the room is full"
    await ann.end()
    await bob.end()
