"""Three faults that small chat servers have, each impossible here.

A data race on the set of clients, one slow client that holds up all others, and an endless loop
on a read error.
"""

import asyncio
import itertools
import random
import statistics
import time
from functools import partial

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from support.canang_process import WITHOUT_RATES, process_cpu_over, sanitized
from support.clients import open_client, receive
from support.raw_websocket import CLOSE, TEXT, Ended, RawWebSocket, frame
from support.waiting import eventually, wait_until

IDLE_CPU_S = 0.05  # a second of idleness; the clock ticks every 0.01 s


# -- a data race on the set of clients ----------------------------------------------------------


@pytest.mark.timeout(90)
@pytest.mark.parametrize("workers", [2, 4])
async def test_hammering_joins_leaves_and_publishes_harms_no_one(start_canang, workers):
    canang = start_canang(workers=workers, room_linger="0s")
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    actors = canang.metrics()["canang_actors"]
    rooms = ["race-0", "race-1", "race-2"]
    observers = {
        room: [await open_client(canang.url(f"/ws/{room}")) for _ in range(2)] for room in rooms
    }
    seen = {client: [] for clients in observers.values() for client in clients}

    async def observe(client):
        async for message in client:
            seen[client].append(message)

    observing = [asyncio.create_task(observe(client)) for client in seen]
    until = time.monotonic() + 5
    sent = {room: set() for room in rooms}

    async def hammer(number):
        for visit in itertools.count():
            if time.monotonic() > until:
                return
            room = dice.choice(rooms)
            options = dice.choice(("", "?echo=false", "?history=20"))
            client = await open_client(canang.url(f"/ws/{room}{options}"))
            for n in range(dice.randrange(6)):
                message = f"{number}.{visit}-{n}"
                await client.send(message)
                sent[room].add(message)
            ending = dice.randrange(3)
            if ending == 0:
                await client.close()
            elif ending == 1:
                client.transport.abort()
            else:
                await client.close(4000, "enough")

    await asyncio.gather(*(hammer(number) for number in range(25)))
    await canang.members_are(len(seen), 10)
    for room in rooms:
        await observers[room][0].send(f"end of {room}")
        for client in observers[room]:
            await eventually(
                lambda client=client, room=room: f"end of {room}" in seen[client], "the end"
            )
        first, second = (seen[client] for client in observers[room])
        assert first == second, "two members of a room saw different orders"
        assert len(set(first)) == len(first), "a message came twice"
        assert set(first) <= sent[room] | {f"end of {room}"}, "a message of another room"
        by_author = {}
        for message in first[:-1]:
            author, n = message.split("-")
            by_author.setdefault(author, []).append(int(n))
        for numbers in by_author.values():  # a visit is one connection: its order holds
            assert numbers == list(range(len(numbers))), "out of order, or a gap"
        assert len(first) > 20, "nothing was published"
    await asyncio.gather(*(client.close() for client in seen))
    await asyncio.gather(*observing)
    await canang.members_are(0)
    await eventually(lambda: canang.metrics()["canang_rooms"] == 0, "no rooms")
    await eventually(lambda: canang.metrics()["canang_connections"] == 0, "no connections")
    await eventually(lambda: canang.metrics()["canang_actors"] == actors, "as few actors as before")


# -- one slow client that holds up all others ---------------------------------------------------


async def round_trips(author, members, count, size):
    """For each of `count` messages, the seconds until the last of the members had it."""
    took = []
    for n in range(count):
        started = time.perf_counter()
        await author.send(n.to_bytes(4, "big") + b"x" * size)
        for member in members:
            message = await receive(member)
            assert int.from_bytes(message[:4], "big") == n
        took.append(time.perf_counter() - started)
    return took


@pytest.mark.timeout(90)
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_client_that_never_reads_does_not_hold_up_the_others(start_canang, workers):
    canang = start_canang(
        workers=workers, outbox_limit="1MiB", slow_consumer_grace="0s", **WITHOUT_RATES
    )
    author = await open_client(canang.url("/ws/slow?echo=false"))
    members = [await open_client(canang.url("/ws/slow")) for _ in range(10)]
    await canang.members_are(11)
    size, count = 50_000, 150
    without = await round_trips(author, members, count, size)

    stalled = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    await canang.members_are(12)
    with_it = await round_trips(author, members, count, size)

    metrics = canang.metrics()
    assert metrics.closes() == {("1008", "slow_consumer"): 1}, "the stalled one, for that reason"
    await canang.members_are(11)
    await eventually(lambda: canang.metrics()["canang_connections"] == 11, "it is gone")
    await eventually(lambda: canang.metrics()["canang_outbox_bytes"] == 0, "its outbox too")
    factor = 6 if sanitized() else 3
    assert statistics.median(with_it) < factor * statistics.median(without) + 0.005
    assert max(with_it) < max(0.25, factor * max(without)), "one message was held up"
    stalled.close()
    await asyncio.gather(author.close(), *(member.close() for member in members))


def test_the_slow_consumer_learns_why_if_it_reads_after_all(start_canang):
    """What is queued may be dropped, but the last frame says 1008, or the connection just ends."""
    canang = start_canang(outbox_limit="256KiB", close_timeout="5s", **WITHOUT_RATES)
    slow = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/slow?echo=false")
    canang.wait_members(2)
    sent = 0
    while not canang.metrics().closes():
        assert sent < 2000, "the outbox has no limit"
        for _ in range(5):
            author.send_binary(sent.to_bytes(4, "big") + b"x" * 20_000)
            sent += 1
    expected = 0
    try:
        while (got := slow.read_frame()).opcode != CLOSE:
            assert int.from_bytes(got.payload[:4], "big") == expected, "a gap before the close"
            expected += 1
        assert got.close_code == 1008
    except Ended:
        pass
    assert canang.metrics().closes() == {("1008", "slow_consumer"): 1}
    author.close()
    slow.close()
    canang.wait_metric("canang_connections", 0)


@pytest.mark.parametrize(("grace", "times"), [("0s", 1), ("1m", 4)])
def test_the_outbox_of_a_stalled_client_is_bounded(start_canang, grace, times):
    canang = start_canang(outbox_limit="512KiB", slow_consumer_grace=grace, **WITHOUT_RATES)
    stalled = RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/slow?echo=false")
    canang.wait_members(2)
    highest = 0

    def has_dealt_with(sent: int) -> bool:
        """Which also says what is the most that a turn of a loop has to do with, however slow it is."""
        nonlocal highest
        metrics = canang.metrics()
        highest = max(highest, metrics["canang_outbox_bytes"])
        return bool(metrics.closes()) or metrics["canang_deliveries_total"] == sent

    for sent in range(5, 2000, 5):
        for _ in range(5):
            author.send_binary(b"x" * 20_000)
        wait_until(partial(has_dealt_with, sent), "they are delivered")
        if canang.metrics().closes():
            break
    assert canang.metrics().closes() == {("1008", "slow_consumer"): 1}
    turn = 5 * 20_100  # of frames: the one that is first does not count
    assert highest <= times * 512 * 1024 + 2 * turn
    canang.wait_members(1)
    stalled.close()
    author.close()


async def test_ten_stalled_clients_of_thirty_end_and_the_rest_get_everything(start_canang):
    canang = start_canang(outbox_limit="256KiB", **WITHOUT_RATES)
    author = await open_client(canang.url("/ws/slow?echo=false"))
    members = [await open_client(canang.url("/ws/slow")) for _ in range(20)]
    stalled = [RawWebSocket(canang.port, "/ws/slow", receive_buffer=4096) for _ in range(10)]
    await canang.members_are(31)
    await round_trips(author, members, 150, 50_000)
    await eventually(
        lambda: canang.metrics().closes() == {("1008", "slow_consumer"): 10}, "ten are ended"
    )
    await canang.members_are(21)
    for client in stalled:
        client.close()
    await asyncio.gather(author.close(), *(member.close() for member in members))


# -- an endless loop on a read error ------------------------------------------------------------


def read_errors(canang):
    """Connections that end in every abrupt way, at every moment."""
    for n in range(60):
        client = RawWebSocket(canang.port, f"/ws/error-{n % 4}")
        kind = n % 4
        if kind == 1:
            client.send(frame(TEXT, "cut off in the middle")[:9])
        elif kind == 2:
            client.send(frame(TEXT, "whole") * 5)
        elif kind == 3:
            client.send(frame(TEXT, "half", fin=False))
        client.reset()


def test_a_read_error_ends_the_connection_once_and_the_server_is_idle_after(canang):
    read_errors(canang)
    canang.wait_metric("canang_connections", 0)
    canang.wait_members(0)
    metrics = canang.metrics()
    assert metrics.total("canang_closes_total") == 60
    assert metrics.total("canang_closes_total", code="1006") == 60
    used = process_cpu_over(canang, 1)
    assert used <= IDLE_CPU_S, f"{used:.2f} s of CPU in a second of idleness"


def test_half_closed_connections_do_not_spin_either(start_canang):
    canang = start_canang(close_timeout="20s")
    clients = [RawWebSocket(canang.port) for _ in range(10)]
    canang.wait_members(10)
    for client in clients:
        client.finish_sending()
    canang.wait_members(0)
    assert process_cpu_over(canang, 1) <= IDLE_CPU_S
    for client in clients:
        client.close()


def test_a_stalled_connection_with_a_full_outbox_does_not_spin(start_canang):
    canang = start_canang(outbox_limit="8MiB", **WITHOUT_RATES)
    stalled = RawWebSocket(canang.port, "/ws/full", receive_buffer=4096)
    author = RawWebSocket(canang.port, "/ws/full?echo=false")
    canang.wait_members(2)
    sent = 0
    while canang.metrics()["canang_outbox_bytes"] == 0:
        assert sent < 1000, "the kernel takes everything"
        for _ in range(5):
            author.send_binary(b"x" * 60_000)
            sent += 1
    wait_until(lambda: canang.metrics()["canang_publications_total"] == sent, "all published")
    assert process_cpu_over(canang, 1) <= IDLE_CPU_S
    stalled.close()
    author.close()


def test_an_idle_server_with_idle_clients_uses_no_cpu(canang):
    clients = [RawWebSocket(canang.port, f"/ws/{n % 10}") for n in range(200)]
    canang.wait_members(200)
    assert process_cpu_over(canang, 1) <= IDLE_CPU_S
    for client in clients:
        client.close()


async def test_resets_during_a_broadcast_end_only_the_reset_ones(canang):
    stay = [await open_client(canang.url("/ws/resets")) for _ in range(5)]
    author = await open_client(canang.url("/ws/resets?echo=false"))
    count = 300

    async def come_and_reset():
        for _ in range(60):
            try:
                client = await open_client(canang.url("/ws/resets?history=10"))
                await client.recv()
                client.transport.abort()
            except (ConnectionClosed, InvalidHandshake):
                pytest.fail("the server ended a connection")

    async def publish():
        for n in range(count):
            await author.send(f"{n}")
            await asyncio.sleep(0.003)  # the author's rhythm: resets fall between

    await canang.members_are(6)
    publishing = asyncio.create_task(publish())
    await asyncio.gather(come_and_reset(), publishing)
    for client in stay:
        assert [await receive(client) for _ in range(count)] == [f"{n}" for n in range(count)]
    await canang.members_are(6)
    await asyncio.gather(author.close(), *(client.close() for client in stay))
    await canang.members_are(0)
