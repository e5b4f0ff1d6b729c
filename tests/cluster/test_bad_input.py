"""Wrong options, a Redis that says no, and rubbish on our channels."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from support.canang_process import run_to_end
from support.checker import faults_of
from support.clients import open_client
from support.cluster import Cluster, answers, ask, ready
from support.redis_process import RedisError, free_port
from support.waiting import eventually

SECRET = "s3cret-w0rd"


@pytest.mark.parametrize(
    "url",
    [
        f"127.0.0.1:6379?{SECRET}", f"http://u:{SECRET}@h", f"redis://u:{SECRET}@h:port",
        f"redis://u:{SECRET}@h:0", f"redis://u:{SECRET}@", f"redis://u:{SECRET}@h/x",
        f"redis://u:%zz{SECRET}@h", f"sentinel://u:{SECRET}@h1,,h2/m",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_is_one_line_and_exit_1(url: str):
    result = run_to_end(
        ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0", "--redis", url]
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("canang: --redis")
    assert SECRET not in result.stderr or "@" not in url


@pytest.mark.parametrize("credentials", [f":{SECRET}", f"user:{SECRET}", ""])
def test_a_refused_password_is_one_line_and_exit_1(start_redis, credentials: str):
    redis = start_redis("--requirepass", "another")
    at = f"{credentials}@" if credentials else ""
    result = run_to_end(
        ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0",
         "--redis", f"redis://{at}127.0.0.1:{redis.port}"]
    )  # fmt: skip
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert f"127.0.0.1:{redis.port}" in line and "password" in line and SECRET not in line


async def test_password_user_and_database_are_used(cluster: Cluster):
    redis = cluster.start_redis("--requirepass", "first")
    redis.password = "first"
    redis.ask("ACL", "SETUSER", "canang", "on", ">p@ss/w:rd", "+@all", "~canang:*", "&canang:*")
    url = f"redis://canang:p%40ss%2Fw%3Ard@127.0.0.1:{redis.port}/3"
    nodes = [await cluster.add_node(url) for _ in range(2)]
    async with cluster.clients():
        members = [cluster.member(f"m{i}", "r", [node]) for i, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        await members[0].send("hello")
        await members[1].has(1)
        assert "db3" in redis.info("keyspace") and "db0" not in redis.info("keyspace")
        for node in nodes:
            assert "p@ss" not in node.stdout() + node.stderr()


async def test_redis_that_is_not_there_yet_is_waited_for(cluster: Cluster):
    port = free_port()
    node = await cluster.add_node(f"redis://127.0.0.1:{port}", ready=False)
    await answers(
        node, "/readyz",
        lambda status, page: status == 503 and f"127.0.0.1:{port}" in page["reason"],
        "the reason, once the node has started", 5,
    )  # fmt: skip
    assert (await ask(node, "/healthz"))[0] == 200
    cluster.start_redis(port=port)
    await ready(node)
    client = await open_client(node.url("/ws/r"))
    await client.send("hello")
    assert await asyncio.wait_for(client.recv(), 5) == "hello"
    await client.close()


async def test_rubbish_on_a_channel_is_counted_and_disturbs_nobody(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        await member.send("before")
        await member.has(1)
        [channel] = [c for c in redis.ask("PUBSUB", "CHANNELS") if c.endswith(b":c:r")]
        epoch = member.joins[0].epoch
        for rubbish, reason in (
            (b"hello", "foreign"), (b"\x00\xff" * 100, "foreign"), (b"", "foreign"),
            (b'{"json":true}', "foreign"), (b"9 %s 2 1\n" % epoch.encode() + b"x" * 40, "version"),
            (b"3 %s 2 1\n" % epoch.encode() + b"x" * 40, "truncated"),
            (b"1 %s 2 1\n" % epoch.encode(), "truncated"), (b"1 short", "truncated"),
            (b"1 %s 2 9\n" % epoch.encode() + b"\0" * 60, "truncated"),
        ):  # fmt: skip
            before = node.metrics().total("canang_redis_bad_messages_total", reason=reason)
            redis.ask("PUBLISH", channel, rubbish)
            await eventually(
                lambda b=before, r=reason: node.metrics().total(
                    "canang_redis_bad_messages_total", reason=r
                ) == b + 1,
                f"{rubbish!r} is counted as {reason}",
            )  # fmt: skip
        await member.send("after")
        await member.has(2)
        assert faults_of({"m": member.log}, ["before", "after"]) == []
        complaints = await eventually(lambda: node.log_with("is not ours"), "it is logged")
        assert len(complaints) == 1, "logged once a minute"


async def test_a_key_of_the_wrong_type_is_an_error_in_that_room_alone(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        bad = await cluster.member("bad", "bad", [node]).joined()
        good = await cluster.member("good", "good", [node]).joined()
        await bad.send("works")
        await bad.has(1)
        [key] = redis.ask("KEYS", "*:s:bad")
        redis.ask("SET", key, "not a stream")
        await bad.send("refused")
        await eventually(lambda: bad.errors, "an error")
        assert bad.errors[0]["code"] == "refused"
        await good.send("fine")
        await good.has(1)
        errors = node.metrics().total("canang_redis_publish_errors_total", reason="wrong_type")
        assert errors == 1
        redis.ask("DEL", key)
        await bad.send("works again")
        await bad.has_last("works again")


async def test_a_full_redis_is_a_temporary_error(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis)
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        await member.send("no room")
        await eventually(lambda: member.errors, "an error")
        assert member.errors[0]["code"] == "unavailable"
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        await member.send("room again")
        await member.has_last("room again")


async def test_housekeeping_that_is_refused_is_counted_and_logged_once_a_minute(cluster: Cluster):
    redis = cluster.start_redis()
    [node] = await cluster.start(1, redis, join_leave="*")
    async with cluster.clients():
        await cluster.member("m", "r", [node], user="ann").joined()
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        late = await cluster.member("late", "r", [node], user="bob").joined()

        def refused(script: str) -> float:
            return node.metrics().total(
                "canang_redis_refused_total", script=script, reason="memory"
            )

        await eventually(lambda: refused("lease") >= 2 and refused("presence") >= 2, "counted")
        assert node.metrics().total("canang_redis_refused_total", reason="acl") == 0
        lines = await eventually(lambda: node.log_with("housekeeping is refused"), "it is logged")
        assert len(lines) == 1 and "OOM command not allowed" in lines[0]
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        await late.until(lambda: ("joined", "bob") in late.events, "is told in the end", 20)


def fails_over(sentinel) -> bool:
    """Whether it does. A Sentinel that has not heard of the replica for a moment refuses."""
    try:
        sentinel.ask("SENTINEL", "FAILOVER", "mymaster")
    except RedisError as refusal:
        assert "NOGOODSLAVE" in str(refusal), refusal
        return False
    return True


async def test_a_master_that_became_a_replica_is_left_for_the_new_one(cluster: Cluster):
    """READONLY: the publish waits, and goes to the new master in time or fails."""
    old = cluster.start_redis()
    new = cluster.start_redis("--replicaof", f"127.0.0.1 {old.port}")
    sentinel = cluster.start_redis(sentinel_of=old.port)
    await eventually(new.replicates, "the replica follows", 15)
    await eventually(
        lambda: len(sentinel.ask("SENTINEL", "replicas", "mymaster")) == 1, "known", 15
    )
    node = await cluster.add_node(f"sentinel://127.0.0.1:{sentinel.port}/mymaster")
    async with cluster.clients():
        member = await cluster.member("m", "r", [node]).joined()
        await member.send("before")
        await member.has(1)
        # A replica whose link is up may be sent nothing yet: what it has not got would be lost.
        [stream] = await eventually(lambda: new.ask("KEYS", "*:s:r"), "the replica has it too", 15)
        await eventually(lambda: fails_over(sentinel), "a replica is good enough to promote", 15)
        await eventually(new.is_master, "the replica is promoted", 20)
        old.ask("REPLICAOF", "127.0.0.1", new.port)  # as the Sentinel does some seconds later
        is_over = asyncio.Event()
        talk = asyncio.create_task(cluster.chatter(is_over, pause_s=0.1))
        await eventually(lambda: new.ask("XLEN", stream) > 1, "the new master is published to", 30)
        is_over.set()
        await talk
        await answers(node, "/readyz", lambda status, _: status == 200, "ready", 15)
        await member.joined()
        await member.send("end")
        await member.has_last("end")
        assert member.data[0] == "before"
        assert faults_of({"m": member.log}) == []


def make_authority(directory: Path, name: str) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}-ca.key",
            "-out", f"{name}-ca.pem", "-subj", f"/CN={name} authority", "-days", "2")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", "/CN=127.0.0.1")  # fmt: skip
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey",
            f"{name}-ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
            "-extfile", "san")  # fmt: skip


async def test_tls_is_spoken_and_a_certificate_that_is_not_trusted_is_refused(
    cluster: Cluster, tmp_path: Path
):
    make_authority(tmp_path, "good")
    make_authority(tmp_path, "other")
    tls_port = free_port()
    cluster.start_redis(
        "--tls-port", str(tls_port),
        "--tls-cert-file", str(tmp_path / "good.pem"),
        "--tls-key-file", str(tmp_path / "good.key"),
        "--tls-ca-cert-file", str(tmp_path / "good-ca.pem"),
    )  # fmt: skip
    url = f"rediss://127.0.0.1:{tls_port}"
    client_files = {
        "redis-ca": tmp_path / "good-ca.pem",
        "redis-cert": tmp_path / "good.pem",
        "redis-key": tmp_path / "good.key",
    }
    nodes = [await cluster.add_node(url, **client_files) for _ in range(2)]
    async with cluster.clients():
        members = [cluster.member(f"m{i}", "r", [node]) for i, node in enumerate(nodes)]
        await asyncio.gather(*(member.joined() for member in members))
        for n in range(50):
            await members[0].send(f"{n}".ljust(5000, "."))
        await members[1].has(50)
        assert faults_of({m.name: m.log for m in members}) == []
    ports = ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"]
    result = await asyncio.to_thread(
        run_to_end, [*ports, "--redis", url, "--redis-ca", str(tmp_path / "other-ca.pem")]
    )
    assert result.returncode == 1 and "not trusted" in result.stderr
    result = await asyncio.to_thread(
        run_to_end, [*ports, "--redis", url, "--redis-ca", str(tmp_path / "none.pem")]
    )
    assert result.returncode == 1 and "none.pem" in result.stderr
