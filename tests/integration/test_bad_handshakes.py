"""Bad input before the upgrade. Each costs only the one that sent it."""

import base64
import contextlib
import time

import pytest

from support.raw_websocket import KEY, Ended, RawConnection, RawWebSocket, request_head

GARBAGE = [
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xa5" * 600, id="TLS hello"),
    pytest.param(b"\x00" * 100 + b"\r\n\r\n", id="zeros"),
    pytest.param(bytes(range(256)) * 4 + b"\r\n\r\n", id="all bytes"),
    pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="SSH"),
    pytest.param(b"GET\r\n\r\n", id="method only"),
    pytest.param(b"GET /ws\r\n\r\n", id="no version"),
    pytest.param(b"GET /ws HTTP/9.9\r\nHost: x\r\n\r\n", id="HTTP/9.9"),
    pytest.param(b"GET /ws HTTP/1.1\r\nno colon\r\n\r\n", id="header without colon"),
    pytest.param(b"GET /ws HTTP/1.1\r\n: value\r\n\r\n", id="header without name"),
    pytest.param(b"GET /ws HTTP/1.1\r\nHo st: x\r\n\r\n", id="space in a header name"),
    pytest.param(b"GET /ws HTTP/1.1\r\nHost: \x00\r\n\r\n", id="NUL in a header"),
    pytest.param(b"GET /w s HTTP/1.1\r\nHost: x\r\n\r\n", id="space in the path"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2 preface"),
    pytest.param(b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", id="negative length"),
    pytest.param(b"GET / HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n", id="two lengths"),
]


@pytest.fixture
def witness(canang):
    """A member that must not notice anything."""
    with RawWebSocket(canang.port, "/ws/witness") as client:
        canang.wait_members(1)
        yield client
        client.send_text("still here?")
        assert client.read_data().payload == b"still here?"
        canang.wait_metric("canang_connections", 1)
        canang.wait_members(1)


def answer_to(canang, request):
    with RawConnection(canang.port) as client:
        client.send(request)
        return client.read_response()


def refused(canang, request, *statuses):
    response = answer_to(canang, request)
    assert response.status in statuses, response
    text = response.body.decode().strip()
    assert text and len(text.splitlines()) == 1, f"a line of text, not {text!r}"
    return response


@pytest.mark.parametrize("path", ["/ws", "/ws/room"])
def test_a_plain_request_for_a_room_is_told_to_upgrade(canang, witness, path):
    response = refused(canang, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400, 426)
    if response.status == 426:
        assert response.headers["upgrade"].lower() == "websocket"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(request_head(Upgrade="h2c"), id="another protocol"),
        pytest.param(request_head(without=("Upgrade",)), id="no Upgrade"),
        pytest.param(request_head(without=("Connection",)), id="no Connection"),
        pytest.param(request_head(Connection="keep-alive"), id="Connection without upgrade"),
        pytest.param(request_head(without=("Sec-WebSocket-Key",)), id="no key"),
        pytest.param(request_head(Sec_WebSocket_Key=""), id="empty key"),
        pytest.param(request_head(without=("Sec-WebSocket-Version",)), id="no version"),
        pytest.param(request_head(Sec_WebSocket_Version="8"), id="version 8"),
        pytest.param(request_head(Sec_WebSocket_Version="14"), id="version 14"),
        pytest.param(request_head(Sec_WebSocket_Version="x"), id="version x"),
        pytest.param(request_head(version="HTTP/1.0"), id="HTTP/1.0"),
    ],
)
def test_a_bad_upgrade_is_refused(canang, witness, request_bytes):
    refused(canang, request_bytes, 400, 426)


def test_a_wrong_version_is_told_the_right_one(canang):
    response = refused(canang, request_head(Sec_WebSocket_Version="8"), 426)
    assert response.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(
    "key", [KEY[:-4], "x" * 24, base64.b64encode(b"x" * 17).decode(), KEY + "A" * 500]
)
def test_a_key_that_is_not_16_bytes_in_base64_is_refused(canang, witness, key):
    refused(canang, request_head(Sec_WebSocket_Key=key), 400, 426)


@pytest.mark.parametrize(
    "connection", ["Upgrade", "upgrade", "keep-alive, Upgrade", "Upgrade, keep-alive", "x,upgrade"]
)
def test_the_usual_ways_to_write_an_upgrade_work(canang, connection):
    assert answer_to(canang, request_head(Connection=connection)).status == 101
    assert answer_to(canang, request_head(Upgrade="WebSocket")).status == 101


def test_offered_extensions_are_not_claimed(canang):
    request = request_head(
        Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits, x-other"
    )
    response = answer_to(canang, request)
    assert response.status == 101
    assert "sec-websocket-extensions" not in response.headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(request_head(Content_Length="5") + b"hello", id="body"),
        pytest.param(request_head(Content_Length="5"), id="body announced"),
        pytest.param(request_head(Content_Length="99999999999"), id="huge body announced"),
        pytest.param(
            request_head(Transfer_Encoding="chunked") + b"5\r\nhello\r\n0\r\n\r\n", id="chunked"
        ),
        pytest.param(request_head(Transfer_Encoding="chunked"), id="chunked announced"),
        pytest.param(request_head(Transfer_Encoding="gzip, chunked"), id="gzip, chunked"),
        pytest.param(request_head(Transfer_Encoding="identity"), id="identity"),
        pytest.param(
            request_head(Content_Length="5", Transfer_Encoding="chunked"), id="both (smuggling)"
        ),
    ],
)
def test_an_upgrade_with_a_body_is_refused(canang, witness, request_bytes):
    refused(canang, request_bytes, 400)


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(request_head(X_Big="x" * 17_000), id="one big header"),
        pytest.param(
            request_head(**{f"X_{n}": "y" * 20 for n in range(800)}), id="many small headers"
        ),
        pytest.param(request_head(**{"X" * 17_000: "y"}), id="a big header name"),
        pytest.param(request_head(Cookie="c=" + "x" * 200_000), id="200 kB of cookie"),
    ],
)
def test_over_16_kib_of_headers_are_refused(canang, witness, request_bytes):
    with RawConnection(canang.port) as client:
        client.send_what_fits(request_bytes, 2)
        response = client.read_response()
    assert response.status == 431
    assert response.body.strip()


def test_headers_below_16_kib_are_fine(canang):
    request = request_head(Cookie="c=" + "x" * 16_000)
    assert len(request) < 16_384
    assert answer_to(canang, request).status == 101


def test_headers_without_an_end_are_refused_or_closed(canang, witness):
    with RawConnection(canang.port) as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        client.send_what_fits(b"X-More: yes and more\r\n" * 200_000, 3)
        started = client.read_to_end(3)
    assert started == b"" or started.startswith(b"HTTP/1.1 431 ")


def test_a_huge_request_line_is_refused(canang, witness):
    with RawConnection(canang.port) as client:
        client.send_what_fits(request_head("/ws/" + "a" * 20_000), 2)
        assert client.read_response().status in (400, 414, 431)


@pytest.mark.parametrize("path", ["/wsx", "/ws2/room", "/socket", "/WS", "/connection"])
def test_an_upgrade_of_an_unknown_path_is_404(canang, witness, path):
    refused(canang, request_head(path), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"])
def test_an_upgrade_with_a_wrong_method_is_405(canang, witness, method):
    with RawConnection(canang.port) as client:
        client.send(request_head(method=method))
        response = client.read_response(head_only=method == "HEAD")
    # A method that HTTP doesn't know at all may be 400 or 501 as well.
    allowed = {405, 400, 501} if method == "BREW" else {405}
    assert response.status in allowed


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_refused_or_closed(canang, witness, garbage):
    with RawConnection(canang.port) as client:
        client.send(garbage)
        client.finish_sending()
        answer = client.read_to_end(5)
    if answer:
        status = answer.split(b" ", 2)[1]
        assert answer.startswith(b"HTTP/1.") and status.startswith((b"4", b"5")), answer[:80]


def test_refusals_leave_nothing_behind(canang):
    before = canang.settled_resources()
    for _ in range(30):
        refused(canang, request_head("/ws/%zz"), 400)
        refused(canang, request_head("/nothing"), 404)
    canang.wait_resources(before)


# -- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"G", id="one byte"),
        pytest.param(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr", id="half a handshake"),
        pytest.param(request_head()[:-2], id="all but the last line end"),
    ],
)
def test_a_handshake_that_stops_is_closed_after_the_timeout(start_canang, beginning):
    canang = start_canang(handshake_timeout="1s")
    before = canang.settled_resources()
    with RawConnection(canang.port) as client:
        started = time.monotonic()
        client.send(beginning)
        answer = client.read_to_end(3)
        assert 0.5 < time.monotonic() - started < 2.5
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    canang.wait_resources(before)


def test_a_handshake_that_drips_is_closed_after_the_timeout_all_the_same(start_canang):
    canang = start_canang(handshake_timeout="1s")
    with RawConnection(canang.port) as client:
        started = time.monotonic()
        request = request_head(X_Long="x" * 1000)
        with contextlib.suppress(Ended):
            for byte in request:
                client.send(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    client.read_exactly(1, 0.1)
        assert 0.5 < time.monotonic() - started < 3


def test_the_handshake_timeout_does_not_end_an_upgraded_connection(start_canang):
    canang = start_canang(handshake_timeout="500ms")
    with RawWebSocket(canang.port) as client:
        with pytest.raises(TimeoutError):
            client.read_data(2)
        client.send_text("long after")
        assert client.read_data().payload == b"long after"


def test_an_idle_keep_alive_connection_is_closed_some_time(start_canang):
    canang = start_canang(handshake_timeout="1s")
    with RawConnection(canang.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read_response().status == 200
        assert client.read_to_end(5) == b""


def test_many_slow_handshakes_do_not_hold_up_a_quick_one(start_canang):
    canang = start_canang(handshake_timeout="3s")
    slow = [RawConnection(canang.port) for _ in range(200)]
    for client in slow:
        client.send(b"GET /ws HTTP/1.1\r\n")
    started = time.monotonic()
    with RawWebSocket(canang.port) as client:
        client.send_text("quick")
        assert client.read_data().payload == b"quick"
    assert time.monotonic() - started < 1
    for client in slow:
        client.close()
