"""What the documents say is what the server does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.canang_process import run_to_end

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()


def code_block(language):
    found = re.search(rf"```{language}\n(.*?)```", README, re.S)
    assert found, f"no {language} block in README.md"
    return found.group(1)


def help_text():
    return run_to_end(["--help"]).stdout


def documented_options():
    """Flag, variable and default of each row of the table."""
    return re.findall(r"^\| `(--[a-z-]+)`, `(CANANG_[A-Z_]+)` \| `?([^|`]+)`? \|", CONFIGURATION, re.M)


def test_the_python_client_of_the_readme_works(canang):
    client = code_block("python").replace("localhost:8000", f"127.0.0.1:{canang.port}")
    run = subprocess.run(
        [sys.executable, "-c", client], capture_output=True, text=True, timeout=20, check=False
    )
    assert run.stdout == "dinner is ready\n", run.stderr


def test_every_option_is_documented_with_its_variable_and_default():
    documented = {flag: (variable, default.strip()) for flag, variable, default in documented_options()}
    real = dict(re.findall(r"(--[a-z-]+)=(\S+)(?: \.\.\.)? \(Env:CANANG", help_text()))
    assert set(real) == set(documented) - {"--config"}
    for flag, default in real.items():
        assert documented[flag][0] == "CANANG_" + flag[2:].upper().replace("-", "_")
        if flag != "--workers":
            assert documented[flag][1] == default, flag


@pytest.mark.parametrize("flag", re.findall(r"`(--[a-z-]+)`", README))
def test_an_option_that_the_readme_names_exists(flag):
    assert flag in help_text()


def test_every_metric_is_documented_and_every_documented_one_exists(canang):
    real = set(re.findall(r"^# TYPE (\S+)", canang.get_internal("/metrics").body.decode(), re.M))
    documented = set(re.findall(r"`(canang_[a-z_]+)", METRICS))
    assert {name for name in real if name.startswith("canang_")} == documented
