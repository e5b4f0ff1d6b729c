"""Options as flag, environment variable and key of the file; wrong values; taken ports."""

import re
import socket

import pytest

from support.canang_process import run_to_end
from support.raw_websocket import BINARY, RawWebSocket, frame

GOOD = {
    "listen": "127.0.0.1:0",
    "internal-listen": "127.0.0.1:0",
    "workers": "2",
    "ping-interval": "25s",
    "pong-timeout": "8s",
    "handshake-timeout": "10s",
    "close-timeout": "5s",
    "max-message-bytes": "64KiB",
    "outbox-limit": "1MiB",
    "publish-rate": "1000",
    "publish-bytes-rate": "1MiB",
    "room-publish-rate": "2000",
    "room-publish-bytes-rate": "2MiB",
    "outbox-budget": "256MiB",
    "slow-consumer-grace": "2s",
    "slow-consumers": "drop-oldest",
    "compression": "deflate",
    "compression-min-bytes": "1KiB",
    "history-size": "128",
    "history-ttl": "5m",
    "history-bytes": "1MiB",
    "history-budget": "64MiB",
    "max-rooms": "1000",
    "room-linger": "1s",
    "max-rooms-per-connection": "128",
    "drain-grace": "0s",
    "drain-period": "25s",
    "log-level": "info",
    "log-format": "json",
}
OPTIONS = list(GOOD)


def variable(option):
    return "CANANG_" + option.upper().replace("-", "_")


def config_line(option, value):
    return f'{option} = "{value}"\n'


def one_line(result):
    """The only line of output: on stderr."""
    assert result.stdout == "", result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def refused(result, option):
    line = one_line(result)
    assert result.returncode == 2, line
    assert option in line or variable(option) in line, line


# -- where a value may come from ---------------------------------------------------------------


@pytest.mark.parametrize("option", OPTIONS)
def test_a_good_value_is_taken_from_flag_environment_and_file(tmp_path, option):
    file = tmp_path / "canang.conf"
    file.write_text(config_line(option, GOOD[option]))
    for arguments, env in (
        ([f"--{option}", GOOD[option]], {}),
        ([f"--{option}={GOOD[option]}"], {}),
        ([], {variable(option): GOOD[option]}),
        (["--config", str(file)], {}),
        ([], {"CANANG_CONFIG": str(file)}),
    ):
        result = run_to_end([*arguments, "--check-config"], env)
        assert result.returncode == 0, (arguments, env, result.stderr)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("source", ["flag", "environment", "file", "file by environment"])
def test_a_bad_value_is_refused_with_one_line_that_names_the_option(tmp_path, option, source):
    file = tmp_path / "canang.conf"
    file.write_text(config_line(option, "banana"))
    arguments, env = {
        "flag": ([f"--{option}", "banana"], {}),
        "environment": ([], {variable(option): "banana"}),
        "file": (["--config", str(file)], {}),
        "file by environment": ([], {"CANANG_CONFIG": str(file)}),
    }[source]
    refused(run_to_end([*arguments, "--check-config"], env), option)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workers", "0"),
        ("workers", "-1"),
        ("workers", "2.5"),
        ("workers", "100000"),
        ("ping-interval", "-1s"),
        ("ping-interval", "10 parsecs"),
        ("ping-interval", "s"),
        ("ping-interval", "99999999999999999999s"),
        ("pong-timeout", "-500ms"),
        ("handshake-timeout", "1s2"),
        ("max-message-bytes", "64 cats"),
        ("max-message-bytes", "-1"),
        ("max-message-bytes", "99999999999999999999KiB"),
        ("outbox-limit", "KiB"),
        ("publish-rate", "10/s"),
        ("publish-bytes-rate", "1MB"),
        ("outbox-budget", "much"),
        ("slow-consumer-grace", "2"),
        ("slow-consumers", "drop_oldest"),
        ("compression", "gzip"),
        ("compression-min-bytes", "0"),
        ("history-size", "-1"),
        ("history-size", "many"),
        ("listen", "127.0.0.1"),
        ("listen", "127.0.0.1:99999"),
        ("listen", "127.0.0.1:-1"),
        ("listen", "nowhere:80:90"),
        ("listen", "300.0.0.1:80"),
        ("internal-listen", ":"),
        ("internal-listen", "127.0.0.1:http"),
        ("max-rooms-per-connection", "0"),
        ("max-rooms-per-connection", "100001"),
        ("api-key", "short"),
        ("api-key-file", "/no/such/file"),
        ("log-level", "loud"),
        ("log-format", "xml"),
    ],
)
def test_a_wrong_value_starts_nothing_and_exits_with_2(option, value):
    options = {"listen": "127.0.0.1:0", "internal-listen": "127.0.0.1:0"} | {option: value}
    refused(run_to_end([f"--{name}={given}" for name, given in options.items()]), option)


def test_an_unknown_flag_is_refused_by_name():
    result = run_to_end(["--frobnicate", "1"])
    assert result.returncode == 2
    assert "frobnicate" in one_line(result)


def test_a_stray_argument_is_refused_by_name():
    result = run_to_end(["stray"])
    assert result.returncode == 2
    assert "stray" in one_line(result)


def test_an_unknown_key_in_the_file_is_refused_by_name(tmp_path):
    file = tmp_path / "canang.conf"
    file.write_text('ping-intervall = "25s"\n')
    result = run_to_end(["--config", str(file), "--check-config"])
    assert result.returncode == 2
    assert "ping-intervall" in one_line(result)


def test_a_missing_file_is_refused(tmp_path):
    result = run_to_end(["--config", str(tmp_path / "nothing.conf")])
    assert result.returncode == 2
    line = one_line(result)
    assert "config" in line and "nothing.conf" in line


def test_a_broken_file_is_refused(tmp_path):
    file = tmp_path / "canang.conf"
    file.write_text('[[[\nping-interval = "25s\n=\n')
    result = run_to_end(["--config", str(file), "--check-config"])
    assert result.returncode == 2
    assert one_line(result)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("# nothing\nping-interval=25s\n", "2:17", "values are quoted now"),
        ('workers = 2\nworkers = "3"\n', "2:1", "workers"),
        ("workers = 2.5\n", "1:11", "workers"),
        ('workers = ["2"]\n', "1:11", "workers"),
        ("pings = 1\n", "1:1", "there is no option 'pings'"),
        ("[rooms]\nlisten = 'x'\n", "2:1", "there is no setting 'listen' in [rooms]"),
        ("[rooms]\nhistory-size = 1000001\n", "2:16", "rooms.history-size"),
        ("[rooms]\npresence = 'yes'\n", "2:12", "neither true nor false"),
        ("[rooms]\nallow-publish = 'me'\n", "2:17", "not one of anyone, users, members"),
        ("[rooms]\nallow-subscribe = 'members'\n", "2:19", "nobody is a member before"),
        ("[rooms]\nmax-message-bytes = '65KiB'\n", "2:21", "more than max-message-bytes"),
        ("[namespaces.'a:b']\n", "1:13", "colon"),
        ("[namespaces.a]\nx = 1\n", "2:1", "there is no setting 'x' in [namespaces.a]"),
        ("[room]\n", "1:2", "there is no option 'room'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_line_and_column(tmp_path, text, place, said):
    file = tmp_path / "canang.conf"
    file.write_text(text)
    for more in (["--check-config"], ["--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0"]):
        result = run_to_end(["--config", str(file), *more])
        assert result.returncode == 2
        line = one_line(result)
        assert line.startswith(f"canang: {file}:{place}: ") and said in line, line


def test_bytes_that_are_not_utf8_are_named_with_line_and_column(tmp_path):
    file = tmp_path / "canang.conf"
    file.write_bytes(b"# ok\nadvertise = '\xe4'\n")
    result = run_to_end(["--config", str(file), "--check-config"])
    assert result.returncode == 2
    assert one_line(result) == f"canang: {file}:2:14: the file is not valid UTF-8 here"


def test_a_file_with_every_setting_of_rooms_is_right(tmp_path):
    settings = """
history-size = 7
history-bytes = "1KiB"
history-ttl = "1h"
presence = false
join-leave = true
max-message-bytes = 1024
allow-subscribe = "users"
allow-publish = "nobody"
allow-presence = "anyone"
allow-history = "token"
hook-subscribe = false
hook-publish = true
hook-sub-refresh = false
hook-rooms = false
"""
    file = tmp_path / "canang.conf"
    file.write_text(f"workers = 2\n[rooms]{settings}[namespaces.chat]{settings}[namespaces.'n s']\n")
    result = run_to_end(["--config", str(file), "--check-config"])
    assert result.returncode == 0, result.stderr


def test_a_key_of_the_server_api_is_taken_from_flag_environment_and_file_and_never_shown(tmp_path):
    keys = ["0123456789abcdef", "fedcba9876543210"]
    file = tmp_path / "canang.conf"
    file.write_text(f'api-key = ["{keys[0]}", "{keys[1]}"]\n')
    (tmp_path / "api.keys").write_text("\n".join(keys))
    for arguments, env in (
        (["--api-key", keys[0], "--api-key", keys[1]], {}),
        ([], {"CANANG_API_KEY": ",".join(keys)}),
        (["--config", str(file)], {}),
        (["--api-key-file", str(tmp_path / "api.keys")], {}),
        ([], {"CANANG_API_KEY_FILE": str(tmp_path / "api.keys")}),
    ):
        result = run_to_end([*arguments, "--check-config"], env)
        assert result.returncode == 0, (arguments, env, result.stderr)
    result = run_to_end(["--api-key", "a-secret", "--check-config"])
    refused(result, "api-key")
    assert "a-secret" not in result.stderr


def accepts(canang, size):
    """True when a message of this size comes back, False when it is answered with 1009."""
    with RawWebSocket(canang.port, f"/ws/size-{size}") as client:
        client.send_what_fits(frame(BINARY, b"x" * size), 5)
        got = client.read_frame()
        if got.opcode == BINARY:
            assert len(got.payload) == size
            return True
        assert got.close_code == 1009
        return False


@pytest.mark.parametrize(
    ("flag", "env", "file", "limit"),
    [
        (None, None, None, 65536),
        (None, None, "1KiB", 1024),
        (None, "2KiB", None, 2048),
        ("3KiB", None, None, 3072),
        (None, "2KiB", "1KiB", 2048),
        ("3KiB", None, "1KiB", 3072),
        ("3KiB", "2KiB", None, 3072),
        ("3KiB", "2KiB", "1KiB", 3072),
    ],
)
def test_a_flag_beats_the_environment_beats_the_file(
    start_canang, tmp_path, flag, env, file, limit
):
    extra, environment = (), {}
    if file:
        path = tmp_path / "canang.conf"
        path.write_text(config_line("max-message-bytes", file))
        extra = ("--config", str(path))
    if env:
        environment["CANANG_MAX_MESSAGE_BYTES"] = env
    canang = start_canang(extra=extra, env=environment, max_message_bytes=flag)
    assert accepts(canang, limit)
    assert not accepts(canang, limit + 1)


@pytest.mark.parametrize(
    ("written", "limit"), [("4096", 4096), ("4KiB", 4096), ("4096B", 4096), ("1MiB", 1 << 20)]
)
def test_sizes_are_bytes_or_have_a_unit(start_canang, written, limit):
    canang = start_canang(max_message_bytes=written, outbox_limit="8MiB")
    assert accepts(canang, limit)
    assert not accepts(canang, limit + 1)


@pytest.mark.parametrize("written", ["1500ms", "25s", "5m", "1h"])
def test_durations_have_a_unit(written):
    result = run_to_end(["--history-ttl", written, "--check-config"])
    assert result.returncode == 0, result.stderr


def test_the_whole_configuration_can_be_a_file(start_canang, tmp_path):
    path = tmp_path / "canang.conf"
    path.write_text("".join(config_line(option, value) for option, value in GOOD.items()))
    nothing = dict.fromkeys(
        ("listen", "internal_listen", "workers", "close_timeout", "drain_period", "log_level")
    )
    canang = start_canang(extra=("--config", str(path)), **nothing)
    assert canang.get("/").status == 200


def test_the_whole_configuration_can_be_environment(start_canang):
    nothing = dict.fromkeys(
        ("listen", "internal_listen", "workers", "close_timeout", "drain_period", "log_level")
    )
    canang = start_canang(env={variable(o): v for o, v in GOOD.items()}, **nothing)
    assert canang.get("/").status == 200


# -- commands that start nothing ---------------------------------------------------------------


def test_check_config_starts_nothing():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run_to_end(["--listen", address, "--check-config"])
    assert result.returncode == 0, result.stderr
    assert "listening" not in result.stdout
    assert result.stderr == ""


def test_version_is_one_line():
    result = run_to_end(["--version"])
    assert result.returncode == 0
    assert re.fullmatch(r"canang v?\d+\.\d+\S*( .*)?\n", result.stdout), result.stdout
    assert result.stderr == ""


def test_help_names_every_option_and_its_default():
    result = run_to_end(["--help"])
    assert result.returncode == 0
    assert result.stderr == ""
    for option in [*OPTIONS, "config", "check-config", "version", "help"]:
        assert f"--{option}" in result.stdout
    for default in ("0.0.0.0:8000", "127.0.0.1:9000", "25s", "8s", "64KiB", "1MiB", "128", "5m"):
        assert default in result.stdout, default
    assert "CANANG_" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 120, "lines too long to read"


# -- ports that can't be had -------------------------------------------------------------------


@pytest.mark.parametrize("option", ["listen", "internal-listen"])
def test_a_taken_port_is_one_line_and_exit_1(option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        addresses = {"listen": "127.0.0.1:0", "internal-listen": "127.0.0.1:0"}
        addresses[option] = f"127.0.0.1:{port}"
        result = run_to_end([part for o, a in addresses.items() for part in (f"--{o}", a)])
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert str(port) in lines[0]


@pytest.mark.parametrize("which", ["public", "internal"])
def test_a_port_that_another_canang_has_is_taken_too(canang, which):
    port = canang.port if which == "public" else canang.internal_port
    addresses = {"listen": "127.0.0.1:0", "internal-listen": "127.0.0.1:0"}
    addresses["listen" if which == "public" else "internal-listen"] = f"127.0.0.1:{port}"
    result = run_to_end([part for o, a in addresses.items() for part in (f"--{o}", a)])
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert str(port) in lines[0]
    for n in range(10):
        with RawWebSocket(canang.port, f"/ws/{n}") as client:
            client.send_text("undisturbed")
            assert client.read_data().payload == b"undisturbed"


def test_an_address_of_another_machine_is_one_line_and_exit_1():
    result = run_to_end(["--listen", "192.0.2.1:8000", "--internal-listen", "127.0.0.1:0"])
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert "192.0.2.1" in lines[0]


def test_the_port_is_free_again_right_after_the_end(start_canang):
    first = start_canang()
    port = first.port
    with RawWebSocket(port) as client:
        client.send_text("x")
        client.read_data()
        first.stop()
    second = start_canang(listen=f"127.0.0.1:{port}")
    with RawWebSocket(second.port) as client:
        client.send_text("here again")
        assert client.read_data().payload == b"here again"


def test_ipv6_works(start_canang):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    canang = start_canang(listen="[::1]:0")
    with socket.create_connection(("::1", canang.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
