"""SIGTERM and SIGINT: told, flushed, ended in time."""

import asyncio
import signal
import time

import pytest
from websockets.exceptions import ConnectionClosed

from support.canang_process import WITHOUT_RATES
from support.clients import open_client
from support.raw_websocket import BINARY, CLOSE, RawConnection, RawWebSocket, close_frame
from support.waiting import holds_for, wait_until

SHUTDOWN_CODES = (1001, 1012)


async def ending_of(client):
    """What the client got until the end, and the close code."""
    got = []
    try:
        while True:
            got.append(await asyncio.wait_for(client.recv(), 10))
    except ConnectionClosed as closed:
        return got, closed.rcvd.code if closed.rcvd else None


def unready(canang):
    try:
        return canang.get_internal("/readyz").status == 503
    except OSError:
        return True


def stalled_reader(canang, members_before=0):
    """A member that reads nothing, with an outbox that the kernel does not take."""
    reader = RawWebSocket(canang.port, "/ws/stall", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/stall?echo=false")
    canang.wait_members(members_before + 2)
    sent = 0
    while canang.metrics()["canang_outbox_bytes"] < 100_000:
        assert sent < 10_000, "the kernel takes everything"
        for _ in range(5):
            author.send_binary(sent.to_bytes(4, "big") + b"x" * 20_000)
            sent += 1
    wait_until(
        lambda: canang.metrics()["canang_publications_total"] == sent, f"{sent} publications"
    )
    return reader, author, sent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once_with_0(canang, number):
    canang.signal(number)
    assert canang.wait_exit(3) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_clients_are_told_to_come_back(canang, number):
    clients = [await open_client(canang.url(f"/ws/{n % 7}")) for n in range(50)]
    await canang.members_are(50)
    endings = [asyncio.create_task(ending_of(client)) for client in clients]
    canang.signal(number)
    for got, code in await asyncio.gather(*endings):
        assert got == []
        assert code in SHUTDOWN_CODES
    assert canang.wait_exit(6) == 0


async def test_the_close_has_a_reason_text(canang):
    client = await open_client(canang.url())
    await canang.members_are(1)
    canang.signal(signal.SIGTERM)
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), 10)
    assert closed.value.rcvd.code == 1012
    assert closed.value.rcvd.reason


def test_everything_queued_arrives_before_the_close(start_canang):
    canang = start_canang(close_timeout="5s", drain_period="10s", **WITHOUT_RATES)
    reader, author, sent = stalled_reader(canang)
    canang.signal(signal.SIGTERM)
    wait_until(canang.refuses_connections, "the server drains")
    for number in range(sent):
        got = reader.read_data()
        assert got.opcode == BINARY
        assert int.from_bytes(got.payload[:4], "big") == number
    ending = reader.read_frame()
    assert ending.opcode == CLOSE and ending.close_code in SHUTDOWN_CODES
    reader.send(close_frame(ending.close_code))
    reader.expect_end()
    reader.close()
    author.close()
    assert canang.wait_exit(10) == 0


async def test_what_was_published_just_before_the_signal_arrives(canang):
    members = [await open_client(canang.url("/ws/last")) for _ in range(10)]
    await canang.members_are(10)
    endings = [asyncio.create_task(ending_of(client)) for client in members]
    for n in range(200):
        await members[n % 10].send(f"{n % 10}:{n}")
    await asyncio.to_thread(canang.wait_metric, "canang_publications_total", 200)
    canang.signal(signal.SIGTERM)
    results = await asyncio.gather(*endings)
    for got, code in results:
        assert got == results[0][0]
        assert len(got) == 200
        assert code in SHUTDOWN_CODES
    assert canang.wait_exit(6) == 0


def test_a_draining_server_is_unready_and_takes_no_one(start_canang):
    canang = start_canang(close_timeout="3s", drain_period="5s")
    holdout = RawWebSocket(canang.port)
    canang.wait_members(1)
    canang.signal(signal.SIGTERM)
    assert holdout.read_close().close_code in SHUTDOWN_CODES
    wait_until(canang.refuses_connections, "new connections are refused", 1)
    wait_until(lambda: unready(canang), "unready", 1)
    holds_for(lambda: canang.refuses_connections() and unready(canang), 0.5, "drains")
    holdout.close()
    assert canang.wait_exit(5) == 0


def test_the_server_ends_although_a_client_never_answers_the_close(start_canang):
    canang = start_canang(close_timeout="1s", drain_period="10s")
    with RawWebSocket(canang.port) as holdout:
        canang.wait_members(1)
        started = time.monotonic()
        canang.signal(signal.SIGTERM)
        assert canang.wait_exit(5) == 0
        assert time.monotonic() - started < 3, "the close timeout bounds the wait for an answer"
        holdout.read_close()


def test_the_server_ends_within_the_drain_period_although_clients_never_read(start_canang):
    canang = start_canang(close_timeout="20s", drain_period="2s", **WITHOUT_RATES)
    with_nothing_queued = RawWebSocket(canang.port, "/ws/quiet", receive_buffer=4096)
    canang.wait_members(1)
    reader, author, _ = stalled_reader(canang, members_before=1)
    started = time.monotonic()
    canang.signal(signal.SIGTERM)
    assert canang.wait_exit(4) == 0
    assert time.monotonic() - started < 3
    for connection in (with_nothing_queued, reader, author):
        connection.close()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(start_canang, second):
    canang = start_canang(close_timeout="20s", drain_period="20s", **WITHOUT_RATES)
    reader, author, _ = stalled_reader(canang)
    canang.signal(signal.SIGTERM)
    wait_until(canang.refuses_connections, "the server drains")
    holds_for(lambda: canang.running, 0.5, "the drain waits for the stalled reader")
    canang.signal(second)
    canang.wait_exit(1.5)
    reader.close()
    author.close()


@pytest.mark.parametrize("pause_ms", [0, 1, 2, 5])
def test_a_second_signal_in_any_moment_of_the_end_is_no_crash(start_canang, pause_ms):
    for _ in range(5):
        canang = start_canang()
        canang.signal(signal.SIGTERM)
        time.sleep(pause_ms / 1000)  # not a wait for anything: the moment is what is varied
        if canang.running:
            canang.signal(signal.SIGTERM)
        assert canang.wait_exit(3) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def test_unfinished_handshakes_and_idle_http_connections_do_not_hold_up_the_end(canang):
    silent, half, idle = (RawConnection(canang.port) for _ in range(3))
    half.send(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
    idle.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.read_response().status == 200
    internal = RawConnection(canang.internal_port)
    internal.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert internal.read_response().status == 200
    canang.signal(signal.SIGTERM)
    assert canang.wait_exit(3) == 0
    for connection in (silent, half, idle, internal):
        connection.read_to_end()
        connection.close()


async def test_the_grace_goes_on_serving_but_unready(start_canang):
    canang = start_canang(drain_grace="2s")
    client = await open_client(canang.url("/ws/grace"))
    await canang.members_are(1)
    canang.signal(signal.SIGTERM)
    wait_until(lambda: unready(canang), "unready at once", 1)
    assert canang.get_internal("/readyz").status == 503
    assert canang.get_internal("/healthz").status == 200
    await client.send("still served")
    assert await asyncio.wait_for(client.recv(), 1) == "still served"
    _, code = await ending_of(client)
    assert code in SHUTDOWN_CODES
    assert canang.wait_exit(6) == 0


def test_in_the_grace_kept_connections_end_with_their_next_answer(start_canang):
    """Whoever keeps connections, as balancers do, makes its next request to a node that stays."""
    canang = start_canang(drain_grace="2s")
    kept = {"/": RawConnection(canang.port), "/healthz": RawConnection(canang.internal_port)}

    def ends_with_answer(path, connection):
        connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = connection.read_response()
        assert answer.status == 200
        return answer.headers.get("connection", "").lower() == "close"

    for path, connection in kept.items():
        assert not ends_with_answer(path, connection)
    canang.signal(signal.SIGTERM)
    wait_until(lambda: unready(canang), "unready at once", 1)
    for path, connection in kept.items():
        assert ends_with_answer(path, connection)
        assert connection.read_to_end() == b""
        connection.close()
    assert canang.wait_exit(6) == 0


async def test_a_signal_under_load_ends_in_time(canang):
    clients = [await open_client(canang.url(f"/ws/load-{n % 3}")) for n in range(30)]
    await canang.members_are(30)
    endings = [asyncio.create_task(ending_of(client)) for client in clients]

    async def talk(client):
        try:
            while True:
                await client.send("x" * 100)
                await asyncio.sleep(0)
        except ConnectionClosed:
            pass

    talking = [asyncio.create_task(talk(client)) for client in clients[:6]]
    await asyncio.to_thread(
        wait_until, lambda: canang.metrics()["canang_publications_total"] > 500, "load"
    )
    canang.signal(signal.SIGTERM)
    results = await asyncio.gather(*endings)
    await asyncio.gather(*talking)
    assert {code for _, code in results} <= set(SHUTDOWN_CODES)
    assert await asyncio.to_thread(canang.wait_exit, 6) == 0


def test_a_write_to_a_client_that_is_gone_does_not_end_the_server(canang):
    author = RawWebSocket(canang.port, "/ws/pipe?echo=false")
    for _ in range(20):
        victim = RawWebSocket(canang.port, "/ws/pipe")
        victim.reset()
        author.send_binary(b"x" * 1000)
    canang.wait_members(1)
    assert canang.running
    author.close()
