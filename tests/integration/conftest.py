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
api api_batch api_client api_description api_keys api_log api_publish api_rooms bad_frames bad_handshakes
configuration console disconnects documents emulation handshakes history hooks hooks_and_moderation http http_bodies
import_centrifugo include_check internal_access internal_port logs moderation operator_commands permissions presence
process_lifetime proxies rooms signals sse sum_reports tls token_clients token_keys tokens trace_collector tracing
unix_socket
""".split()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.stem.removeprefix("test_") in PARALLEL:
        item.add_marker(pytest.mark.parallel)
