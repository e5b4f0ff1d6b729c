"""Proxies in front: whose word on a client's address counts, and for what."""

import shutil
import socket
import ssl
import struct
import time

import pytest

from support.canang_process import run_to_end
from support.certificates import Authority
from support.haproxy import HAProxy, Ports
from support.nginx import Nginx
from support.needs import FOLDERS
from support.raw_websocket import Ended, RawConnection, RawWebSocket, request_head
from support.redis_process import free_port
from support.waiting import wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BAD_ROOM = request_head("/ws/%zz")  # is refused, with a line in the log

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy", path=FOLDERS) is None, reason="there is no haproxy"
)


def line(client="203.0.113.9"):
    return f"PROXY TCP4 {client} 10.0.0.1 4711 8000\r\n".encode()


def binary(client="203.0.113.9", command=0x21):
    addresses = socket.inet_aton(client) + socket.inet_aton("10.0.0.1") + struct.pack(">HH", 4711, 8000)
    return SIGNATURE + bytes([command, 0x11]) + struct.pack(">H", len(addresses)) + addresses


def behind(start_canang, header="require", trusted="127.0.0.1", **options):
    return start_canang(
        trusted_proxies=trusted, proxy_protocol=header, log_level="debug", **options
    )


def peers_in_log(canang):
    words = [word for message in canang.log_messages() for word in message.split()]
    return [word.removeprefix("peer=") for word in words if word.startswith("peer=")]


def answer(canang, data, source=None):
    """The status, or what happened instead."""
    try:
        with RawConnection(canang.port, source=source) as client:
            client.send(data)
            return client.read_response().status
    except (Ended, ConnectionResetError):  # maybe before it is quite there
        return "closed"


@pytest.mark.parametrize("header", [line, binary])
def test_the_address_in_a_header_counts_for_limits_and_logs(start_canang, header):
    canang = behind(start_canang, max_connections_per_ip=2)
    held = []
    for _ in range(2):
        client = RawConnection(canang.port)
        client.send(header() + request_head("/ws/a"))
        assert client.read_response().status == 101
        held.append(client)
    assert answer(canang, header() + request_head("/ws/a")) == 429
    assert answer(canang, header("203.0.113.10") + BAD_ROOM) == 400
    wait_until(lambda: "203.0.113.10:4711" in peers_in_log(canang), "it is named in the log")
    for client in held:
        client.close()
    wait_until(
        lambda: answer(canang, header() + request_head("/ws/a")) == 101, "its places are free again"
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BAD_ROOM, id="no header"),
        pytest.param(b"PROXY TCP4 203.0.113.9 10.0.0.1 4711\r\n" + BAD_ROOM, id="bad line"),
        pytest.param(b"PROXY TCP4 " + b"1" * 200 + BAD_ROOM, id="endless line"),
        pytest.param(SIGNATURE + b"\x31\x11\0\x0c" + b"1" * 12 + BAD_ROOM, id="version 3"),
        pytest.param(SIGNATURE + b"\x21\x11\xff\xff" + b"1" * 5000, id="endless binary"),
        pytest.param(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\xa5" * 600, id="TLS hello"),
    ],
)
def test_a_proxy_that_sends_no_good_header_is_closed(start_canang, data):
    canang = behind(start_canang)
    assert answer(canang, data) == "closed"
    assert answer(canang, line() + BAD_ROOM) == 400


def test_a_stranger_is_not_served_where_a_header_is_required(start_canang):
    canang = behind(start_canang)
    for data in (line() + BAD_ROOM, binary() + BAD_ROOM, BAD_ROOM):
        assert answer(canang, data, source="127.0.0.2") == "closed"
    assert "203.0.113.9:4711" not in peers_in_log(canang)


def test_a_header_of_a_stranger_is_garbage(start_canang):
    canang = behind(start_canang, header="accept")
    for data in (line() + BAD_ROOM, binary() + BAD_ROOM):
        assert answer(canang, data, source="127.0.0.2") == 400
    assert answer(canang, BAD_ROOM, source="127.0.0.2") == 400
    wait_until(
        lambda: sum(peer.startswith("127.0.0.2:") for peer in peers_in_log(canang)) == 3,
        "each is named in the log by its own address",
    )
    assert not any(peer.startswith("203.0.113.9") for peer in peers_in_log(canang))
    assert answer(canang, request_head("/ws/a")) == 101, "a proxy may leave it out"


@pytest.mark.parametrize("header", [line, binary])
def test_a_header_cut_in_half_has_the_time_of_a_handshake(start_canang, header):
    canang = behind(start_canang, handshake_timeout="500ms")
    before = canang.descriptors()
    with RawConnection(canang.port) as client:
        began = time.monotonic()
        client.send(header()[:20])
        assert client.read_to_end() == b""
        assert 0.4 < time.monotonic() - began < 3
    wait_until(lambda: canang.descriptors() <= before, "nothing is left of it")
    assert canang.metrics().total("canang_handshakes_rejected_total", reason="timeout") == 1


class MemoryTls:
    """A client's TLS whose records the test carries."""

    def __init__(self, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.is_ready = False

    def step(self, records=b""):
        """Goes on with what has come. @returns what is to be sent."""
        self.incoming.write(records)
        try:
            self.tls.do_handshake()
            self.is_ready = True
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()


@pytest.mark.parametrize("cut", [1000000, 1])
@pytest.mark.parametrize("header", [line, binary])
def test_tls_begins_behind_the_header(start_canang, tmp_path, header, cut):
    authority = Authority(tmp_path)
    own = authority.certify("server")
    canang = behind(
        start_canang, tls_cert=own.certificate, tls_key=own.key, max_connections_per_ip=1
    )

    def status(client):
        with RawConnection(canang.port) as connection:
            side = MemoryTls(authority.client())
            waiting = header(client) + side.step()
            while not side.is_ready:
                for at in range(0, len(waiting), cut):
                    connection.send(waiting[at : at + cut])
                waiting = side.step(connection.socket.recv(65536))
            side.tls.write(request_head("/ws/a"))
            connection.send(waiting + side.outgoing.read())
            said = b""
            while b"\r\n\r\n" not in said:
                side.incoming.write(connection.socket.recv(65536))
                try:
                    said += side.tls.read(65536)
                except ssl.SSLWantReadError:
                    pass
            yield int(said.split()[1])

    first, other, again = status("203.0.113.9"), status("203.0.113.10"), status("203.0.113.9")
    assert (next(first), next(other), next(again)) == (101, 101, 429)
    assert answer(canang, header("203.0.113.11") + BAD_ROOM) == 400, "it is told that TLS is spoken"
    for held in (first, other, again):
        held.close()


def test_tls_may_begin_without_a_header_where_none_is_required(start_canang, tmp_path):
    authority = Authority(tmp_path)
    own = authority.certify("server")
    canang = behind(start_canang, header="accept", tls_cert=own.certificate, tls_key=own.key)
    for source in ("127.0.0.1", "127.0.0.2"):
        with RawConnection(canang.port, source=source, tls=authority.client()) as client:
            client.send(BAD_ROOM)
            assert client.read_response().status == 400
    assert answer(canang, b"PRO" + BAD_ROOM) == "closed"


@needs_haproxy
@pytest.mark.parametrize("option", ["send-proxy", "send-proxy-v2"])
def test_haproxy_says_whose_connection_it_is(start_canang, tmp_path, option):
    canang = behind(start_canang, max_connections_per_ip=1)
    nodes = {"one": Ports(canang.port, canang.internal_port)}
    directory = tmp_path / "ha"
    directory.mkdir()
    haproxy = HAProxy(directory, free_port(), nodes, server_options=option)
    try:
        with RawWebSocket(haproxy.port, "/ws/a", source="127.0.0.7") as member:
            with RawConnection(haproxy.port, source="127.0.0.7") as second:
                second.send(request_head("/ws/a"))
                assert second.read_response().status == 429, "the same client"
            with RawWebSocket(haproxy.port, "/ws/a", source="127.0.0.8") as other:
                other.send_text("hello")
                assert member.read_data().payload == b"hello"
            with RawConnection(haproxy.port, source="127.0.0.9") as third:
                third.send(BAD_ROOM)
                assert third.read_response().status == 400
        wait_until(
            lambda: any(peer.startswith("127.0.0.9:") for peer in peers_in_log(canang)),
            "it is named in the log",
        )
    finally:
        haproxy.kill()


FIELDS = {
    "x-forwarded-for": ("X_Forwarded_For", "{}"),
    "forwarded": ("Forwarded", 'for="{}";proto=https'),
}


@pytest.mark.parametrize("field", FIELDS)
def test_the_address_in_a_field_counts_for_limits_and_logs(start_canang, field):
    canang = behind(start_canang, header="off", forwarded_header=field, max_connections_per_ip=1)
    name, form = FIELDS[field]

    def head(client, path="/ws/a"):
        return request_head(path, **{name: form.format(client)})

    with RawConnection(canang.port) as first:
        first.send(head("203.0.113.9"))
        assert first.read_response().status == 101
        assert answer(canang, head("203.0.113.9")) == 429
        assert answer(canang, head("203.0.113.10")) == 101
        made_up = request_head("/ws/a", **{name: form.format("1.2.3.4") + ", " + form.format("203.0.113.9")})
        assert answer(canang, made_up) == 429, "the one that the proxy has seen counts"
        assert answer(canang, head("203.0.113.11", "/ws/%zz")) == 400
    wait_until(lambda: "203.0.113.11" in peers_in_log(canang), "it is named in the log")
    with RawConnection(canang.port, source="127.0.0.2") as stranger:
        stranger.send(head("198.51.100.1"))
        assert stranger.read_response().status == 101
        assert answer(canang, head("198.51.100.2"), source="127.0.0.2") == 429, "it is who it is"


def test_only_the_field_that_was_asked_for_is_believed(start_canang):
    canang = behind(start_canang, header="off")
    assert answer(canang, request_head("/ws/%zz", Forwarded="for=198.51.100.1")) == 400
    assert all(peer.startswith("127.0.0.1:") for peer in peers_in_log(canang))


def test_event_streams_of_a_proxy_have_their_client_in_the_log(start_canang):
    canang = behind(start_canang, header="accept")
    with RawConnection(canang.port) as client:
        client.send(line() + b"GET /sse/a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read_response(head_only=True).status == 200
        canang.wait_members(1)
    canang.wait_members(0)
    wait_until(lambda: "203.0.113.9:4711" in peers_in_log(canang), "it is named in the log")


def test_nginx_names_its_clients(start_canang, tmp_path):
    canang = behind(start_canang, header="off")
    nginx = Nginx(tmp_path / "nginx", canang.port, "1.1", forwarded=True)
    try:
        with RawConnection(nginx.port, source="127.0.0.9") as client:
            client.send(
                b"GET /sse/%FF HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
            )  # no UTF-8, of which nginx says nothing
            assert client.read_response().status == 400
    finally:
        nginx.kill()
    wait_until(lambda: "127.0.0.9" in peers_in_log(canang), "it is named in the log")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--trusted-proxies", "10.0.0.1/8"],
        ["--trusted-proxies", "example.org"],
        ["--proxy-protocol", "on"],
        ["--proxy-protocol", "accept"],
        ["--forwarded-header", "x-real-ip"],
    ],
)
def test_a_wrong_option_is_named(arguments):
    refused = run_to_end(arguments)
    assert refused.returncode == 2 and arguments[0] in refused.stderr
