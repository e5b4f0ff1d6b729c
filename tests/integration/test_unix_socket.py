"""A Unix-domain socket as the public port."""

import os
import socket
import stat

import pytest

from support.canang_process import run_to_end
from support.raw_websocket import RawConnection, RawWebSocket, request_head
from support.waiting import wait_until


class UnixConnection(RawConnection):
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        self.buffer = bytearray()


class UnixWebSocket(UnixConnection, RawWebSocket):
    def __init__(self, path, room, **fields):
        UnixConnection.__init__(self, path)
        self.send(request_head(f"/ws/{room}", **fields))
        assert self.read_response().status == 101


@pytest.fixture
def start_unix(start_canang, tmp_path):
    path = tmp_path / "canang.sock"

    def start(**options):
        canang = start_canang(ready=False, listen=f"unix:{path}", **options)
        canang.internal_host, canang.internal_port = canang._address_after("internal listening on ")
        wait_until(lambda: canang._is_ready(), "it is ready", 20)
        return canang, path

    return start


def test_members_meet_over_a_socket_in_a_file(start_unix):
    canang, path = start_unix(listen_mode="0600", ping_interval="200ms", pong_timeout="300ms")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with UnixConnection(path) as stream:
        stream.send(b"GET /sse/a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stream.read_response(head_only=True).status == 200
        canang.wait_members(1)
        one = UnixWebSocket(path, "a")
        one.send_text("hello")
        assert one.read_data().payload == b"hello"
        one.close_normally()
        for _ in range(8):  # it is pinged, and its member stays
            stream.read_until(b":\n\n")
        canang.wait_members(1)
    canang.wait_members(0)
    assert canang.stop() == 0
    assert not path.exists()


def test_clients_are_told_apart_by_what_the_proxy_says(start_unix):
    canang, path = start_unix(trusted_proxies="unix", max_connections_per_ip=1, log_level="debug")
    first = UnixWebSocket(path, "a", X_Forwarded_For="203.0.113.9")
    with UnixConnection(path) as second:
        second.send(request_head("/ws/a", X_Forwarded_For="203.0.113.9"))
        assert second.read_response().status == 429
    other = UnixWebSocket(path, "a", X_Forwarded_For="203.0.113.10")
    first.close_normally()
    other.close_normally()
    canang.wait_log("peer=203.0.113.10")


def test_a_stale_file_is_taken_over_and_a_live_one_is_not(start_unix, start_canang):
    canang, path = start_unix()
    flags = ["--listen", f"unix:{path}", "--internal-listen", "127.0.0.1:0"]
    refused = run_to_end(flags)
    assert refused.returncode == 1 and "in use" in refused.stderr
    UnixWebSocket(path, "a").close_normally()
    canang.process.kill()
    canang.process.wait()
    assert path.exists()
    start_unix()
    UnixWebSocket(path, "a").close_normally()
    path.with_name("other").write_text("precious")
    refused = run_to_end(["--listen", f"unix:{path.with_name('other')}", *flags[2:]])
    assert refused.returncode == 1 and "exists" in refused.stderr


def test_wrong_options_are_named():
    for flags in (["--listen", "unix:"], ["--listen", "unix:/" + "x" * 107], ["--listen-mode", "0888"]):
        refused = run_to_end(flags)
        assert refused.returncode == 2 and flags[0] in refused.stderr
