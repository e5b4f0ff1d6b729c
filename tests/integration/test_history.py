"""`?history=N`: the last publications first, then the live ones, no gap and no double."""

import asyncio

import pytest

from support.canang_process import WITHOUT_RATES
from support.clients import close_all, open_client, receive_many, receive_up_to
from support.raw_websocket import RawConnection, request_head
from support.waiting import eventually


async def publish(canang, room, messages):
    """Publishes and waits until all of it came back, so that the room keeps it."""
    client = await open_client(canang.url(f"/ws/{room}"))
    for message in messages:
        await client.send(message)
    await receive_up_to(client, messages[-1])
    return client


async def joined_with(canang, room, count):
    """What a new client gets before its own first message."""
    client = await open_client(canang.url(f"/ws/{room}?history={count}"))
    await client.send("marker of the new client")
    before = await receive_up_to(client, "marker of the new client")
    await client.close()
    return before


@pytest.mark.parametrize(("asked", "last"), [(0, 0), (1, 1), (3, 3), (10, 10), (500, 10)])
async def test_the_last_n_publications_come_first_and_in_order(canang, asked, last):
    messages = [f"message {n}" for n in range(10)]
    author = await publish(canang, "kept", messages)
    assert await joined_with(canang, "kept", asked) == messages[10 - last :]
    await author.close()


async def test_history_keeps_bytes_and_type(canang):
    messages = ["text é", b"\x00binary\xff", "", b"", "x" * 65536, b"\x80" * 65536, "end"]
    author = await publish(canang, "types", messages)
    assert await joined_with(canang, "types", 100) == messages
    await author.close()


async def test_history_is_at_most_what_is_kept(start_canang):
    canang = start_canang(history_size=7)
    messages = [f"message {n}" for n in range(20)]
    author = await publish(canang, "small", messages)
    assert await joined_with(canang, "small", 50) == messages[-7:]
    await author.close()


async def test_the_default_history_is_128(canang):
    messages = [f"message {n}" for n in range(200)]
    author = await publish(canang, "default", messages)
    assert await joined_with(canang, "default", 200) == messages[-128:]
    await author.close()


async def test_history_is_bounded_in_bytes(start_canang):
    canang = start_canang(history_bytes="16KiB")
    messages = [f"{n:02}" + "x" * 3998 for n in range(10)]
    author = await publish(canang, "bytes", messages)
    kept = await joined_with(canang, "bytes", 10)
    assert 1 <= len(kept) <= 4
    assert kept == messages[-len(kept) :]
    await author.close()


async def test_a_client_with_echo_false_gets_history_that_it_wrote_earlier(canang):
    author = await publish(canang, "own", ["one", "two"])
    again = await open_client(canang.url("/ws/own?echo=false&history=5"))
    assert await receive_many(again, 2) == ["one", "two"]
    await close_all(author, again)


async def test_history_outlives_the_members(start_canang):
    canang = start_canang(room_linger="0s")
    author = await publish(canang, "empty", ["one", "two"])
    await author.close()
    canang.wait_metric("canang_rooms", 0)
    assert await joined_with(canang, "empty", 5) == ["one", "two"]


async def test_history_expires_after_its_ttl(start_canang):
    canang = start_canang(history_ttl="1s")
    author = await publish(canang, "old", ["one", "two"])
    reader = await open_client(canang.url("/ws/old?history=5"))
    assert await receive_many(reader, 2) == ["one", "two"]
    await asyncio.sleep(1.5)  # nothing to wait for: the ttl itself has to pass
    assert await joined_with(canang, "old", 5) == []
    await close_all(author, reader)


async def test_the_history_of_another_room_stays_there(canang):
    author = await publish(canang, "mine", ["one", "two"])
    assert await joined_with(canang, "other", 5) == []
    await author.close()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("publishers", [1, 3])
async def test_history_meets_the_live_stream_without_gap_or_double(
    start_canang, workers, publishers
):
    canang = start_canang(workers=workers, **WITHOUT_RATES)
    stop = asyncio.Event()

    async def stream(client, number):
        n = 0
        while not stop.is_set():
            await client.send(f"{number}:{n}")
            n += 1
            if n % 5 == 0:
                await asyncio.sleep(0.001)

    async def reader(history, take):
        client = await open_client(canang.url(f"/ws/live?history={history}"))
        got = await receive_many(client, take)
        await client.close()
        return history, got

    authors = [await open_client(canang.url("/ws/live")) for _ in range(publishers)]
    witness = await open_client(canang.url("/ws/live"))
    await canang.members_are(publishers + 1)
    order = []

    async def record():
        async for message in witness:
            order.append(message)

    recording = asyncio.create_task(record())
    streams = [asyncio.create_task(stream(author, n)) for n, author in enumerate(authors)]
    draining = [asyncio.create_task(drain(author)) for author in authors]
    await eventually(lambda: len(order) > 200, "the stream flows")

    results = []
    for _ in range(10):
        batch = [reader(history, 128 + 60) for history in (1, 10, 128, 1000)]
        results += await asyncio.gather(*batch)
    stop.set()
    await asyncio.gather(*streams)
    for author in authors:
        await author.close()
    await canang.members_are(1)

    wanted = {got[-1] for _, got in results}
    await eventually(lambda: wanted <= set(order), "the witness has seen it all", 20)
    position = {message: n for n, message in enumerate(order)}
    assert len(position) == len(order), "the witness saw a double"
    for history, got in results:
        first = position[got[0]]
        assert got == order[first : first + len(got)], f"gap or double with history={history}"
    await witness.close()
    await asyncio.gather(recording, *draining)


async def drain(client):
    async for _ in client:
        pass


@pytest.mark.parametrize("value", ["-1", "abc", "1.5"])
def test_a_history_that_is_no_number_is_refused(canang, value):
    with RawConnection(canang.port) as client:
        client.send(request_head(f"/ws/room?history={value}"))
        response = client.read_response()
    assert response.status == 400
    assert "history" in response.body.decode()


def test_an_echo_that_is_neither_true_nor_false_is_refused(canang):
    with RawConnection(canang.port) as client:
        client.send(request_head("/ws/room?echo=maybe"))
        response = client.read_response()
    assert response.status == 400
    assert "echo" in response.body.decode()
