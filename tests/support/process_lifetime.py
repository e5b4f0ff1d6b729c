"""A child process that the kernel ends when its parent dies, however the parent dies, and lets alone until then."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """For `preexec_fn`. Only libc is called between fork and exec.

    In a process group of its own: where the shell that began the tests ends, their process group has no parent in the
    session any more, and if one of the group is stopped at that moment, as some tests have a node be, the kernel sends
    SIGHUP and SIGCONT to all of them. Not in a session of its own: the scheduler gives each session its share, so that
    being nice would help nobody in another one.
    """
    _libc.setpgid(0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1:
        os._exit(1)


def with_open_files(files: int | None) -> Callable[[], None]:
    """The same for a child that may have so many open files at most; None: as many as its parent."""

    def prepare() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        die_with_parent()

    return prepare
