"""Members that do not read, in rooms that have them lose something and stay (`slow-consumers`)."""

import json
import signal

import pytest

from support.canang_process import WITHOUT_RATES, run_to_end, sanitized
from support.event_stream import Parser
from support.raw_websocket import RawConnection, RawWebSocket
from support.waiting import wait_until

MIB = 1 << 20
SIZE = 60_000
COUNT = 850  # 51 MB
LIMIT = "1MiB"
QUIET = {"ping_interval": "5m", "outbox_limit": LIMIT, **WITHOUT_RATES}

TABLES = """
[namespaces.feed]
slow-consumers = "latest"

[namespaces.log]
slow-consumers = "drop-oldest"

[namespaces.cache]
slow-consumers = "latest"
recovery-mode = "cache"
"""


@pytest.fixture
def tables(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text(TABLES)
    return start_canang(config=str(config), **QUIET)


def text_of(number):
    return f"{number:06}" + "x" * (SIZE - 6)


def dropped(canang, policy):
    return canang.metrics().total("canang_slow_consumer_dropped_total", policy=policy)


def publish(author, others, first, count, text=text_of):
    """So many messages, which the others read at once and in order."""
    for at in range(first, first + count, 10):
        numbers = range(at, min(at + 10, first + count))
        for number in numbers:
            author.send_text(text(number))
        for other in others:
            for number in numbers:
                got = other.read_data(20).payload
                assert len(got) == SIZE and int(got[:6]) == number


class MetaReader:
    """Reads as a client with `meta=true`, and accounts for each publication."""

    def __init__(self, socket):
        self.socket = socket
        self.next = json.loads(socket.read_data().payload)["join"]["offset"] + 1
        self.got = 0
        self.lost = 0
        self.losses = 0

    def read_up_to(self, offset):
        while self.next <= offset:
            told = json.loads(self.socket.read_data(20).payload)
            if "join" in told:
                assert told["join"]["recovered"] is False
                lost = told["join"]["offset"] + 1 - self.next
                assert lost > 0, "nothing is lost"
                self.lost += lost
                self.losses += 1
                self.next = told["join"]["offset"] + 1
                continue
            assert told["offset"] == self.next, "a gap that was not told, or a double"
            assert int(told["data"][:6]) == self.next - 1
            self.got += 1
            self.next += 1


@pytest.mark.parametrize(("space", "policy"), [("feed", "latest"), ("log", "drop_oldest")])
def test_who_does_not_read_loses_something_is_told_so_and_stays(tables, space, policy):
    room = f"/ws/{space}:room"
    reader = MetaReader(RawWebSocket(tables.port, f"{room}?meta=true", receive_buffer=4096))
    author = RawWebSocket(tables.port, f"{room}?echo=false")
    other = RawWebSocket(tables.port, room)
    tables.wait_members(3)
    publish(author, [other], 0, 50)
    before, highest = tables.rss_bytes(), 0
    for first in range(50, COUNT, 100):
        publish(author, [other], first, 100)
        highest = max(highest, tables.metrics()["canang_outbox_memory_bytes"])
    if not sanitized():
        assert tables.rss_bytes() - before < 12 * MIB
    assert highest < 2 * MIB, "a turn's frames, and what may wait"
    assert tables.metrics().closes() == {}
    reader.read_up_to(COUNT)
    assert reader.losses == 1 and reader.got + reader.lost == COUNT
    assert reader.lost == dropped(tables, policy) > 100
    publish(author, [other], COUNT, 1)
    reader.read_up_to(COUNT + 1)
    assert reader.losses == 1, "it is up to date again"
    tables.wait_metric("canang_outbox_memory_bytes", 0)
    assert tables.metrics().closes() == {}
    for client in (reader.socket, author, other):
        client.close()


def test_of_latest_no_more_than_the_newest_waits(tables):
    """Behind what the socket had begun to take."""
    room = "/ws/feed:room"
    slow = RawWebSocket(tables.port, room, receive_buffer=4096)
    author = RawWebSocket(tables.port, f"{room}?echo=false")
    other = RawWebSocket(tables.port, room)
    tables.wait_members(3)
    publish(author, [other], 0, 400)
    numbers = []
    while not numbers or numbers[-1] < 399:
        numbers.append(int(slow.read_data(20).payload[:6]))
    gaps = [(a, b) for a, b in zip(numbers, numbers[1:], strict=False) if b != a + 1]
    assert len(gaps) == 1 and gaps[0][1] == 399, gaps
    assert len(numbers) + dropped(tables, "latest") == 400
    for client in (slow, author, other):
        client.close()


def test_a_room_that_says_nothing_disconnects_as_ever(tables):
    slow = RawWebSocket(tables.port, "/ws/plain", receive_buffer=4096)
    kept = RawWebSocket(tables.port, "/ws/feed:room", receive_buffer=4096)
    authors = [RawWebSocket(tables.port, f"/ws/{r}?echo=false") for r in ("plain", "feed:room")]
    tables.wait_members(4)
    for number in range(400):
        for author in authors:
            author.send_text(text_of(number))
        if tables.metrics().closes():
            break
    wait_until(
        lambda: tables.metrics().closes() == {("1008", "slow_consumer"): 1}, "the one is closed"
    )
    slow.close()
    while int(kept.read_data(20).payload[:6]) < number:
        pass
    for client in (kept, *authors):
        client.close()


def test_answers_are_kept_whatever_is_lost(tables):
    """Of Centrifugo's protocol: publications are lost, the answers to commands are not."""
    slow = RawWebSocket(tables.port, "/connection/websocket", receive_buffer=4096)
    author = RawWebSocket(tables.port, "/ws/feed:room?echo=false")
    other = RawWebSocket(tables.port, "/ws/feed:room")
    slow.send_text(json.dumps({"id": 1, "connect": {}}))
    slow.send_text(json.dumps({"id": 2, "subscribe": {"channel": "feed:room"}}))
    tables.wait_members(3)
    publish(author, [other], 0, 150)
    for number in range(3, 23):
        slow.send_text(json.dumps({"id": number, "presence_stats": {"channel": "feed:room"}}))
        publish(author, [other], 150 + 10 * (number - 3), 10)
    answered, newest = [], 0
    while newest < 349 or len(answered) < 22:
        for line in slow.read_data(20).payload.split(b"\n"):
            told = json.loads(line)
            if "id" in told:
                assert "error" not in told
                answered.append(told["id"])
            elif pub := told.get("push", {}).get("pub"):
                assert int(pub["data"][:6]) >= newest
                newest = int(pub["data"][:6])
    assert answered == list(range(1, 23)), "each of them, in order"
    assert dropped(tables, "latest") > 0
    assert tables.metrics().closes() == {}
    for client in (slow, author, other):
        client.close()


def test_who_counts_on_missing_nothing_is_told_to_come_back(tables):
    room = "cache:room"
    slow = RawWebSocket(tables.port, "/connection/websocket", receive_buffer=4096)
    author = RawWebSocket(tables.port, f"/ws/{room}?echo=false")
    other = RawWebSocket(tables.port, f"/ws/{room}")
    slow.send_text(json.dumps({"id": 1, "connect": {}}))
    slow.send_text(json.dumps({"id": 2, "subscribe": {"channel": room, "recoverable": True}}))
    tables.wait_members(3)
    publish(author, [other], 0, 200)

    def told():
        while True:
            yield from map(json.loads, slow.read_data(20).payload.split(b"\n"))

    offset = epoch = 0
    for one in told():
        if "subscribe" in one:
            epoch = one["subscribe"]["epoch"]
        push = one.get("push", {})
        if "unsubscribe" in push:
            assert push["unsubscribe"]["code"] == 2500
            break
        if "pub" in push:
            assert push["pub"]["offset"] == offset + 1, "without a gap, up to here"
            offset = push["pub"]["offset"]
    assert 0 < offset < 200
    tables.wait_members(2)
    again = {"channel": room, "recover": True, "epoch": epoch, "offset": offset}
    slow.send_text(json.dumps({"id": 3, "subscribe": again}))
    answer = next(one for one in told() if one.get("id") == 3)["subscribe"]
    assert answer["recovered"] is True
    assert [pub["offset"] for pub in answer["publications"]] == [200]
    publish(author, [other], 200, 1)
    assert next(one for one in told() if "push" in one)["push"]["pub"]["offset"] == 201
    assert tables.metrics().closes() == {}
    for client in (slow, author, other):
        client.close()


def test_an_event_stream_gets_a_reset(tables):
    stream = RawConnection(tables.port, receive_buffer=4096)
    stream.send(b"GET /sse/feed:room HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stream.read_until(b"\r\n\r\n")
    author = RawWebSocket(tables.port, "/ws/feed:room?echo=false")
    other = RawWebSocket(tables.port, "/ws/feed:room")
    tables.wait_members(3)
    publish(author, [other], 0, 200)
    parser = Parser()

    def newest():
        messages = [event for event in parser.events if event.type == "message"]
        return int(messages[-1].data[:6]) if messages else -1

    while newest() < 199:
        parser.feed(stream.read_until(b"\n").decode())
    resets = [event for event in parser.events if event.type == "reset"]
    assert len(resets) == 1
    assert json.loads(resets[0].data)["offset"] == 199
    assert parser.events[-1].id.endswith(":200")
    assert tables.metrics().closes() == {}
    for client in (stream, author, other):
        client.close()


def test_the_setting_may_change_while_members_wait(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('slow-consumers = "latest"\n')
    canang = start_canang(extra=("--config", str(config)), slow_consumer_grace="0s", **QUIET)
    sent, reloads = 0, 0

    def reload(policy):
        nonlocal reloads
        reloads += 1
        config.write_text(f'[rooms]\nslow-consumers = "{policy}"\n')
        canang.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: canang.metrics().total("canang_config_reloads_total", result="applied")
            == reloads,
            "it is read again",
        )

    def publish_until(is_so):
        """It is seen within a tick or so."""
        nonlocal sent
        for _ in range(20):
            publish(author, [other], sent, 150)
            sent += 150
            if is_so():
                return
        raise AssertionError("nothing comes of it")

    def loses(policy):
        before = dropped(canang, policy)
        reader.read_up_to(sent)
        return dropped(canang, policy) > before

    reader = MetaReader(RawWebSocket(canang.port, "/ws/room?meta=true", receive_buffer=4096))
    author = RawWebSocket(canang.port, "/ws/room?echo=false")
    other = RawWebSocket(canang.port, "/ws/room")
    canang.wait_members(3)
    publish_until(lambda: loses("latest"))
    reload("drop-oldest")
    publish_until(lambda: loses("drop_oldest"))
    assert canang.metrics().closes() == {}
    reload("disconnect")
    publish_until(lambda: canang.metrics().closes())
    assert canang.metrics().closes() == {("1008", "slow_consumer"): 1}
    for client in (reader.socket, author, other):
        client.close()


def test_a_wrong_word_is_refused(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    config.write_text('[namespaces.feed]\nslow-consumers = "sometimes"\n')
    told = run_to_end(["--config", str(config), "--check-config"])
    assert told.returncode == 2
    assert ":2:18: namespaces.feed.slow-consumers: 'sometimes' is not one of" in told.stderr
