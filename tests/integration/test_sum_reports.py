"""scripts/sum_reports.py counts what the runners of all parts reported, and says what failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYTEST = """<testsuites><testsuite name="pytest"><testcase classname="tests.cluster.test_links"
name="test_a[1]"><failure message="AssertionError: boo">def test_a():
&gt;   assert false, "boo"
E   AssertionError: boo</failure></testcase>
<testcase classname="tests.cluster.test_links" name="test_b"><error message="failed on setup">no node</error></testcase>
<testcase classname="tests.cluster.test_links" name="test_c"/>
<testcase classname="tests.cluster.test_links" name="test_d"><skipped message="why"/></testcase></testsuite></testsuites>"""

CTEST = """<testsuite name="(empty)"><testcase name="room.is_kept" classname="room.is_kept" status="fail"><failure
message=""/><properties/><system-out>Running main() from gtest_main.cc
[==========] Running 1 test from 1 test suite.
[ RUN      ] room.is_kept
room_test.cpp:7: Failure
Expected equality of these values:

[  FAILED  ] room.is_kept (5 ms)
[==========] 1 test from 1 test suite ran. (5 ms total)
[  PASSED  ] 0 tests.
[  FAILED  ] 1 test, listed below:
[  FAILED  ] room.is_kept

 1 FAILED TEST
</system-out></testcase><testcase name="room.is_left" classname="room.is_left" status="run"/></testsuite>"""

NODE = """<testsuites><testsuite name="the page" tests="2"><testcase name="says who is there" time="0.1" classname="test"
failure="no ann"><failure type="testCodeFailure" message="no ann">[Error: no ann] {
  code: 'ERR_TEST_FAILURE' }</failure></testcase><testcase name="stays" classname="test"/></testsuite></testsuites>"""


def write(directory: Path, reports: dict[str, str], codes: dict[str, int] | None = None) -> Path:
    directory.mkdir()
    parts = {name.split("-")[0]: 0 for name in reports} | (codes or {})
    lines = [f"{name}\t3\t{code}" for name, code in {"build": 0, **parts}.items()]
    (directory / "parts.tsv").write_text("\n".join(lines) + "\n")
    for name, text in reports.items():
        (directory / f"{name}.xml").write_text(text)
    return directory


def summed(*directories: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/sum_reports.py", *directories],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def failed(*messages: str) -> str:
    cases = "".join(
        f"<testcase classname='tests.x' name='test_{i}'><failure message={quoteattr(message)}>{escape(message)}"
        "</failure></testcase>"
        for i, message in enumerate(messages)
    )
    return f"<testsuite>{cases}</testsuite>"


@pytest.mark.parametrize(
    ("report", "counts", "told"),
    [
        (
            PYTEST,
            "1 passed, 2 failed, 1 skipped",
            """
FAILED release part: tests.cluster.test_links.test_a[1]
  def test_a():
  >   assert false, "boo"
  E   AssertionError: boo

FAILED release part: tests.cluster.test_links.test_b
  failed on setup
  no node
""",
        ),
        (
            CTEST,
            "1 passed, 1 failed",
            """
FAILED release part: room.is_kept
  room_test.cpp:7: Failure
  Expected equality of these values:
""",
        ),
        (
            NODE,
            "1 passed, 1 failed",
            """
FAILED release part: says who is there
  [Error: no ann] {
    code: 'ERR_TEST_FAILURE' }
""",
        ),
    ],
    ids=["pytest", "ctest", "node"],
)
def test_what_failed_follows_the_table(tmp_path: Path, report: str, counts: str, told: str) -> None:
    code, said = summed(write(tmp_path / "release", {"part-folder": report}))
    assert code == 1
    assert said.endswith(f"{told}\n{counts}\n"), said
    assert said.index("passed") < said.index("FAILED"), "the table is first"


def test_failures_of_all_directories_are_told_last(tmp_path: Path) -> None:
    release = write(tmp_path / "release", {"unit": CTEST})
    tsan = write(
        tmp_path / "tsan",
        {"sim": PYTEST, "load": "not xml", "cluster": "<testsuite><testcase name='a'/></testsuite>"},
        {"cluster": 7, "browser": 0},
    )
    code, said = summed(release, tsan)
    assert code == 1
    told = [line for line in said.splitlines() if line.startswith("FAILED ")]
    assert told[0] == "FAILED release unit: room.is_kept"
    assert [line.rsplit(".", 1)[1] for line in told[1:3]] == ["test_a[1]", "test_b"]
    assert told[3].startswith("FAILED tsan load: load.xml is not readable")
    assert told[4:] == ["FAILED tsan cluster: the runner ended with 7", "FAILED tsan browser: ran no test"]
    assert said.rindex("skipped     time") < said.index("FAILED "), "both tables are first"


def test_what_took_long_is_told(tmp_path: Path) -> None:
    hangs = "<testsuite><testcase name='a' time='300.04'><failure message=''/></testcase></testsuite>"
    assert "\nFAILED release unit: a (300 s)\n" in summed(write(tmp_path / "release", {"unit": hangs}))[1]


def test_what_is_told_of_failures_is_bounded(tmp_path: Path) -> None:
    long = "\n".join(f"line {i} " + "x" * 300 for i in range(500))
    _, said = summed(write(tmp_path / "one", {"unit": failed(long)}))
    lines = said.split("FAILED ")[1].splitlines()[1:-2]
    assert len(lines) == 40
    assert lines[-1].startswith("  line 499 xxx")
    assert max(map(len, lines)) == 202
    _, said = summed(write(tmp_path / "many", {"unit": failed(*[long] * 300)}))
    assert said.count("\nFAILED ") == 100
    assert said.count("line 499") == 100
    assert len(said.splitlines()) < 100 * 4 + 20
    assert "... and 200 more" in said


def test_without_failures_only_the_table_is_printed(tmp_path: Path) -> None:
    code, said = summed(write(tmp_path / "release", {"unit": "<testsuite><testcase name='a'/></testsuite>"}))
    assert code == 0
    assert "FAILED" not in said
    assert said.endswith("\n1 passed, 0 failed\n")
