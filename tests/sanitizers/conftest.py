"""Makes tests/support importable and takes its fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cluster import cluster, pytest_assertrepr_compare  # noqa: F401
from support.fixtures import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)
from support.redis_process import start_redis  # noqa: F401
