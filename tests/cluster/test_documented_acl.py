"""docs/configuration.md names what an ACL has to allow. Every test of a cluster runs under exactly that
(tests/support/redis_process.py), and so do the unit tests on a real Redis."""

from __future__ import annotations

import asyncio
import re

from support.canang_process import REPOSITORY
from support.cluster import Cluster
from support.documented_acl import documented_commands
from support.waiting import eventually

# What nodes send beside their scripts; AUTH and HELLO are allowed to everybody.
SENT = {
    "client|setname", "eval", "evalsha", "hdel", "hgetall", "hmget", "ping", "publish", "role",
    "script|load", "select", "set", "sscan", "subscribe", "unsubscribe", "zadd", "zrange", "zrem",
}  # fmt: skip


def called_by_scripts() -> set[str]:
    texts = [path.read_text() for path in (REPOSITORY / "cluster" / "rooms" / "scripts").glob("*.lua")]
    assert len(texts) >= 9
    calls = [call for text in texts for call in re.findall(r"redis\.p?call\(([^,)]*)", text)]
    assert all(re.fullmatch(r"'[A-Z]+'", call) for call in calls), "a log line has to name them"
    return {call.strip("'").lower() for call in calls}


def test_the_documented_commands_are_those_that_are_used():
    documented = {command.removeprefix("+") for command in documented_commands()}
    assert documented == SENT | called_by_scripts()


async def test_a_leave_whose_answer_was_lost_is_told_under_the_documented_acl(cluster: Cluster):
    """Tried again after a stop of Redis, by a branch of the script that is seldom run."""
    redis = cluster.start_redis()
    here, there = await cluster.start(
        2, redis, join_leave="*", redis_command_timeout="300ms", redis_probe_interval="200ms"
    )
    async with cluster.clients():
        watcher = await cluster.member("watcher", "r", [here], user="watcher").joined()
        for turn in range(3):
            guest = cluster.member(f"guest {turn}", "r", [there], user=f"guest{turn}")
            await guest.joined()
            await watcher.until(lambda t=turn: ("joined", f"guest{t}") in watcher.events, "told")
            await guest.leave()
            await asyncio.sleep(2.9)  # it is due 3 s after
            redis.pause()
            await asyncio.sleep(0.5)
            redis.resume()
            await watcher.until(
                lambda t=turn: ("left", f"guest{t}") in watcher.events, "told of the leave", 10
            )
        await eventually(lambda: redis.refused() == [], "nothing is refused")
