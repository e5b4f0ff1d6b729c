"""Processes that end together: starts them, hands on what they say, and misses no signal.

Nothing but the standard library. For scripts/cluster.
"""

from __future__ import annotations

import ctypes
import os
import select
import selectors
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_DEADLINE_S = 10.0
HEAR_OUT_S = 1.0
POLL_S = 0.05
STDOUT = 1
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None, use_errno=True)


class StopRequested(Exception):
    """Somebody wants the end: Ctrl-C, SIGTERM, a terminal that is gone."""


class Child:
    """A process that was started, and what it says: each line with its name in front."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        parent = os.getpid()

        def become() -> None:
            # In a session of its own, since Ctrl-C goes to all processes of the terminal's group, and
            # here the order matters: nodes first, then Redis. It ends when this script is killed.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=become,  # one thread, and only libc is called
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self._begun = b""  # of a line whose end has not come

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def code(self) -> int:
        """As a shell says it: 128 and the signal."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def tell(self, number: int) -> None:
        if self.is_running():
            self.process.send_signal(number)

    def read_lines(self) -> bytes | None:
        """What has come, by whole lines; None at the end. To be called when there is something."""
        piece = os.read(self.output.fileno(), 65_536)
        if not piece:
            rest, self._begun = self._begun, b""
            return self._with_name([rest]) if rest else None
        *lines, self._begun = (self._begun + piece).split(b"\n")
        return self._with_name(lines)

    def _with_name(self, lines: list[bytes]) -> bytes:
        return b"".join(self.name.encode() + b" | " + line + b"\n" for line in lines)


class Supervisor:
    """Starts processes, hands on what they say, and hears signals at any moment.

    A signal writes a byte into a socket pair that every wait watches, so none can come between a look
    and the sleep after it. What it means is decided by the one that waits.
    """

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._heard, self._wakeup = socket.socketpair()
        for end in (self._heard, self._wakeup):
            end.setblocking(False)
        self._stops = 0  # how often somebody wanted the end
        self._selector.register(self._heard, selectors.EVENT_READ, None)
        # Of a pipe's end that is written to, all there is to hear is that its reader is gone. Writing
        # tells it too, but only where there is still something to say.
        if stat.S_ISFIFO(os.fstat(STDOUT).st_mode):
            self._selector.register(STDOUT, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that it wakes
        for number in STOP_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` has it
                signal.signal(number, self._on_stop_signal)

    def _on_stop_signal(self, *_: object) -> None:
        self._stops += 1

    def start(self, name: str, command: list[str]) -> Child:
        child = Child(name, command)
        self.children.append(child)
        self._selector.register(child.output, selectors.EVENT_READ, child)
        return child

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition came true in time. Raises `StopRequested` when somebody wants the
        end."""
        return self._wait(condition, seconds, self.check_stop)

    def wait_for_an_end(self, children: Iterable[Child]) -> None:
        """Until one of these has ended, which SIGCHLD tells. Raises `StopRequested` likewise."""
        while all(child.is_running() for child in children):
            self.check_stop()
            self._handle_events(None)
        self.check_stop()

    def check_stop(self) -> None:
        if self._stops > 0:
            raise StopRequested

    def _wait(
        self, condition: Callable[[], bool], seconds: float, check: Callable[[], None] = lambda: None
    ) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            check()
            if condition():
                return True
            if time.monotonic() >= deadline:
                return False
            self._handle_events(POLL_S)

    def _handle_events(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fd == STDOUT:
                self._selector.unregister(STDOUT)
                self._stops = max(self._stops, 1)
            elif key.data is None:
                with suppress(BlockingIOError):
                    self._heard.recv(4096)
            else:
                self._hand_on(key.data)

    def _hand_on(self, child: Child) -> None:
        said = child.read_lines()
        if said is None:
            self._selector.unregister(child.output)
            child.output.close()
        else:
            self.say(said)

    def say(self, what: bytes | str, stream: int = 1) -> None:
        """To the standard output or error. Where nobody listens any more, that asks for the end."""
        rest = memoryview(what.encode() if isinstance(what, str) else what)
        while rest:
            try:
                rest = rest[os.write(stream, rest) :]
            except BlockingIOError:
                select.select([], [stream], [], STOP_DEADLINE_S)
            except OSError:
                self._stops = max(self._stops, 1)
                return

    def end(self, children: list[Child]) -> None:
        """SIGTERM, and SIGKILL for those that have not ended in time; another signal that asks for
        the end ends the time."""
        for child in children:
            child.tell(signal.SIGTERM)
        before = self._stops

        def over() -> bool:
            return self._stops > before or not any(child.is_running() for child in children)

        self._wait(over, STOP_DEADLINE_S)
        for child in children:
            child.tell(signal.SIGKILL)
        for child in children:
            child.process.wait()

    def close(self) -> None:
        """There is nothing left to stop: a signal must not kill the interpreter as it ends."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def hear_out(self, children: list[Child]) -> None:
        """What they said last: they have ended, so this does too, unless they left somebody behind."""
        self._wait(lambda: all(child.output.closed for child in children), HEAR_OUT_S)
