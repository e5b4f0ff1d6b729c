"""TLS on both ports, with Python's ssl as the client."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from support.canang_process import run_to_end
from support.certificates import Authority
from support.clients import open_client
from support.raw_websocket import Ended, RawConnection, RawWebSocket, request_head
from support.waiting import wait_until

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xa5" * 600
PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def authority(tmp_path):
    directory = tmp_path / "certificates"
    directory.mkdir()
    return Authority(directory)


@pytest.fixture
def start_tls(start_canang, authority):
    """A server whose public port speaks TLS."""
    own = authority.certify("server")

    def start(**options):
        return start_canang(
            **{"tls_cert": own.certificate, "tls_key": own.key, "log_level": "debug", **options}
        )

    return start


def handshakes(canang, result):
    return canang.metrics().total("canang_tls_handshakes_total", result=result)


def serial(connection):
    return connection.socket.getpeercert()["serialNumber"]


def only(version, authority):
    context = authority.client()
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_members_and_pages_are_served_over_tls(start_tls, authority, version):
    canang = start_tls()
    context = only(version, authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with RawWebSocket(canang.port, "/ws/a", tls=context) as one, RawWebSocket(
        canang.port, "/ws/a", tls=context
    ) as other:
        canang.wait_members(2)
        one.send_text("hello")
        assert one.read_data().payload == b"hello"
        assert other.read_data().payload == b"hello"
        assert one.socket.selected_alpn_protocol() == "http/1.1"
        assert "GCM" in one.socket.cipher()[0] or "CHACHA20" in one.socket.cipher()[0]
        one.close_normally()
        other.close_normally()
    with RawConnection(canang.port, tls=context) as client:
        for _ in range(3):
            client.send(PAGE)
            assert client.read_response().status == 200
    assert handshakes(canang, "full") == 3


def test_old_versions_and_weak_ciphers_are_refused(start_tls, authority):
    canang = start_tls()
    old = authority.client()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    weak = only(ssl.TLSVersion.TLSv1_2, authority)
    weak.set_ciphers("AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA")
    h2 = authority.client()
    h2.set_alpn_protocols(["h2"])
    for context in (old, weak, h2):
        with pytest.raises(OSError):
            RawConnection(canang.port, tls=context)
    wait_until(lambda: handshakes(canang, "failed") == 3, "they are counted")
    assert handshakes(canang, "full") == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_also_after_the_certificate_was_replaced(start_tls, authority, version):
    canang = start_tls()
    context = only(version, authority)

    def session_after(session):
        with RawConnection(canang.port, tls=context, session=session) as client:
            client.send(PAGE)
            assert client.read_response().status == 200
            return client.socket.session_reused, client.socket.session

    reused, session = session_after(None)
    assert not reused
    reused, session = session_after(session)
    assert reused
    canang.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(canang.log_with("is in force")) == 2, "it is read again")
    reused, _ = session_after(session)
    assert reused
    assert handshakes(canang, "resumed") == 2


def test_renegotiation_is_refused(start_tls, authority):
    canang = start_tls()
    client = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{canang.port}", "-tls1_2",
         "-CAfile", str(authority.certificate)],
        input=b"R\n", capture_output=True, timeout=20, check=False,
    )
    said = client.stdout + client.stderr
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said
    assert b"Verify return code: 0 (ok)" in said


def test_http_on_the_tls_port_gets_one_clear_answer(start_tls):
    canang = start_tls()
    for head in (PAGE, request_head("/ws/a"), b"POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000):
        with RawConnection(canang.port) as client:
            client.send(head)
            answer = client.read_response()
            assert answer.status == 400 and b"this port speaks TLS" in answer.body
    assert handshakes(canang, "not_tls") == 3


@pytest.mark.parametrize(
    "data",
    [b"\0" * 100, b"\x80\x2e\x01\x03\x01", b"\x16\x03\x01\xff\xff" + b"x" * 100, CLIENT_HELLO,
     b"\x16\x03\x01\0\x05hello", b"ssh"],
)
def test_garbage_on_the_tls_port_is_closed(start_tls, authority, data):
    canang = start_tls(handshake_timeout="500ms")
    before = canang.descriptors()
    with RawConnection(canang.port) as client:
        client.send(data)
        rest = client.read_to_end()
        assert not rest or rest[0] == 0x15, "an alert, if anything"
    with RawWebSocket(canang.port, "/ws/a", tls=authority.client()) as honest:
        honest.close_normally()
    wait_until(lambda: canang.descriptors() <= before, "nothing is left of it")


def test_a_client_hello_on_the_plain_port_is_closed_with_a_line_in_the_log(start_canang):
    canang = start_canang(log_level="debug")
    with RawConnection(canang.port) as client:
        client.send(CLIENT_HELLO + b"\xa5" * 8000)
        assert client.socket.recv(1) == b"", "closed, and not reset over what was not read"
    with pytest.raises(OSError):
        RawConnection(canang.port, tls=ssl.create_default_context())
    wait_until(lambda: len(canang.log_with("TLS on a plain port")) == 2, "it is told")


def test_large_messages_and_slow_readers(start_tls, authority):
    canang = start_tls(outbox_limit="4MiB", max_message_bytes="1MiB", publish_bytes_rate=0,
                       room_publish_bytes_rate=0)
    text = os.urandom(350_000).hex()
    with RawWebSocket(canang.port, "/ws/a", tls=authority.client()) as author, RawWebSocket(
        canang.port, "/ws/a", receive_buffer=4096, tls=authority.client()
    ) as slow:
        canang.wait_members(2)
        for _ in range(3):
            author.send_text(text)
            assert author.read_data().payload.decode() == text
        for _ in range(3):
            assert slow.read_data(20).payload.decode() == text
        author.close_normally()
        slow.close_normally()


def test_a_slow_consumer_over_tls_is_closed_like_any_other(start_tls, authority):
    canang = start_tls(outbox_limit="64KiB", slow_consumer_grace="200ms", publish_bytes_rate=0,
                       room_publish_bytes_rate=0, publish_rate=0, room_publish_rate=0)
    with RawWebSocket(canang.port, "/ws/a", tls=authority.client()) as author, RawWebSocket(
        canang.port, "/ws/a", receive_buffer=4096, tls=authority.client()
    ):
        canang.wait_members(2)
        deadline = time.monotonic() + 20
        while ("1008", "slow_consumer") not in canang.metrics().closes():
            assert time.monotonic() < deadline
            author.send_text("x" * 50_000)
            author.read_data()
    canang.wait_members(0)
    assert canang.metrics()["canang_outbox_bytes"] == 0


def test_half_closed_and_cut_connections_leave_nothing(start_tls, authority):
    canang = start_tls()
    before = canang.settled_resources()
    context = authority.client()
    with RawConnection(canang.port, tls=context) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.read_response().status == 200
        client.socket.unwrap()  # the server has said that it ends
    member = RawWebSocket(canang.port, "/ws/a", tls=context)
    canang.wait_members(1)
    member.socket.shutdown(socket.SHUT_WR)  # FIN without a word
    canang.wait_members(0)
    member.close()
    other = RawWebSocket(canang.port, "/ws/a", tls=context)
    canang.wait_members(1)
    other.reset()
    canang.wait_members(0)
    garbled = RawWebSocket(canang.port, "/ws/a", tls=context)
    canang.wait_members(1)
    bare = socket.socket(fileno=garbled.socket.detach())
    bare.sendall(b"\x17\x03\x03\0\x20" + b"x" * 32)
    canang.wait_members(0)
    bare.close()
    canang.wait_resources(before)


async def test_event_streams_of_one_and_several_rooms(start_tls, authority):
    canang = start_tls()
    author = await open_client(f"wss://localhost:{canang.port}/ws/a", ssl=authority.client())
    streams = []
    for path, place in (("/sse/a", b"id: "), ("/sse?room=a&room=b", b"id: a=")):
        reader, writer = await asyncio.open_connection("localhost", canang.port, ssl=authority.client())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b" 200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        streams.append((reader, writer, place))
    await canang.members_are(4)
    await author.send("hello")
    for reader, writer, place in streams:
        assert place in await asyncio.wait_for(reader.readuntil(b"hello"), 5)
        writer.close()
    await canang.members_are(1)
    await author.close()


async def test_emulated_streams(start_tls, authority):
    canang = start_tls()
    reader, writer = await asyncio.open_connection("localhost", canang.port, ssl=authority.client())
    body = b'{"id":1,"connect":{}}'
    writer.write(
        b"POST /connection/http_stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    assert b'"client"' in await asyncio.wait_for(reader.readuntil(b'"client"'), 5)
    writer.close()
    await asyncio.to_thread(canang.wait_metric, "canang_connections", 0)


def test_new_certificates_are_taken_while_members_stay(start_canang, authority, tmp_path):
    first, second = authority.certify("first"), authority.certify("second")
    file, key = tmp_path / "tls.pem", tmp_path / "tls.key"

    def put(certificate):
        shutil.copy(certificate.certificate, file)
        shutil.copy(certificate.key, key)

    put(first)
    canang = start_canang(tls_cert=file, tls_key=key)
    context = authority.client()
    context.options |= ssl.OP_NO_TICKET
    member = RawWebSocket(canang.port, "/ws/a", tls=context)
    before = serial(member)
    put(second)

    def serial_now():
        with RawConnection(canang.port, tls=context) as client:
            return serial(client)

    wait_until(lambda: serial_now() != before, "the new one is shown, without a signal", 10)
    member.send_text("still here")
    assert member.read_data().payload == b"still here"
    after = serial_now()
    file.write_text("garbage")
    canang.wait_log("the certificate stays as it was", 10)
    time.sleep(2.5)  # the time of two more looks
    assert len(canang.log_with("the certificate stays as it was")) == 1
    assert serial_now() == after
    canang.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: len(canang.log_with("the certificate stays as it was")) == 2, "a signal has it told again"
    )
    put(first)
    canang.process.send_signal(signal.SIGHUP)
    wait_until(lambda: serial_now() == before, "the signal has it read at once", 2)
    member.close_normally()


def ask_internal(canang, path, context):
    with RawConnection(canang.internal_port, tls=context) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return client.read_response()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_internal_port_may_ask_for_certificates(start_canang, authority, version):
    own = authority.certify("server")
    stranger = Authority(authority.directory, "other-ca").certify("stranger")
    canang = start_canang(
        ready=False, internal_tls_cert=own.certificate, internal_tls_key=own.key,
        internal_tls_client_ca=authority.certificate, log_level="debug",
    )
    canang.wait_listening()

    def context(certificate):
        made = authority.client(certificate)
        made.minimum_version = made.maximum_version = version
        return made

    good = context(authority.certify("client"))
    wait_until(lambda: ask_internal(canang, "/readyz", good).status == 200, "it is ready", 10)
    for bad in (None, stranger, authority.certify("expired", days=-1)):
        with pytest.raises((Ended, OSError)):  # in TLS 1.3 the client learns of it as it reads
            ask_internal(canang, "/healthz", context(bad))
    metrics = ask_internal(canang, "/metrics", good).body.decode()
    assert 'canang_tls_handshakes_total{result="unverified"} 3' in metrics
    with RawConnection(canang.internal_port) as plain:
        plain.send(PAGE)
        assert plain.read_response().status == 400


def test_health_and_drain_speak_tls_to_the_internal_port(start_canang, authority):
    own = authority.certify("server")
    options = {
        "internal_tls_cert": own.certificate,
        "internal_tls_key": own.key,
        "internal_tls_client_ca": authority.certificate,
    }
    canang = start_canang(ready=False, **options)
    canang.wait_listening()
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    where = ["--internal-listen", f"127.0.0.1:{canang.internal_port}"]
    wait_until(lambda: run_to_end([*flags, *where, "health"]).returncode == 0, "it is healthy", 10)
    other = authority.certify("other")
    flags[1], flags[3] = str(other.certificate), str(other.key)
    assert run_to_end([*flags, *where, "health"]).returncode == 1, "another node, or nobody's"
    flags[1], flags[3] = str(own.certificate), str(own.key)
    assert run_to_end([*flags, *where, "drain"]).returncode == 0
    assert canang.wait_exit() == 0


def test_wrong_files_are_named_in_one_line(authority, tmp_path):
    own, other = authority.certify("server"), authority.certify("other")
    garbage = tmp_path / "garbage"
    garbage.write_text("garbage")
    cases = [
        (["--tls-cert", "/nowhere.pem"], 1, "/nowhere.pem"),
        (["--tls-cert", garbage], 1, str(garbage)),
        (["--tls-cert", own.certificate, "--tls-key", other.key], 1, str(other.key)),
        (["--tls-cert", own.certificate], 1, str(own.certificate)),
        (["--internal-tls-cert", own.certificate, "--internal-tls-key", own.key,
          "--internal-tls-client-ca", garbage], 1, str(garbage)),
        (["--tls-key", own.key], 2, "--tls-cert"),
        (["--internal-tls-client-ca", own.certificate], 2, "--internal-tls-cert"),
    ]
    for arguments, code, named in cases:
        refused = run_to_end(["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0",
                              *map(str, arguments)])
        assert refused.returncode == code, refused
        assert named in refused.stderr and refused.stderr.count("\n") == 1
