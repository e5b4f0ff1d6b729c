"""Makes tests/support importable and takes its fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fixtures import (  # noqa: F401
    canang,
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)


def pytest_terminal_summary(terminalreporter, config):
    results = getattr(config, "autobahn_results", None)
    if not results:
        return
    counts = {}
    for result in results.values():
        value = result.behavior.value
        counts[value] = counts.get(value, 0) + 1
    parts = ", ".join(f"{count} {value}" for value, count in sorted(counts.items()))
    terminalreporter.write_line(f"Autobahn: {len(results)} cases: {parts}")
    lenient = [case for case, r in results.items() if r.behavior.value == "NON-STRICT"]
    if lenient:
        terminalreporter.write_line(f"Autobahn NON-STRICT: {' '.join(lenient)}")
