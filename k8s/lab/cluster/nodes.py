"""Nodes: each in namespaces of its own within the lab's, at the lab's bridge by a pair of interfaces.

What one keeps is in build/kubernetes/nodes/NAME: `process` names its first process, `logs/` are its
programs', the rest is its own /var and /run. Its configuration is that of k8s/lab/node.
"""

from __future__ import annotations

import os
import shutil
import string
import subprocess
from pathlib import Path

from . import certificates, cgroups, sandbox
from .base import (
    API_ADDRESS,
    CGROUP,
    DNS_ADDRESS,
    LAB,
    NODES,
    STATE,
    Trouble,
    run,
    wait_until,
)
from .processes import Process, child_of

ALL_PODS = "10.244.0.0/16"
MOST = 100
CNI_PLUGINS = ("/usr/lib/cni", "/opt/cni/bin")  # Debian's, and everybody's
START_TIMEOUT_S = 30


class Node:
    def __init__(self, name: str) -> None:
        number = name.removeprefix("node-")
        if not number.isdigit() or not 1 <= int(number) <= MOST:
            raise Trouble(f"no node is called '{name}'; they are node-1, node-2, ...")
        self.name, self.number = name, int(number)
        self.address = f"10.99.0.{10 + self.number}"
        self.pods = f"10.244.{self.number}.0/24"
        self.folder = NODES / name
        self._link = f"lab{self.number}"

    def process(self) -> Process | None:
        return Process.read(self.folder / "process")

    def start(self) -> None:
        """Begins with nothing, as a machine that was installed anew. Does not wait for it to be ready."""
        if self.process():
            raise Trouble(f"{self.name} runs already")
        self._write_files()
        cgroups.make(f"{CGROUP}/{self.name}")
        isolated = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child=KILL", "--mount-proc"]
        command = [LAB / "node" / "init", self.name, f"{self.address}/24", API_ADDRESS, self.pods]
        os.chdir(STATE)
        started = sandbox.start([*isolated, "--", *command], self.folder / "logs" / "init.log")
        first = self._first_process(started)
        (self.folder / "netns_pid").write_text(f"{first.pid}\n")
        self._connect(first.pid)
        first.write(self.folder / "process")

    def _write_files(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in ("etc/cni", "logs", "run", "var/lib", "var/log", "var/tmp", "settings"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "var" / "run").symlink_to("/run")
        certificates.of_node(self.name, self.address)
        values = {
            "name": self.name,
            "address": self.address,
            "cgroup": f"{CGROUP}/{self.name}",
            "dns": DNS_ADDRESS,
            "pods": self.pods,
            "all_pods": ALL_PODS,
            "cni_plugins": cni_plugins() or "",
        }
        for form in (LAB / "node").glob("*.*"):
            folder = self.folder / "etc" / ("cni" if form.suffix == ".conflist" else "")
            (folder / form.name).write_text(string.Template(form.read_text()).substitute(values))

    def _first_process(self, started: subprocess.Popen[bytes]) -> Process:
        """nsenter's child is unshare, and that one's child is it."""
        found: list[Process] = []

        def is_there() -> bool:
            if started.poll() is not None:
                raise Trouble(f"{self.name} does not start: see {self.folder / 'logs' / 'init.log'}")
            between = child_of(started.pid)
            first = child_of(between) if between else None
            process = Process.of(first) if first else None
            # It has namespaces from its beginning, also while it is a copy of unshare.
            if process:
                found.append(process)
            return bool(found)

        wait_until(is_there, f"{self.name} starts", START_TIMEOUT_S, 0.02)
        return found[0]

    def _connect(self, pid: int) -> None:
        peer = ["peer", "name", "eth0", "netns", str(pid)]
        self._ip("link", "add", self._link, "type", "veth", *peer)
        self._ip("link", "set", self._link, "master", "bridge", "up")
        self._ip("route", "replace", self.pods, "via", self.address)

    def kill(self) -> None:
        """As when its power is cut: nobody is told, not even by the kernel's closing of its connections."""
        process = self.process()
        if not process:
            raise Trouble(f"{self.name} does not run")
        self._ip("link", "set", self._link, "down")
        process.kill()
        wait_until(lambda: not process.is_alive(), f"{self.name} ends", START_TIMEOUT_S)
        # Its network lives on with connections that nobody closes, minutes.
        self._ip("link", "delete", self._link)

    def inside(self, *command: str) -> list[str]:
        process = self.process()
        if not process:
            raise Trouble(f"{self.name} does not run")
        return ["nsenter", f"--target={process.pid}", "--mount", "--pid", "--net", "--", *command]

    @staticmethod
    def _ip(*arguments: str) -> None:
        run(sandbox.on_network("ip", *arguments))


def make_bridge() -> None:
    for command in (
        ("link", "add", "bridge", "type", "bridge"),
        ("address", "add", f"{API_ADDRESS}/24", "dev", "bridge"),
        ("link", "set", "bridge", "up"),
    ):
        run(sandbox.on_network("ip", *command))
    run(sandbox.on_network("sysctl", "-qw", "net.ipv4.ip_forward=1"))


def known() -> list[Node]:
    """Those that `up` has started, whether they run or not."""
    names = [folder.name for folder in NODES.glob("node-*")]
    return sorted((Node(name) for name in names), key=lambda node: node.number)


def cni_plugins() -> str | None:
    return next((place for place in CNI_PLUGINS if Path(place, "ptp").exists()), None)
