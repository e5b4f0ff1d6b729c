"""What tokens say of members is told on all nodes, also of those whose node is gone."""

from __future__ import annotations

import signal

from support.centrifugo import Json, Peer
from support.clients import close_all, open_client
from support.cluster import Cluster, answers, ask
from support.tokens import SECRET, room_token, token
from support.waiting import eventually

CARD, SEAT = {"name": "Ann \U0001f941"}, {"row": 7}


async def peer(node, user: str, **claims) -> Peer:
    made = await Peer.open(node, Json)
    reply = await made.ask(connect={"token": token(user, **claims)})
    assert "connect" in reply, reply
    return made


def of_ann(watcher: Peer, kind: str) -> list[tuple]:
    found = [push[kind]["info"] for push in watcher.pushes if kind in push]
    return [(who.get("conn_info"), who.get("chan_info")) for who in found if who["user"] == "ann"]


async def test_what_tokens_say_is_told_by_other_nodes_also_after_a_kill(cluster: Cluster):
    redis = cluster.start_redis()
    stays, dies = await cluster.start(2, redis, join_leave="*", token_hmac_secret=SECRET)
    watcher = await peer(stays, "watcher")
    await watcher.subscribe("r", join_leave=True)
    ann = await peer(dies, "ann", info=CARD)
    await ann.subscribe("r", token=room_token("r", "ann", info=SEAT))
    await watcher.until(lambda: of_ann(watcher, "join"), "ann has come")
    assert of_ann(watcher, "join") == [(CARD, SEAT)]
    await ann.publish("r", "hello")
    (said,) = await watcher.has("r", 1)
    assert (said["info"]["conn_info"], said["info"]["chan_info"]) == (CARD, SEAT)
    for node in (stays, dies):
        _, page = await ask(node, "/rooms/r/presence")
        known = {who["user"]: (who.get("info"), who.get("room_info")) for who in page["members"]}
        assert known == {"ann": (CARD, SEAT), "watcher": (None, None)}
    nameless = await open_client(dies.url(f"/ws/r?token={token(None, info='guest')}"))
    await eventually(lambda: len([p for p in watcher.pushes if "join" in p]) == 3, "a guest has come")
    dies.signal(signal.SIGKILL)
    await answers(stays, "/rooms/r", lambda _, page: page["members"] == 1, "gone", 15)
    await watcher.until(lambda: len([p for p in watcher.pushes if "leave" in p]) == 2, "their leaves")
    assert of_ann(watcher, "leave") == [(CARD, SEAT)]
    guests = [p["leave"]["info"] for p in watcher.pushes if "leave" in p]
    assert [who["conn_info"] for who in guests if not who.get("user")] == ["guest"]
    history = (await watcher.ask(history={"channel": "r", "limit": 9}))["history"]["publications"]
    assert [one["info"]["conn_info"] for one in history] == [CARD], "kept by Redis"
    await watcher.end()
    await ann.end()
    await close_all(nameless)
