"""Health, readiness and metrics, and that every counter counts what it says."""

import math
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.canang_process import WITHOUT_RATES
from support.clients import close_all, open_client, receive, receive_many
from support.raw_websocket import (
    BINARY,
    TEXT,
    RawConnection,
    RawWebSocket,
    close_frame,
    frame,
    request_head,
)
from support.waiting import wait_until

GAUGES = ("connections", "rooms", "members", "actors", "outbox_bytes")
COUNTERS = (
    "publications_total",
    "deliveries_total",
    "received_bytes_total",
    "sent_bytes_total",
    "accepted_total",
    "closes_total",
    "handshakes_rejected_total",
)
HISTOGRAMS = ("publish_to_flush_seconds", "turn_seconds")


def test_healthz_and_readyz_say_yes(canang):
    for path in ("/healthz", "/readyz"):
        answer = canang.get_internal(path)
        assert answer.status == 200, answer.text


def test_health_stays_good_while_nothing_happens(canang):
    """Idle loops must not look like stuck ones."""
    until = time.monotonic() + 6
    while time.monotonic() < until:
        assert canang.get_internal("/healthz").status == 200
        time.sleep(0.5)  # the prober's rhythm


def test_metrics_are_prometheus_text_with_every_name(canang):
    with RawWebSocket(canang.port) as client:
        client.send_text("x")
        client.read_data()
        client.close_normally()
    with RawConnection(canang.port) as client:
        client.send(request_head("/ws/%zz"))
        assert client.read_response().status == 400
    canang.wait_metric("canang_connections", 0)
    answer = canang.get_internal("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    for name in GAUGES:
        assert families[f"canang_{name}"].type == "gauge"
    for name in COUNTERS:
        family = families[f"canang_{name.removesuffix('_total')}"]
        assert family.type == "counter"
        assert any(sample.name == f"canang_{name}" for sample in family.samples)
    for name in HISTOGRAMS:
        assert families[f"canang_{name}"].type == "histogram"
    ours = [family for family in families.values() if family.name.startswith("canang_")]
    assert all(family.documentation for family in ours), "a metric without help"


def test_a_fresh_server_counts_nothing(canang):
    metrics = canang.metrics()
    for name in ("connections", "rooms", "members", "outbox_bytes", "publications_total"):
        assert metrics[f"canang_{name}"] == 0, name
    assert metrics.closes() == {}
    assert metrics["canang_actors"] > 0


@pytest.mark.parametrize("workers", [1, 3])
async def test_publications_and_deliveries_count_exactly(start_canang, workers):
    canang = start_canang(workers=workers)
    members = [await open_client(canang.url("/ws/count")) for _ in range(4)]
    quiet = await open_client(canang.url("/ws/count?echo=false"))
    await canang.members_are(5)
    for _ in range(10):
        await members[0].send("to all five")
    for _ in range(10):
        await quiet.send("to four")
    for member in members:
        await receive_many(member, 20)
    await receive_many(quiet, 10)
    canang.wait_metric("canang_publications_total", 20)
    canang.wait_metric("canang_deliveries_total", 10 * 5 + 10 * 4)
    metrics = canang.metrics()
    assert metrics["canang_connections"] == metrics["canang_members"] == 5
    assert metrics["canang_rooms"] == 1
    await close_all(*members, quiet)


async def test_connections_are_counted_as_they_come_and_go(canang):
    accepted = canang.metrics()["canang_accepted_total"]
    clients = [await open_client(canang.url(f"/ws/{n % 3}")) for n in range(9)]
    await canang.members_are(9)
    metrics = canang.metrics()
    assert metrics["canang_connections"] == 9
    assert metrics["canang_rooms"] == 3
    assert metrics["canang_accepted_total"] - accepted >= 9
    await close_all(*clients)
    canang.wait_metric("canang_connections", 0)
    assert canang.metrics().closes() == {("1000", "normal"): 9}


async def test_bytes_are_counted_in_both_directions(canang):
    author = await open_client(canang.url("/ws/bytes?echo=false"))
    readers = [await open_client(canang.url("/ws/bytes")) for _ in range(3)]
    await canang.members_are(4)
    before = canang.metrics()
    count, size = 50, 1000
    for _ in range(count):
        await author.send(b"x" * size)
    for reader in readers:
        await receive_many(reader, count)

    def risen(name):
        return canang.metrics()[f"canang_{name}_bytes_total"] - before[f"canang_{name}_bytes_total"]

    wait_until(lambda: risen("received") >= count * size, "received bytes are counted")
    wait_until(lambda: risen("sent") >= 3 * count * size, "sent bytes are counted")
    assert risen("received") <= count * (size + 14)
    assert risen("sent") <= 3 * count * (size + 10)
    await close_all(author, *readers)


def test_the_outbox_gauge_rises_with_a_stalled_reader_and_falls_when_it_reads(start_canang):
    canang = start_canang(**WITHOUT_RATES)
    sent = 0
    with RawWebSocket(canang.port, "/ws/outbox?echo=false") as author:
        reader = RawWebSocket(canang.port, "/ws/outbox", receive_buffer=4096)
        canang.wait_members(2)
        while canang.metrics()["canang_outbox_bytes"] == 0:
            assert sent < 10_000, "the kernel takes everything"
            for _ in range(5):
                author.send_binary(b"x" * 60_000)
                sent += 1
        for _ in range(sent):
            assert len(reader.read_data().payload) == 60_000
        canang.wait_metric("canang_outbox_bytes", 0)
        reader.close()


def test_refused_handshakes_are_counted_with_a_reason(canang):
    def count():
        return canang.metrics().total("canang_handshakes_rejected_total")

    for number, path in enumerate(("/ws/%zz", "/ws/%zz", "/ws/" + "x" * 256), start=1):
        with RawConnection(canang.port) as client:
            client.send(request_head(path))
            assert client.read_response().status == 400
        wait_until(lambda expected=number: count() == expected, f"{number} refused handshakes")
    labels = [labels for labels, _ in canang.metrics().samples("canang_handshakes_rejected_total")]
    assert all(label.get("reason") for label in labels)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_histograms_add_up(canang, name):
    with RawWebSocket(canang.port) as client:
        for _ in range(20):
            client.send_text("x")
            client.read_data()
    canang.wait_metric("canang_publish_to_flush_seconds_count", 20)  # it is noted after the write
    metrics = canang.metrics()
    buckets = metrics.samples(f"canang_{name}_bucket")
    bounds = [float(labels["le"]) for labels, _ in buckets]
    counts = [value for _, value in buckets]
    assert bounds == sorted(bounds) and bounds[-1] == math.inf
    assert counts == sorted(counts), "buckets are cumulative"
    assert counts[-1] == metrics[f"canang_{name}_count"] >= 20 * (name[0] == "p")
    assert counts[-1] > 0
    assert metrics[f"canang_{name}_sum"] > 0
    if name == "publish_to_flush_seconds":
        assert counts[-1] <= 20, "more flushes than publications"
        assert metrics[f"canang_{name}_sum"] / counts[-1] < 0.5


def test_closes_are_counted_by_code_and_reason(canang):
    for code in (1000, 1000, 1001, 4000):
        with RawWebSocket(canang.port) as client:
            client.send(close_frame(code))
            client.read_close()
    with RawWebSocket(canang.port) as client:
        client.send(frame(TEXT, b"\xff"))
        client.expect_failed(1007)
    with RawWebSocket(canang.port) as client:
        client.send(frame(BINARY, b"x" * 70_000))
        client.read_close()
    expected = {
        ("1000", "normal"): 2,
        ("1001", "going_away"): 1,
        ("4xxx", "client_close"): 1,  # bounded: clients choose freely from 3000 to 4999
        ("1007", "bad_payload"): 1,
        ("1009", "too_big"): 1,
    }
    wait_until(lambda: canang.metrics().closes() == expected, f"closes are {expected}")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_internal_paths_are_not_on_the_public_port(canang, path):
    assert canang.get(path).status == 404


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/room"])
def test_public_paths_are_not_on_the_internal_port(canang, path):
    assert canang.get_internal(path).status == 404
    with RawConnection(canang.internal_port) as client:
        client.send(request_head(path))
        assert client.read_response().status == 404
    assert canang.metrics()["canang_connections"] == 0


def test_the_internal_port_is_only_where_it_was_asked_for(start_canang):
    canang = start_canang(internal_listen="127.0.0.2:0")
    with pytest.raises(ConnectionRefusedError), socket.socket() as client:
        client.connect(("127.0.0.1", canang.internal_port))


async def test_scrapes_do_not_disturb_and_are_no_connections(canang):
    client = await open_client(canang.url())
    await canang.members_are(1)
    for _ in range(50):
        assert canang.metrics()["canang_connections"] == 1
    await client.send("still fine")
    assert await receive(client) == "still fine"
    await client.close()
