"""A Sentinel promotes a replica that lags: whoever has seen what is lost must be told."""

from __future__ import annotations

import asyncio

import pytest
from support.canang_process import CanangProcess
from support.checker import faults_of
from support.cluster import Cluster
from support.journal import Joined
from support.member import Member
from support.waiting import eventually


class Lagging:
    """A master, a replica that can be cut off, and a Sentinel."""

    def __init__(self, cluster: Cluster) -> None:
        self.master = cluster.start_redis()
        self.master.ask(
            "ACL", "SETUSER", "replica", "on", ">secret", "allcommands", "allkeys", "allchannels"
        )
        self.replica = cluster.start_redis(
            "--replicaof", f"127.0.0.1 {self.master.port}",
            "--masteruser", "replica", "--masterauth", "secret",
            "--repl-ping-replica-period", "1",
        )  # fmt: skip
        self.sentinel = cluster.start_redis(sentinel_of=self.master.port)
        self.url = f"sentinel://127.0.0.1:{self.sentinel.port}/mymaster"

    async def is_known(self) -> None:
        await eventually(self.replica.replicates, "the replica follows", 15)
        await eventually(
            lambda: len(self.sentinel.ask("SENTINEL", "replicas", "mymaster")) == 1,
            "the Sentinel knows the replica", 15,
        )  # fmt: skip

    async def has_caught_up(self) -> None:
        def same() -> bool:
            offset = self.master.info("replication")["master_repl_offset"]
            return self.replica.info("replication")["slave_repl_offset"] == offset

        await eventually(same, "the replica has everything", 10, 0.005)

    def cut_replica(self) -> None:
        """Its user is locked out; everybody else goes on."""
        self.master.ask("ACL", "SETUSER", "replica", "off")
        self.master.ask("CLIENT", "KILL", "USER", "replica")

    async def fail_over(self) -> None:
        """A second passes before it: no probe of the old master is younger then."""
        self.master.kill()
        await asyncio.sleep(1.1)
        await eventually(self.replica.is_master, "the replica is promoted", 20)


async def linked(node: CanangProcess) -> None:
    """A probe has come back from the new master (readiness allows for 10 s without one)."""

    def proven() -> bool:
        return node.metrics()["canang_redis_last_probe_seconds"] < 1

    await eventually(proven, "linked with the new master", 20)


async def lagging_failover(cluster: Cluster, **options: tuple[str, ...]):
    """Returns (logs, publications that all who were not told of a loss must have)."""
    redis = Lagging(cluster)
    await redis.is_known()
    here, there = [
        await cluster.add_node(redis.url, redis_probe_interval="200ms", **options) for _ in range(2)
    ]
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [here]).joined()
        stays = await cluster.member("stays", "r", [there]).joined()
        saw = await cluster.member("saw the lost ones and was away", "r", [there]).joined()
        had_not = await cluster.member("left before and came back", "r", [there]).joined()
        kept = [f"kept {n}" for n in range(20)]
        for data in kept:
            await writer.send(data)
        for member in (writer, stays, saw, had_not):
            await member.has(20)
        await redis.has_caught_up()
        redis.cut_replica()
        await had_not.leave()
        for n in range(10):
            await writer.send(f"lost {n}")
        for member in (writer, stays, saw):
            await member.has(30)
        await saw.leave()
        await redis.fail_over()
        await asyncio.gather(*(linked(node) for node in (here, there)))
        # Its node never knew what is lost; it has a position from before everything.
        fresh = Member("fresh", "r", [await cluster.add_node(redis.url, **options)])
        fresh.position = (writer.joins[0].epoch, 0)
        fresh.log.append(Joined(*fresh.position, False))
        cluster.members.append(fresh.start())
        await fresh.has(20)
        new_writer = await cluster.member("new writer", "r", [here]).joined()
        new = [f"new {n}" for n in range(15)]  # takes the offsets of the lost ones, and more
        for data in new:
            await new_writer.send(data)
        await fresh.has_last("new 14")
        saw.start()
        had_not.start()
        await asyncio.gather(saw.joined(), had_not.joined())
        await new_writer.send("last")
        await fresh.has_last("last")
        members = [writer, stays, saw, had_not, fresh]
        if not options:
            await asyncio.gather(*(member.has_last("last", 20) for member in members))
        return members, kept + new + ["last"]


@pytest.mark.timeout(120)
async def test_a_replica_that_lagged_is_promoted_and_nobody_is_told_a_false_recovered(
    cluster: Cluster,
):
    members, surviving = await lagging_failover(cluster)
    writer, stays, saw, had_not, fresh = members
    logs = {member.name: member.log for member in members}
    assert faults_of(logs, surviving, settled=True) == []
    assert fresh.data == surviving
    assert had_not.joins[-1].recovered is True
    assert had_not.data == surviving, "exactly once, in order"
    assert saw.joins[-1].recovered is False
    for member in (writer, stays):
        assert [join.recovered for join in member.joins[1:]].count(False) >= 1
        assert [data for data in member.data if data.startswith("new")] == surviving[20:35]


@pytest.mark.timeout(120)
async def test_without_the_lineage_the_same_failover_is_told_wrong(cluster: Cluster):
    """What the test above is worth: it has to find this version at fault."""
    members, surviving = await lagging_failover(cluster, extra=("--no-lineage",))
    logs = {member.name: member.log for member in members}
    faults = faults_of(logs, surviving)
    assert {"forked", "false recovered", "missing"} <= {fault.kind for fault in faults}
    assert "saw the lost ones and was away" in {
        f.who for f in faults if f.kind == "false recovered"
    }


def had(member: Member) -> list[bool]:
    return [join.recovered for join in member.joins]


@pytest.mark.timeout(120)
async def test_a_replica_that_had_everything_is_promoted_and_nothing_is_lost(cluster: Cluster):
    redis = Lagging(cluster)
    await redis.is_known()
    nodes = [await cluster.add_node(redis.url, redis_probe_interval="200ms") for _ in range(2)]
    async with cluster.clients():
        writer = await cluster.member("writer", "r", [nodes[0]]).joined()
        stays = await cluster.member("stays", "r", [nodes[1]]).joined()
        for n in range(20):
            await writer.send(f"a {n}")
        await stays.has(20)
        await redis.has_caught_up()
        await redis.fail_over()
        await asyncio.gather(*(linked(node) for node in nodes))
        for n in range(20):
            await writer.send(f"b {n}")
        await asyncio.gather(writer.has_last("b 19", 20), stays.has_last("b 19", 20))
        sent = [f"{x} {n}" for x in "ab" for n in range(20)]
        assert faults_of({m.name: m.log for m in (writer, stays)}, sent) == []
        assert False not in had(writer)[1:] + had(stays)[1:], "nobody has lost anything"
