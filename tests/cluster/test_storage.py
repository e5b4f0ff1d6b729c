"""What Redis keeps of a room goes, in part or all of it, while clients are there."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.clients import close_all, open_client, receive
from support.cluster import Cluster
from support.redis_process import RedisProcess


def key_of(redis: RedisProcess, kind: str, room: str) -> bytes:
    [key] = redis.ask("KEYS", f"canang:{{p*}}:{kind}:{room}")
    return key


@pytest.mark.parametrize("gone", ["everything", "meta", "stream"])
async def test_what_is_deleted_under_the_clients_is_told_or_not_needed(cluster: Cluster, gone: str):
    """Idle, noticed within 10 s; `meta` holds epoch and offset, the stream the history."""
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis)
    async with cluster.clients():
        idle = [cluster.member(f"idle {n}", "idle", [node]) for n, node in enumerate(nodes)]
        busy = [cluster.member(f"busy {n}", "busy", [node]) for n, node in enumerate(nodes)]
        away = {room: cluster.member(f"away {room}", room, nodes[:1]) for room in ("idle", "busy")}
        members = [*idle, *busy, *away.values()]
        await asyncio.gather(*(member.joined() for member in members))
        for writer in (idle[0], busy[0]):
            for n in range(10):
                await writer.send(f"before {n}")
        await asyncio.gather(*(member.has(10) for member in members))
        epoch = idle[0].position[0]
        await asyncio.gather(*(member.leave() for member in away.values()))
        if gone == "everything":
            redis.ask("FLUSHALL")
        else:
            for room in ("idle", "busy"):
                redis.ask("DEL", key_of(redis, gone[0], room))
        for n in range(10):
            await busy[1].send(f"after {n}")
        await asyncio.gather(*(member.has_last("after 9") for member in busy))
        if gone == "stream":  # live members need no history
            assert [len(member.joins) for member in [*idle, *busy]] == [1] * 4
        else:
            told = [
                member.until(lambda m=member: len(m.joins) > 1, "is told", 12) for member in idle
            ]
            await asyncio.gather(*told)
            for member in [*idle, *busy]:
                assert [join.recovered for join in member.joins] == [False, False]
                assert member.position[0] != epoch
        await idle[1].send("at last")
        await asyncio.gather(*(member.has_last("at last") for member in idle))
        for member in away.values():
            member.start()
            await member.joined()
        await busy[0].send("at last")
        await asyncio.gather(*(m.has_last("at last") for m in [*busy, away["busy"]]))
        assert [join.recovered for join in away["busy"].joins[1:]] == [gone == "stream"]
        assert cluster.faults(settled=True, all_senders_logged=True) == []


async def test_history_that_has_expired_is_not_recovered_and_offsets_go_on(cluster: Cluster):
    nodes = await cluster.start(2, cluster.start_redis(), history_ttl="1s", room_linger="100ms")
    writer = await open_client(nodes[0].url("/ws/r?meta=true"))
    epoch = json.loads(await receive(writer))["join"]["epoch"]
    for n in range(3):
        await writer.send(f"m{n}")
        assert json.loads(await receive(writer))["offset"] == n + 1
    await close_all(writer)
    await asyncio.sleep(1.5)  # nothing to wait for: the ttl itself has to pass

    async def join(since: int) -> tuple[bool, str, int]:
        client = await open_client(nodes[1].url(f"/ws/r?since={epoch}:{since}"))
        frame = json.loads(await receive(client))["join"]
        await close_all(client)
        return frame["recovered"], frame["epoch"], frame["offset"]

    assert await join(1) == (False, epoch, 3)
    assert await join(3) == (True, epoch, 3), "it has missed nothing"
    again = await open_client(nodes[1].url(f"/ws/r?since={epoch}:3"))
    await receive(again)
    await again.send("goes on")
    assert json.loads(await receive(again)) == {"epoch": epoch, "offset": 4, "data": "goes on"}
    await close_all(again)


async def test_a_redis_that_is_read_only_for_a_while_is_a_temporary_error(cluster: Cluster):
    """Made a replica of nobody and a master again: another life, in which nothing is missing."""
    redis = cluster.start_redis()
    nodes = await cluster.start(2, redis, redis_publish_timeout="500ms")
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        await members[0].send("before")
        await asyncio.gather(*(member.has(1) for member in members))
        redis.ask("REPLICAOF", "127.0.0.1", "1")
        await members[0].send("refused")
        await members[0].until(lambda: members[0].errors, "an error", 4)
        assert members[0].errors[0]["code"] == "unavailable"
        assert members[0].socket
        redis.ask("REPLICAOF", "NO", "ONE")
        for n in range(100):
            await members[1].send(f"after {n}")
            if len(members[1].data) > 1:
                break
            await asyncio.sleep(0.1)
        last = f"after {n}"
        await asyncio.gather(*(member.has_last(last) for member in members))
        assert cluster.faults(settled=True, all_senders_logged=True) == []
        assert "refused" not in members[1].data
        for member in members:
            assert [join.recovered for join in member.joins[1:]] == [True], "another life, no loss"


async def test_a_room_whose_keys_have_wrong_types_is_in_error_alone(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        rooms = {kind: f"bad {kind}" for kind in "smn"}
        bad = {
            kind: await cluster.member(kind, room, [node]).joined() for kind, room in rooms.items()
        }
        good = await cluster.member("good", "good", [node]).joined()
        for member in bad.values():
            await member.send("stored")
            await member.has(1)
        for kind, room in rooms.items():
            key = key_of(redis, kind, room)
            redis.ask("DEL", key)
            redis.ask("SET", key, "neither stream nor hash")
        for kind in "sm":
            await bad[kind].send("refused")
            await bad[kind].until(lambda m=bad[kind]: m.errors, "an error", 5)
        late = cluster.member("late", rooms["n"], [node])
        await late.joined()  # a wrong count is not in the way of the messages
        await bad["n"].send("heard")
        await late.has(1)
        await good.send("fine")
        await good.has(1)
        for kind, room in rooms.items():
            redis.ask("DEL", key_of(redis, kind, room))
        for member in [*bad.values(), good]:
            await member.send("well again")
            await member.has_last("well again")
        assert cluster.faults(settled=True) == []


async def test_who_returns_over_a_change_of_epochs_gets_all_in_the_epoch_it_is_told(
    cluster: Cluster,
):
    redis = cluster.start_redis("--appendonly", "yes", "--appendfsync", "always")
    here, there = await cluster.start(2, redis)
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate((here, there))]
        away = cluster.member("away", "r", [there])
        await asyncio.gather(*(member.joined() for member in [*members, away]))
        await members[0].send("first")
        await asyncio.gather(*(member.has(1) for member in [*members, away]))
        await away.leave()
        await members[0].send("while it was away")
        await asyncio.gather(*(member.has(2) for member in members))
        redis.kill()
        redis.start()
        for member in members:
            await member.until(lambda m=member: len(m.joins) == 2, "is told of the epoch", 15)
        await members[0].send("after the restart")
        await asyncio.gather(*(member.has(3) for member in members))
        away.start()
        await away.has(3)
        assert [join.recovered for join in away.joins[1:]] == [True]
        assert cluster.faults(settled=True, all_senders_logged=True) == []
