"""Makes tests/support importable and takes its fixtures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cluster import cluster, pytest_assertrepr_compare  # noqa: F401
from support.fixtures import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)
from support.redis_process import start_redis  # noqa: F401

# Modules of the tests that may run beside others.
PARALLEL = """
bad_days bad_input checker documented_acl emulation failover frames hooks leases links made_up_positions moderation
presence presence_judge proxy reasons rebalance resume sentinels shared_redis storage
tracing unborn_rooms
""".split()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.stem.removeprefix("test_") in PARALLEL:
        item.add_marker(pytest.mark.parallel)
