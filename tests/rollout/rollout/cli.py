"""The command `./dev rollout`."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from support.canang_process import REPOSITORY
from support.crowd import allow_many_files
from support.figures import table
from support.needs import missing

from . import report
from .crowd import crowd
from .rolling import Outcome, roll_and_scale
from .settings import Settings
from .wedge import wedge

DOCS = REPOSITORY / "docs" / "rollout"
TRIAL = REPOSITORY / "build" / "rollout"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    full = Settings()
    parser = argparse.ArgumentParser(
        prog="./dev rollout",
        description="Rolls, shrinks and grows a cluster behind HAProxy, under load from clients "
        "that resume, and judges what each of them got. Exit code 1 when a figure is missed. "
        "Without options it writes docs/rollout; with any of those that change the load, "
        "build/rollout.",
    )
    parser.add_argument("--rooms", type=int, default=full.rooms, help=f"({full.rooms})")
    parser.add_argument("--members", type=int, default=full.members, help=f"({full.members})")
    parser.add_argument("--rate", type=int, default=full.rate, help=f"publications/s ({full.rate})")
    parser.add_argument(
        "--crowd",
        type=int,
        default=full.crowd,
        help=f"connections of a crowded node ({full.crowd})",
    )
    parser.add_argument("--grace", type=float, default=full.grace_s, help="seconds of drain grace")
    parser.add_argument("--period", type=float, default=full.period_s, help="of drain period")
    parser.add_argument(
        "--rebalance",
        type=float,
        default=full.rebalance_s,
        help="seconds of --rebalance-after; 0: nodes keep what they have",
    )
    parser.add_argument("--seed", type=int, default=full.seed, help="of the clients' waits (1)")
    parser.add_argument("--only", choices=list(report.TITLES), help="this part only")
    parser.add_argument("--keep", action="store_true", help="keep logs and journals, say where")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the report goes")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    if problem := missing("./dev rollout", ("redis-server", "haproxy")):
        print(f"rollout: {problem}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_many_files()
    settings = replace(
        Settings(),
        rooms=options.rooms,
        members=options.members,
        rate=options.rate,
        crowd=options.crowd,
        grace_s=options.grace,
        period_s=options.period,
        rebalance_s=options.rebalance,
        seed=options.seed,
    )
    directory = Path(tempfile.mkdtemp(prefix="canang-rollout-"))
    try:
        outcomes = _run(directory, settings, options.only)
    except AssertionError as error:
        print(f"rollout: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep:
            print(f"logs and journals are in {directory}")
        else:
            shutil.rmtree(directory)
    is_full = settings == replace(Settings(), seed=options.seed) and not options.only
    out = options.out or (DOCS if is_full else TRIAL)
    report.write(out, outcomes, settings)
    return _tell(outcomes, out)


def _run(directory: Path, settings: Settings, only: str | None) -> dict[str, Outcome]:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    many = replace(settings, rooms=settings.crowd // settings.members, ramp_up=1500)
    parts = {
        "roll": lambda at: roll_and_scale(at, settings, tell),
        "wedge": lambda at: wedge(at, settings, tell),
        "crowd": lambda at: crowd(at, many, tell),
    }
    outcomes = {}
    for name, play in parts.items():
        if only in (None, name):
            tell(report.TITLES[name])
            outcomes[name] = play(directory / name)
    return outcomes


def _tell(outcomes: dict[str, Outcome], out: Path) -> int:
    missed = 0
    for name, outcome in outcomes.items():
        print(f"\n{report.TITLES[name]}\n\n{table(outcome.figures)}")
        for fault in outcome.faults[:20]:
            print(f"fault: {fault}")
        missed += sum(not figure.holds for figure in outcome.figures)
    print(f"\n{missed} figures are missed" if missed else "\nevery figure holds")
    print(f"report and plots: {out}")
    return 1 if missed else 0
