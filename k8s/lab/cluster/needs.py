"""Whether this machine can have a cluster: the first thing that is missing, in one line."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator

from . import cgroups, program
from .base import STATE, succeeds
from .nodes import CNI_PLUGINS, cni_plugins

COMMANDS = (
    *("ip", "nsenter", "unshare", "setpriv", "mount", "sysctl", "iptables", "nft", "containerd", "ctr"),
    *("containerd-shim-runc-v2", "runc", "openssl", "redis-server", "cc", "ldd"),
)
NAMESPACES = ("unshare", "--pid", "--net", "--mount", "--fork", "--mount-proc", "--")
# A file of the lower layer is to be seen through it.
OVERLAY = (
    'cd "$0" && mkdir -p lower upper work merged && touch lower/file && '
    "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && [ -e merged/file ]"
)


def first_missing(checks: Iterator[Callable[[], str | None]] | None = None) -> str | None:
    for check in checks or iter((_system, _commands, _namespaces, _overlay, cgroups.missing, _go)):
        if lacking := check():
            return lacking
    return None


def _system() -> str | None:
    if sys.platform != "linux":
        return "needs Linux"
    return None if os.geteuid() == 0 else "needs root, for namespaces and mounts"


def _commands() -> str | None:
    lacking = [command for command in COMMANDS if not shutil.which(command)]
    if lacking:
        return f"needs the commands {', '.join(lacking)}"
    return None if cni_plugins() else f"needs CNI plugins in one of {', '.join(CNI_PLUGINS)}"


def _namespaces() -> str | None:
    return None if succeeds([*NAMESPACES, "true"]) else "needs namespaces (process, network, mount)"


def _overlay() -> str | None:
    place = STATE / "overlay"
    place.mkdir(parents=True, exist_ok=True)
    try:
        works = succeeds([*NAMESPACES, "sh", "-c", OVERLAY, place])
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return None if works else f"needs a file system below {STATE} that overlays can be made of"


def _go() -> str | None:
    return None if program.is_built() else program.go_missing()
