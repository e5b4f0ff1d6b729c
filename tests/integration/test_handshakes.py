"""Handshakes as browsers, libraries and proxies send them, and what is said to those that cannot be."""

import pytest

from support.raw_websocket import RawConnection

FIELDS = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "c2l4dGVlbiBieXRlIGtleQ==",
    "Sec-WebSocket-Version": "13",
}


def head(*lines, target="/ws", without=()):
    """The usual handshake without some fields, and with these lines."""
    usual = [f"{name}: {value}" for name, value in FIELDS.items() if name not in without]
    return "\r\n".join([f"GET {target} HTTP/1.1", *usual, *lines, "", ""]).encode()


def answer_to(port, request):
    with RawConnection(port) as client:
        client.send(request)
        return client.read_response()


def reason(answer):
    return answer.body.decode().strip()


# -- RFC 9110, 9112 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            head("Connection: keep-alive", "Connection: Upgrade", without=("Connection",)),
            id="Connection in two lines",
        ),
        pytest.param(
            head("Upgrade: h2c", "Upgrade: websocket", without=("Upgrade",)),
            id="Upgrade in two lines",
        ),
        pytest.param(
            head("Connection: ,, keep-alive ,\tupgrade,", without=("Connection",)),
            id="empty items of a list",
        ),
        pytest.param(head(target="http://127.0.0.1/ws"), id="absolute"),
        pytest.param(head(target="ws://127.0.0.1:80/ws?history=3"), id="absolute with a query"),
        pytest.param(head(target="HTTPS://elsewhere.example/ws"), id="absolute, of another host"),
        pytest.param(b"\r\n" + head(), id="an empty line before"),
        pytest.param(b"\r\n\r\n\r\n" + head(), id="three empty lines before"),
        pytest.param(
            head("Connection:\r\n keep-alive,\r\n\tUpgrade", without=("Connection",)),
            id="a folded line",
        ),
        pytest.param(head("Host:", without=("Host",)), id="an empty Host"),
        pytest.param(head("X: " + "x" * 15_000), id="headers of 15 KiB"),
    ],
)
def test_a_handshake_that_is_right_is_accepted(canang, request_bytes):
    assert answer_to(canang.port, request_bytes).status == 101


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: 127.0.0.1"],
        ["Host: evil.example"],
        ["Sec-WebSocket-Key: c2l4dGVlbiBieXRlIGtleQ=="],
        ["Sec-WebSocket-Version: 13"],
        ["Origin: http://127.0.0.1", "Origin: http://evil.example"],
        ["Content-Length: 0", "Content-Length: 0"],
        ["Authorization: a", "Authorization: b"],
    ],
    ids=lambda lines: lines[-1],
)
@pytest.mark.parametrize("target", ["/ws", "/"])
def test_a_field_that_stands_once_only_is_not_taken_twice(canang, target, lines):
    answer = answer_to(canang.port, head(*lines, target=target))
    assert answer.status == 400
    assert "once only" in reason(answer) and lines[-1].split(":")[0] in reason(answer)


@pytest.mark.parametrize("host", ["a b", "http://x", "x/y", "x:y", "user@x", "[::1", "x\ty"])
def test_a_host_that_is_none_is_refused(canang, host):
    answer = answer_to(canang.port, head(f"Host: {host}", target="/", without=("Host",)))
    assert (answer.status, reason(answer)) == (
        *(400, "Host is not a name or an address with a port"),
    )


@pytest.mark.parametrize("path", ["/", "/ws", "/nothing"])
def test_http_1_1_has_a_host(canang, path):
    answer = answer_to(canang.port, head(target=path, without=("Host",)))
    assert (answer.status, reason(answer)) == (400, "Host is missing")


@pytest.mark.parametrize("target", ["ws", "http:/ws", "http:///ws", "ftp://x/ws", "http://u@x/ws"])
def test_a_target_that_is_neither_path_nor_url_is_refused(canang, target):
    answer = answer_to(canang.port, head(target=target))
    assert answer.status == 400 and "target" in reason(answer)


@pytest.mark.parametrize("which", ["public", "internal"])
def test_every_path_has_an_absolute_form(canang, which):
    port, path = (canang.port, "/") if which == "public" else (canang.internal_port, "/healthz")
    for target in (path, f"http://any.example:8000{path}", f"http://any.example{path}?query"):
        assert answer_to(port, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).status == 200


def test_a_page_that_is_unchanged_is_found_in_any_list_of_tags(canang):
    tag = canang.get("/").headers["etag"]
    for lines in (
        [f'If-None-Match: "a", {tag}'],
        ['If-None-Match: "a"', f"If-None-Match: {tag}"],
        [f"If-None-Match: W/{tag}"],
        ["If-None-Match: *"],
    ):
        request = "\r\n".join(["GET / HTTP/1.1", "Host: x", *lines, "", ""]).encode()
        assert answer_to(canang.port, request).status == 304, lines


# -- proxies in front --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_bytes", "status", "said"),
    [
        pytest.param(
            *(head(without=("Upgrade", "Connection")), 426),
            "a proxy in front removed the Upgrade header",
            id="hop-by-hop fields removed",
        ),
        pytest.param(
            *(head("Connection: close", without=("Connection",)), 426),
            "a proxy in front has to pass on Upgrade and Connection",
            id="Connection: close",
        ),
        pytest.param(
            *(head("Connection: close", without=("Upgrade", "Connection")), 400),
            "a proxy in front speaks HTTP/1.0 to this server",
            id="HTTP/1.0",
        ),
    ],
)
def test_what_a_proxy_took_away_is_said_and_logged(start_canang, request_bytes, status, said):
    canang = start_canang(log_level="debug")
    if "HTTP/1.0" in said:
        request_bytes = request_bytes.replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = answer_to(canang.port, request_bytes)
    assert answer.status == status and said in reason(answer)
    [line] = canang.wait_log(said)
    assert line.startswith("refuse peer=127.0.0.1:") and 'target="/ws"' in line


# -- subprotocols ------------------------------------------------------------------------------


def chosen(answer):
    return answer.headers.get("sec-websocket-protocol")


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([], None),
        (["chat"], "chat"),
        (["v2.chat, v1.chat"], "v2.chat"),
        (["v2.chat", "v1.chat"], "v2.chat"),
        ([", ,v1.chat"], "v1.chat"),
        ([""], None),
    ],
)
def test_the_first_subprotocol_that_is_offered_is_answered(canang, lines, wanted):
    offers = [f"Sec-WebSocket-Protocol: {line}" for line in lines]
    answer = answer_to(canang.port, head(*offers))
    assert (answer.status, chosen(answer)) == (101, wanted)


def test_subprotocols_may_be_limited(start_canang):
    canang = start_canang(subprotocols="v1.chat,v0.chat")
    for offered, wanted in (
        ("v1.chat", "v1.chat"),
        ("v2.chat, v0.chat, v1.chat", "v0.chat"),
    ):
        answer = answer_to(canang.port, head(f"Sec-WebSocket-Protocol: {offered}"))
        assert (answer.status, chosen(answer)) == (101, wanted)
    assert chosen(answer_to(canang.port, head())) is None
    answer = answer_to(canang.port, head("Sec-WebSocket-Protocol: v2.chat"))
    assert answer.status == 400 and "subprotocols" in reason(answer)


@pytest.mark.parametrize("offered", ["a b", '"chat"', "chat;q=1", "a/b", ",".join(["x"] * 33)])
def test_what_is_no_list_of_subprotocols_is_refused(canang, offered):
    answer = answer_to(canang.port, head(f"Sec-WebSocket-Protocol: {offered}"))
    assert answer.status == 400 and "Sec-WebSocket-Protocol" in reason(answer)


async def test_a_library_that_insists_on_its_subprotocol_is_content(canang):
    import websockets

    async with websockets.connect(canang.url(), subprotocols=["v1.chat"]) as client:
        assert client.subprotocol == "v1.chat"
        await client.send("plain all the same")
        assert await client.recv() == "plain all the same"


# -- the size of headers -----------------------------------------------------------------------


def test_the_limit_of_headers_can_be_set(start_canang):
    canang = start_canang(max_header_bytes="64KiB")
    assert answer_to(canang.port, head("Cookie: c=" + "x" * 60_000)).status == 101
    with RawConnection(canang.port) as client:
        client.send_what_fits(head("Cookie: c=" + "x" * 66_000), 2)
        answer = client.read_response()
    assert answer.status == 431 and "65536 bytes" in reason(answer)


# -- origins -----------------------------------------------------------------------------------


def status_for(canang, origin, host="chat.example.org"):
    lines = [f"Host: {host}"] + ([f"Origin: {origin}"] if origin is not None else [])
    return answer_to(canang.port, head(*lines, without=("Host",))).status


def test_by_default_pages_of_the_same_host_connect_and_programs(canang):
    for origin, host in (
        (None, "chat.example.org"),
        ("http://chat.example.org", "chat.example.org"),
        ("https://chat.example.org", "chat.example.org"),
        ("https://chat.example.org", "chat.example.org:443"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
    ):
        assert status_for(canang, origin, host) == 101, (origin, host)
    for origin in ("https://evil.example", "https://chat.example.org:8443", "null", "", "*"):
        assert status_for(canang, origin) == 403, origin
    assert canang.metrics().total("canang_handshakes_rejected_total", reason="origin") == 5


def test_a_page_of_another_site_is_told_in_a_line(canang):
    answer = answer_to(canang.port, head("Origin: https://evil.example"))
    assert answer.status == 403
    assert "--allowed-origin" in reason(answer) and "\n" not in reason(answer)


def test_origins_may_be_named(start_canang):
    canang = start_canang(allowed_origin="https://chat.example.org,https://*.pages.example")
    for origin in (None, "https://chat.example.org", "https://a.b.pages.example"):
        assert status_for(canang, origin, "node-7:8000") == 101, origin
    for origin in ("http://chat.example.org", "https://pages.example", "http://node-7:8000"):
        assert status_for(canang, origin, "node-7:8000") == 403, origin


def test_any_origin_may_be_allowed(start_canang):
    canang = start_canang(allowed_origin="*")
    for origin in ("https://evil.example", "null", "garbage of some kind"):
        assert status_for(canang, origin) == 101, origin


def test_the_page_itself_is_for_every_site(canang):
    request = b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n\r\n"
    assert answer_to(canang.port, request).status == 200
