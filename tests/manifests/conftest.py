"""Makes tests/support importable, takes its fixtures, and renders the manifests once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from manifests import Manifests, render  # noqa: E402
from support.fixtures import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    start_canang,
    the_binary_exists,
)
from support.redis_process import start_redis  # noqa: E402, F401


@pytest.fixture(scope="session")
def trial() -> Manifests:
    return render("trial")


@pytest.fixture(scope="session")
def production() -> Manifests:
    return render("production")


@pytest.fixture(scope="session")
def monitoring() -> Manifests:
    return render("monitoring")


@pytest.fixture(params=["trial", "production"])
def overlay(request: pytest.FixtureRequest) -> Manifests:
    """Each overlay that has nodes."""
    return request.getfixturevalue(request.param)
