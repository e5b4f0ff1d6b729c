"""Processes that tests start, which live as long as their test wants."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.waiting import wait_until

# A shell that ends: its child, a process group of its own as with job control, goes on without a parent.
SHELL = """
import os, signal, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from support.process_lifetime import die_with_parent
reading, writing = os.pipe()
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "60"], preexec_fn=die_with_parent)
    child.send_signal(signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    print(child.pid, flush=True)
    os.write(writing, b"x")
    sys.stdin.readline()
    os._exit(0)
os.read(reading, 1)
"""


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def test_one_that_is_stopped_stays_so_when_the_shell_of_the_tests_ends() -> None:
    tests = str(Path(__file__).resolve().parents[1])
    shell = subprocess.Popen(
        [sys.executable, "-c", SHELL, tests],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    pid = int(shell.stdout.readline())
    assert shell.wait(10) == 0
    assert state(pid) == "T"
    shell.stdin.close()  # now its parent dies
    wait_until(lambda: state(pid) in ("gone", "Z"), "it dies with its parent", 5)
    shell.stdout.close()
