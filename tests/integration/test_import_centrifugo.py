"""`canang import-centrifugo`: what it prints is a configuration with which the server starts."""

import json
import re

import pytest

from support.canang_process import run_to_end

SECRET = "s3cr3t-s3cr3t-s3cr3t"

# Of each section of version 6 something, and of channels all that Canang has an equivalent for.
V6 = {
    "http_server": {
        "address": "127.0.0.1",
        "port": 8000,
        "internal_address": "127.0.0.1",
        "internal_port": "9000",
        "tls": {"enabled": False, "cert_pem": "/cert.pem", "key_pem": SECRET},
        "tls_external": False,
        "http3": {"enabled": False},
    },
    "log": {"level": "debug", "file": "/var/log/centrifugo.log"},
    "engine": {
        "type": "memory",
        "redis": {"address": ["redis://127.0.0.1:6379"], "password": SECRET, "prefix": "chat"},
    },
    "broker": {"enabled": False, "type": "nats", "nats": {"url": "nats://localhost:4222"}},
    "presence_manager": {"enabled": False, "type": "redis", "redis": {"presence_ttl": "60s"}},
    "client": {
        "allowed_origins": ["https://chat.example.org", "https://*.example.org", "http://localhost:*"],
        "token": {"hmac_secret_key": SECRET, "audience": "chat"},
        "subscription_token": {"enabled": True, "hmac_secret_key": SECRET},
        "allow_anonymous_connect_without_token": True,
        "proxy": {"connect": {"enabled": False, "endpoint": "https://example.org", "timeout": "1s"}},
        "ping_interval": "20s",
        "pong_timeout": "5s",
        "stale_close_delay": "10s",
        "channel_limit": 64,
        "queue_max_size": 2097152,
        "presence_update_interval": "27s",
        "connection_limit": 100,
        "user_connection_limit": 10,
        "connection_rate_limit": 50,
    },
    "channel": {
        "without_namespace": {
            "history_size": 10,
            "history_ttl": "5m",
            "presence": True,
            "join_leave": True,
            "force_push_join_leave": True,
            "allow_subscribe_for_client": True,
            "allow_subscribe_for_anonymous": True,
            "allow_publish_for_subscriber": True,
            "allow_publish_for_anonymous": True,
            "force_recovery": True,
        },
        "namespaces": [
            {"name": "news", "history_size": 100, "history_ttl": "24h", "allow_history_for_client": True},
            {
                "name": "a.b",
                "presence": True,
                "allow_presence_for_subscriber": True,
                "allow_user_limited_channels": True,
                "channel_regex": "^x",
                "publish_proxy_enabled": True,
                "publish_proxy_name": "backend",
            },
        ],
        "proxy": {"subscribe": {"endpoint": "https://example.org"}},
        "namespace_boundary": ":",
        "private_prefix": "$",
        "max_length": 255,
    },
    "rpc": {"ping": {"enabled": True}},
    "proxies": [{"name": "backend", "http": {"static_headers": {"X-Key": SECRET}}}],
    "http_api": {"key": SECRET, "external": False},
    "grpc_api": {"enabled": True, "port": 10000, "key": SECRET},
    "consumers": [{"name": "outbox", "type": "postgresql", "postgresql": {"dsn": SECRET}}],
    "websocket": {"message_size_limit": 32768, "compression": True, "write_timeout": "1s"},
    "sse": {"enabled": True},
    "admin": {"enabled": True, "password": SECRET, "secret": SECRET},
    "prometheus": {"enabled": True},
    "health": {"enabled": True},
    "node": {"name": "node-1"},
    "shutdown": {"timeout": "7s"},
    "not_known_to_anyone": {"deep": [{"er": 1}]},
}

V5 = {
    "port": "8000",
    "internal_port": "9000",
    "address": "127.0.0.1",
    "engine": "memory",
    "redis_address": "127.0.0.1:6379",
    "redis_password": SECRET,
    "token_hmac_secret_key": SECRET,
    "api_key": SECRET,
    "admin": True,
    "admin_password": SECRET,
    "allowed_origins": ["*"],
    "history_size": 10,
    "history_ttl": "300s",
    "presence": True,
    "allow_subscribe_for_client": True,
    "proxy_subscribe": False,
    "namespaces": [{"name": "chat", "allow_publish_for_client": True, "proxy_publish": False}],
    "client_channel_limit": 64,
    "websocket_message_size_limit": 32768,
    "shutdown_timeout": "7s",
    "log_level": "info",
}


def keys_of(value):
    """The names of all that is not an object itself."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below = list(keys_of(inner))
            yield from below or [key]
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def imported(tmp_path, config):
    """The output for a configuration, and a file with it."""
    source = tmp_path / "config.json"
    source.write_text(config if isinstance(config, str) else json.dumps(config, indent=2))
    made = run_to_end(["import-centrifugo", str(source)])
    assert (made.returncode, made.stderr) == (0, "")
    file = tmp_path / "canang.toml"
    file.write_text(made.stdout)
    return made.stdout, file


def with_secret(tmp_path, file):
    """The file that `token-hmac-secret-file` names is there."""
    secret = tmp_path / "token.secret"
    secret.write_text(SECRET + "\n")
    file.write_text(file.read_text().replace("/etc/canang/token.secret", str(secret)))


@pytest.mark.parametrize("config", [V6, V5], ids=["v6", "v5"])
def test_the_server_does_not_start_before_the_secret_is_there(tmp_path, config):
    _, file = imported(tmp_path, config)
    file.write_text(file.read_text().replace("/etc/canang/token.secret", str(tmp_path / "none")))
    checked = run_to_end(["--config", str(file), "--check-config"])
    assert checked.returncode != 0
    assert "token-hmac-secret-file" in checked.stderr


@pytest.mark.parametrize("config", [V6, V5, {}], ids=["v6", "v5", "empty"])
def test_the_server_starts_with_what_is_printed(tmp_path, start_canang, config):
    _, file = imported(tmp_path, config)
    with_secret(tmp_path, file)
    checked = run_to_end(["--config", str(file), "--check-config"])
    assert (checked.returncode, checked.stderr) == (0, "")
    canang = start_canang(extra=("--config", str(file)))
    assert canang.get_internal("/readyz").status == 200


@pytest.mark.parametrize("config", [V6, V5], ids=["v6", "v5"])
def test_every_key_is_translated_or_in_a_comment(tmp_path, config):
    toml, _ = imported(tmp_path, config)
    comments = " ".join(re.findall(r"# (.*)", toml))
    for key in keys_of(config):
        if key == "name":  # of a namespace: the name of its table
            continue
        assert re.search(rf"\b{re.escape(key)}\b", comments), key
    for space in ("[namespaces.news]", '[namespaces."a.b"]') if config is V6 else ("[namespaces.chat]",):
        assert space in toml
    assert SECRET not in toml


def test_what_is_printed_is_the_same_each_time(tmp_path):
    first, _ = imported(tmp_path, V6)
    assert imported(tmp_path, V6)[0] == first


def refusal(path):
    refused = run_to_end(["import-centrifugo", str(path)])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1 and refused.stderr.startswith("canang: "), refused.stderr
    return refused.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"),
        ("port: 8000", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('{"a":' * 65 + "1" + "}" * 65, "it is nested deeper than 64"),
        (" " * (1024 * 1024 + 1), "it has more than 1048576 bytes"),
    ],
    ids=["empty", "yaml", "array", "deep", "large"],
)
def test_a_file_that_is_no_configuration_is_one_line_and_1(tmp_path, content, why):
    source = tmp_path / "config.json"
    source.write_text(content)
    assert why in refusal(source)


def test_a_file_that_cannot_be_read_is_one_line_and_1(tmp_path):
    assert "cannot be read: No such file" in refusal(tmp_path / "none.json")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "config.YAML").write_text("port: 8000")
    assert "only configurations in JSON" in refusal(tmp_path / "config.YAML")
