"""What the other tests rely on: the proxy and the Redis processes do what they are told."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.proxy import COMMANDS, DOWN, SUBSCRIPTION, UP, Proxy
from support.redis_process import RedisError, RedisProcess
from support.waiting import eventually


class Raw:
    """A connection that sends inline commands and shows what has come back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: str) -> bytes:
        self.writer.write(line.encode() + b"\r\n")
        return await asyncio.wait_for(self.reader.read(4096), 5)

    async def is_silent_after(self, line: str) -> bool:
        try:
            await asyncio.wait_for(self.ask(line), 0.3)
        except TimeoutError:
            return True
        return False

    async def is_ended(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(4096), 5) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Raw(reader, writer)
    writer.close()


async def test_the_proxy_passes_both_ways_and_tells_subscriptions_from_commands(start_redis):
    redis = start_redis()
    async with Proxy(redis.port) as proxy, raw(proxy.port) as one, raw(proxy.port) as two:
        assert await one.ask("PING") == b"+PONG\r\n"
        assert b"subscribe" in await two.ask("SUBSCRIBE c")
        assert len(proxy.of_kind(COMMANDS)) == len(proxy.of_kind(SUBSCRIPTION)) == 1
        assert proxy.end(SUBSCRIPTION) == 1
        assert await two.is_ended()
        assert await one.ask("PING") == b"+PONG\r\n"


async def test_the_proxy_cuts_and_mends(start_redis):
    redis = start_redis()
    async with Proxy(redis.port) as proxy, raw(proxy.port) as before:
        assert await before.ask("PING") == b"+PONG\r\n"
        proxy.cut()
        assert await before.is_ended()
        async with raw(proxy.port) as refused:
            assert await refused.is_ended()
        proxy.mend()
        async with raw(proxy.port) as after:
            assert await after.ask("PING") == b"+PONG\r\n"


async def test_the_proxy_keeps_back_and_loses_nothing(start_redis):
    redis = start_redis()
    async with Proxy(redis.port) as proxy, raw(proxy.port) as client:
        for ways, has_run in (((UP,), False), ((DOWN,), True), ((), False)):
            redis.ask("DEL", "n")
            proxy.hold(*ways)
            assert await client.is_silent_after("INCR n")
            assert (redis.ask("GET", "n") == b"1") is has_run
            proxy.mend()
            assert await asyncio.wait_for(client.reader.read(4096), 5) == b":1\r\n"
            assert redis.ask("GET", "n") == b"1"


async def test_the_proxy_swallows_and_wedges(start_redis):
    redis = start_redis()
    async with Proxy(redis.port) as proxy, raw(proxy.port) as client, raw(proxy.port) as other:
        assert await client.ask("PING") == b"+PONG\r\n"
        proxy.swallows = True
        assert await client.is_silent_after("SET swallowed yes")
        proxy.mend()
        assert await client.ask("PING") == b"+PONG\r\n"
        assert redis.ask("GET", "swallowed") is None
        assert b"subscribe" in await other.ask("SUBSCRIBE c")
        proxy.wedge(SUBSCRIPTION, DOWN)
        redis.ask("PUBLISH", "c", "x")
        assert await other.is_silent_after("SUBSCRIBE d")
        assert redis.ask("PUBSUB", "NUMSUB", "d") == [b"d", 1]
        assert await client.ask("PING") == b"+PONG\r\n"
        async with raw(proxy.port) as new:
            assert b"subscribe" in await new.ask("SUBSCRIBE c")


async def test_redis_pauses_restarts_empty_and_with_its_data(start_redis):
    kept, empty = start_redis("--appendonly", "yes", "--appendfsync", "always"), start_redis()
    for redis in (kept, empty):
        redis.ask("SET", "k", "v")
        redis.kill()
        with pytest.raises(OSError):
            redis.ask("GET", "k")
        redis.start()
    assert kept.ask("GET", "k") == b"v"
    assert empty.ask("GET", "k") is None
    async with raw(kept.port) as client:
        kept.pause()
        assert await client.is_silent_after("PING")
        kept.resume()
        assert await asyncio.wait_for(client.reader.read(4096), 5) == b"+PONG\r\n"
    async with raw(kept.port) as client:
        assert b"subscribe" in await client.ask("SUBSCRIBE c")
        assert kept.kill_clients("pubsub") == 1
        assert await client.is_ended()
    with pytest.raises(RedisError, match="wrong number"):
        kept.ask("GET")


def test_a_redis_that_ends_connections_is_asked_again_and_not_told_twice(tmp_path):
    """As one does that a Sentinel promotes."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in (b"", b"", b"+PONG\r\n", b""):
                peer, _ = listener.accept()
                told.append(peer.recv(4096))
                peer.sendall(answer)
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        redis = RedisProcess(tmp_path, [], listener.getsockname()[1], False)
        assert redis.ask("PING") == "PONG"
        with pytest.raises(ConnectionError):
            redis.ask("INCR", "n")
        thread.join()
    assert [b"PING" in command for command in told] == [True, True, True, False]


async def test_a_sentinel_promotes_the_replica(start_redis):
    master = start_redis()
    replica = start_redis("--replicaof", f"127.0.0.1 {master.port}")
    sentinel = start_redis(sentinel_of=master.port)
    await eventually(replica.replicates, "it replicates", 15)
    await eventually(lambda: sentinel.ask("SENTINEL", "replicas", "mymaster"), "it is known", 15)
    master.kill()
    await eventually(replica.is_master, "it is promoted", 15)
    new = [b"127.0.0.1", str(replica.port).encode()]
    await eventually(
        lambda: sentinel.ask("SENTINEL", "get-master-addr-by-name", "mymaster") == new, "it tells"
    )
