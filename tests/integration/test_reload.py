"""The configuration file read again by SIGHUP: what takes effect, what stays, and who notices."""

import os
import signal
import time

import pytest

from support.canang_process import run_to_end
from support.clients import close_all, open_client, receive
from support.raw_websocket import RawConnection
from support.waiting import wait_until

APPLIED = ("canang_config_reloads_total", {"result": "applied"})
REFUSED = ("canang_config_reloads_total", {"result": "refused"})


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "canang.toml"
    path.write_text("")
    return path


@pytest.fixture
def configured(start_canang, config):
    """A server whose log level the file may say."""
    return start_canang(extra=("--config", str(config)), log_level=None)


def reload(canang, config, text):
    config.write_text(text)
    canang.process.send_signal(signal.SIGHUP)


def lines_about(canang, text):
    return [record for record in canang.log_records() if text in record["msg"]]


def wait_line(canang, text, count=1):
    """The last of `count` lines with this text, and no more."""
    found = wait_until(
        lambda: len(lines := lines_about(canang, text)) >= count and lines, f"the log says {text!r}"
    )
    assert len(found) == count, found
    return found[-1]


def logs_debug(canang):
    """Whether a bad handshake, which is a line of the level debug, is in the log."""
    path = f"/ws/{time.monotonic_ns()}"
    with RawConnection(canang.port) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.read_response().status == 426
    with RawConnection(canang.port) as client:  # its line would stand behind the first one's
        client.send(b"GET /ws/last HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read_response().status == 426
    return any(path in record["msg"] for record in canang.log_records())


async def test_a_good_file_takes_effect_while_clients_stay_connected(configured, config):
    ann, ben = [await open_client(configured.url("/ws/kitchen")) for _ in range(2)]
    assert not logs_debug(configured)
    reload(configured, config, 'log-level = "debug"\n[rooms]\nhistory-size = 3\n')
    line = wait_line(configured, "the configuration was read again")
    assert line["level"] == "info"
    assert str(config) in line["msg"] and "new settings of rooms" in line["msg"]
    wait_until(lambda: logs_debug(configured), "the new log level")
    await ann.send("still here")
    assert [await receive(client) for client in (ann, ben)] == ["still here"] * 2
    await close_all(ann, ben)
    metrics = configured.metrics()
    assert (metrics.total(APPLIED[0], **APPLIED[1]), metrics.total(REFUSED[0], **REFUSED[1])) == (1, 0)


async def test_a_bad_file_is_one_line_and_everything_stays(configured, config):
    started = configured.metrics()["canang_config_last_good_seconds"]
    assert started == configured.metrics()["process_start_time_seconds"]
    reload(configured, config, 'log-level = "debug"\n')
    wait_line(configured, "the configuration was read again")
    good = configured.metrics()["canang_config_last_good_seconds"]
    assert started <= good <= time.time()
    ann = await open_client(configured.url("/ws/kitchen"))
    bad = {
        'log-level = "loud"\n': ":1:13: log-level: 'loud'",
        'log-level = "info"\n[rooms]\nhistory-size = "many"\n': ":3:16: rooms.history-size: 'many'",
        "log-level=info\n": "values are quoted now",
        '[rooms]\nallow-subscribe = "members"\n': ":2:19: rooms.allow-subscribe",
        '[rooms]\npresence = true\npresence = true\n': ":3:1: ",
        'pong-timeout = "soon"\n': ":1:16: pong-timeout: 'soon'",
    }
    for count, (text, said) in enumerate(bad.items(), start=1):
        reload(configured, config, text)
        line = wait_line(configured, "the configuration stays as it was", count)
        assert line["level"] == "error"
        assert f"{config}:" in line["msg"] and said in line["msg"], line
        checked = run_to_end(["--config", str(config), "--check-config"])
        assert checked.returncode == 2 and said in checked.stderr, checked.stderr
    wait_until(lambda: logs_debug(configured), "the level of the last good file")
    config.unlink()
    configured.process.send_signal(signal.SIGHUP)
    wait_line(configured, "the configuration stays as it was", len(bad) + 1)
    await ann.send("undisturbed")
    assert await receive(ann) == "undisturbed"
    await close_all(ann)
    metrics = configured.metrics()
    assert metrics.total(APPLIED[0], **APPLIED[1]) == 1
    assert metrics.total(REFUSED[0], **REFUSED[1]) == len(bad) + 1
    assert metrics["canang_config_last_good_seconds"] == good


def test_what_needs_a_restart_is_named_in_one_line_without_values(configured, config):
    reload(configured, config, 'ping-interval = "7s"\npong-timeout = "8s"\nhistory-size = 9\n')
    line = wait_line(configured, "only a restart")
    assert line["level"] == "warning"
    assert line["msg"].endswith(": ping-interval"), "pong-timeout says the default, history-size is live"
    reload(configured, config, 'internal-key = "correct-horse-battery"\nredis-prefix = "secret"\n')
    line = wait_line(configured, "only a restart", 2)
    assert line["msg"].endswith(": internal-key, redis-prefix")
    assert not lines_about(configured, "correct-horse") + lines_about(configured, "secret")
    reload(configured, config, "")
    wait_until(
        lambda: configured.metrics().total(APPLIED[0], **APPLIED[1]) == 3, "the third reload"
    )
    wait_line(configured, "the configuration was read again", 3)
    assert len(lines_about(configured, "only a restart")) == 2, "all is as at the start again"


def test_a_flag_and_the_environment_still_beat_the_file(start_canang, config):
    canang = start_canang(extra=("--config", str(config)), env={"CANANG_PING_INTERVAL": "7s"})
    reload(canang, config, 'log-level = "debug"\nping-interval = "9s"\n')
    wait_line(canang, "the configuration was read again")
    assert not logs_debug(canang), "the flag says info"
    assert not lines_about(canang, "only a restart")


def test_keys_of_the_server_api_are_read_again_from_their_file(start_canang, config, tmp_path):
    keys = tmp_path / "api.keys"
    keys.write_text("0123456789abcdef\n")
    config.write_text(f'api-key-file = "{keys}"\n')
    canang = start_canang(extra=("--config", str(config)))
    keys.write_text("0123456789abcdef\nfedcba9876543210\n")
    canang.process.send_signal(signal.SIGHUP)
    wait_line(canang, "the configuration was read again")
    keys.write_text("0123456789abcdef\nshort-secret\n")
    canang.process.send_signal(signal.SIGHUP)
    line = wait_line(canang, "the configuration stays as it was")
    assert "line 2" in line["msg"] and "secret" not in line["msg"]


def test_without_a_file_a_hangup_is_one_line(canang):
    for count in (1, 2):
        canang.process.send_signal(signal.SIGHUP)
        line = wait_line(canang, "there is no --config file to read again", count)
        assert line["level"] == "warning"
    assert canang.get("/").status == 200
    assert canang.metrics().total("canang_config_reloads_total") == 0


def test_what_is_no_regular_file_is_not_read_again(start_canang):
    canang = start_canang(extra=("--config", "/dev/null"))
    canang.process.send_signal(signal.SIGHUP)
    line = wait_line(canang, "the configuration stays as it was")
    assert "is no regular file" in line["msg"]


def test_the_command_reload_checks_and_sends_the_signal(start_canang, config):
    canang = start_canang(extra=("--config", str(config)), log_level=None)
    order = ["--config", str(config), "reload", str(canang.pid)]
    ordered = run_to_end(order)
    assert (ordered.returncode, ordered.stdout, ordered.stderr) == (0, "", "")
    wait_line(canang, "the configuration was read again")
    config.write_text("workers = 0\n")
    refused = run_to_end(order)
    assert refused.returncode == 2 and ":1:11: workers" in refused.stderr
    config.write_text("")
    stranger = run_to_end(["--config", str(config), "reload", str(os.getpid())])
    assert stranger.returncode == 1
    assert stranger.stderr == f"canang: process {os.getpid()} is no canang\n"
    assert len(lines_about(canang, "the configuration was read again")) == 1


def test_a_reload_while_it_drains_does_not_disturb_the_drain(start_canang, config):
    canang = start_canang(extra=("--config", str(config)), drain_grace="30s")
    canang.signal(signal.SIGTERM)
    wait_until(lambda: canang.get_internal("/readyz").status == 503, "unready")
    canang.process.send_signal(signal.SIGHUP)
    wait_line(canang, "the configuration was read again")
    canang.signal(signal.SIGTERM)
    canang.wait_exit(2)
