"""The command: plays scenarios, writes what they measured, and makes the documentation of it."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback

from support.figures import table

from . import applying, charts, failures, policies, report, rolling, scaling  # noqa: F401
from .cluster import STATE, kubectl, machines
from .registry import SCENARIOS, Scenario, Skipped, in_order
from .run import RESULTS, Run


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="k8s/lab/scenarios",
        description="Plays scenarios on the cluster that is up, and judges what came of it. Exit "
        f"code 1 when a figure is missed. Figures go to {RESULTS}.",
    )
    parser.add_argument("scenario", nargs="*", help="by default all of them")
    parser.add_argument("--short", action="store_true", help="the quick ones: " + ", ".join(_short()))
    parser.add_argument("--list", action="store_true", help="which there are")
    parser.add_argument("--machines", action="store_true", help="print how many they need")
    parser.add_argument(
        "--report", action="store_true", help="make docs/kubernetes.md's table and plot of the results"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.scenario) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; --list has them")
    return options


def _short() -> list[str]:
    return [scenario.name for scenario in in_order() if scenario.is_short]


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    names = options.scenario or (_short() if options.short else list(SCENARIOS))
    chosen = [scenario for scenario in in_order() if scenario.name in names]
    if options.list:
        for scenario in in_order():
            print(f"{scenario.name:11} {scenario.title}{' (short)' if scenario.is_short else ''}")
        return 0
    if options.machines:
        print(max(scenario.machines for scenario in chosen))
        return 0
    if options.report:
        report.write()
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return 1 if any([not _play(scenario) for scenario in chosen]) else 0


def _play(scenario: Scenario) -> bool:
    """Whether every figure holds."""
    print(f"\n== {scenario.name}: {scenario.title}", flush=True)
    began = time.monotonic()
    there = machines()
    if len(there) < scenario.machines:
        print(f"skipped: needs {scenario.machines} machines, and {len(there)} are ready")
        return True
    run = Run(scenario, there)
    try:
        scenario.play(run)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return True
    except Exception as error:  # whatever it is, the next scenario is played
        traceback.print_exc()
        run.equal(f"played to its end ({error})"[:200], 0, 1)
        _keep_state(scenario)
    run.write()
    print(table(run.figures))
    for fault in run.faults[:10]:
        print(f"fault: {fault}")
    verdict = f"{len(run.missed)} figures are missed" if run.missed else "every figure holds"
    print(f"== {scenario.name}: {verdict}, {time.monotonic() - began:.0f} s", flush=True)
    return not run.missed


def _keep_state(scenario: Scenario) -> None:
    """What the cluster looked like when it went wrong."""
    parts = [
        kubectl(*words, fails=True).out
        for words in (
            ("get", "nodes,pods", "-A", "-o", "wide"),
            ("get", "events", "-A", "--sort-by=.lastTimestamp"),
            ("describe", "pods", "-n", "canang"),
        )
    ]
    path = STATE / "results" / f"{scenario.name}.failed.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))
    print(f"what there was then: {path}", file=sys.stderr)
