"""Makes tests/support importable and takes its fixtures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import (  # noqa: F401
    canang,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)

# Modules of the tests that may run beside others.
PARALLEL = """
bad_frames configuration disconnects documents emulation handshakes history http
internal_access internal_port logs operator_commands presence rooms signals
""".split()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.stem.removeprefix("test_") in PARALLEL:
        item.add_marker(pytest.mark.parallel)
