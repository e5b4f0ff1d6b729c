"""Sums what the test runners reported: sum_reports.py DIRECTORY...

Each directory has parts.tsv (name, seconds, exit code of the runner) and JUnit XML by the names
PART.xml or PART-*.xml. Prints a table, then what failed with the end of what it said, and closes with
"N passed, N failed". Exits with 1 when a test failed, when a runner did, or when a part ran no test.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

STEPS_WITHOUT_TESTS = {"build"}

# What is printed of failures: of the first ones, an equal share of the lines for each of them.
MAX_FAILURES = 100
MAX_LINES = 200
MAX_LINES_EACH = 40
MAX_COLUMNS = 200

# What GoogleTest prints around the tests, and codes for colours.
FRAME = re.compile(
    r"\[(=+|-+| *(RUN|OK|PASSED|FAILED|SKIPPED) *)\]|Running main\(\)|Note: Google Test filter|\s*\d+ FAILED TESTS?$"
)
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@dataclass
class Failure:
    where: str
    lines: list[str]


def lines_of(case: ElementTree.Element) -> list[str]:
    """What a failed test said: pytest and node say it in the failure, CTest as the test's output."""
    texts = []
    for kind in ("failure", "error"):
        for element in case.findall(kind):
            text = element.text or ""
            message = element.get("message") or ""
            texts += [text] if message in text else [message, text]
    texts += [case.findtext("system-out") or "", case.findtext("system-err") or ""]
    lines = COLOUR.sub("", "\n".join(texts)).splitlines()
    return [line.rstrip()[:MAX_COLUMNS] for line in lines if line.strip() and not FRAME.match(line)]


def name_of(case: ElementTree.Element) -> str:
    """CTest and node give no more than the name, in whatever attribute. How long a long one took: CTest does not tell
    that it ended one for that."""
    name, of = case.get("name") or "", case.get("classname") or ""
    seconds = float(case.get("time") or 0)
    return (name if of in ("", "test", name) else f"{of}.{name}") + (f" ({seconds:.0f} s)" if seconds >= 1 else "")


@dataclass
class Part:
    name: str
    seconds: int
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    remarks: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def add_report(self, path: Path) -> None:
        try:
            cases = list(ElementTree.parse(path).iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            self.fail(f"{path.name} is not readable: {error}")
            return
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
                self.failures.append(Failure(f"{self.name}: {name_of(case)}", lines_of(case)))
            elif case.find("skipped") is not None:
                self.skipped += 1
            else:
                self.passed += 1

    def judge(self, exit_code: int) -> None:
        """What no report says: a runner that broke down, and one that had nothing to run."""
        if self.passed + self.failed == 0:
            self.fail("ran no test")
        if exit_code != 0 and self.failed == 0:
            self.fail(f"the runner ended with {exit_code}")

    def fail(self, remark: str) -> None:
        self.failed += 1
        self.remarks.append(remark)
        self.failures.append(Failure(f"{self.name}: {remark}", []))


def read_parts(directory: Path) -> list[Part]:
    listing = directory / "parts.tsv"
    if not listing.exists():
        part = Part("build", 0)
        part.fail("no part was run")
        return [part]
    parts = []
    for line in listing.read_text().splitlines():
        name, seconds, exit_code = line.split("\t")
        part = Part(name, int(seconds))
        if name not in STEPS_WITHOUT_TESTS:
            for path in sorted([*directory.glob(f"{name}.xml"), *directory.glob(f"{name}-*.xml")]):
                part.add_report(path)
            part.judge(int(exit_code))
        parts.append(part)
    return parts


def print_table(directory: Path, parts: list[Part]) -> None:
    print(f"\n{directory.name:<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>9}")
    for part in parts:
        counts = f"{part.passed:>8}{part.failed:>8}{part.skipped:>9}"
        if part.name in STEPS_WITHOUT_TESTS:
            counts = f"{'':>25}"
        line = f"{part.name:<14}{counts}{part.seconds:>7} s"
        print("  ".join([line, *part.remarks]))


def print_failures(failures: list[tuple[str, Failure]]) -> None:
    told = failures[:MAX_FAILURES]
    share = min(MAX_LINES_EACH, MAX_LINES // max(1, len(told)))
    for directory, failure in told:
        print(f"\nFAILED {directory} {failure.where}"[: MAX_COLUMNS + 1])
        for line in failure.lines[-share:]:
            print(f"  {line}")
    if len(failures) > len(told):
        print(f"\n... and {len(failures) - len(told)} more")


def main(directories: list[str]) -> int:
    parts = []
    failures = []
    for directory in map(Path, directories):
        of_directory = read_parts(directory)
        print_table(directory, of_directory)
        parts += of_directory
        failures += [(directory.name, failure) for part in of_directory for failure in part.failures]
    print_failures(failures)
    passed = sum(part.passed for part in parts)
    failed = sum(part.failed for part in parts)
    skipped = sum(part.skipped for part in parts)
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
