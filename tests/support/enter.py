"""Becomes a program in another root directory, confined as a container engine or systemd would.

Run by `confined.py` under `unshare --mount --pid --fork`: the program is the first process of its
PID namespace. Takes one argument, JSON: root, uid, gid, files (the limit of open descriptors), env,
argv, mounts {path in the root: path outside}, own_network, and system_calls: the names of those
that are allowed, all if there are none.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LAST_CAPABILITY = 63
SCMP_ACT_ALLOW, SCMP_ACT_ERRNO = 0x7FFF0000, 0x00050000
_libc = ctypes.CDLL(None, use_errno=True)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def furnish(root: str, mounts: dict[str, str]) -> None:
    """Proc, devices and files as engines give them, on a root that nobody can write to."""
    mount("--bind", root, root)
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("--rbind", "/sys", f"{root}/sys")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", f"{root}/dev")
    for device in ("null", "zero", "random", "urandom"):
        open(f"{root}/dev/{device}", "w").close()
        mount("--bind", f"/dev/{device}", f"{root}/dev/{device}")
    for inside, outside in mounts.items():
        mount("--bind", outside, root + inside)
        mount("-o", "remount,bind,ro", root + inside)
    mount("-o", "remount,bind,ro", root)


def prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def drop_privileges(uid: int, gid: int) -> None:
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those this kernel lacks
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # only now: a change of user resets it


def seccomp_filter(allowed: list[str]) -> Callable[[], None]:
    """What refuses all other system calls with EPERM, made here, where there is a libseccomp."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(library.seccomp_init(SCMP_ACT_ERRNO | errno.EPERM))
    for name in allowed:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # not one of another architecture
            library.seccomp_rule_add(rules, SCMP_ACT_ALLOW, number, 0)

    def load() -> None:
        if library.seccomp_load(rules) != 0:
            raise OSError("the kernel does not take the filter of system calls")

    return load


def main(spec: dict[str, Any]) -> None:
    if spec["own_network"]:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    furnish(spec["root"], spec["mounts"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (spec["files"], spec["files"]))
    restrict = seccomp_filter(spec["system_calls"]) if spec["system_calls"] else None
    os.chroot(spec["root"])
    os.chdir("/")
    drop_privileges(spec["uid"], spec["gid"])
    if restrict:
        restrict()
    os.execve(spec["argv"][0], spec["argv"], spec["env"])


main(json.loads(sys.argv[1]))
