"""The public port as an HTTP/1.1 server: page, methods, keep-alive."""

import http.client
import re

import pytest

from support.raw_websocket import RawConnection, RawWebSocket, request_head


def test_the_page_is_html_and_loads_nothing_from_elsewhere(canang):
    answer = canang.get("/")
    assert answer.status == 200
    assert answer.headers["content-type"].replace(" ", "").lower() == "text/html;charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "<html" in answer.text.lower()
    outside = re.findall(
        r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import"""
        r"""|\bimport\s*\(?\s*["'](?:https?:)?//|fetch\(\s*["'](?:https?:)?//""",
        answer.text,
    )
    assert outside == []


def test_what_the_page_refers_to_is_there(canang):
    page = canang.get("/").text
    for reference in re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)["']""", page):
        if not reference.startswith("data:"):
            path = reference if reference.startswith("/") else f"/{reference.removeprefix('./')}"
            assert canang.get(path).status == 200, reference


def test_an_unchanged_page_is_not_sent_again(canang):
    tag = canang.get("/").headers.get("etag")
    if tag is None:
        pytest.skip("no ETag (optional)")
    again = canang.get("/", headers={"If-None-Match": tag})
    assert again.status == 304
    assert again.body == b""
    assert canang.get("/", headers={"If-None-Match": '"another"'}).status == 200


@pytest.mark.parametrize("which", ["public", "internal"])
def test_many_requests_share_a_connection(canang, which):
    port, path = (canang.port, "/") if which == "public" else (canang.internal_port, "/metrics")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    socket = connection.sock
    for expected_path, status in ((path, 200), ("/nothing", 404), (path, 200), (path, 200)):
        connection.request("GET", expected_path)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is socket, "the server closed the connection"
    connection.close()


def test_pipelined_requests_are_answered_in_order(canang):
    with RawConnection(canang.port) as client:
        page, nothing = (f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for p in ("/", "/nothing"))
        client.send((page + nothing) * 3)
        assert [client.read_response().status for _ in range(6)] == [200, 404] * 3


def test_an_upgrade_may_follow_a_request_on_the_same_connection(canang):
    with RawConnection(canang.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read_response().status == 200
        client.send(request_head("/ws"))
        assert client.read_response().status == 101


def test_connection_close_is_honoured(canang):
    with RawConnection(canang.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.read_response().status == 200
        assert client.read_to_end() == b""


def test_an_http_1_0_request_is_answered_and_closed(canang):
    with RawConnection(canang.port) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.read_response().status == 200
        assert client.read_to_end() == b""


@pytest.mark.parametrize("which", ["public", "internal"])
def test_head_has_the_headers_of_get_and_no_body(canang, which):
    port, path = (canang.port, "/") if which == "public" else (canang.internal_port, "/healthz")
    with RawConnection(port) as client:
        client.send(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = client.read_response(head_only=True)
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = client.read_response()
    assert (head.status, got.status) == (200, 200)
    assert head.headers["content-length"] == str(len(got.body)) != "0"
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/wsx", "/index.htm", "/../etc/passwd", "/%2e%2e/etc/passwd", "/WS", "//"]
)
def test_an_unknown_path_is_404_with_a_line_of_text(canang, path):
    with RawConnection(canang.port) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = client.read_response()
    assert response.status == 404
    assert response.body.strip()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/ws", "/ws/room"])
def test_a_wrong_method_is_405_and_says_what_is_allowed(canang, method, path):
    answer = canang.get(path, method=method)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
    assert answer.text.strip()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_wrong_method_on_the_internal_port_is_405(canang, path):
    assert canang.get_internal(path, method="POST").status == 405


def test_a_page_with_a_query_is_the_page(canang):
    assert canang.get("/?from=link").status == 200


def test_http_connections_leave_nothing_behind(canang):
    before = canang.settled_resources()
    for _ in range(50):
        canang.get("/")
        canang.get("/nothing")
        with RawConnection(canang.port) as client:
            client.send(b"GET / HTTP/1.1\r\n")
    with RawWebSocket(canang.port) as client:
        client.close_normally()
    canang.wait_resources(before)
