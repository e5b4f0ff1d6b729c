"""What the settings of rooms say that clients may do."""

import json
import signal

import pytest

from support.asking import ask
from support.raw_websocket import TEXT, RawWebSocket, frame
from support.waiting import wait_until

CONFIG = """
[namespaces.closed]
allow-subscribe = "nobody"

[namespaces.users]
allow-subscribe = "users"

[namespaces.news]
allow-publish = "nobody"

[namespaces.mute]
allow-publish = "token"

[namespaces.past]
allow-history = "nobody"

[namespaces.small]
max-message-bytes = 10
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "canang.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def canang(start_canang, config):
    return start_canang(config=str(config))


def count(canang, name, **labels):
    return canang.metrics().total(name, **labels)


def close_code(client):
    end = client.read_close()
    return end.close_code, end.close_reason


@pytest.mark.parametrize("room", ["closed:a", "users:a"])
def test_who_may_not_join_gets_403_before_the_upgrade(canang, room):
    for path in (f"/ws/{room}", f"/ws/{room}?meta=true&user=ana"):
        assert ask(canang, path).status == 403
    wait_until(lambda: count(canang, "canang_handshakes_rejected_total", reason="forbidden") == 2, "told", 5)
    canang.wait_metric("canang_connections", 0)
    assert ask(canang, "/ws/closed").status == 101, "it is not of that namespace"


@pytest.mark.parametrize("room", ["news:a", "mute:a"])
def test_who_may_not_publish_is_closed_and_nothing_is_published(canang, room):
    with RawWebSocket(canang.port, f"/ws/{room}"):
        with RawWebSocket(canang.port, f"/ws/{room}") as author:
            author.send(frame(TEXT, b"no"))
            assert close_code(author) == (1008, "not allowed")
        wait_until(lambda: count(canang, "canang_closes_total", reason="not_allowed") == 1, "told", 5)
        assert canang.metrics().total("canang_publications_total") == 0


def test_with_meta_it_is_told_and_stays(canang):
    with RawWebSocket(canang.port, "/ws/news:a?meta=true") as author:
        author.read_data()  # its join
        for _ in range(2):
            author.send(frame(TEXT, b"no"))
            assert json.loads(author.read_data().payload)["error"]["code"] == "not_allowed"


def test_a_message_too_large_for_its_room(canang):
    with RawWebSocket(canang.port, "/ws/small:a?meta=true") as author:
        author.read_data()
        author.send(frame(TEXT, b"x" * 10))
        assert json.loads(author.read_data().payload)["data"] == "x" * 10
        author.send(frame(TEXT, b"x" * 11))
        assert json.loads(author.read_data().payload)["error"]["code"] == "too_large"
    with RawWebSocket(canang.port, "/ws/small:a") as author:
        author.send(frame(TEXT, b"x" * 11))
        assert close_code(author) == (1009, "message too big for this room")


def test_no_history_is_given_where_it_may_not_be_seen(canang):
    for room, kept in (("past:a", []), ("open:a", ["one"])):
        with RawWebSocket(canang.port, f"/ws/{room}") as author:
            author.send(frame(TEXT, b"one"))
            assert author.read_data().payload == b"one"
            with RawWebSocket(canang.port, f"/ws/{room}?history=5") as reader:
                author.send(frame(TEXT, b"two"))
                got = [reader.read_data().payload.decode() for _ in range(len(kept) + 1)]
            assert got == [*kept, "two"]


def test_a_reload_reaches_rooms_that_are_open(canang, config):
    with RawWebSocket(canang.port, "/ws/free:a?meta=true") as author:
        author.read_data()
        author.send(frame(TEXT, b"one"))
        assert json.loads(author.read_data().payload)["data"] == "one"
        config.write_text('[namespaces.free]\nallow-publish = "nobody"\n')
        canang.process.send_signal(signal.SIGHUP)
        wait_until(lambda: count(canang, "canang_config_reloads_total", result="applied") == 1, "it", 5)

        def is_refused():
            author.send(frame(TEXT, b"two"))
            return "error" in json.loads(author.read_data().payload)

        wait_until(is_refused, "publishing is refused", 5)
