"""A Redis that cannot be used: the log and /readyz say why, each reason once and each change of it."""

from __future__ import annotations

import asyncio

from support.canang_process import CanangProcess
from support.cluster import Cluster, answers, ask, ready, unready
from support.redis_process import RedisProcess, free_port
from support.waiting import eventually

IMPATIENT = {"redis_probe_interval": "200ms", "redis_probe_timeout": "2s"}


async def says(node: CanangProcess, text: str, timeout: float = 10) -> None:
    await eventually(lambda: node.log_with(text), f"a line of the log has {text!r}", timeout)


async def not_publishing(node: CanangProcess, why: str, timeout: float = 10) -> None:
    """Ready all the same."""
    await answers(
        node, "/readyz",
        lambda status, page: (
            status == 200 and page.get("publishing") is False and why in page["reason"]
        ),
        f"ready, but not publishing: {why}", timeout,
    )  # fmt: skip


async def well(node: CanangProcess, timeout: float = 15) -> None:
    await answers(node, "/readyz", lambda _, page: page == {"ready": True}, "all is well", timeout)


def connections_to(redis: RedisProcess) -> int:
    return int(redis.info("stats")["total_connections_received"])


async def tries(redis: RedisProcess, more: int) -> None:
    before = connections_to(redis)  # each question is one too
    asked = 0

    def have_come() -> bool:
        nonlocal asked
        asked += 1
        return connections_to(redis) - before - asked >= more

    await eventually(have_come, f"{more} connections", 30, 0.1)


async def test_each_change_of_the_reason_is_said_once_and_readyz_names_it(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, **IMPATIENT)
    redis.ask("ACL", "SETUSER", "canang", "resetpass", ">rotated")
    redis.ask("CLIENT", "KILL", "USER", "canang")
    await says(node, "WRONGPASS")
    await not_publishing(node, "WRONGPASS")
    await tries(redis, 12)
    assert len(node.log_with("WRONGPASS")) == 1, "both links, every time: one line"
    await unready(node, 12)
    _, page = await ask(node, "/readyz")
    assert "the user or password is refused (WRONGPASS)" in page["reason"], page
    redis.kill()
    await says(node, "Connection refused")
    await answers(
        node, "/readyz", lambda _, page: "Connection refused" in page["reason"], "the new one", 10
    )
    redis.start()  # with the password of before
    await well(node)
    redis.ask("REPLICAOF", "127.0.0.1", "1")
    await says(node, "it is a replica")
    redis.ask("REPLICAOF", "NO", "ONE")
    await well(node)


async def test_a_redis_in_cluster_mode_is_one_clear_line_and_unready(cluster: Cluster):
    """At the start, and when one takes the place of another."""
    plain = cluster.start_redis()
    clustered = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    redis = cluster.start_redis(*clustered)
    redis.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    await eventually(
        lambda: b"cluster_state:ok" in redis.ask("CLUSTER", "INFO"), "the cluster works", 10
    )
    started = await cluster.add_node(redis.url, ready=False, **IMPATIENT)
    found = await cluster.add_node(plain.url, **IMPATIENT)
    plain.kill()
    plain.options += clustered[:2] + ("--cluster-port", str(free_port()))
    (plain.directory / "nodes.conf").unlink(missing_ok=True)
    plain.start()
    plain.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    for node in (started, found):
        await says(node, "it is in cluster mode, which is not supported")
        await unready(node, 15)
        _, page = await ask(node, "/readyz")
        assert "cluster mode" in page["reason"], page
        assert (await ask(node, "/healthz"))[0] == 200
    await tries(redis, 6)
    assert len(started.log_with("cluster mode")) == 1


async def test_who_can_publish_nothing_is_ready_and_says_so(cluster: Cluster):
    """All nodes unready at once would help nobody: clients stay, and hear what is still sent."""
    redis = cluster.start_redis()
    redis.may_refuse = True
    [node] = await cluster.start(1, redis, **IMPATIENT)

    def publishing() -> float:
        return node.metrics()["canang_redis_publishing"]

    await eventually(lambda: publishing() == 1, "the gauge is 1")
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    await not_publishing(node, "publishing is refused: OOM")
    assert publishing() == 0
    assert node.metrics()["canang_redis_up"] == 1
    redis.ask("CONFIG", "SET", "maxmemory", "0")
    await well(node)
    await says(node, "publishing is possible again")
    redis.ask("ACL", "SETUSER", "canang", "-info")
    await not_publishing(node, "can't run this command")
    await says(node, "the ACL refuses 'info' (script publish)")
    redis.ask("ACL", "SETUSER", "canang", "+info")
    await well(node)
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    await not_publishing(node, "NOREPLICAS")
    redis.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    await well(node)
    await eventually(lambda: publishing() == 1, "the gauge is 1 again")
    assert len(node.log_with("publishing is refused: OOM")) == 1


async def test_what_the_acl_refuses_is_one_line_that_names_the_command(cluster: Cluster):
    redis = cluster.start_redis()
    redis.may_refuse = True
    [node] = await cluster.start(1, redis, **IMPATIENT)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        redis.ask("ACL", "SETUSER", "canang", "-zadd", "-xadd", "-hincrby", "-sscan")
        await says(node, "the ACL refuses 'zadd' (script lease)")
        for n in range(5):
            await member.send(f"refused {n}")
        await member.until(lambda: len(member.errors) == 5, "told")
        assert {error["code"] for error in member.errors} == {"unavailable"}, "it can be mended"
        visitor = await cluster.member("visitor", "r", [node], user="visitor").joined()
        await says(node, "the ACL refuses 'hincrby' (script presence)")
        redis.ask("ACL", "SETUSER", "canang", "+hincrby", "+zadd", "+xadd", "+sscan")
        await asyncio.gather(member.joined(), visitor.joined())
        await member.send("taken")
        await visitor.has_last("taken")
        assert len(node.log_with("refuses 'xadd' (script publish)")) == 1
        assert len(node.log_with("refuses 'zadd'")) == 1
        await answers(node, "/rooms/r", lambda _, page: page["members"] == 2, "both counted", 10)


async def test_commands_that_can_be_done_without_are_named_too(cluster: Cluster):
    redis = cluster.start_redis()
    redis.may_refuse = True
    redis.ask("ACL", "SETUSER", "canang", "-role", "-client|setname", "-ping", "-script|load")
    [node] = await cluster.start(1, redis)
    await ready(node)
    for command in ("role", "client|setname", "ping", "script"):
        await says(node, f"the ACL refuses '{command}")
