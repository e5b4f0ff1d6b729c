"""Makes tests/support and the bench importable and takes their fixtures."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS)]

from support.fixtures import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    the_binary_exists,
)
