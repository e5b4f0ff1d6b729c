"""scripts/check_includes.py finds what it is for, and nothing in these sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/check_includes.py", root],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


def write(root: Path, files: dict[str, str]) -> Path:
    for name, included in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("#pragma once\n" + f'#include "{included}"\n' * bool(included))
    return root


def test_these_sources_are_in_order() -> None:
    code, said = check(ROOT)
    assert code == 0, said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"net/a.hpp": "net/b.hpp", "net/b.hpp": "net/a.hpp"}, "net/a.hpp -> net/b.hpp -> net/a.hpp"),
        ({"net/a.hpp": "net/a.hpp"}, "net/a.hpp -> net/a.hpp"),
        ({"net/a.hpp": "cluster/b.hpp", "cluster/b.hpp": ""}, "net may not see cluster/b.hpp"),
        ({"cluster/redis/a.hpp": "cluster/b.hpp", "cluster/b.hpp": ""}, "cluster/redis may not see"),
        ({"base/a.cpp": "net/b.hpp", "net/b.hpp": ""}, "base may not see net/b.hpp"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(tmp_path: Path, files: dict[str, str], said: str) -> None:
    code, text = check(write(tmp_path, files))
    assert code == 1
    assert said in text


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    code, text = check(tmp_path)
    assert code == 1
    assert "no sources" in text
