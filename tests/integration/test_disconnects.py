"""Every way to leave: once, with its reason counted, and nothing remains."""

import asyncio
import random

import pytest

from support.canang_process import sanitized
from support.clients import open_client, receive
from support.raw_websocket import (
    CLOSE,
    TEXT,
    Ended,
    RawConnection,
    RawWebSocket,
    close_frame,
    frame,
    frame_head,
)
from support.waiting import wait_until


def normal(client):
    client.close_normally(1000)


def going_away(client):
    client.close_normally(1001)


def own_code(client):
    client.close_normally(4321)


def without_code(client):
    client.send(frame(CLOSE))
    client.read_close()
    client.expect_end()


def end_of_stream(client):
    client.close()


def end_of_stream_inside_a_frame(client):
    client.send(frame(TEXT, "cut off")[:7])
    client.close()


def half_closed(client):
    client.finish_sending()
    client.read_to_end()


def reset(client):
    client.reset()


def protocol_error(client):
    client.send(frame(TEXT, "x", mask=None))
    client.expect_failed(1002)


def bad_payload(client):
    client.send(frame(TEXT, b"\xff"))
    client.expect_failed(1007)


def too_big(client):
    client.send(frame_head(TEXT, 65537))
    client.expect_failed(1009)


WAYS = [
    (normal, {("1000", "normal")}),
    (going_away, {("1001", "going_away")}),
    (own_code, {("4321", "client_close"), ("4xxx", "client_close")}),
    (without_code, {("1005", "normal"), ("1005", "client_close")}),
    (end_of_stream, {("1006", "abnormal")}),
    (end_of_stream_inside_a_frame, {("1006", "abnormal")}),
    (half_closed, {("1006", "abnormal")}),
    (reset, {("1006", "abnormal")}),
    (protocol_error, {("1002", "protocol_error")}),
    (bad_payload, {("1007", "bad_payload")}),
    (too_big, {("1009", "too_big")}),
]


@pytest.mark.parametrize(("leave", "counted"), WAYS, ids=lambda v: getattr(v, "__name__", ""))
def test_each_way_to_leave_counts_once_with_its_reason(canang, leave, counted):
    with RawWebSocket(canang.port, "/ws/ways") as witness:
        leaver = RawWebSocket(canang.port, "/ws/ways")
        canang.wait_members(2)
        leave(leaver)
        canang.wait_members(1)
        canang.wait_metric("canang_connections", 1)
        closes = wait_until(lambda: canang.metrics().closes(), "a close is counted")
        assert list(closes.values()) == [1]
        assert set(closes) <= counted
        witness.send_text("anybody left?")
        assert witness.read_data().payload == b"anybody left?"
        canang.wait_metric("canang_deliveries_total", 1)
        leaver.close()


def test_a_reset_while_the_server_writes_counts_once(canang):
    with RawWebSocket(canang.port, "/ws/write?echo=false") as author:
        reader = RawWebSocket(canang.port, "/ws/write", receive_buffer=4096)
        canang.wait_members(2)
        for _ in range(60):
            author.send_binary(b"x" * 10_000)
        reader.reset()
        for _ in range(60):
            author.send_binary(b"x" * 10_000)
        canang.wait_members(1)
        canang.wait_metric("canang_connections", 1)
        closes = wait_until(lambda: canang.metrics().closes(), "a close is counted")
        assert list(closes.values()) == [1]
        assert set(closes) <= {("1006", "abnormal"), ("1006", "write_error")}
        canang.wait_metric("canang_outbox_bytes", 0)


def test_a_close_is_answered_with_its_code_and_then_tcp_ends(canang):
    for code in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
        with RawWebSocket(canang.port) as client:
            client.send(close_frame(code, "bye"))
            assert client.read_close().close_code == code
            client.expect_end()


def test_nothing_that_follows_a_close_frame_is_published(canang):
    with RawWebSocket(canang.port, "/ws/ghost") as witness:
        leaver = RawWebSocket(canang.port, "/ws/ghost")
        canang.wait_members(2)
        leaver.send(frame(TEXT, "last words") + close_frame(1000) + frame(TEXT, "ghost"))
        assert leaver.read_close().close_code == 1000
        leaver.close()
        canang.wait_members(1)
        witness.send_text("marker")
        assert witness.read_data().payload == b"last words"
        assert witness.read_data().payload == b"marker"


def test_messages_right_before_an_abrupt_end_still_count(canang):
    with RawWebSocket(canang.port, "/ws/last") as witness:
        leaver = RawWebSocket(canang.port, "/ws/last?echo=false")
        canang.wait_members(2)
        leaver.send(frame(TEXT, "first") + frame(TEXT, "last"))
        leaver.finish_sending()
        assert witness.read_data().payload == b"first"
        assert witness.read_data().payload == b"last"
        leaver.close()


def test_a_room_without_members_is_reaped(start_canang):
    canang = start_canang(room_linger="0s")
    actors = canang.metrics()["canang_actors"]
    clients = [RawWebSocket(canang.port, f"/ws/reap-{n // 2}") for n in range(20)]
    canang.wait_members(20)
    assert canang.metrics()["canang_rooms"] == 10
    for client in clients[::2]:
        client.close()
    canang.wait_members(10)
    assert canang.metrics()["canang_rooms"] == 10
    for client in clients[1::2]:
        client.close()
    canang.wait_metric("canang_rooms", 0)
    canang.wait_metric("canang_actors", actors)


def test_a_room_lingers_for_a_returning_member(start_canang):
    canang = start_canang(room_linger="2s")
    RawWebSocket(canang.port, "/ws/linger").close()
    canang.wait_members(0)
    canang.wait_metric("canang_connections", 0)
    assert canang.metrics()["canang_rooms"] == 1
    with RawWebSocket(canang.port, "/ws/linger") as back:
        back.send_text("again")
        assert back.read_data().payload == b"again"
    canang.wait_metric("canang_rooms", 0, 4)


ENDINGS = ["close", "reset", "vanish", "bad frame", "close and go", "talk, then reset"]


def churn(canang, seed, clients=150):
    """Clients come, some talk, and leave in every way; several are open at a time."""
    dice = random.Random(seed)
    open_clients = []

    def end(client):
        ending = dice.choice(ENDINGS)
        try:
            if ending == "close":
                client.send(close_frame(1000))
                client.read_close()
            elif ending == "bad frame":
                client.send(frame(0x3, "x"))
                client.read_close()
            elif ending == "close and go":
                client.send(close_frame(1000))
            elif ending == "talk, then reset":
                client.send(frame(TEXT, "bye") * 3)
            if "reset" in ending:
                client.reset()
        except Ended:
            pass
        client.close()

    for n in range(clients):
        client = RawWebSocket(canang.port, f"/ws/churn-{dice.randrange(20)}?history=3")
        if n % 3 == 0:
            client.send_text(f"hello {n}")
        open_clients.append(client)
        if len(open_clients) > 30:
            end(open_clients.pop(dice.randrange(30)))
        if n % 10 == 0:
            early = RawConnection(canang.port)
            early.send(b"GET /ws HTTP/1.1\r\nHost: ")
            early.reset()
    for client in open_clients:
        end(client)


@pytest.mark.timeout(120)
def test_after_churn_everything_is_as_in_the_beginning(start_canang):
    canang = start_canang(room_linger="0s", history_ttl="1s")

    beginning = canang.settled_resources()
    churn(canang, 1)
    canang.wait_resources(beginning)
    warm = canang.rss_bytes()
    rounds = 6
    for seed in range(rounds):
        churn(canang, seed)
    canang.wait_resources(beginning)
    grown = canang.rss_bytes() - warm
    if not sanitized():
        assert grown < 6 << 20, f"{grown >> 10} KiB more after {rounds} more rounds"
    metrics = canang.metrics()
    assert metrics.total("canang_closes_total") == (rounds + 1) * 150


async def test_one_leaver_of_many_leaves_only_itself(canang):
    stay = [await open_client(canang.url("/ws/many")) for _ in range(20)]
    for code in (1000, 1001, 4000):
        leaver = await open_client(canang.url("/ws/many"))
        await canang.members_are(21)
        await leaver.close(code)
        await canang.members_are(20)
        await stay[0].send(f"after {code}")
        for client in stay:
            assert await receive(client) == f"after {code}"
    await asyncio.gather(*(client.close() for client in stay))
    await canang.members_are(0)


def test_a_client_that_never_answers_the_servers_close_is_dropped(start_canang):
    canang = start_canang(close_timeout="1s")
    client = RawWebSocket(canang.port)
    client.send(frame(TEXT, "x", rsv=1))
    assert client.read_close().close_code == 1002
    client.expect_end(2.5)
    canang.wait_metric("canang_connections", 0)
    client.close()
