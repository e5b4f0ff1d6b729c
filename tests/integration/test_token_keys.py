"""Where the keys of tokens come from: files, read again on SIGHUP, and a key set that is fetched."""

import signal
import socket
import subprocess
import time

import pytest

from support import token_keys
from support.canang_process import run_to_end
from support.key_server import KeyServer
from support.waiting import wait_until

SECRET = token_keys.SECRET


@pytest.fixture(scope="module")
def one():
    return token_keys.jwk(token_keys.make("p256"), "p256", "one")


@pytest.fixture(scope="module")
def two():
    return token_keys.jwk(token_keys.make("ed25519"), "ed25519", "two")


@pytest.fixture
def key_server(one):
    with KeyServer(token_keys.jwks(one)) as server:
        yield server


def lines_about(canang, text):
    return [record for record in canang.log_records() if text in record["msg"]]


def fetches(canang, result):
    return canang.metrics().total("canang_token_jwks_fetches_total", result=result)


def wait_keys(canang, count):
    canang.wait_metric("canang_token_keys", count)


def hang_up(canang):
    canang.process.send_signal(signal.SIGHUP)


def failed(canang, said, count=1):
    wait_until(lambda: fetches(canang, "failed") >= count, "a fetch has failed", 15)
    line = wait_until(lambda: lines_about(canang, "no keys of "), "it is in the log")[-1]
    assert line["level"] == "warning" and said in line["msg"], line
    return line


# -- files -------------------------------------------------------------------------------------


def test_without_options_there_are_no_keys(canang):
    assert canang.metrics()["canang_token_keys"] == 0


def test_files_are_read_again_on_sighup_and_a_bad_one_changes_nothing(start_canang, tmp_path):
    secrets = tmp_path / "secrets"
    secrets.write_text(SECRET + "\n")
    canang = start_canang(token_hmac_secret_file=secrets)
    wait_keys(canang, 1)
    secrets.write_text(f"{SECRET}\r\n\nanother secret of the tests\n")
    hang_up(canang)
    wait_keys(canang, 2)
    secrets.write_text("short")
    hang_up(canang)
    refused = wait_until(
        lambda: lines_about(canang, "the keys of tokens stay as they were"), "it is refused"
    )
    assert len(refused) == 1 and refused[0]["level"] == "error"
    assert str(secrets) in refused[0]["msg"] and "short" not in refused[0]["msg"]
    assert canang.metrics()["canang_token_keys"] == 2
    assert not lines_about(canang, SECRET) + lines_about(canang, "another secret")


def test_keys_of_the_config_file_are_live(start_canang, tmp_path):
    config = tmp_path / "canang.toml"
    public = tmp_path / "public.pem"
    public.write_bytes(
        b"".join(token_keys.public_pem(token_keys.make(kind)) for kind in ("rsa", "p384", "ed25519"))
    )
    config.write_text(f'token-hmac-secret = "{SECRET}"\n')
    canang = start_canang(extra=("--config", str(config)))
    wait_keys(canang, 1)
    config.write_text(f'token-public-key = ["{public}"]\ntoken-hmac-secret = "{SECRET}"\n')
    hang_up(canang)
    wait_keys(canang, 4)
    public.write_text("<html>")
    hang_up(canang)
    line = wait_until(lambda: lines_about(canang, "the configuration stays as it was"), "refused")[0]
    assert str(public) in line["msg"]
    assert canang.metrics()["canang_token_keys"] == 4
    assert not lines_about(canang, "only a restart")


@pytest.mark.parametrize(
    "option, content, said",
    [
        ("token-hmac-secret-file", None, "cannot be read"),
        ("token-hmac-secret-file", b"\n\n", "has no secret"),
        ("token-hmac-secret-file", b"too short\n", "16 to 1024 bytes"),
        ("token-public-key", None, "cannot be read"),
        ("token-public-key", b"<html>", "no public key in PEM"),
        ("token-public-key", b"x" * 300_000, "longer than 256 KiB"),
        ("token-jwks", None, "cannot be read"),
        ("token-jwks", b"<!DOCTYPE html>", "not JSON"),
        ("token-jwks", b'{"keys":[]}', "no key that can be used"),
        ("token-jwks", b" " * 20_000_000, "longer than 256 KiB"),
    ],
)
def test_a_missing_or_bad_file_is_a_refusal_to_start(tmp_path, option, content, said):
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    done = run_to_end([f"--{option}", str(path), "--listen", "127.0.0.1:0"])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and said in done.stderr, done.stderr
    assert f"--{option}" in done.stderr and str(path) in done.stderr


@pytest.mark.parametrize(
    "option, value",
    [
        ("token-hmac-secret", "s3cr3t"),
        ("token-jwks", "https://ann:s3cr3t@example.org/"),
        ("token-jwks", "ftp://example.org/s3cr3t"),
        ("token-jwks", "https:///s3cr3t"),
        ("token-leeway", "1h"),
        ("token-leeway", "500ms"),
        ("token-audience", "a,,b"),
    ],
)
def test_a_wrong_value_is_one_line_without_secrets(option, value):
    done = run_to_end([f"--{option}={value}", "--check-config"])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
    assert f"--{option}" in done.stderr and "s3cr3t" not in done.stderr


# -- a key set that is fetched -----------------------------------------------------------------


def test_a_key_set_is_fetched_at_the_start_and_rotated_without_a_restart(
    start_canang, key_server, one, two
):
    canang = start_canang(token_jwks=key_server.url() + "?key=s3cr3t", token_hmac_secret=SECRET)
    wait_keys(canang, 2)
    assert key_server.paths == ["/jwks.json?key=s3cr3t"]
    key_server.body = token_keys.jwks(one, two, {"kty": "AKP", "alg": "ML-DSA-44"})
    hang_up(canang)
    wait_keys(canang, 3)
    wait_until(lambda: fetches(canang, "ok") == 2, "both are counted")
    assert fetches(canang, "failed") == 0
    wait_until(lambda: len(lines_about(canang, "/jwks.json has ")) == 2, "both are in the log")
    has = [record["msg"] for record in lines_about(canang, "/jwks.json has ")]
    assert has == [f"{key_server.url()} has {count} keys" for count in (1, 2)]
    assert not lines_about(canang, "s3cr3t")


def test_a_server_starts_without_its_key_set_and_gets_it_later(start_canang, key_server):
    key_server.status = 500
    canang = start_canang(token_jwks=key_server.url())
    failed(canang, "the answer has status 500")
    assert canang.metrics()["canang_token_keys"] == 0
    key_server.status = 200
    wait_until(lambda: canang.metrics()["canang_token_keys"] == 1, "tried again by itself", 15)


@pytest.mark.parametrize(
    "status, body, said",
    [
        (200, b"<!DOCTYPE html><html></html>", "not JSON"),
        (200, b"x" * 20_000_000, "longer than 256 KiB"),
        (200, b'{"keys":[]}', "no key that can be used"),
        (200, b"", "not JSON"),
        (500, b"{}", "status 500"),
        (302, b"", "status 302"),
        (204, b"", "status 204"),
    ],
)
def test_the_old_keys_stay_while_the_answer_is_no_key_set(
    start_canang, key_server, status, body, said
):
    canang = start_canang(token_jwks=key_server.url())
    wait_keys(canang, 1)
    key_server.status, key_server.body = status, body
    key_server.headers = {"Location": key_server.url() + "/elsewhere"} if status == 302 else {}
    hang_up(canang)
    line = failed(canang, said)
    assert "those that it had stay" in line["msg"]
    failed(canang, said, 3)  # it is tried again, and says no more of it
    assert len(lines_about(canang, "no keys of ")) == 1
    assert canang.metrics()["canang_token_keys"] == 1
    assert set(key_server.paths) == {"/jwks.json"}


def test_a_server_that_never_answers_is_given_up_and_does_not_hold_up_the_end(
    start_canang, key_server
):
    key_server.silent = True
    canang = start_canang(token_jwks=key_server.url())
    before = time.monotonic()
    failed(canang, "timeout")
    assert time.monotonic() - before > 5, "10 s less what the start took"
    asked = key_server.asked
    wait_until(lambda: key_server.asked > asked, "it is asked again", 10)
    stopping = time.monotonic()
    assert canang.stop() == 0
    assert time.monotonic() - stopping < 5


def test_a_port_that_is_closed_is_a_failure_like_others(start_canang):
    with socket.socket() as closed:  # it has the port, so that nobody else gets it, and does not listen
        closed.bind(("127.0.0.1", 0))
        canang = start_canang(token_jwks=f"http://127.0.0.1:{closed.getsockname()[1]}/")
        failed(canang, "Connection refused")


# -- over TLS ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of 127.0.0.1 and localhost, and its own authority."""
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out",
         "cert.pem", "-days", "2", "-subj", "/CN=keys", "-addext",
         "subjectAltName=IP:127.0.0.1"],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    return directory / "cert.pem", directory / "key.pem"


def test_a_key_set_over_tls_needs_a_certificate_that_is_known_and_of_the_host(
    start_canang, certificate, one
):
    trusting = {"SSL_CERT_FILE": str(certificate[0])}
    with KeyServer(token_keys.jwks(one), *certificate) as server:
        known = start_canang(token_jwks=server.url(), env=trusting)
        wait_keys(known, 1)
        unknown = start_canang(token_jwks=server.url())
        failed(unknown, "certificate verify failed")
        other_host = start_canang(token_jwks=server.url("localhost"), env=trusting)
        failed(other_host, "certificate verify failed")
        plain = start_canang(token_jwks=server.url().replace("https", "http"))
        wait_until(lambda: fetches(plain, "failed") >= 1, "TLS is no HTTP")
        for canang in (unknown, other_host, plain):
            assert canang.metrics()["canang_token_keys"] == 0
