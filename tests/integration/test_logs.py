"""What is logged, and what never is."""

import base64
import json
import re
from urllib.parse import quote

import pytest

from support.canang_process import run_to_end
from support.clients import close_all, open_client, receive
from support.raw_websocket import (
    CONTINUATION,
    PING,
    TEXT,
    RawConnection,
    RawWebSocket,
    frame,
    request_head,
)
from support.waiting import wait_until


def about(canang, word):
    return [line for line in canang.log_lines() if word in line]


def test_the_start_is_logged_with_the_addresses(canang):
    messages = canang.log_messages()
    assert f"listening on 127.0.0.1:{canang.port}" in messages
    assert f"internal listening on 127.0.0.1:{canang.internal_port}" in messages
    wait_until(lambda: "ready" in canang.log_messages(), "ready is logged")


def test_text_is_the_default_format_and_one_line_an_event(start_canang):
    canang = start_canang(log_format=None, ready=False)
    canang.json_logs = False
    canang.wait_ready()
    wait_until(lambda: about(canang, "ready"), "ready is logged")
    for line in canang.log_lines():
        assert re.match(r"\[?\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}", line), line
        assert "info" in line.lower(), line


@pytest.mark.parametrize("level", ["trace", "debug", "info", "warn", "error", "off"])
def test_every_level_is_accepted(level):
    assert run_to_end(["--log-level", level, "--check-config"]).returncode == 0


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_connect_and_disconnect_are_a_line_each_at_debug(start_canang, log_format):
    canang = start_canang(log_level="debug", log_format=log_format)
    with RawWebSocket(canang.port, "/ws/room-to-find") as client:
        canang.wait_members(1)
        client.close_normally(1000)
    canang.wait_metric("canang_connections", 0)

    def complete():
        lines = about(canang, "room-to-find")
        return len([line for line in lines if "connect" in line]) >= 2 and lines

    lines = wait_until(complete, "connect and disconnect are logged with the room")
    gone = [line for line in lines if "disconnect" in line]
    come = [line for line in lines if "connect" in line and "disconnect" not in line]
    assert len(gone) == 1 and len(come) == 1, lines
    assert "1000" in gone[0] and "normal" in gone[0]
    for line in (*come, *gone):
        assert "debug" in line.lower()
        assert "127.0.0.1" in line


async def test_connections_are_not_logged_at_info(canang):
    clients = [await open_client(canang.url("/ws/room-to-find")) for _ in range(10)]
    await canang.members_are(10)
    await close_all(*clients)
    await canang.members_are(0)
    canang.wait_metric("canang_connections", 0)
    canang.stop()  # flushes
    assert about(canang, "room-to-find") == []


def forms(payload):
    """How a payload could show up in a log."""
    yield payload.decode(errors="ignore") or "\0"
    yield payload.hex()
    yield payload.hex(" ")
    yield payload.hex().upper()
    yield base64.b64encode(payload).decode().rstrip("=")
    yield "".join(f"\\u{byte:04x}" for byte in payload)


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_no_payload_is_ever_logged_not_even_at_trace(start_canang, log_format):
    canang = start_canang(log_level="trace", log_format=log_format)
    secrets = [b"SECRETtext", b"SECRETbin\x01\xff", b"SECRETfragment", b"SECRETping", b"SECRETbad"]
    a = await open_client(canang.url("/ws/private"))
    b = await open_client(canang.url("/ws/private"))
    await canang.members_are(2)
    await a.send(secrets[0].decode())
    await a.send(secrets[1])
    await a.send([secrets[2][:6].decode(), secrets[2][6:].decode()])
    for _ in range(3):
        await receive(b)
    await (await b.ping(secrets[3]))
    late = await open_client(canang.url("/ws/private?history=3"))
    assert await receive(late) == secrets[0].decode()
    with RawWebSocket(canang.port, "/ws/private") as bad:
        bad.send(frame(TEXT, secrets[4] + b"\xff"))
        bad.expect_failed(1007)
    with RawWebSocket(canang.port, "/ws/private") as bad:
        bad.send(frame(CONTINUATION, secrets[4]))
        bad.expect_failed(1002)
    with RawWebSocket(canang.port, "/ws/private") as bad:
        bad.send(frame(PING, secrets[4] * 20, length_bits=16))
        bad.expect_failed(1002)
    await close_all(a, b, late)
    canang.wait_metric("canang_connections", 0)
    assert canang.stop() == 0
    everything = canang.stdout() + canang.stderr()
    assert "private" in everything, "trace level logs connections at least"
    for secret in secrets:
        for form in forms(secret):
            assert form.lower() not in everything.lower(), f"{secret!r} is in the log"
    assert "SECRET" not in everything


def test_every_line_is_json_whatever_clients_send(start_canang):
    canang = start_canang(log_level="trace")
    for room in ("%22", "%5C", "%E2%80%A8", "%22%7D%7B%22msg%22%3A%22forged", "%F0%9D%84%9E"):
        with RawWebSocket(canang.port, f"/ws/{room}") as client:
            client.send_text('{"msg":"\n"}')
            client.read_data()
            client.close_normally(1000)
    for head in (
        request_head("/ws/%0a%22bad"),
        request_head('/ws/raw"quote\\'),
        request_head("/ws/\xff\xfe"),
        request_head("/ws", Origin='http://x/"\\'),
        request_head("/ws", User_Agent='"\x7f\x80\xff\\'),
        b'GET "\\ HTTP/1.1\r\n\r\n',
        b"\x16\x03\x01\x02\x00\x01\x00\xff\xfe\n{\n",
    ):
        with RawConnection(canang.port) as client:
            client.send(head)
            client.finish_sending()
            client.read_to_end()
    canang.wait_metric("canang_connections", 0)
    assert canang.stop() == 0
    assert len(canang.log_lines()) >= 10, "trace level says something"
    for line in canang.stdout_path.read_bytes().split(b"\n")[:-1]:
        record = json.loads(line.decode())
        assert {"ts", "level", "msg"} <= record.keys(), line
        assert isinstance(record["msg"], str)
        assert record["msg"] != "forged"
    assert canang.stderr() == ""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_room_forges_a_field_or_a_line_or_turns_one_around(start_canang, log_format):
    canang = start_canang(log_level="debug", log_format=log_format)
    shown = {
        'a" code=1000 reason="forged': r'room="a\" code=1000 reason=\"forged"',
        "a\\": r'room="a\\"',
        "a\u2028b\u2029c": r'room="a\u2028b\u2029c"',
        "a\u202eb\u2066c\u200fd": r'room="a\u202eb\u2066c\u200fd"',
        "a\u200bb\ufeffc\U000e0041": r'room="a\u200bb\ufeffc\U000e0041"',
        "日本 🔔": 'room="日本 🔔"',
    }
    for room in shown:
        with RawWebSocket(canang.port, f"/ws/{quote(room, safe='')}") as client:
            client.close_normally()
    with RawConnection(canang.port) as client:
        client.send(request_head('/ws/a"\xe2\x80\xae\xff?echo=perhaps'))
        assert client.read_response().status == 400
    canang.wait_metric("canang_connections", 0)
    assert canang.stop() == 0
    messages = canang.log_messages()
    for text in shown.values():
        assert len([line for line in messages if f" {text}" in line]) == 2, (text, messages)
    [refused] = [line for line in messages if "refuse" in line]
    assert r'target="/ws/a\"\u202e\xff?echo=perhaps"' in refused
    everything = canang.stdout()
    assert not set("\u2028\u2029\u202e\u2066\u200f\u200b\ufeff\U000e0041") & set(everything)
    assert len(everything.splitlines()) == everything.count("\n")


def test_the_level_filters(start_canang):
    canang = start_canang(log_level="debug")
    with RawWebSocket(canang.port):
        canang.wait_members(1)
    canang.stop()
    levels = {record["level"] for record in canang.log_records()}
    assert {"info", "debug"} <= levels
    assert "trace" not in levels


def test_the_end_is_logged(canang):
    with RawWebSocket(canang.port):
        canang.wait_members(1)
        seen = len(canang.log_lines())
        assert canang.stop() == 0
    assert len(canang.log_lines()) > seen, "a shutdown that says nothing"
    assert canang.stderr() == ""
