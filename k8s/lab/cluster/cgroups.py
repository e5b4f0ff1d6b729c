"""The control groups of the lab: one of a name of its own in each hierarchy, with one a node in it."""

from __future__ import annotations

import time
from pathlib import Path

from .base import CGROUP, Trouble

SWEEP_TIMEOUT_S = 20
WANTED = {"cpu", "cpuset", "memory", "pids"}  # what a kubelet limits


def hierarchies() -> dict[Path, set[str]]:
    """Where each is mounted, and what it controls. With version 2: one."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        place, (kind, _, options) = Path(before.split()[4]), after.split(maxsplit=2)
        if kind == "cgroup2":
            found[place] = set((place / "cgroup.controllers").read_text().split())
        elif kind == "cgroup":
            found[place] = set(options.split(","))
    return found


def missing() -> str | None:
    have = hierarchies()
    lacking = WANTED - set().union(*have.values()) if have else WANTED
    if lacking:
        return f"needs control groups for {', '.join(sorted(lacking))}"
    tried = f"{CGROUP}-tried"  # not the one that a cluster may be in
    try:
        make(tried)
    except OSError as error:
        return f"needs control groups that it may write to ({error.strerror}: {error.filename})"
    finally:
        sweep(tried)
    return None


def make(path: str) -> None:
    """`NAME` or `NAME/NODE`, usable for a kubelet as its root."""
    for root, controllers in hierarchies().items():
        group = root
        for part in path.split("/"):
            parent, group = group, group / part
            _delegate(parent, controllers)
            group.mkdir(exist_ok=True)
            if "cpuset" in controllers and (group / "cpuset.mems").exists():
                for file in ("cpuset.cpus", "cpuset.mems"):
                    if not (group / file).read_text().strip():
                        _inherit(parent, group, file)


def _delegate(parent: Path, controllers: set[str]) -> None:
    """With version 2 a group hands on what it is told to hand on."""
    switch = parent / "cgroup.subtree_control"
    if switch.exists():
        for controller in sorted(WANTED & controllers - set(switch.read_text().split())):
            switch.write_text(f"+{controller}")


def _inherit(parent: Path, group: Path, file: str) -> None:
    """Version 1 lets no process into a set without processors. Version 2 needs nothing."""
    if not (parent / "cgroup.subtree_control").exists():
        (group / file).write_text((parent / file).read_text())


def sweep(name: str = CGROUP) -> None:
    """Removes it with all in it. The kernel lets go of one some time after its last process."""
    deadline = time.monotonic() + SWEEP_TIMEOUT_S
    for root in hierarchies():
        top = root / name
        while top.exists():
            for group in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
                _remove(group)
            if _remove(top):
                break
            if time.monotonic() > deadline:
                raise Trouble(f"{top} is still in use")
            time.sleep(0.1)


def _remove(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
