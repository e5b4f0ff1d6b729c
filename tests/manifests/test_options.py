"""The server takes what the manifests give it: each option exists, and all together are right."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from manifests import MANIFESTS, POD_NAME, Manifests
from support.canang_process import CanangProcess, run_to_end
from support.redis_process import RedisProcess

SECRET_MOUNT = "/etc/canang/redis"
KEY_FILE = "/etc/canang/internal/key"


@cache
def help_text() -> str:
    done = run_to_end(["--help"])
    assert done.returncode == 0
    return done.stdout


def variables_of_the_server() -> set[str]:
    return set(re.findall(r"\(Env:(CANANG_\w+)\)", help_text()))


def flags_of_the_server() -> set[str]:
    return set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", help_text(), re.M))


def unknown_names(text: str) -> set[str]:
    """Of all that looks like an option or a variable of the server, also in comments."""
    variables = set(re.findall(r"\bCANANG_[A-Z_]+\b", text))
    return variables - variables_of_the_server()


def config_as_in_the_pod(directory: Path) -> Path:
    """The example of the Secret's file, with files where a pod would have the Secret's."""
    text = (MANIFESTS / "overlays/production/canang.conf.example").read_text()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=redis"),
            *("-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt")),
        ],
        check=True,
        capture_output=True,
    )
    (directory / "ca.crt").write_bytes((directory / "tls.crt").read_bytes())
    config = directory / "canang.conf"
    config.write_text(text.replace(SECRET_MOUNT, str(directory)))
    return config


def test_every_variable_in_the_pods_environment_is_an_option(overlay: Manifests) -> None:
    environment = overlay.environment()
    assert {name for name in environment if not name.startswith("CANANG_")} == set()
    assert set(environment) - variables_of_the_server() == set()


def test_every_flag_of_the_container_is_an_option(overlay: Manifests) -> None:
    container = overlay.container()
    given = [*container.get("command", []), *container.get("args", [])]
    flags = {argument.split("=")[0] for argument in given if argument.startswith("--")}
    assert flags - flags_of_the_server() == set()


def test_files_and_comments_name_only_options_that_exist() -> None:
    names: dict[str, list[str]] = {}
    for path in MANIFESTS.rglob("*"):
        if path.suffix in (".yaml", ".env", ".example", ".md"):
            for name in unknown_names(path.read_text()):
                names.setdefault(name, []).append(str(path.relative_to(MANIFESTS)))
    assert not names, names


def test_every_line_of_the_secrets_example_is_an_option() -> None:
    text = (MANIFESTS / "overlays/production/canang.conf.example").read_text()
    flat = text.split("\n[")[0]  # behind it there are tables
    keys = {f"--{key}" for key in re.findall(r"^([\w-]+) = ", flat, re.M)}
    assert keys and keys - flags_of_the_server() == set()


def test_an_option_that_does_not_exist_is_found() -> None:
    assert unknown_names("CANANG_DRAIN_GRACE=5s CANANG_DRAIN_GRACES=5s") == {"CANANG_DRAIN_GRACES"}


def test_the_server_finds_the_trials_environment_right(trial: Manifests) -> None:
    done = run_to_end(["--check-config"], env=trial.environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_server_finds_productions_environment_and_secret_right(
    production: Manifests, tmp_path: Path
) -> None:
    environment = production.environment()
    assert environment["CANANG_CONFIG"] == f"{SECRET_MOUNT}/canang.conf"
    environment["CANANG_CONFIG"] = str(config_as_in_the_pod(tmp_path))
    assert environment["CANANG_INTERNAL_KEY_FILE"] == KEY_FILE
    environment["CANANG_INTERNAL_KEY_FILE"] = str(tmp_path / "key")
    (tmp_path / "key").write_text("0123456789abcdef" * 4)  # as `openssl rand -hex 32` has it
    done = run_to_end(["--check-config"], env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("planted", ["CANANG_DRAIN_PERIOD", "CANANG_REDIS"])
def test_the_server_refuses_a_planted_wrong_value(trial: Manifests, planted: str) -> None:
    done = run_to_end(["--check-config"], env=trial.environment() | {planted: "soon"})
    assert done.returncode != 0
    assert "soon" in done.stderr or planted.removeprefix("CANANG_").lower() in done.stderr


def test_productions_secret_is_mounted_where_its_config_is_looked_for(
    production: Manifests,
) -> None:
    mounts = {m["name"]: m["mountPath"] for m in production.container()["volumeMounts"]}
    volumes = {v["name"]: v.get("secret", {}) for v in production.pod()["volumes"]}
    assert mounts["redis"] == SECRET_MOUNT
    assert volumes["redis"]["secretName"] == "canang-redis"
    # Readable to fsGroup, and to nobody else.
    assert volumes["redis"]["defaultMode"] == 0o440
    assert production.pod()["securityContext"]["fsGroup"] == 65532


def test_productions_internal_key_is_mounted_where_it_is_looked_for(production: Manifests) -> None:
    mounts = {m["name"]: m["mountPath"] for m in production.container()["volumeMounts"]}
    volumes = {v["name"]: v.get("secret", {}) for v in production.pod()["volumes"]}
    assert f"{mounts['internal']}/key" == KEY_FILE
    assert volumes["internal"] == {"secretName": "canang-internal", "defaultMode": 0o440}


def test_without_a_key_the_trials_internal_port_only_answers_probes_and_scrapes(
    trial: Manifests, start_canang: Callable[..., CanangProcess]
) -> None:
    environment = trial.environment()
    assert not [name for name in environment if name.startswith("CANANG_INTERNAL_KEY")]
    node = start_canang(internal_listen=environment["CANANG_INTERNAL_LISTEN"].replace("9000", "0"))
    for path, status in {"/readyz": 200, "/metrics": 200, "/nodes": 403, "/rooms/a": 403}.items():
        assert node.get_internal(path).status == status, path


def test_no_secret_is_in_the_manifests(trial: Manifests, production: Manifests) -> None:
    for manifests in (trial, production):
        assert manifests.of_kind("Secret") == []
    assert "CANANG_REDIS" not in production.environment()


def test_the_trials_redis_starts_with_its_arguments_and_a_node_becomes_ready(
    trial: Manifests,
    start_redis: Callable[..., RedisProcess],
    start_canang: Callable[..., CanangProcess],
) -> None:
    container = trial.container("redis")
    assert container["command"] == ["redis-server"]
    arguments = container["args"]
    port = arguments.index("--port")
    redis = start_redis(*arguments[:port], *arguments[port + 2 :])
    # A client's address is not a loopback's there: what protects such a Redis must be off.
    assert redis.ask("CONFIG", "GET", "protected-mode")[1] == b"no"
    assert redis.ask("CONFIG", "GET", "maxmemory-policy")[1] == b"noeviction"

    # The tests' own options are left out, where the pod has no such flags.
    environment = trial.environment() | {"CANANG_REDIS": redis.url}
    overridden = {"workers": None, "close_timeout": None, "drain_period": None}
    node = start_canang(env=environment, drain_grace="0s", **overridden, log_level=None)
    nodes = node.get_internal("/nodes").text
    assert POD_NAME in nodes
    assert node.metrics()["canang_loops"] == int(environment["CANANG_WORKERS"])
