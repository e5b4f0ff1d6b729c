"""Keeps a Docker engine that is all in namespaces of its own, as long as its standard input is open.

    engine_keeper.py GROUP    the control group that the engine puts containers in

Prints the number of the engine's first process. When that one ends, the kernel ends all that is below
it, and with these go networks and mounts; files that the engine writes are in memory, and it reads none of
another engine's settings. What would be left are the control groups, and these the keeper removes: it is in a session
of its own and outlives whoever started it. Modules that the kernel has loaded for the engine stay loaded.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "k8s" / "lab"))

from cluster import cgroups  # noqa: E402
from cluster.base import wait_until  # noqa: E402
from cluster.processes import Process, child_of  # noqa: E402

ISOLATED = (
    *("setpriv", "--pdeathsig=KILL", "--"),
    *("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child=KILL"),
    *("--mount-proc", "--"),
)
# A name that no other engine has: what asks before the mounts are there finds none.
SOCKET = "/run/canang-engine/docker.sock"
# In /opt, containerd makes folders.
PLACES = """set -eu
mount -t tmpfs tmpfs /run
[ ! -d /opt ] || mount -t tmpfs tmpfs /opt
mkdir /run/etc /run/work /run/canang-engine
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
"""
# What the engine makes of its network: a bridge, links to it, and rules that translate addresses.
NETWORK = """ip link add bridge type bridge
ip link add one type veth peer name other
iptables -t nat -L -n
"""
# Where root may not lower the score for the kernel's killer, the engine is to leave it alone, as new ones do.
ENGINE = f"""ip link set lo up
echo '{{}}' >/run/daemon.json
case $(dockerd --help) in *--oom-score-adjust*) score=--oom-score-adjust=0 ;; *) score= ;; esac
dockerd --config-file=/run/daemon.json --host=unix://{SOCKET} --pidfile=/run/docker.pid \
  --exec-root=/run/docker --data-root=/run/data --cgroup-parent="/$1" $score &
wait $!
"""


def main() -> None:
    group = sys.argv[1]
    cgroups.sweep(group)  # when another keeper was killed
    waiting = subprocess.Popen(
        [*ISOLATED, "sh", "-c", PLACES + ENGINE, "engine", group],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    first = None
    try:
        wait_until(
            lambda: child_of(waiting.pid) is not None or waiting.poll() is not None,
            "a first process", 10, 0.02,
        )  # fmt: skip
        first = Process.of(child_of(waiting.pid) or 0)
        if first:
            print(first.pid, flush=True)
            select.select([sys.stdin, os.pidfd_open(waiting.pid)], [], [])
    finally:
        (first or waiting).kill()
        waiting.wait()
        cgroups.sweep(group)


if __name__ == "__main__":
    main()
