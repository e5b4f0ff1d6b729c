"""Debian's HAProxy in front of some nodes, as an operator would put it there."""

from __future__ import annotations

import csv
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .canang_process import clean_environment
from .process_lifetime import die_with_parent
from .waiting import wait_until

NODE_HEADER = "X-Node"
CHECK_INTERVAL_MS = 500
START_TIMEOUT_S = 10.0

# No `on-marked-down shutdown-sessions`: whose connection ends, and when, is the node's to say.
CONFIGURATION = """\
global
  maxconn {most}
  nbthread 1
  stats socket {socket} mode 600 level admin
  stats timeout 1m
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 2s
  timeout tunnel 1h
  retries 3
  option redispatch 1
  default-server check inter {check_ms}ms fall 2 rise 2
frontend public
  bind 127.0.0.1:{port} backlog 8192
  default_backend nodes
backend nodes
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
  http-response set-header {header} %s
{servers}
"""


@dataclass(frozen=True)
class Ports:
    """Of a node, whether it runs or not."""

    public: int
    internal: int


@dataclass(frozen=True)
class ServerState:
    """What HAProxy thinks of a node."""

    is_up: bool
    sessions: int  # now
    sessions_ever: int


class HAProxy:
    """One haproxy. The nodes it knows need not run: it looks for them."""

    def __init__(
        self,
        directory: Path,
        port: int,
        nodes: Mapping[str, Ports],
        most_connections: int = 8000,
        server_options: str = "",
    ) -> None:
        """`server_options` are of each node's line, such as `send-proxy`."""
        self.port = port
        self._socket_path = directory / "admin"  # beneath 108 bytes, as a socket's path must be
        servers = "\n".join(
            f"  server {name} 127.0.0.1:{at.public} port {at.internal} {server_options}".rstrip()
            for name, at in nodes.items()
        )
        text = CONFIGURATION.format(
            most=most_connections,
            socket=self._socket_path,
            check_ms=CHECK_INTERVAL_MS,
            port=port,
            header=NODE_HEADER,
            servers=servers,
        )
        (directory / "haproxy.cfg").write_text(text)
        self.log_path = directory / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                ["haproxy", "-db", "-f", str(directory / "haproxy.cfg")],
                env=clean_environment({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        try:
            wait_until(self._answers, "HAProxy answers", START_TIMEOUT_S)
        except AssertionError:
            self.kill()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"HAProxy ended: {self.log_path.read_text()}"
        try:
            return bool(self.states())
        except OSError:
            return False

    def _command(self, line: str) -> str:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(5)
            admin.connect(str(self._socket_path))
            admin.sendall(f"{line}\n".encode())
            return b"".join(iter(lambda: admin.recv(65536), b"")).decode()

    def admit(self, node: str, admits: bool) -> None:
        """Whether the node gets new connections; those that it has stay."""
        said = self._command(f"set server nodes/{node} state {'ready' if admits else 'maint'}")
        assert not said.strip(), said

    def states(self) -> dict[str, ServerState]:
        text = self._command("show stat nodes 4 -1")
        return {
            row["svname"]: ServerState(
                row["status"].startswith("UP"), int(row["scur"]), int(row["stot"])
            )
            for row in csv.DictReader(text.removeprefix("# ").splitlines())
            if row["svname"]
        }

    def wait_state(self, node: str, up: bool, timeout: float) -> None:
        wait_until(
            lambda: self.states()[node].is_up == up,
            f"HAProxy has {node} {'up' if up else 'down'}",
            timeout,
        )

    def kill(self) -> None:
        """It has nothing to finish: whoever is still connected is cut."""
        self.process.kill()
        self.process.wait()
