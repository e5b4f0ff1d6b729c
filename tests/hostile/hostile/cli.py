"""The command `./dev hostile`."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from support.crowd import allow_many_files
from support.figures import table
from support.needs import missing

from .attacks import ATTACKS
from .bench import run
from .settings import Settings


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    short = Settings()
    parser = argparse.ArgumentParser(
        prog="./dev hostile",
        description="Attacks a node with honest members, in the ways that are named or in all of "
        "them, and judges what those members notice. The control is the same attack on a second "
        "node. Exit code 1 when a figure is missed. CANANG_BIN names another server.",
        epilog="attacks: " + ", ".join(ATTACKS),
    )
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help="which (all)")
    parser.add_argument("--windows", type=int, default=5, help="of each kind (5)")
    parser.add_argument("--window", type=float, default=5.0, help="seconds of one (5)")
    parser.add_argument("--rate", type=int, default=short.rate, help=f"({short.rate})")
    parser.add_argument("--rooms", type=int, default=short.rooms, help=f"({short.rooms})")
    parser.add_argument(
        "--memory-limit", type=int, default=short.memory_limit_mib, help="of the nodes, MiB (256)"
    )
    parser.add_argument("--workers", type=int, default=short.workers, help="of the nodes (2)")
    options = parser.parse_args(arguments)
    for name in options.attacks:
        if name not in ATTACKS:
            parser.error(f"no attack '{name}': there is {', '.join(ATTACKS)}")
    return options


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    if problem := missing("./dev hostile", ("prlimit", "redis-server")):
        print(f"hostile: {problem}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_many_files()
    settings = replace(
        Settings(),
        windows=options.windows,
        window_s=options.window,
        rate=options.rate,
        rooms=options.rooms,
        memory_limit_mib=options.memory_limit,
        workers=options.workers,
    )
    directory = Path(tempfile.mkdtemp(prefix="canang-hostile-"))
    try:
        return _run_all(directory, settings, options.attacks or list(ATTACKS))
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run_all(directory: Path, settings: Settings, names: list[str]) -> int:
    missed: list[str] = []
    for name in names:
        attack = ATTACKS[name]
        print(f"\n{name}: {attack.what}\n", flush=True)
        try:
            outcome = run(directory / name, settings, attack, _tell)
        except AssertionError as error:
            print(f"hostile: {error}", file=sys.stderr)
            missed.append(f"{name}: could not be measured")
            continue
        print(table(outcome.figures), flush=True)
        for fault in outcome.faults[:5]:
            print(fault)
        missed += [f"{name}: {figure.what}" for figure in outcome.missed]
    print("\n" + ("\n".join(["missed:", *missed]) if missed else "every figure holds"))
    return 1 if missed else 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
