"""compose.yaml as a container engine runs it: Docker's Compose on a Docker engine, both real.

The images of HAProxy and Redis are made of this machine's programs. All tests use one start of it, in order.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import docker_engine
import pytest
import yaml
from cluster import cgroups
from docker_engine import GROUP, Engine, write_images
from support.canang_process import CanangProcess
from support.checker import faults_of
from support.clients import close_all, open_client, receive
from support.journal import Ended
from support.member import Member
from support.waiting import eventually, wait_until
from test_compose import COMPOSE, HAPROXY, NODES
from websockets.exceptions import ConnectionClosed

if lacking := docker_engine.missing():
    pytest.skip(lacking, allow_module_level=True)
pytestmark = pytest.mark.timeout(240)

SERVICES = {*NODES, "haproxy", "redis"}
OPEN_FILES = 65536  # what compose.yaml asks for
START_TIMEOUT_S = 60
MOVE_TIMEOUT_S = 90
DOWN_TIMEOUT_S = 60
USER = "65532"


class Project:
    """`docker compose` with compose.yaml, and what it has started."""

    def __init__(self, engine: Engine, *more: Path) -> None:
        self.engine = engine
        files = [part for file in (COMPOSE, *more) for part in ("--file", file)]
        # Nobody's own settings: neither those of a file beside compose.yaml nor PUBLISH.
        self._options = ["--project-name", "canang", "--env-file", "/dev/null", *files]

    def compose(self, *arguments: str, timeout_s: float = START_TIMEOUT_S) -> str:
        return self.engine.docker("compose", *self._options, *arguments, timeout_s=timeout_s)

    def configuration(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return read

    def container(self, service: str) -> dict[str, Any]:
        return self.engine.inspect(f"canang-{service}-1")

    def address(self, service: str, network: str) -> str:
        networks = self.container(service)["NetworkSettings"]["Networks"]
        return str(networks[f"canang_{network}"]["IPAddress"])

    def process(self, service: str) -> Path:
        return self.engine.process(self.container(service)["State"]["Pid"])

    def can_reach(self, service: str, address: str, port: int) -> bool:
        """From the network of that container."""

        def connect() -> bool:
            try:
                socket.create_connection((address, port), timeout=1).close()
            except OSError:
                return False
            return True

        return self.engine.on_network(connect, self.container(service)["State"]["Pid"])


def as_here(folder: Path) -> Path:
    """A file for Compose besides: what HAProxy's own image says, and the open files that are allowed here."""
    changes: dict[str, Any] = {name: {} for name in (*NODES, "haproxy")}
    changes["haproxy"]["stop_signal"] = "SIGUSR1"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most not in (-1, resource.RLIM_INFINITY) and most < OPEN_FILES:
        text = HAPROXY.read_text()
        assert text.count("maxconn 30000\n") == 1
        (folder / "haproxy.cfg").write_text(text.replace("maxconn 30000\n", f"maxconn {most // 4}\n"))
        for service in changes.values():
            service["ulimits"] = {"nofile": most}
        changes["haproxy"]["volumes"] = [f"{folder}/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro"]
    file = folder / "here.yaml"
    file.write_text(yaml.safe_dump({"services": changes}))
    return file


def left_of(first: int, group: str) -> list[Path]:
    """Of an engine with that first process: namespaces end with it, and all that is in them."""
    groups = [root / group for root in cgroups.hierarchies()]
    return [path for path in (Path(f"/proc/{first}"), *groups) if path.exists()]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("engine")) as started:
        assert os.readlink(f"/proc/{started.pid}/ns/net") != os.readlink("/proc/self/ns/net")
        yield started
    assert left_of(started.pid, GROUP) == []


@pytest.fixture(scope="module")
def project(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("compose")
    made = Project(engine, as_here(folder))
    names = {name: service["image"] for name, service in made.configuration()["services"].items()}
    for archive in write_images(names, folder):
        engine.docker("load", "--input", archive)
        archive.unlink()
    made.compose("up", "--detach", "--wait")
    return made


def test_all_of_it_starts_and_is_healthy(project: Project) -> None:
    states = {name: project.container(name)["State"] for name in SERVICES}
    assert {name: state["Health"]["Status"] for name, state in states.items()} == {
        name: "healthy" for name in SERVICES
    }


def test_containers_run_without_rights_and_cannot_write(project: Project) -> None:
    for name in SERVICES:
        process = project.process(name)
        fields = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        assert set(fields["Uid"].split()) == set(fields["Gid"].split()) == {USER}, name
        assert {int(fields[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}, name
        assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2"), name
        mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
        [root] = [options for _, _, _, _, place, options, *_ in mounts if place == "/"]
        assert "ro" in root.split(","), name
        assert project.container(name)["HostConfig"]["Memory"] > 0, name


def test_only_nodes_reach_redis_which_has_no_way_out(project: Project) -> None:
    redis = project.address("redis", "back"), 6379
    assert [project.can_reach(node, *redis) for node in NODES] == [True, True]
    assert not project.can_reach("haproxy", *redis)
    assert not project.can_reach("redis", project.address("haproxy", "front"), 8000)
    assert project.can_reach("haproxy", project.address("node1", "front"), 8000)


# --- through HAProxy


@dataclass
class Front:
    """The published port, as a node's to a member."""

    port: int = 8000

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


def metric(address: str, name: str) -> int:
    """What the node there says of itself, on its internal port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}:9000/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    [value] = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return int(float(value))


def test_nodes_know_how_much_memory_their_container_may_have(project: Project) -> None:
    for node in NODES:
        address, memory = project.address(node, "front"), project.container(node)["HostConfig"]["Memory"]
        limit = project.engine.on_network(partial(metric, address, "canang_memory_limit_bytes"))
        assert memory / 2 < limit < memory


async def clients_of(nodes: list[str]) -> list[Any]:
    """So many that each has some: HAProxy looks up their names, and checks them, once a second."""
    clients: list[Any] = []

    async def has_come_to_all() -> bool:
        clients.append(await open_client(Front().url("/ws/kitchen")))
        return all(metric(node, "canang_connections") > 0 for node in nodes)

    async with asyncio.timeout(20):
        while not await has_come_to_all():
            await asyncio.sleep(0.1)
    return clients


def test_clients_of_both_nodes_share_a_room(project: Project) -> None:
    nodes = [project.address(node, "front") for node in NODES]

    async def scenario() -> None:
        clients = await clients_of(nodes)
        for number, writer in enumerate(clients):
            await writer.send(f"dinner {number}")
            assert [await receive(client) for client in clients] == [f"dinner {number}"] * len(clients)
        await close_all(*clients)
        await eventually(
            lambda: not any(metric(node, "canang_connections") for node in nodes), "all have gone"
        )

    project.engine.on_network(lambda: asyncio.run(scenario()))


def test_a_node_that_is_made_anew_costs_no_client_a_publication(project: Project) -> None:
    """As docs/operations.md has a node restarted, while the members of a room talk."""
    before = project.container("node1")["Id"]
    kept = project.container("node2")["Id"]
    address = project.address("node1", "front")
    node = cast(CanangProcess, Front())
    members = [Member(f"m{number}", "hall", [node]) for number in range(6)]

    async def talk(is_over: asyncio.Event) -> None:
        for number in itertools.count():
            for member in members:
                try:
                    if member.socket:
                        await member.send(f"{member.name} {number}")
                except ConnectionClosed:
                    pass
            if is_over.is_set():
                return
            await asyncio.sleep(0.05)

    async def scenario() -> int:
        is_over = asyncio.Event()
        for member in members:
            await member.start().joined()
        movers = metric(address, "canang_connections")
        talking = asyncio.create_task(talk(is_over))
        again = ("up", "--detach", "--wait", "--no-deps", "--force-recreate", "node1")
        await asyncio.to_thread(lambda: project.compose(*again, timeout_s=MOVE_TIMEOUT_S))
        is_over.set()
        await talking
        for member in members:
            await member.joined()
        ends = [f"the end of {member.name}" for member in members]
        for member, end in zip(members, ends, strict=True):
            await member.send(end)
        for member, end in itertools.product(members, ends):
            await member.has_last(end)
        assert not faults_of({member.name: member.log for member in members}, settled=True)
        for member in members:
            await member.leave()
        return movers

    movers = project.engine.on_network(lambda: asyncio.run(scenario()))
    assert project.container("node1")["Id"] != before and project.container("node2")["Id"] == kept
    moved = [member for member in members if len(member.joins) > 1]
    assert 0 < len(moved) == movers < len(members), "those of the other node stay"
    for member in moved:
        ended = [entry.code for entry in member.log if isinstance(entry, Ended)]
        assert ended[:-1] == [1012] and member.joins[1].recovered, member.tail()


def test_haproxy_finds_the_node_that_is_made_anew(project: Project) -> None:
    nodes = [project.address(node, "front") for node in NODES]

    async def scenario() -> None:
        await close_all(*await clients_of(nodes))

    project.engine.on_network(lambda: asyncio.run(scenario()))


# --- the end


def test_down_ends_all_of_it_in_time(project: Project) -> None:
    """While a client is there, which is told to come back and does not."""

    async def scenario() -> None:
        client = await open_client(Front().url("/ws/kitchen"))
        began = time.monotonic()
        await asyncio.to_thread(lambda: project.compose("down", timeout_s=DOWN_TIMEOUT_S))
        assert time.monotonic() - began < 45
        await eventually(lambda: client.close_code is not None, "the client is told")
        assert client.close_code == 1012
        await client.close()

    project.engine.on_network(lambda: asyncio.run(scenario()))
    assert project.engine.docker("ps", "--all", "--quiet") == ""
    assert "canang" not in project.engine.docker("network", "ls", "--format", "{{.Name}}")
    assert project.engine.docker("volume", "ls", "--quiet") == ""


BEGIN = """
import sys, time
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from docker_engine import Engine
with Engine(Path(sys.argv[3]), sys.argv[4]) as engine:
    print(engine.pid, flush=True)
    time.sleep(1000)
"""


def test_an_engine_ends_with_a_test_that_is_killed(tmp_path: Path) -> None:
    group = f"{GROUP}-killed"
    tests = Path(__file__).parent
    command = [sys.executable, "-B", "-c", BEGIN, *map(str, (tests, tests.parent, tmp_path)), group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout
        first = int(test.stdout.readline())
        try:
            assert left_of(first, group)
        finally:
            test.kill()
    wait_until(lambda: not left_of(first, group), "the keeper has ended all of it", 30)
