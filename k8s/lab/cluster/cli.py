"""The commands of k8s/lab/lab."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import certificates, images, needs, nodes, program, sandbox
from .base import KUBECONFIG, LAB, REPOSITORY, STATE, Trouble, succeeds, tell
from .control_plane import ControlPlane, get, kubectl
from .nodes import Node

DEFAULT_NODES = 2
SCENARIOS = (REPOSITORY / "build" / "venv" / "bin" / "python", LAB / "scenarios")


def main(arguments: list[str]) -> int:
    commands = {
        "build": lambda _: _build(),
        "up": _up,
        "down": _down,
        "status": _status,
        "kubectl": _kubectl,
        "test": _test,
        "exec-node": _exec_node,
        "kill-node": lambda names: _node(names).kill(),
        "start-node": _start_node,
        "check": _check,
        "keep": lambda _: sandbox.keep(),  # called by `up`
    }
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    if arguments[0] not in commands:
        print(f"kubernetes: no command '{arguments[0]}'; see ./dev kubernetes --help", file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](arguments[1:]) or 0
    except Trouble as trouble:
        print(f"kubernetes: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


USAGE = f"""\
usage: ./dev kubernetes COMMAND

  build                       build Kubernetes, where that is not done, and nothing else
  up [--nodes N] [--quick]    start a cluster of N nodes ({DEFAULT_NODES}); with --quick the server's image is
                              made of build/release/canang, without ./dev image
  down                        end it, and leave nothing
  status                      what runs
  kubectl ARGUMENTS...        kubectl, for this cluster
  test [--short] [SCENARIO...]
                              play scenarios on it (see docs/kubernetes.md); starts it and ends it, if it is not up
  exec-node NAME COMMAND...   a command on the node, among its processes, network and mounts
  kill-node NAME              as when its power is cut
  start-node NAME             start it again, with an empty disk
  check                       whether this machine can have a cluster; says in one line what is missing"""


def _parse_up(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev kubernetes up")
    parser.add_argument("--nodes", type=int, default=DEFAULT_NODES, choices=range(1, nodes.MOST), metavar="N")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(arguments)


def _check(_: list[str]) -> int:
    if lacking := needs.first_missing():
        raise Trouble(lacking)
    return 0


def _is_skipped() -> bool:
    """Where there can't be a cluster: nothing has failed."""
    if lacking := needs.first_missing():
        tell(f"kubernetes: skipped: {lacking}")
    return lacking is not None


def _build() -> None:
    if _is_skipped():
        return
    with _alone():
        program.build()


def _up(arguments: list[str]) -> None:
    options = _parse_up(arguments)
    _check([])
    with _alone():
        if sandbox.running():
            tell("it is up already")
            return
        with _started(options.nodes, options.quick) as box:
            box.stay()
    tell("it is up: ./dev kubernetes kubectl get pods -A")


@contextmanager
def _alone() -> Iterator[None]:
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble("another `up`, `build` or `test` is at work") from None
        yield


@contextmanager
def _started(count: int, quick: bool) -> Iterator[sandbox.Sandbox]:
    """A cluster that lives no longer than this process, unless it is told to stay."""
    sandbox.end()  # what a killed one has left
    began = time.monotonic()

    def done(what: str) -> None:
        tell(f"{time.monotonic() - began:6.1f} s  {what}")

    program.build()
    images.build_pause()
    done("images: " + ", ".join(images.make(quick)))
    certificates.of_control_plane()
    with sandbox.Sandbox() as box:
        nodes.make_bridge()
        control_plane = ControlPlane()
        control_plane.start()
        done("control plane")
        wanted = [Node(f"node-{number}") for number in range(1, count + 1)]
        for node in wanted:
            node.start()
        control_plane.apply(*sorted((LAB / "objects").glob("*.yaml")))
        control_plane.wait_until(lambda: _ready_nodes() == count, f"{count} nodes are ready")
        done(f"nodes: {', '.join(node.name for node in wanted)}")
        for what in READY:
            ready = kubectl(*what, "--timeout=1s")
            control_plane.wait_until(lambda ready=ready: succeeds(ready), " ".join(what))
        done("names and metrics")
        yield box


READY = (
    ("rollout", "status", "-n", "kube-system", "daemonset/dns"),
    ("rollout", "status", "-n", "lab-metrics", "deployment/metrics"),
    ("wait", "apiservice/v1beta1.metrics.k8s.io", "--for=condition=Available"),
    ("wait", "apiservice/v1beta1.custom.metrics.k8s.io", "--for=condition=Available"),
)


def _ready_nodes() -> int:
    found = [
        condition
        for node in get("nodes")["items"]
        for condition in node["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    return len(found)


def _down(_: list[str]) -> None:
    tell("ended" if sandbox.end() else "there was none")


def _status(_: list[str]) -> int:
    init = sandbox.running()
    if not init:
        tell("there is no cluster")
        return 1
    tell(f"up, process {init.pid}; kubeconfig {KUBECONFIG}")
    for node in nodes.known():
        process = node.process()
        tell(f"{node.name}  {node.address}  {f'process {process.pid}' if process else 'does not run'}")
    return 0


def _kubectl(arguments: list[str]) -> None:
    command = [str(part) for part in kubectl(*arguments)]
    os.execvp(command[0], command)


def _node(arguments: list[str]) -> Node:
    sandbox.needed()
    if not arguments:
        raise Trouble("which node?")
    return Node(arguments[0])


def _exec_node(arguments: list[str]) -> None:
    command = _node(arguments).inside(*arguments[1:])
    os.execvp(command[0], command)


def _start_node(arguments: list[str]) -> None:
    _node(arguments).start()


def _test(arguments: list[str]) -> int:
    if _is_skipped():
        return 0
    # They end with this process: they must not go on with the next cluster.
    scenarios = ["setpriv", "--pdeathsig=KILL", "--", *map(str, SCENARIOS)]
    scenarios += [argument for argument in arguments if argument != "--quick"]
    if {"--list", "--report", "--machines", "--help"} & set(arguments) or sandbox.running():
        return subprocess.run(scenarios).returncode
    machines = subprocess.run([*scenarios, "--machines"], capture_output=True, text=True)
    if machines.returncode:
        sys.stderr.write(machines.stderr)
        return machines.returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with _alone(), _started(int(machines.stdout), "--quick" in arguments):
        return subprocess.run(scenarios).returncode
