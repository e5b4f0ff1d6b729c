"""What k8s/lab does without a cluster: what it says where it can't have one, and what it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from manifests import REPOSITORY

LAB = REPOSITORY / "k8s" / "lab"
sys.path.insert(0, str(LAB))

from cluster import cgroups, image, needs, nodes, program, sandbox  # noqa: E402
from cluster.base import CGROUP, DNS_ADDRESS, Trouble  # noqa: E402
from cluster.processes import Process, child_of  # noqa: E402

TIMEOUT_S = 20


def lab(state: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"CANANG_LAB_STATE": str(state)} | environment
    return subprocess.run([LAB / "lab", *arguments], env=env, capture_output=True, text=True)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


# --- where there can't be a cluster


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH with Python and nothing else."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    return str(tmp_path / "bin")


def test_up_says_in_one_line_what_is_missing(tmp_path: Path, bare: str) -> None:
    said = lab(tmp_path / "state", "up", PATH=bare)
    assert said.returncode == 1 and said.stdout == ""
    assert said.stderr.startswith("kubernetes: needs ") and said.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["test", "build"])
def test_it_is_skipped_where_something_is_missing(tmp_path: Path, bare: str, command: str) -> None:
    said = lab(tmp_path / "state", command, PATH=bare)
    assert said.returncode == 0 and said.stderr == ""
    assert said.stdout.startswith("kubernetes: skipped: needs ") and said.stdout.count("\n") == 1


def test_the_first_thing_that_is_missing_is_told() -> None:
    assert needs.first_missing(iter([lambda: None, lambda: "needs a", lambda: "needs b"])) == "needs a"
    assert needs.first_missing(iter([lambda: None])) is None


def test_control_groups_that_are_not_mounted_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchies", lambda: {Path("/x"): {"cpu", "pids", "freezer"}})
    assert cgroups.missing() == "needs control groups for cpuset, memory"


def test_commands_about_a_cluster_say_that_there_is_none(tmp_path: Path) -> None:
    for arguments in (("kubectl", "get", "pods"), ("kill-node", "node-1"), ("exec-node", "node-1", "true")):
        said = lab(tmp_path, *arguments)
        assert said.returncode == 1
        assert said.stderr == "kubernetes: there is no cluster; `./dev kubernetes up` starts one\n"
    assert lab(tmp_path, "nonsense").returncode == 2


# --- what it ends


def test_a_process_is_known_again_and_its_successor_is_not(bystander: subprocess.Popen[bytes]) -> None:
    known = Process.of(bystander.pid)
    assert known and known.is_alive()
    assert not Process(bystander.pid, "1" + known.began).is_alive()
    bystander.kill()
    wait_until(lambda: not known.is_alive(), "also before anybody has asked for its exit code")


def test_children_are_found() -> None:
    shell = subprocess.Popen(["sh", "-c", "sleep 1000 & wait"], start_new_session=True)
    try:
        wait_until(lambda: child_of(shell.pid) is not None, "the child is there")
        command = Path(f"/proc/{child_of(shell.pid)}/cmdline").read_bytes()
        assert b"sleep" in command or b"sh" in command
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_down_ends_no_process_that_has_taken_over_a_number(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    known = Process.of(bystander.pid)
    assert known
    for name in ("init", "keeper"):
        Process(known.pid, "1" + known.began).write(tmp_path / name)
    said = lab(tmp_path, "down")
    assert (said.returncode, said.stdout) == (0, "there was none\n")
    assert known.is_alive()
    assert not (tmp_path / "init").exists()


BEGIN = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from cluster import cgroups, images, sandbox
from cluster.base import CGROUP
images.build_pause()
with sandbox.Sandbox() as box:
    cgroups.make(f"{CGROUP}/node-1")
    sandbox.start(["sh", "-c", "sleep 1000 & sleep 1000"], sandbox.LOGS / "sleep.log")
    if sys.argv[2] == "stay":
        box.stay()
    else:
        print(CGROUP, flush=True)
        time.sleep(1000)
print(CGROUP, flush=True)
"""


STARTED = "its first process and what it starts are in it; nsenter goes in after `begin` returns"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Of a sandbox, which ends with the test."""
    yield tmp_path
    lab(tmp_path, "down")


can_isolate = pytest.mark.skipif(
    os.geteuid() != 0 or needs.first_missing() is not None, reason="needs what a cluster needs"
)


def begin(state: Path, how: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox with a process in it. The name of its control groups."""
    command = [sys.executable, "-B", "-c", BEGIN, str(LAB), how]
    env = os.environ | {"CANANG_LAB_STATE": str(state)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def groups(name: str) -> list[Path]:
    return [root / name for root in cgroups.hierarchies() if (root / name).exists()]


def processes_of(state: Path) -> list[Process]:
    found = [Process.read(state / name) for name in ("init", "keeper")]
    assert None not in found
    return [process for process in found if process]


@can_isolate
def test_when_up_is_killed_in_the_middle_all_of_it_ends(state: Path) -> None:
    up, name = begin(state, "sleep")
    init, keeper = processes_of(state)
    inside = os.readlink(f"/proc/{init.pid}/ns/pid")
    wait_until(lambda: len(members(inside)) >= 3, STARTED)
    assert groups(name)
    up.kill()
    up.wait()
    wait_until(lambda: not keeper.is_alive(), "the keeper ends last")
    assert not init.is_alive() and not members(inside) and not groups(name)
    assert lab(state, "status").returncode == 1


@can_isolate
def test_it_stays_until_down_which_leaves_nothing(state: Path, bystander: subprocess.Popen[bytes]) -> None:
    up, name = begin(state, "stay")
    assert up.wait() == 0
    init, keeper = processes_of(state)
    inside = os.readlink(f"/proc/{init.pid}/ns/pid")
    wait_until(lambda: len(members(inside)) >= 3, STARTED)
    os.kill(keeper.pid, signal.SIGKILL)  # then down has to do its work
    assert lab(state, "down").stdout == "ended\n"
    assert not init.is_alive() and not members(inside) and not groups(name)
    assert bystander.poll() is None
    assert lab(state, "down").stdout == "there was none\n"


@can_isolate
def test_a_look_at_what_is_missing_leaves_a_cluster_alone(state: Path) -> None:
    up, name = begin(state, "stay")
    up.wait()
    before = [list(group.rglob("*")) for group in groups(name)]
    assert lab(state, "check").returncode == 0
    assert before and [list(group.rglob("*")) for group in groups(name)] == before
    assert lab(state, "status").returncode == 0


BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from cluster import program
program.build()
"""


@can_isolate
def test_a_build_ends_when_up_is_killed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    compiler = tmp_path / "bin" / "go"
    compiler.write_text("#!/bin/sh\nsleep 1000 & exec sleep 1000\n")
    compiler.chmod(0o755)
    env = os.environ | {
        "CANANG_LAB_STATE": str(tmp_path / "state"),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }
    up = subprocess.Popen([sys.executable, "-B", "-c", BUILD, str(LAB)], env=env, stdout=subprocess.DEVNULL)

    def compiling() -> str | None:
        waiting = child_of(up.pid)  # unshare
        first = child_of(waiting) if waiting else None
        try:
            return os.readlink(f"/proc/{first}/ns/pid") if first else None
        except OSError:
            return None

    wait_until(lambda: len(members(compiling() or "")) == 2, "the compiler has started another")
    inside = compiling() or ""
    up.kill()
    up.wait()
    wait_until(lambda: not members(inside), "both have ended")


def members(namespace: str) -> list[str]:
    found = []
    for link in Path("/proc").glob("[0-9]*/ns/pid"):
        try:
            if os.readlink(link) == namespace:
                found.append(str(link))
        except OSError:
            pass
    return found


# --- images


def test_an_image_has_programs_with_their_libraries(tmp_path: Path) -> None:
    made = image.Image(["a:lab", "a:1"], {"/bin/true": "/usr/bin/yes"}, user="1:1")
    made.write(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as archive:
        read = {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]
    (described,) = json.loads(read["manifest.json"])
    assert described["RepoTags"] == ["a:lab", "a:1"]
    assert json.loads(read[described["Config"]])["config"]["User"] == "1:1"
    with tarfile.open(fileobj=io.BytesIO(read["layer.tar"])) as layer:
        names = {info.name: info.mode for info in layer}
    assert names["usr/bin/yes"] == 0o755
    assert any("libc.so" in name for name in names)


def test_an_image_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="/nowhere"):
        image.Image(["a:lab"], {"/nowhere": "/a"}).write(tmp_path / "a.tar")


def test_the_image_of_an_engine_is_given_other_names_and_nothing_else(tmp_path: Path) -> None:
    image.Image(["canang:1"], {"/bin/true": "/a"}).write(tmp_path / "a.tar")
    image.rename(tmp_path / "a.tar", ["canang:lab"], tmp_path / "b.tar")
    with tarfile.open(tmp_path / "a.tar") as one, tarfile.open(tmp_path / "b.tar") as other:
        for info in one:
            old, new = one.extractfile(info), other.extractfile(info.name)
            assert old and new
            same = old.read() == new.read()
            assert same == (info.name != "manifest.json")
        assert b"canang:lab" in other.extractfile("manifest.json").read()  # type: ignore[union-attr]


# --- what a node and the cluster are given


def test_every_form_of_a_nodes_configuration_is_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nodes, "NODES", tmp_path)
    monkeypatch.setattr(nodes.certificates, "of_node", lambda *_: None)
    node = nodes.Node("node-3")
    node._write_files()
    kubelet = yaml.safe_load((tmp_path / "node-3" / "etc" / "kubelet.yaml").read_text())
    assert kubelet["address"] == "10.99.0.13" and kubelet["cgroupRoot"] == f"/{CGROUP}/node-3"
    assert kubelet["clusterDNS"] == [DNS_ADDRESS]
    network = json.loads((tmp_path / "node-3" / "etc" / "cni" / "pods.conflist").read_text())
    assert network["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.3.0/24"}]]
    with pytest.raises(Trouble, match="node-1, node-2"):
        nodes.Node("elsewhere")


def test_dns_has_the_address_that_kubelets_tell() -> None:
    objects = list(yaml.safe_load_all((LAB / "objects" / "dns.yaml").read_text()))
    (service,) = [o for o in objects if o["kind"] == "Service"]
    assert service["spec"]["clusterIP"] == DNS_ADDRESS


def test_a_changed_source_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text("package main")
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((program.SOURCE / name).read_bytes())
    monkeypatch.setattr(program, "SOURCE", tmp_path)
    before = program._wanted()
    assert program._wanted() == before
    (tmp_path / "main.go").write_text("package main // changed")
    assert program._wanted() != before


def test_the_sandbox_is_of_this_clone_only() -> None:
    assert CGROUP.startswith("canang-lab-") and sandbox.INIT.is_relative_to(REPOSITORY / "build")
