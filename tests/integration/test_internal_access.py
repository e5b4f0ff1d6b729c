"""Who may ask the internal port what."""

import pytest

from support.canang_process import http_request, run_to_end
from support.raw_websocket import RawConnection

KEY = "0123456789abcdef-of-a-test"
OPEN = ("/healthz", "/readyz", "/metrics")
CLOSED = (("/nodes", "GET"), ("/rooms/kitchen", "GET"), ("/rooms/kitchen/presence", "GET"),
          ("/drain", "POST"), ("/drain", "GET"), ("/nothing", "GET"))  # fmt: skip
BEYOND_LOOPBACK = {"internal_listen": "0.0.0.0:0"}


def status(canang, path, method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_request(canang.internal_port, path, method, named).status


def bearer(key=KEY):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(params=["127.0.0.1:0", "0.0.0.0:0"])
def keyed(request, start_canang):
    return start_canang(internal_key=KEY, internal_listen=request.param)


def test_probes_and_metrics_need_no_key(keyed):
    for path in OPEN:
        assert status(keyed, path) == 200
        assert status(keyed, path, Host="any.example") == 200


def test_all_else_needs_the_key(keyed):
    for path, method in CLOSED:
        for headers in ({}, bearer(KEY[:-1]), bearer(KEY + "x"), {"Authorization": KEY}):
            assert status(keyed, path, method, **headers) == 401, (path, headers)
    answer = http_request(keyed.internal_port, "/nodes")
    assert answer.headers["www-authenticate"] == 'Bearer realm="canang"'
    assert KEY not in answer.text
    assert status(keyed, "/nodes", **bearer()) == 200
    assert status(keyed, "/rooms/kitchen/presence", **bearer()) == 200
    assert status(keyed, "/readyz") == 200, "nothing was drained"
    assert status(keyed, "/drain", "POST", **bearer()) == 202
    assert keyed.wait_exit(5) == 0


def test_beyond_loopback_nothing_else_is_answered_without_a_key(start_canang):
    canang = start_canang(**BEYOND_LOOPBACK)
    for path in OPEN:
        assert status(canang, path) == 200
    for path, method in CLOSED:
        assert status(canang, path, method) == 403, path
    [line] = [record for record in canang.log_records() if "--internal-key" in record["msg"]]
    assert line["level"] == "warning"


def test_a_key_or_loopback_is_no_reason_to_warn(start_canang):
    for options in ({}, BEYOND_LOOPBACK | {"internal_key": KEY}):
        canang = start_canang(**options)
        assert not canang.log_with("--internal-key")


def test_a_host_that_was_made_to_lead_here_learns_nothing(canang):
    """DNS rebinding: a browser takes the answer for one of the page's own host."""
    for path, method in CLOSED:
        assert status(canang, path, method, Host="evil.example:9000") == 403, path
        assert status(canang, path, method, Host="localhost.evil.example") == 403, path
    request = "GET http://evil.example/nodes HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with RawConnection(canang.internal_port) as client:
        client.send(request.encode())
        assert client.read_response().status == 403, "the target names the host"
    for host in ("localhost", "LocalHost:1234", "127.0.0.1", "[::1]:9000", "10.1.2.3"):
        assert status(canang, "/nodes", Host=host) == 200, host
    with RawConnection(canang.internal_port) as client:
        client.send(b"GET /nodes HTTP/1.0\r\n\r\n")
        assert client.read_response().status == 200, "no browser leaves it out"


def test_other_hosts_may_be_named(start_canang):
    canang = start_canang(internal_host="localhost,ops.example")
    assert status(canang, "/nodes", Host="ops.example") == 200
    assert status(canang, "/nodes", Host="localhost:80") == 200
    assert status(canang, "/nodes", Host="evil.example") == 403


def test_the_operators_commands_send_the_key(keyed, tmp_path):
    url = f"http://127.0.0.1:{keyed.internal_port}"
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    for arguments in (["drain", url], ["health", url + "/nodes"]):
        refused = run_to_end(arguments)
        assert refused.returncode == 1 and "internal key" in refused.stdout
    for arguments, env in (
        (["--internal-key", KEY], {}),
        (["--internal-key-file", str(file)], {}),
        ([], {"CANANG_INTERNAL_KEY": KEY}),
        ([], {"CANANG_INTERNAL_KEY_FILE": str(file)}),
    ):
        asked = run_to_end([*arguments, "health", url + "/nodes"], env)
        assert asked.returncode == 0, asked.stderr
        assert '"node"' in asked.stdout
    assert run_to_end(["health", url]).returncode == 0, "a probe has no key"
    ordered = run_to_end(["drain", url], {"CANANG_INTERNAL_KEY": KEY})
    assert (ordered.returncode, ordered.stdout) == (0, '{"draining":true,"connections":0}\n')
    assert keyed.wait_exit(5) == 0


@pytest.mark.parametrize("option", ["internal-key", "internal-key-file"])
def test_a_wrong_key_is_refused_at_the_start_and_not_shown(tmp_path, option):
    secret = "too-short"
    file = tmp_path / "key"
    file.write_text(secret)
    given = secret if option == "internal-key" else str(file)
    result = run_to_end([f"--{option}", given, "--check-config"])
    assert result.returncode == 2
    assert f"--{option}" in result.stderr and result.stderr.count("\n") == 1
    assert secret not in result.stderr


def test_the_key_is_in_no_log_and_no_answer(start_canang):
    canang = start_canang(internal_key=KEY, log_level="trace")
    status(canang, "/nodes", **bearer())
    status(canang, "/nodes", **bearer(KEY + "x"))
    assert canang.stop() == 0
    assert KEY not in canang.stdout() + canang.stderr()
