"""compose.yaml: what the reader of Compose files says of it, and its HAProxy, Redis and nodes for real."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from manifests import BINARIES, REPOSITORY
from support.canang_process import CanangProcess, clean_environment, run_to_end
from support.clients import close_all, open_client, receive
from support.name_server import NameServer
from support.needs import FOLDERS
from support.process_lifetime import die_with_parent
from support.raw_websocket import RawConnection, request_head
from support.redis_process import RedisProcess, free_port
from support.waiting import eventually, wait_until
from test_options import unknown_names, variables_of_the_server
from test_shape import MARGIN_S, seconds

COMPOSE = REPOSITORY / "compose.yaml"
HAPROXY = REPOSITORY / "compose" / "haproxy.cfg"
NODES = ("node1", "node2")


def load(file: Path) -> subprocess.CompletedProcess[str]:
    """As Compose itself would, with its own library."""
    return subprocess.run(
        [str(BINARIES / "compose"), str(file)],
        cwd=file.parent,
        env=clean_environment({"PATH": FOLDERS}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    done = load(COMPOSE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return project["services"]


def environment_of(service: dict[str, Any]) -> dict[str, str]:
    """What the server would see, of the file too."""
    return dict(service["environment"])


MISTAKES = {
    "a key that does not exist": ("stop_grace_period", "stop_grace_periods", "stop_grace_periods"),
    "a network that does not exist": ("networks: [back]", "networks: [rear]", "rear"),
    "a service that does not exist": ("depends_on: [redis]", "depends_on: [valkey]", "valkey"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_compose_would_refuse_a_planted_mistake(mistake: str, tmp_path: Path) -> None:
    right, wrong, said = MISTAKES[mistake]
    text = COMPOSE.read_text().replace("[k8s/base", f"[{REPOSITORY}/k8s/base")
    assert right in text
    (tmp_path / "compose.yaml").write_text(text)
    assert load(tmp_path / "compose.yaml").returncode == 0
    (tmp_path / "compose.yaml").write_text(text.replace(right, wrong))
    done = load(tmp_path / "compose.yaml")
    assert done.returncode != 0 and said in done.stderr


def test_nothing_runs_with_more_rights_than_it_needs(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not re.match(r"(root|0)(:|$)", service["user"]), name
        assert not {"privileged", "cap_add", "devices", "pid", "network_mode"} & set(service), name
        assert service["mem_limit"] and service["healthcheck"], name


def test_only_haproxy_is_reached_and_only_nodes_reach_redis(project: dict[str, Any]) -> None:
    services = project["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["haproxy"]
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert networks == {
        "haproxy": {"front"},
        "redis": {"back"},
        **{node: {"front", "back"} for node in NODES},
    }
    assert project["networks"]["back"]["internal"] is True
    [port] = services["haproxy"]["ports"]
    assert port["host_ip"] == "127.0.0.1", "unless whoever starts it wants it otherwise"


def test_nodes_are_the_image_of_this_version(services: dict[str, dict[str, Any]]) -> None:
    project = (REPOSITORY / "CMakeLists.txt").read_text()
    [version] = re.findall(r"^project\(canang VERSION ([0-9.]+)", project, re.M)
    assert {services[node]["image"] for node in NODES} == {f"canang:{version}"}


def test_the_server_finds_the_nodes_environment_right(services: dict[str, dict[str, Any]]) -> None:
    for node in NODES:
        environment = environment_of(services[node])
        assert environment["CANANG_REDIS"] == "redis://redis:6379" and "redis" in services
        assert set(environment) - variables_of_the_server() == set()
        done = run_to_end(["--check-config"], env=environment)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_files_name_only_options_that_exist() -> None:
    given_to_compose = {"CANANG_IMAGE"}
    for file in (COMPOSE, HAPROXY):
        assert unknown_names(file.read_text()) - given_to_compose == set(), file


def test_a_drain_ends_before_the_engine_kills(services: dict[str, dict[str, Any]]) -> None:
    for node in NODES:
        environment = environment_of(services[node])
        drain = sum(seconds(environment[f"CANANG_DRAIN_{part}"]) for part in ("GRACE", "PERIOD"))
        assert seconds(services[node]["stop_grace_period"]) >= drain + MARGIN_S


def test_haproxy_sends_to_the_nodes_and_notices_one_that_drains(
    services: dict[str, dict[str, Any]],
) -> None:
    text = HAPROXY.read_text()
    assert re.findall(r"^  server (\w+) (\w+):8000$", text, re.M) == [(node, node) for node in NODES]
    [(port, interval, fall)] = re.findall(r"check port (\d+) inter (\d+)s fall (\d+)", text)
    environment = environment_of(services["node1"])
    assert environment["CANANG_INTERNAL_LISTEN"] == f"0.0.0.0:{port}"
    assert int(interval) * int(fall) < seconds(environment["CANANG_DRAIN_GRACE"])
    assert "  option httpchk GET /readyz\n" in text, "a node that drains says so there only"
    [most] = re.findall(r"^  maxconn (\d+)", text, re.M)
    assert services["haproxy"]["ulimits"]["nofile"] > 2 * int(most)
    [mount] = services["haproxy"]["volumes"]
    assert (mount["source"], mount["read_only"]) == (str(HAPROXY), True)
    asked = services["haproxy"]["healthcheck"]["test"][-1]
    assert asked.removeprefix("http://").removesuffix("/") in text


# --- for real


class Front:
    """HAProxy with the configuration of this repository. Only addresses and ports are the test's."""

    def __init__(self, directory: Path, nodes_port: int, internal_port: int) -> None:
        self.names = NameServer()
        self.port, self.health_port = free_port(), free_port()
        text = HAPROXY.read_text()
        for right, here in {
            "bind :8000": f"bind 127.0.0.1:{self.port}",
            "127.0.0.1:8404": f"127.0.0.1:{self.health_port}",
            "parse-resolv-conf": f"nameserver engine 127.0.0.1:{self.names.port}",
            "node1:8000": f"node1:{nodes_port}",
            "node2:8000": f"node2:{nodes_port}",
            "check port 9000": f"check port {internal_port}",
            "maxconn 30000": "maxconn 1000",  # a test may have fewer open files
        }.items():
            assert text.count(right) == 1, right
            text = text.replace(right, here)
        (directory / "haproxy.cfg").write_text(text)
        self.log = directory / "haproxy.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["haproxy", "-db", "-f", str(directory / "haproxy.cfg")],
                env=clean_environment({"PATH": FOLDERS}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    def health(self) -> int:
        """What the container's health check would be answered; 0 before it answers."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    def url(self, room: str) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/{room}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.names.stop()


@pytest.fixture
def ports() -> tuple[int, int]:
    """Of every node, at an address of its own: the clients' and the internal one."""
    return free_port(), free_port()


@pytest.fixture
def front(tmp_path: Path, ports: tuple[int, int]) -> Iterator[Front]:
    if shutil.which("haproxy", path=FOLDERS) is None:
        pytest.skip("there is no haproxy")
    started = Front(tmp_path, *ports)
    yield started
    started.stop()


@pytest.fixture
def start_node(
    services: dict[str, dict[str, Any]],
    ports: tuple[int, int],
    start_redis: Callable[..., RedisProcess],
    start_canang: Callable[..., CanangProcess],
) -> Callable[[str], CanangProcess]:
    """A node at an address, with the environment of the container and its Redis."""
    redis = start_redis(*redis_arguments(services))
    environment = environment_of(services["node1"]) | {
        "CANANG_REDIS": redis.url,
        "CANANG_TRUSTED_PROXIES": "127.0.0.0/8",
    }

    def start(address: str) -> CanangProcess:
        mine = {"listen": f"{address}:{ports[0]}", "internal_listen": f"{address}:{ports[1]}"}
        shorter = {"drain_grace": "3s", "drain_period": "2s", "log_level": "debug"}
        return start_canang(env=environment, **mine, **shorter, workers=None, close_timeout=None)

    return start


def redis_arguments(services: dict[str, dict[str, Any]]) -> list[str]:
    command = services["redis"]["command"]
    assert command[0] == "redis-server"
    return command[1:]


def test_the_redis_of_compose_keeps_nothing_and_answers_its_check(
    services: dict[str, dict[str, Any]], start_redis: Callable[..., RedisProcess]
) -> None:
    redis = start_redis(*redis_arguments(services))
    for setting, value in {
        "protected-mode": b"no",
        "maxmemory-policy": b"noeviction",
        "maxmemory": b"201326592",
        "save": b"",
        "appendonly": b"no",
    }.items():
        assert redis.ask("CONFIG", "GET", setting)[1] == value
    _, program, *arguments = services["redis"]["healthcheck"]["test"]
    done = subprocess.run(
        [program, "-p", str(redis.port), *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == "PONG\n"


def test_nodes_answer_their_check(
    services: dict[str, dict[str, Any]], start_node: Callable[[str], CanangProcess]
) -> None:
    node = start_node("127.0.0.2")
    for name in NODES:
        _, program, *arguments = services[name]["healthcheck"]["test"]
        assert program == "/usr/bin/canang"
        listening = {"CANANG_INTERNAL_LISTEN": f"{node.internal_host}:{node.internal_port}"}
        assert run_to_end(arguments, env=listening).returncode == 0


async def opened(front: Front, count: int) -> list[Any]:
    return [await open_client(front.url("kitchen")) for _ in range(count)]


async def test_clients_of_both_nodes_share_rooms_and_come_back_to_a_node_that_moved(
    front: Front, start_node: Callable[[str], CanangProcess]
) -> None:
    wait_until(lambda: front.health() == 503, "HAProxy runs before any node does", 10)
    first, second = start_node("127.0.0.2"), start_node("127.0.0.3")
    front.names.addresses |= {"node1": "127.0.0.2", "node2": "127.0.0.3"}
    wait_until(lambda: front.health() == 200, "HAProxy has found a node", 10)

    async def both() -> bool:
        """Until HAProxy has found the other one too."""
        clients = await opened(front, 4)
        spread = [node.metrics()["canang_connections"] for node in (first, second)]
        await close_all(*clients)
        return spread == [2, 2]

    async with asyncio.timeout(20):
        while not await both():
            await asyncio.sleep(0.1)

    clients = await opened(front, 4)
    await clients[0].send("dinner is ready")
    assert [await receive(client) for client in clients] == ["dinner is ready"] * 4
    await drained(front, first, clients)
    assert second.metrics()["canang_connections"] == 2, "those of the other node stay"

    again = start_node("127.0.0.4")
    front.names.addresses["node1"] = "127.0.0.4"

    async def is_found() -> bool:
        client = await open_client(front.url("kitchen"))
        try:
            return again.metrics()["canang_connections"] == 1
        finally:
            await client.close()

    async with asyncio.timeout(20):
        while not await is_found():
            await asyncio.sleep(0.1)
    await close_all(*clients)


async def drained(front: Front, node: CanangProcess, clients: list[Any]) -> None:
    """The node is told to end, and until it has ended whoever connects gets in somewhere."""
    node.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        while node.running:
            newcomer = await open_client(front.url("hall"))
            await newcomer.close()
            await asyncio.sleep(0.05)
    assert node.process.returncode == 0
    await eventually(
        lambda: [c.close_code for c in clients].count(1012) == 2, "its clients are told to come back"
    )


def test_nodes_know_whose_connection_haproxy_brings(
    front: Front, start_node: Callable[[str], CanangProcess]
) -> None:
    node = start_node("127.0.0.2")
    front.names.addresses["node1"] = "127.0.0.2"
    wait_until(lambda: front.health() == 200, "HAProxy has found the node", 10)
    with RawConnection(front.port, source="127.0.0.9") as client:
        client.send(request_head("/ws/%zz"))
        assert client.read_response().status == 400
    node.wait_log("peer=127.0.0.9")
