"""What a node that is full, short of memory, or asked too much at once answers, and what it goes on doing."""

import asyncio
import resource
import time

import pytest

from support.canang_process import WITHOUT_RATES
from support.clients import open_client
from support.raw_websocket import RawConnection, RawWebSocket, request_head
from support.waiting import wait_until


def ask(canang, path="/ws/door"):
    """The answer to a handshake."""
    with RawConnection(canang.port) as client:
        client.send(request_head(path))
        return client.read_response()


def rejected(canang, reason):
    return canang.metrics().total("canang_handshakes_rejected_total", reason=reason)


def test_a_full_node_asked_for_one_more_says_503_and_disturbs_nobody(start_canang):
    canang = start_canang(max_connections=3)
    members = [RawWebSocket(canang.port, "/ws/door") for _ in range(3)]
    canang.wait_members(3)
    assert canang.metrics()["canang_headroom_ratio"] == 0
    refused = ask(canang)
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert rejected(canang, "connections") == 1
    members[0].send_text("still here")
    for member in members:
        assert member.read_data().payload == b"still here"
    assert canang.get("/").status == 200, "the page is no connection"
    assert canang.get_internal("/readyz").status == 200
    members.pop().close_normally()
    canang.wait_metric("canang_connections", 2)
    assert ask(canang).status == 101, "a place is free again"
    for member in members:
        member.close()


def test_a_burst_over_the_accept_rate_is_turned_away_and_served_later(start_canang):
    canang = start_canang(accept_rate=20)
    answers = [ask(canang).status for _ in range(40)]
    assert set(answers) == {101, 503}
    assert rejected(canang, "rate") == answers.count(503)
    wait_until(lambda: ask(canang).status == 101, "the next turn comes", 2)


def test_memory_over_its_limit_turns_clients_away_until_there_is_room(start_canang):
    canang = start_canang(memory_limit="1MiB", workers=1)  # less than the process itself has
    seen = canang.metrics()
    assert seen["canang_memory_limit_bytes"] == 1 << 20
    assert seen["canang_memory_used_bytes"] > 1 << 20
    assert seen["canang_headroom_ratio"] == 0
    assert ask(canang).status == 503
    assert rejected(canang, "memory") == 1
    assert canang.get("/").status == 200


def test_memory_in_use_is_followed(start_canang):
    limits = {"outbox_limit": "64MiB", "memory_limit": "1GiB"} | WITHOUT_RATES
    canang = start_canang(close_timeout="1s", **limits)
    before = canang.metrics()["canang_memory_used_bytes"]
    reader = RawWebSocket(canang.port, "/ws/heavy", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/heavy?echo=false")
    canang.wait_members(2)
    for _ in range(500):
        author.send_binary(b"x" * 60_000)
    wait_until(
        lambda: canang.metrics()["canang_memory_used_bytes"] > before + 20_000_000,
        "what waits for a client shows",
    )
    reader.reset()
    author.close()


def test_the_limit_of_open_files_limits_connections_by_itself(start_canang):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = start_canang().metrics()["canang_connections_limit"]
    assert 0.7 * hard <= limit < hard - 100
    assert start_canang(max_connections=0).metrics()["canang_connections_limit"] == limit


async def test_thousands_at_once_cost_a_full_node_nothing_but_answers(start_canang):
    canang = start_canang(max_connections=50, workers=1)
    members = [await open_client(canang.url("/ws/calm")) for _ in range(50)]
    await canang.members_are(50)

    async def knock():
        reader, writer = await asyncio.open_connection("127.0.0.1", canang.port)
        writer.write(request_head("/ws/calm"))
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        return line

    started = time.monotonic()
    for _ in range(4):
        lines = await asyncio.gather(*(knock() for _ in range(500)))
        assert all(line.startswith(b"HTTP/1.1 503 ") for line in lines)
        await members[0].send("calm")
        for member in members:
            assert await asyncio.wait_for(member.recv(), 5) == "calm"
    assert time.monotonic() - started < 20
    for member in members:
        await member.close()


@pytest.mark.parametrize(
    "option", ["max_connections", "max_connections_per_ip", "memory_limit", "accept_rate"]
)
def test_a_limit_that_is_no_number_is_named(option):
    from support.canang_process import run_to_end

    flag = "--" + option.replace("_", "-")
    refused = run_to_end([flag, "much"])
    assert refused.returncode == 2 and flag in refused.stderr
