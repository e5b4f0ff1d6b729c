"""The history that a joining client gets: made as the client reads, and no dearer for many than for one."""

import json

import pytest

from support.canang_process import WITHOUT_RATES, sanitized
from support.raw_websocket import TEXT, RawConnection, RawWebSocket, frame, request_head
from support.waiting import holds_for, wait_until

ESCAPED = "\x01"  # six bytes in JSON
JOINERS = 60
MOST_A_JOINER = 512 << 10
ALLOCATOR_KEEPS = 8 << 20


def fill(canang, room, messages):
    """Publishes and waits until the room keeps it all."""
    with RawWebSocket(canang.port, f"/ws/{room}?echo=false") as author:
        before = canang.metrics()["canang_publications_total"]
        for message in messages:
            author.send_text(message)
        canang.wait_metric("canang_publications_total", before + len(messages))


def join_without_reading(canang, path):
    client = RawConnection(canang.port, receive_buffer=4096)
    client.send(request_head(path))
    return client


def peaks(canang):
    """The most resident memory until it has stopped growing, and the most that was shown as waiting."""
    seen = [0, canang.rss_bytes()]
    waiting = []

    def is_settled():
        waiting.append(canang.metrics()["canang_outbox_memory_bytes"])
        seen.append(canang.rss_bytes())
        return seen[-1] <= seen[-2] <= seen[-3]

    wait_until(is_settled, "memory has settled", poll=0.2)
    return max(seen), max(waiting)


@pytest.mark.skipif(sanitized(), reason="memory is judged")
@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        pytest.param([ESCAPED * 65_000] * 8, lambda n: 128, id="all at one place"),
        pytest.param([ESCAPED * 65_000] * 8, lambda n: 1 + n % 8, id="large messages"),
        pytest.param([ESCAPED * 4_000] * 400, lambda n: 400 - n, id="each somewhere else"),
    ],
)
def test_a_joiner_that_does_not_read_holds_less_than_half_a_mebibyte(
    start_canang, messages, asked
):
    canang = start_canang(history_size=400, history_bytes="8MiB", **WITHOUT_RATES)
    fill(canang, "full", messages)
    for n in range(JOINERS):  # the loops and their pools have seen such joins before
        with RawWebSocket(canang.port, f"/ws/warm-{n % 8}") as client:
            client.send_text("x")
            client.read_data()
    canang.wait_members(0)
    canang.wait_metric("canang_outbox_memory_bytes", 0)
    before, _ = peaks(canang)
    joiners = [
        join_without_reading(canang, f"/ws/full?meta=true&history={asked(n)}")
        for n in range(JOINERS)
    ]
    canang.wait_members(JOINERS)
    most, waiting = peaks(canang)
    grown = most - before
    print(f"{grown / JOINERS / 1024:.0f} KiB a joiner, {waiting / JOINERS / 1024:.0f} KiB shown")
    assert grown / JOINERS < MOST_A_JOINER
    assert grown < waiting + ALLOCATOR_KEEPS, "what is held is not what is counted"
    assert waiting < grown + ALLOCATOR_KEEPS, "what is counted is not held"
    holds_for(lambda: canang.metrics()["canang_members"] == JOINERS, 0.5, "nobody is closed")
    for client in joiners:
        client.close()
    canang.wait_metric("canang_outbox_memory_bytes", 0)


SMALL_BUFFER = 64 << 10  # the server's socket is full again and again, without waiting for timers


def read_all(client, count):
    return [json.loads(client.read_data().payload) for _ in range(count)]


@pytest.mark.parametrize("size", [10, 4_000, 60_000])
def test_a_slow_reader_gets_history_and_what_follows_in_order_and_once(start_canang, size):
    canang = start_canang(history_bytes="16MiB", outbox_limit="8MiB", **WITHOUT_RATES)
    old = [f"{n}:" + ESCAPED * size for n in range(100)]
    live = [f"{n}:" + "y" * size for n in range(100, 140)]
    fill(canang, "slow", old)
    path = "/ws/slow?meta=true&history=100"
    with RawWebSocket(canang.port, path, receive_buffer=SMALL_BUFFER) as reader:
        canang.wait_members(1)
        with RawWebSocket(canang.port, "/ws/slow?echo=false") as author:
            for message in live:
                author.send_text(message)
            canang.wait_metric("canang_publications_total", 140)
        joined, *publications = read_all(reader, 141)
        assert joined["join"]["offset"] == 0
        assert [got["offset"] for got in publications] == list(range(1, 141))
        assert [got["data"] for got in publications] == old + live
        reader.close_normally()
    canang.wait_metric("canang_outbox_memory_bytes", 0)
    assert canang.metrics()["canang_deliveries_total"] == 140
    assert ("1008", "slow_consumer") not in canang.metrics().closes()


def test_a_slow_client_resumes_over_a_history_of_many_times_the_outbox_limit(start_canang):
    canang = start_canang(history_size=2_000, history_bytes="16MiB", outbox_limit="64KiB", **WITHOUT_RATES)
    messages = [f"{n:05}" + "x" * 4_000 for n in range(1_500)]
    with RawWebSocket(canang.port, "/ws/long?meta=true") as witness:
        epoch = json.loads(witness.read_data().payload)["join"]["epoch"]
    fill(canang, "long", messages)
    path = f"/ws/long?since={epoch}:300"
    with RawWebSocket(canang.port, path, receive_buffer=SMALL_BUFFER) as reader:
        joined, *publications = read_all(reader, 1_201)
        assert joined["join"]["recovered"] is True
        assert [got["offset"] for got in publications] == list(range(301, 1_501))
        assert [got["data"] for got in publications] == messages[300:]
        reader.send(frame(TEXT, "and on"))
        assert json.loads(reader.read_data().payload)["data"] == "and on"


def test_a_client_that_is_sent_a_long_history_is_heard_and_served_meanwhile(start_canang):
    canang = start_canang(history_bytes="16MiB", workers=1, **WITHOUT_RATES)
    fill(canang, "busy", [ESCAPED * 60_000] * 100)
    with RawWebSocket(canang.port, "/ws/busy") as witness:
        stalled = [
            join_without_reading(canang, "/ws/busy?meta=true&history=100") for _ in range(30)
        ]
        canang.wait_members(31)
        witness.send_text("hello")
        assert witness.read_data().payload == b"hello"
        for client in stalled:
            client.send(frame(TEXT, "me too"))
        for _ in stalled:
            assert witness.read_data().payload == b"me too"
        for client in stalled:
            client.close()


def test_live_messages_behind_a_history_that_is_not_read_count_as_always(start_canang):
    limits = {"outbox_limit": "256KiB", "history_bytes": "8MiB"}
    canang = start_canang(close_timeout="1s", **limits, **WITHOUT_RATES)
    fill(canang, "behind", ["x" * 60_000] * 100)
    stalled = join_without_reading(canang, "/ws/behind?history=100")
    canang.wait_members(1)
    holds_for(lambda: canang.metrics()["canang_members"] == 1, 0.5, "the history alone")
    with RawWebSocket(canang.port, "/ws/behind?echo=false") as author:
        for _ in range(40):
            author.send_text("y" * 60_000)
        canang.wait_members(1)  # the author
        assert ("1008", "slow_consumer") in canang.metrics().closes()
    stalled.close()
