"""Hooks with several nodes: who decided about a client stays decided, and each node tells of its own rooms."""

from __future__ import annotations

import signal

from support.centrifugo import Json, Peer
from support.cluster import Cluster
from support.hook_backend import HookBackend
from support.waiting import eventually


async def peer(node) -> Peer:
    made = await Peer.open(node, Json)
    reply = await made.ask(connect={})
    assert "connect" in reply, reply
    return made


async def test_each_node_tells_of_the_members_that_it_has(cluster: Cluster):
    with HookBackend() as backend:
        redis = cluster.start_redis()
        first, second = await cluster.start(
            2, redis, room_linger="100ms", **backend.options("rooms", "disconnect")
        )
        ann, bob = await peer(first), await peer(second)
        for one in (ann, bob):
            await one.subscribe("lobby")
        await eventually(lambda: len(backend.events("rooms", type="occupied")) == 2, "both tell it")
        nodes = {event["node"] for event in backend.events("rooms")}
        assert len(nodes) == 2
        await ann.publish("lobby", 1)
        await bob.has("lobby", 1)
        await ann.end()
        await eventually(lambda: backend.events("rooms", type="vacated"), "one of them tells it")
        [vacated] = backend.events("rooms", type="vacated")
        assert vacated["node"] in nodes
        second.signal(signal.SIGKILL)
        await bob.closed()
        assert len(backend.events("rooms")) == 3, "a node that is killed says nothing"
        assert len(backend.events("disconnect")) == 1


async def test_what_is_changed_on_one_node_is_told_so_on_all(cluster: Cluster):
    with HookBackend() as backend:
        backend.answers["connect"] = {"result": {"user": "ann", "info": {"name": "Ann"}}}
        backend.answers["publish"] = {"result": {"data": {"clean": True}}}
        redis = cluster.start_redis()
        first, second = await cluster.start(2, redis, **backend.options("connect", "publish"))
        ann, other = await peer(first), await peer(second)
        for one in (ann, other):
            await one.subscribe("lobby")
        await ann.publish("lobby", {"dirty": True})
        for one in (ann, other):
            [told] = await one.has("lobby", 1)
            assert told["data"] == {"clean": True}
            assert (told["info"]["user"], told["info"]["conn_info"]) == ("ann", {"name": "Ann"})
            await one.end()
