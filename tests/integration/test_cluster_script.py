"""scripts/cluster, which `./dev cluster` runs: nodes and a Redis to try, and nothing stays of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from support.canang_process import REPOSITORY, binary, clean_environment, http_request
from support.clients import open_client, receive
from support.process_lifetime import die_with_parent
from support.waiting import wait_until

START_TIMEOUT_S = 40.0
# Moments of Ctrl-C, evenly over a start and a little more.
MOMENTS = 40


def free_ports(count: int) -> int:
    """The first of some neighbouring ports that nobody listens at."""
    for first in range(30_000 + os.getpid() % 1000, 32_700, count):
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def as_from_a_terminal() -> None:
    """For `preexec_fn`: a shell without job control has its background jobs ignore Ctrl-C, and all that
    these start. The tests may be run so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent()


class ClusterScript:
    def __init__(self, directory: Path, nodes: int, *arguments: str, port: int = 0) -> None:
        self.nodes = nodes
        self.port = port or free_ports(2 * nodes)
        self.internal_port = self.port + nodes
        self.temporary = directory / "temporary"
        self.temporary.mkdir()
        self.output = directory / "output"
        ports = ("--port", str(self.port), "--internal-port", str(self.internal_port))
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [str(REPOSITORY / "scripts" / "cluster"), str(nodes), *ports, *arguments],
                env=clean_environment({"CANANG_BIN": str(binary()), "TMPDIR": str(self.temporary)}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its group is what a terminal would signal
                preexec_fn=as_from_a_terminal,
            )

    def text(self) -> str:
        return self.output.read_text()

    def pids(self) -> dict[str, int]:
        """What it started, as it says itself."""
        return {name: int(pid) for name, pid in re.findall(r"(?<!\S)(\w+) (\d+)(?!\S)", self.last())}

    def last(self) -> str:
        lines = [line for line in self.text().splitlines() if line.startswith("  node1 ")]
        return lines[-1] if lines and "redis" in lines[-1] else ""

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.text()
            return bool(self.last())

        wait_until(ready, "it tells of its nodes", START_TIMEOUT_S)
        assert set(self.pids()) == {"redis", *(f"node{n + 1}" for n in range(self.nodes))}

    def ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_exit(self, timeout: float = 20.0) -> int:
        return self.process.wait(timeout)

    def processes(self) -> list[int]:
        """All that were started by it and live, whether it told of them or not."""
        mark = f"TMPDIR={self.temporary}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return [pid for pid in found if is_alive(pid)]

    def assert_nothing_stays(self, pids: dict[str, int]) -> None:
        for name, pid in pids.items():
            assert not is_alive(pid), f"{name} lives on\n{self.text()}"
        assert list(self.temporary.iterdir()) == []

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            self.process.kill()
            self.process.wait()


@pytest.fixture
def start_cluster(tmp_path):
    scripts: list[ClusterScript] = []

    def start(nodes: int, *arguments: str, port: int = 0) -> ClusterScript:
        directory = tmp_path / f"cluster-{len(scripts)}"
        directory.mkdir()
        scripts.append(ClusterScript(directory, nodes, *arguments, port=port))
        return scripts[-1]

    yield start
    for script in scripts:
        script.end()


async def test_what_is_said_on_one_node_is_heard_on_all(start_cluster):
    cluster = start_cluster(3)
    cluster.wait_ready()
    clients = []
    for n in range(3):
        assert http_request(cluster.port + n, "/").status == 200, "each node has the chat page"
        assert f"http://localhost:{cluster.port + n}/" in cluster.text()
        clients.append(await open_client(f"ws://127.0.0.1:{cluster.port + n}/ws/kampung"))
    for n, speaker in enumerate(clients):
        await speaker.send(f"from node {n + 1}")
        for listener in clients:
            assert await receive(listener) == f"from node {n + 1}"
    for client in clients:
        await client.close()
    assert "node2 | " in cluster.text(), "the lines of each node bear its name"


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_nothing_stays_after(start_cluster, how):
    cluster = start_cluster(2)
    cluster.wait_ready()
    pids = cluster.pids()
    assert all(is_alive(pid) for pid in pids.values())
    if how == "Ctrl-C":
        cluster.ctrl_c()
    else:
        cluster.process.terminate()
    assert cluster.wait_exit() == 0, cluster.text()
    cluster.assert_nothing_stays(pids)
    for n in (1, 2):
        assert re.search(rf"^node{n} \| .*stopped", cluster.text(), re.M), "orderly, and seen"


def test_ctrl_c_is_heard_at_every_moment(start_cluster):
    """Among them: before anything is started, between two starts, while it waits, at rest."""
    began = time.monotonic()
    start_cluster(2).wait_ready()
    whole = 1.2 * (time.monotonic() - began)
    for number in range(MOMENTS):
        cluster = start_cluster(2)
        with suppress(subprocess.TimeoutExpired):
            cluster.process.wait(whole * number / MOMENTS)  # the moment comes
        assert cluster.process.poll() is None, cluster.text()
        cluster.ctrl_c()
        code = cluster.wait_exit()
        said = cluster.text()
        # At the first moments Python itself is still being loaded, and the script has said nothing.
        assert code == 0 or not re.search("^(cluster: |redis )", said, re.M), f"{number}: {code}\n{said}"
        assert cluster.processes() == [], f"{number}:\n{said}"
        assert list(cluster.temporary.iterdir()) == []


def test_a_ctrl_c_that_python_swallows_as_it_starts_is_heard(tmp_path):
    """It does so in callbacks, and where it looks for modules."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    for _ in range(1000): pass\n"
        "except KeyboardInterrupt:\n"
        "    pass\n"
    )
    port = free_ports(2)
    script = subprocess.Popen(
        [str(REPOSITORY / "scripts" / "cluster"), "1", "--port", str(port), "--internal-port", str(port + 1)],
        env=clean_environment({"CANANG_BIN": str(binary()), "PYTHONPATH": str(tmp_path)}),
        stdout=subprocess.PIPE,
        preexec_fn=as_from_a_terminal,
    )
    try:
        assert script.communicate(timeout=START_TIMEOUT_S)[0] == b"", "nothing was started"
        assert script.returncode == -signal.SIGINT
    finally:
        script.terminate()
        script.wait()


def test_many_ctrl_c_do_no_more_than_two(start_cluster):
    cluster = start_cluster(2)
    cluster.wait_ready()
    while cluster.process.poll() is None:
        cluster.ctrl_c()
    assert cluster.process.returncode == 0, cluster.text()
    assert cluster.processes() == []
    assert list(cluster.temporary.iterdir()) == []


def test_a_second_ctrl_c_does_not_wait_for_the_nodes(start_cluster):
    cluster = start_cluster(1, "--", "--drain-grace", "60s", "--drain-period", "2s")
    cluster.wait_ready()
    cluster.ctrl_c()
    wait_until(lambda: "draining" in cluster.text(), "the node drains")
    began = time.monotonic()
    cluster.ctrl_c()
    assert cluster.wait_exit() == 0
    assert time.monotonic() - began < 5, "its grace was not waited for"
    assert cluster.processes() == []


@pytest.mark.parametrize("last_line", [b"", b"kill -9"], ids=["at-once", "when-all-is-said"])
def test_a_reader_that_goes_away_ends_it(start_cluster, tmp_path, last_line):
    """`./dev cluster | head`: nobody is there to tell."""
    temporary = tmp_path / "alone"
    temporary.mkdir()
    port = free_ports(2)
    script = subprocess.Popen(
        [str(REPOSITORY / "scripts" / "cluster"), "1", "--port", str(port), "--internal-port", str(port + 1)],
        env=clean_environment({"CANANG_BIN": str(binary()), "TMPDIR": str(temporary)}),
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        while last_line not in script.stdout.readline():
            pass
        if last_line:
            script.stdout.readline()  # who they are
            script.stdout.readline()
        script.stdout.close()
        assert script.wait(START_TIMEOUT_S) == 0
    finally:
        script.kill()
        script.wait()
    assert list(temporary.iterdir()) == []


def test_nothing_stays_when_the_script_is_killed(start_cluster):
    cluster = start_cluster(2)
    cluster.wait_ready()
    pids = cluster.pids()
    cluster.process.kill()
    cluster.wait_exit()
    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), "all have ended", 15)


def test_a_killed_node_is_told_of_and_the_others_go_on(start_cluster):
    cluster = start_cluster(2)
    cluster.wait_ready()
    os.kill(cluster.pids()["node1"], signal.SIGKILL)
    wait_until(lambda: "node1 ended (137)" in cluster.text(), "it says so")
    assert http_request(cluster.port + 1, "/").status == 200
    os.kill(cluster.pids()["node2"], signal.SIGKILL)
    assert cluster.wait_exit() == 1
    assert "no node is left" in cluster.text()
    cluster.assert_nothing_stays(cluster.pids())


def test_a_port_that_is_taken_is_named(start_cluster):
    first = free_ports(4)
    with socket.create_server(("127.0.0.1", first + 1)):
        cluster = start_cluster(2, port=first)
        assert cluster.wait_exit() == 1
    said = cluster.text().splitlines()
    assert said == [
        f"cluster: port {first + 1} is taken; --port and --internal-port choose others"
    ]
    assert list(cluster.temporary.iterdir()) == []


def test_a_node_that_does_not_start_ends_all(start_cluster):
    cluster = start_cluster(2, "--", "--history-size", "many")
    assert cluster.wait_exit() == 1
    assert re.search(r"^cluster: node[12] did not start", cluster.text(), re.M), cluster.text()
    assert "--history-size" in cluster.text(), "the node's own words are there"
    assert list(cluster.temporary.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("0",), ("many",), ("--nodes", "3"), ("--port",), ("3", "--port", "99999")]
)
def test_wrong_usage_is_told_in_a_line(arguments):
    done = subprocess.run(
        [str(REPOSITORY / "scripts" / "cluster"), *arguments],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("cluster: ")
