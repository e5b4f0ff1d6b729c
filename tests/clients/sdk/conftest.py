"""Makes tests/support importable and takes its fixtures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.cluster import cluster  # noqa: F401
from support.fixtures import (  # noqa: F401
    canang,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)
from support.redis_process import start_redis  # noqa: F401
from support.sdk import GO_DEADLINE_S, sdk, start_client  # noqa: F401

# Modules of the tests that may run beside others.
PARALLEL = """
bad_commands deltas dialects hook_backends info node_backend recovery_settings sdk_connections sdk_deltas sdk_info
sdk_rooms sdk_server_subs sdk_tokens server_subs tokens
""".split()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.stem.removeprefix("test_") in PARALLEL:
        item.add_marker(pytest.mark.parallel)
    if "[go-" in item.name:
        item.add_marker(pytest.mark.timeout(GO_DEADLINE_S))
