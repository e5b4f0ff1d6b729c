"""What goes through Redis comes out as it went in: any text, any bytes, any name."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import quote

from support.clients import close_all, open_client, receive, receive_many
from support.cluster import Cluster, answers, ask
from support.journal import Got

TEXTS = [
    "", " ", '"', "\\", '\\"', "\\u0000", "\x00", "".join(map(chr, range(32))), "\x7f\x80\x9f",
    "</script>", "\u2028\u2029", "é€𝄞", "\ufeff", "\uffff", "�", '{"join":{"room":"x"}}', "a\r\nb",
    "%s %d %", "x" * 65_536, "é" * 32_768, "\x01" * 65_536,
]  # fmt: skip
BLOBS = [
    b"",
    b"\x00",
    b"\r\n",
    bytes(range(256)),
    b"\xff\xfe",
    b"*1\r\n$4\r\nPING\r\n",
    b"\x80" * 65_536,
]


async def test_every_text_and_every_binary_is_the_same_on_another_node_live_and_from_history(
    cluster: Cluster,
):
    here, there = await cluster.start(2, cluster.start_redis(), outbox_limit="8MiB")
    messages: list[str | bytes] = [m for pair in zip(TEXTS, BLOBS * 3, strict=True) for m in pair]
    writer = await open_client(here.url("/ws/r?echo=false"))
    live, bare = [await open_client(there.url(f"/ws/r?meta={meta}")) for meta in ("true", "false")]
    join = json.loads(await receive(live))["join"]
    for message in messages:
        await writer.send(message)

    async def shown(client) -> list[str | bytes]:
        frames = [json.loads(frame) for frame in await receive_many(client, len(messages))]
        assert [frame["offset"] for frame in frames] == list(range(1, len(messages) + 1))
        assert {frame["epoch"] for frame in frames} == {join["epoch"]}
        assert all(
            set(frame) in ({"epoch", "offset", "data"}, {"epoch", "offset", "data64"})
            for frame in frames
        )
        return [
            frame["data"] if "data" in frame else base64.b64decode(frame["data64"], validate=True)
            for frame in frames
        ]

    assert await shown(live) == messages
    assert await receive_many(bare, len(messages)) == messages
    fresh = await cluster.add_node(here.arguments[here.arguments.index("--redis") + 1])
    for node in (there, fresh):  # from the room's memory, and from Redis
        late = await open_client(node.url(f"/ws/r?since={join['epoch']}:0"))
        assert json.loads(await receive(late))["join"] == join | {"recovered": True}
        assert await shown(late) == messages
        old = await open_client(node.url("/ws/r?history=1000"))
        assert await receive_many(old, len(messages)) == messages
        await close_all(late, old)
    await close_all(writer, live, bare)


ROOMS = [
    "{", "}", "{p1}x", "{p2}x", "a:b:c", "é𝄞 \"'\\",
    "*", "?[a-z]", "a/b/../c", "x" * 255, "x" * 254,
    "%41", "canang:nodes", "\u00a0", "#", "a&meta=false", "A", "a", "a ",
]  # fmt: skip


async def test_any_room_name_is_a_room_of_its_own_on_all_nodes(cluster: Cluster):
    here, there = await cluster.start(2, cluster.start_redis())
    async with cluster.clients():
        rooms = {
            room: [
                cluster.member(f"{room}/{n}", room, [node], f"u{room[:9]}")
                for n, node in enumerate((here, there))
            ]
            for room in ROOMS
        }
        await asyncio.gather(*(m.joined() for members in rooms.values() for m in members))
        for room, members in rooms.items():
            await members[0].send(room)
        for room, members in rooms.items():
            for member in members:
                await member.has_last(room)
                assert member.position[1] == 1 and member.data == [room]
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        for room, (member, _) in rooms.items():
            page = f"/rooms/{quote(room, safe='')}"
            await answers(there, page, lambda _, seen: seen["members"] == 2, "two members", 5)
            _, seen = await ask(there, page)
            assert (seen["room"], seen["epoch"], seen["offset"]) == (room, *member.position)
            assert sorted(seen["nodes"].values()) == [1, 1]
            _, present = await ask(here, page + "/presence")
            assert present["room"] == room
            assert [one["user"] for one in present["members"]] == [f"u{room[:9]}"] * 2


async def test_without_echo_a_client_gets_all_but_its_own_on_all_nodes(cluster: Cluster):
    here, there = await cluster.start(2, cluster.start_redis(), history_size=300)
    async with cluster.clients():
        nodes = [("here", here), ("there", there)]
        mute = [cluster.member(f"mute {at}", "r", [node], echo=False) for at, node in nodes]
        loud = [cluster.member(f"loud {at}", "r", [node]) for at, node in nodes]
        members = [*mute, *loud]
        await asyncio.gather(*(member.joined() for member in members))
        for n in range(50):
            for member in members:
                await member.send(f"{member.name} {n}")
        await asyncio.gather(*(member.has(200) for member in loud), *(m.has(150) for m in mute))
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        for member in mute:
            assert not any(data.startswith(member.name) for data in member.data)
            assert len(member.data) == 150
        # A connection that comes later has sent nothing yet: all is others' to it.
        later = await open_client(there.url(f"/ws/r?since={loud[0].position[0]}:0&echo=false"))
        frames = [json.loads(frame) for frame in await receive_many(later, 201)]
        assert frames[0]["join"]["recovered"] is True
        assert [frame["data"] for frame in frames[1:]] == loud[0].data
        await close_all(later)


async def test_users_of_any_name_are_shown_as_they_are(cluster: Cluster):
    here, there = await cluster.start(2, cluster.start_redis(), join_leave="*")
    names = ['"', "\\", "é𝄞", "</b>", "\u2028", "a" * 255, "x y+z&=%", "'; --"]
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [there], user="watcher").joined()
        clients = [
            await open_client(here.url(f"/ws/r?user={quote(name, safe='')}")) for name in names
        ]
        wanted = sorted([*names, "watcher"])
        await watcher.until(lambda: len(watcher.events) == len(wanted), "all are told")
        assert sorted(watcher.events) == [("joined", name) for name in wanted]
        _, page = await ask(there, "/rooms/r/presence")
        assert sorted(member["user"] for member in page["members"]) == wanted
        assert {member["node"] for member in page["members"]} == {
            (await ask(node, "/nodes"))[1]["node"] for node in (here, there)
        }
        told = {e.data.removeprefix("joined ") for e in watcher.log if isinstance(e, Got)}
        assert told == {member["id"] for member in page["members"]}
        assert all(member["id"].split("/")[0] == member["node"] for member in page["members"])
        await close_all(*clients)
