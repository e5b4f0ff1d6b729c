"""Three Sentinels, and many promotions of a replica that lags, behind an address that stays."""

from __future__ import annotations

import asyncio
import os
import random

import pytest
from support.canang_process import run_to_end
from support.cluster import Cluster, ready
from support.journal import Joined
from support.member import Member
from support.proxy import Proxy
from support.redis_process import RedisProcess, free_port
from support.waiting import eventually

ROUNDS = int(os.environ.get("CANANG_PROMOTIONS", "4"))


def caught_up(master: RedisProcess, replica: RedisProcess) -> bool:
    here, there = master.info("replication"), replica.info("replication")
    return (
        there.get("master_link_status") == "up"
        and here["master_repl_offset"] == there["slave_repl_offset"]
    )


@pytest.mark.timeout(90)
async def test_a_majority_of_sentinels_is_followed_to_the_new_master(cluster: Cluster):
    """The first Sentinel in the URL is not there; another dies together with the master."""
    master = cluster.start_redis()
    replica = cluster.start_redis("--replicaof", f"127.0.0.1 {master.port}")
    trio = [cluster.start_redis(sentinel_of=master.port, quorum=2) for _ in range(3)]
    await eventually(
        lambda: all(s.info("sentinel")["master0"].endswith("slaves=1,sentinels=3") for s in trio),
        "the Sentinels know each other", 15,
    )  # fmt: skip
    hosts = ",".join(f"127.0.0.1:{port}" for port in [free_port(), *(s.port for s in trio)])
    nodes = [
        await cluster.add_node(f"sentinel://{hosts}/mymaster/2", redis_probe_interval="200ms")
        for _ in range(2)
    ]
    async with cluster.clients():
        members = [cluster.member(f"m{n}", "r", [node]) for n, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        for n in range(20):
            await members[n % 2].send(f"a{n}")
        await asyncio.gather(*(member.has(20) for member in members))
        await eventually(lambda: caught_up(master, replica), "the replica has everything")
        master.kill()
        trio[0].kill()
        await eventually(replica.is_master, "the replica is promoted", 20)
        await all_hear(members, "after the failover")
        assert "db2" in replica.info("keyspace"), "the database of the URL, there too"

        assert cluster.faults(settled=True, all_senders_logged=True) == []
        for member in members:
            assert [join.recovered for join in member.joins[1:]] == [True], "nothing was lost"
        await asyncio.gather(*(ready(node) for node in nodes))


async def all_hear(members: list[Member], text: str) -> None:
    """Tries until a publish of each has come through to all."""
    for number, writer in enumerate(members):
        for n in range(200):
            await writer.send(f"{text} {number}/{n}")
            await asyncio.sleep(0.1)
            got = [data for data in writer.data if data.startswith(f"{text} {number}/")]
            if got:
                break
        await asyncio.gather(*(member.has_last(got[0]) for member in members))


@pytest.mark.parametrize("name", ["nobody", "mymaster"])
async def test_a_name_that_no_sentinel_knows_or_sentinels_that_are_not_there_are_waited_for(
    cluster: Cluster, name: str
):
    master = cluster.start_redis()
    sentinel = cluster.start_redis(sentinel_of=master.port)
    port = sentinel.port if name == "nobody" else free_port()
    node = await cluster.add_node(f"sentinel://127.0.0.1:{port}/{name}", ready=False)
    await asyncio.sleep(0.5)
    assert node.running and node.get_internal("/readyz").status == 503
    assert node.get_internal("/healthz").status == 200
    if name == "nobody":
        sentinel.ask("SENTINEL", "MONITOR", "nobody", "127.0.0.1", master.port, 1)
    else:
        cluster.start_redis(sentinel_of=master.port, port=port)
    await ready(node)


class Stage:
    """A master and its replica, of which the one behind the proxy's address is the master."""

    def __init__(self, cluster: Cluster, proxy: Proxy, master: RedisProcess) -> None:
        self.cluster, self.proxy, self.master = cluster, proxy, master
        self.replica = cluster.start_redis("--replicaof", f"127.0.0.1 {master.port}")

    async def promote_lagging(self, lose: list[tuple[Member, str]]) -> None:
        """What is in `lose` is acknowledged by the master and never reaches the replica."""
        await eventually(lambda: caught_up(self.master, self.replica), "caught up", 10, 0.005)
        self.replica.ask("REPLICAOF", "127.0.0.1", "1")  # nobody is there
        for writer, data in lose:
            await writer.send(data)
            await writer.has_last(data)
        self.proxy.cut()
        self.master.kill()
        self.replica.ask("REPLICAOF", "NO", "ONE")
        self.master = self.replica
        self.proxy.target_port = self.master.port
        self.proxy.mend()
        self.replica = self.cluster.start_redis("--replicaof", f"127.0.0.1 {self.master.port}")


async def promotions(cluster: Cluster, rounds: int, *extra: str) -> None:
    """In each round some publications are lost, some clients have seen them, others were away.

    At the end somebody reads all that there is on a node that never heard of anything lost.
    """
    dice = random.Random(rounds)
    patience = 0.5 if extra else 2.5  # without the lineage much never comes
    first = cluster.start_redis()
    options = {"redis_probe_interval": "200ms", "history_size": 1000, "extra": extra}
    async with Proxy(first.port) as proxy, cluster.clients():
        stage = Stage(cluster, proxy, first)
        nodes = [await cluster.add_node(proxy.url, **options) for _ in range(2)]
        writers = [cluster.member(f"writer {n}", "r", [node]) for n, node in enumerate(nodes)]
        others = [cluster.member(f"client {n}", "r", nodes) for n in range(6)]
        members = [*writers, *others]
        await asyncio.gather(*(member.joined() for member in members))
        for round_ in range(rounds):
            kept = [f"{round_} kept {n}" for n in range(dice.randrange(1, 8))]
            await publish_all(writer := dice.choice(writers), kept)
            for member in members:
                await member.until(lambda m=member, w=writer: m.position == w.position, "keeps up")
            away = dice.sample(others, 3)
            await asyncio.gather(*(member.leave() for member in away[:2]))
            lost = [
                (dice.choice(writers), f"{round_} lost {n}") for n in range(dice.randrange(1, 6))
            ]
            await stage.promote_lagging(lost)
            await away[2].leave()  # it has seen what is lost
            new = [f"{round_} new {n}" for n in range(dice.randrange(1, 9))]
            await publish_all(dice.choice(writers), new, patience)
            for member in away:
                member.start()
            await asyncio.gather(*(member.joined() for member in away))
        await publish_all(writers[0], ["the end"], patience)
        historian = Member("historian", "r", [await cluster.add_node(proxy.url, **options)])
        historian.position = (writers[0].joins[0].epoch, 0)
        historian.log.append(Joined(*historian.position, False))
        cluster.members.append(historian.start())
        await historian.joined()
        for member in cluster.members:
            await member.until(
                lambda m=member: m.position[1] == writers[0].position[1], "at the top"
            )


async def publish_all(writer: Member, wanted: list[str], patience: float = 2.5) -> None:
    """One that failed, or may have, is sent again under another name."""
    await writer.joined()
    for data in wanted:
        for n in range(100):
            await writer.send(f"{data}.{n}")
            try:
                await writer.has_last(f"{data}.{n}", patience)
                break
            except AssertionError:
                assert n < 10, writer.tail(40)


@pytest.mark.timeout(120)
async def test_promotions_of_a_lagging_replica_are_never_a_false_recovered(cluster: Cluster):
    await promotions(cluster, ROUNDS)
    assert cluster.faults(settled=True, all_senders_logged=True) == []
    told = [join for member in cluster.members for join in member.joins[1:]]
    assert sum(join.recovered for join in told) >= 2 * ROUNDS, "who has had nothing of what is lost"
    assert sum(not join.recovered for join in told) >= ROUNDS, "the others were told"


@pytest.mark.timeout(120)
async def test_the_same_without_the_lineage_is_found_out(cluster: Cluster):
    await promotions(cluster, 1, "--no-lineage")
    kinds = {fault.kind for fault in cluster.faults(settled=True, all_senders_logged=True)}
    assert {"forked", "false recovered"} <= kinds


def test_a_sentinel_url_that_is_wrong_is_one_line_and_exit_1():
    for url in ("sentinel:///name", "sentinel://h1,h2:x/name", "sentinel://u:pw@/n"):
        result = run_to_end(
            ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0", "--redis", url]
        )
        assert result.returncode == 1, url
        assert len(result.stderr.splitlines()) == 1 and "pw" not in result.stderr, result.stderr
