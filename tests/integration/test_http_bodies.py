"""Requests with bodies, on both ports. Those that take none refuse them, and nothing that is in a body, or lies
behind one whose end is in doubt, is ever taken for a request."""

import pytest

from support.raw_websocket import RawConnection

SMUGGLED = b"0\r\n\r\nGET /nodes HTTP/1.1\r\nHost: localhost\r\n\r\n"
KEY = "0123456789abcdef-of-a-test"

AMBIGUOUS = [
    pytest.param("Content-Length: 5\r\nTransfer-Encoding: chunked", id="length, then chunked"),
    pytest.param("Transfer-Encoding: chunked\r\nContent-Length: 5", id="chunked, then length"),
    pytest.param("Transfer-Encoding: identity\r\nContent-Length: 5", id="identity and length"),
    pytest.param("Content-Length: 5\r\nContent-Length: 6", id="two lengths"),
    pytest.param("Content-Length: 5, 6", id="two lengths in a line"),
    pytest.param("Content-Length: 0x5", id="hexadecimal"),
    pytest.param("Content-Length: 99999999999999999999", id="over 64 bits"),
    pytest.param("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", id="chunked twice"),
]
PLAIN = [
    pytest.param("Content-Length: 5", id="length"),
    pytest.param("Content-Length: 18446744073709551615", id="huge"),
    pytest.param("Transfer-Encoding: chunked", id="chunked"),
    pytest.param("Transfer-Encoding: gzip, chunked", id="gzip"),
    pytest.param("Content-Length: 5\r\nExpect: 100-continue", id="expected"),
]


@pytest.fixture(params=["public", "internal"])
def port(request, canang):
    return canang.port if request.param == "public" else canang.internal_port


def expect_one_answer(port, request, status):
    """@returns the answer, behind which the connection is over."""
    with RawConnection(port) as client:
        client.send(request)
        answer = client.read_to_end()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:80]
    assert answer.count(b"HTTP/1.1 ") == 1, "nothing behind it is a request"
    assert b"100 Continue" not in answer
    return answer


@pytest.mark.parametrize("fields", AMBIGUOUS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_whose_end_is_in_doubt_is_refused(canang, port, method, fields):
    request = f"{method} / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n".encode()
    expect_one_answer(port, request + SMUGGLED, 400)


@pytest.mark.parametrize("fields", PLAIN)
def test_a_page_takes_no_body(canang, fields):
    for port, path in ((canang.port, "/"), (canang.internal_port, "/metrics")):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n".encode()
        expect_one_answer(port, request + SMUGGLED, 400)


@pytest.mark.parametrize("fields", PLAIN)
def test_an_order_to_drain_takes_no_body(canang, fields):
    request = f"POST /drain HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n".encode()
    expect_one_answer(canang.internal_port, request + SMUGGLED, 400)
    assert canang.get_internal("/readyz").status == 200, "it was not done"


@pytest.mark.parametrize("fields", PLAIN)
def test_no_body_is_read_of_one_who_may_not_ask(start_canang, fields):
    canang = start_canang(internal_key=KEY)
    for path in ("/drain", "/nothing"):
        request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n".encode()
        expect_one_answer(canang.internal_port, request + SMUGGLED, 401)


def test_an_empty_body_is_none(canang):
    with RawConnection(canang.port) as client:
        for _ in range(3):
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert client.read_response().status == 200


def test_http_1_0_knows_no_chunks(canang, port):
    request = b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    expect_one_answer(port, request + SMUGGLED, 400)


def test_internal_routes_tell_a_wrong_method_from_a_wrong_path(canang):
    for path, allowed in (
        ("/healthz", "GET, HEAD"),
        ("/nodes", "GET, HEAD"),
        ("/rooms/a/presence", "GET, HEAD"),
        ("/drain", "POST"),
    ):
        answer = canang.get_internal(path, "DELETE")
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
    for path in ("/nothing", "/nodes/", "/rooms", "/drain/x", "//nodes"):
        for method in ("GET", "POST", "OPTIONS"):
            assert canang.get_internal(path, method).status == 404, path


def test_options_is_no_way_to_learn_of_the_server(canang, port):
    with RawConnection(port) as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.read_response().status == 404


def test_no_page_of_another_origin_is_told_that_it_may_read(canang):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for answer in (
        canang.get("/", headers=headers),
        canang.get("/", method="OPTIONS", headers=headers),
        canang.get("/ws", method="OPTIONS", headers=headers),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
