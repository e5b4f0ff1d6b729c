"""Fixtures and hooks for the conftest.py files of the black-box tests.

A test may be a coroutine function. Every test has a deadline. Every server that a test started
is ended with it, its exit code and its output are checked, and its output is shown on failure.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .canang_process import CanangProcess, binary

DEADLINE_S = 60


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "parallel: waits more than it works, and measures neither speed nor memory nor CPU: may run "
        "beside another such test (./dev test does that with whole parts)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(DEADLINE_S))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.failed and report.when == "call":
        for show in getattr(item, "shown_on_failure", []):
            report.sections += show()


def show_on_failure(item: pytest.Item, show: Callable[[], list[tuple[str, str]]]) -> None:
    """When the test fails, the report gets these sections: titles and texts."""
    item.__dict__.setdefault("shown_on_failure", []).append(show)


@pytest.fixture(scope="session", autouse=True)
def the_binary_exists() -> None:
    if not binary().is_file():
        pytest.exit(f"no server at {binary()}: build it, or set CANANG_BIN", returncode=3)


@pytest.fixture
def start_canang(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., CanangProcess]]:
    """`start_canang(ping_interval="1s", ...)`: a ready server, ended with the test.

    An option that is None is not passed. `extra` are further arguments, `env` variables, `files` the
    limit of open files; `ready=False` returns at once.
    """
    servers: list[CanangProcess] = []
    show_on_failure(
        request.node, lambda: [(f"server {n}", server.tail()) for n, server in enumerate(servers)]
    )

    def start(
        *,
        extra: tuple[str, ...] = (),
        env: Any = None,
        ready: bool = True,
        files: int | None = None,
        **options: Any,
    ) -> CanangProcess:
        directory = tmp_path / f"canang-{len(servers)}"
        directory.mkdir()
        server = CanangProcess(directory, options, extra, env, files=files)
        servers.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start
    failures = []
    for server in servers:
        ended_by_test = not server.running
        try:
            code = server.stop()
            if not ended_by_test:  # otherwise the exit code was the test's matter
                assert code == 0, f"the server ended with {code}\n{server.tail()}"
            server.check_reports()
        except AssertionError as failure:
            failures.append(str(failure))
        finally:
            server.kill()
    assert not failures, "\n".join(failures)


@pytest.fixture
def canang(start_canang: Callable[..., CanangProcess]) -> CanangProcess:
    """A server with the defaults of the tests."""
    return start_canang()
