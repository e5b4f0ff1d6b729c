"""Pings after silence, spread over the interval; the end of clients that don't answer.

Bounds have `SLACK_S` for the granularity of the server's wheel and a busy machine.
"""

import asyncio
import contextlib
import itertools
import selectors
import subprocess
import sys
import time

import pytest

from support.canang_process import WITHOUT_RATES
from support.clients import open_client, receive
from support.pausing import stop
from support.process_lifetime import die_with_parent
from support.raw_websocket import BINARY, PING, PONG, TEXT, Ended, RawWebSocket, frame
from support.waiting import wait_until

SLACK_S = 0.8
STOPPABLE_CLIENT = """
import sys
from websockets.sync.client import connect
client = connect(sys.argv[1], ping_interval=None, proxy=None)
print("joined", flush=True)
for message in client:
    pass
"""


def lasted(client, limit):
    """Seconds until the server ends the connection, without answering anything."""
    started = time.monotonic()
    client.read_to_end(limit)
    return time.monotonic() - started


def test_a_silent_client_gets_a_ping_within_the_interval_and_then_regularly(start_canang):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    with RawWebSocket(canang.port) as client:
        arrivals = [time.monotonic()]
        for _ in range(4):
            ping = client.read_frame(1 + SLACK_S)
            assert ping.opcode == PING
            arrivals.append(time.monotonic())
            client.send(frame(PONG, ping.payload))
        pauses = [after - before for before, after in itertools.pairwise(arrivals)]
        assert all(0.4 < pause < 1 + SLACK_S for pause in pauses[1:]), pauses


def test_no_ping_comes_long_before_the_interval_is_over(start_canang):
    canang = start_canang(ping_interval="1h")
    with RawWebSocket(canang.port) as client, pytest.raises(TimeoutError):
        # Spread over an hour: a ping in this second would be an interval ignored.
        client.read_frame(1)


async def test_a_client_that_answers_stays(start_canang):
    canang = start_canang(ping_interval="500ms", pong_timeout="500ms")
    client = await open_client(canang.url("/ws/alive"))
    with pytest.raises(TimeoutError):
        await receive(client, 4)
    await client.send("still here")
    assert await receive(client) == "still here"
    assert canang.metrics().closes() == {}
    await client.close()


def test_a_client_that_never_answers_is_gone_within_interval_and_timeout(start_canang):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    with (
        RawWebSocket(canang.port, "/ws/mute") as mute,
        RawWebSocket(canang.port, "/ws/mute") as also_mute,
    ):
        canang.wait_members(2)
        assert 0.9 < lasted(mute, 2 + SLACK_S) < 2 + SLACK_S
        also_mute.read_to_end(SLACK_S)
        canang.wait_members(0)
    metrics = canang.metrics()
    assert metrics.total("canang_closes_total", reason="ping_timeout") == 2
    assert metrics.total("canang_closes_total") == 2


def test_a_stopped_client_process_is_gone_within_interval_and_timeout(start_canang):
    canang = start_canang(ping_interval="1s", pong_timeout="1s", room_linger="0s")
    client = subprocess.Popen(
        [sys.executable, "-c", STOPPABLE_CLIENT, canang.url("/ws/stopped")],
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        assert client.stdout.readline() == b"joined\n"
        canang.wait_members(1)
        stop(client)
        stopped = time.monotonic()
        canang.wait_members(0, 2 + SLACK_S)
        assert time.monotonic() - stopped < 2 + SLACK_S
        canang.wait_metric("canang_connections", 0)
        canang.wait_metric("canang_rooms", 0)
        assert canang.metrics().total("canang_closes_total", reason="ping_timeout") == 1
    finally:
        client.kill()
        client.wait()
        client.stdout.close()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, "x"), id="text"),
        pytest.param(frame(BINARY, b"x"), id="binary"),
        pytest.param(frame(PING, b"x"), id="ping"),
        pytest.param(frame(PONG, b"x"), id="unasked pong"),
    ],
)
def test_data_counts_as_life(start_canang, data):
    canang = start_canang(ping_interval="1s", pong_timeout="500ms")
    with RawWebSocket(canang.port, "/ws/busy") as client:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            client.send(data)
            time.sleep(0.1)  # the client's rhythm, not a wait
        assert canang.metrics()["canang_connections"] == 1
        assert canang.metrics().closes() == {}


def test_a_client_that_keeps_talking_is_not_pinged(start_canang):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    with RawWebSocket(canang.port, "/ws/busy?echo=false") as client:
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            client.send_text("x")
            time.sleep(0.1)  # the client's rhythm, not a wait
        with pytest.raises(TimeoutError):
            client.read_frame(0.1)


def test_what_a_room_sends_to_a_client_is_no_life_sign_of_that_client(start_canang):
    canang = start_canang(ping_interval="1s", pong_timeout="1s")
    with (
        RawWebSocket(canang.port, "/ws/talk") as mute,
        RawWebSocket(canang.port, "/ws/talk?echo=false") as talker,
    ):
        canang.wait_members(2)
        started = time.monotonic()
        with contextlib.suppress(Ended):
            while time.monotonic() - started < 4:
                talker.send_text("x")
                mute.read_frame()
                time.sleep(0.05)  # the talker's rhythm, not a wait
        assert time.monotonic() - started < 2 + SLACK_S


def test_a_stalled_reader_below_the_outbox_limit_is_ended_by_the_heartbeat(start_canang):
    canang = start_canang(
        ping_interval="1s", pong_timeout="1s", outbox_limit="64MiB", **WITHOUT_RATES
    )
    stalled = RawWebSocket(canang.port, "/ws/stall", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/stall?echo=false")
    canang.wait_members(2)
    for _ in range(200):
        author.send_binary(b"x" * 65536)
    wait_until(lambda: canang.metrics()["canang_outbox_bytes"] > 0, "the outbox holds something")
    wait_until(
        lambda: canang.metrics().total("canang_closes_total", reason="ping_timeout") >= 1,
        "the heartbeat ends the stalled reader",
        3 + SLACK_S,
    )
    stalled.close()
    author.close()
    canang.wait_metric("canang_outbox_bytes", 0)
    canang.wait_metric("canang_connections", 0)


@pytest.mark.timeout(90)
def test_pings_are_spread_evenly_over_the_interval(start_canang):
    interval, clients = 2.0, 200
    canang = start_canang(ping_interval="2s", pong_timeout="30s")
    sockets = [RawWebSocket(canang.port, "/ws/idle") for _ in range(clients)]
    started = time.monotonic()
    arrivals = {client: [] for client in sockets}
    selector = selectors.DefaultSelector()
    for client in sockets:
        selector.register(client.socket, selectors.EVENT_READ, client)
    while any(len(times) < 2 for times in arrivals.values()):
        assert time.monotonic() - started < 3 * interval + SLACK_S, "pings are missing"
        for key, _ in selector.select(0.1):
            ping = key.data.read_frame(0.5)
            assert ping.opcode == PING
            arrivals[key.data].append(time.monotonic())
            key.data.send(frame(PONG, ping.payload))
    selector.close()
    for client in sockets:
        client.close()
    for which in (0, 1):
        tenths = [0] * 10
        for times in arrivals.values():
            tenths[int((times[which] - started) % interval / interval * 10)] += 1
        share = clients / 10
        assert max(tenths) <= 3 * share, f"ping {which + 1} a tenth: {tenths}"


async def test_the_heartbeat_does_not_disturb_a_fragmented_message(start_canang):
    canang = start_canang(ping_interval="300ms", pong_timeout="5s")
    client = await open_client(canang.url("/ws/frag"))

    async def parts():
        for n in range(6):
            yield f"part {n} "
            await asyncio.sleep(0.2)  # long enough for pings between the parts

    await client.send(parts())
    assert await receive(client) == "".join(f"part {n} " for n in range(6))
    await client.close()
