#!/usr/bin/env python3
"""Whether the sources include what they may.

No file includes itself over others (headers in a circle compile only by luck of the order), and no
folder sees one that stands above it. Prints each fault on a line; exit code 0: none, 1: some.

    scripts/check_includes.py [ROOT]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FOLDERS = ("base", "net", "cluster", "actors", "web", "app")

# What each folder may see beside itself; the longest name that fits counts.
MAY_SEE = {
    "base": set(),
    "net": {"base"},
    "cluster/redis": {"base"},
    "cluster": {"base"},
    "actors": {"base", "net", "cluster"},
    "web": set(),
    "app/admin": {"base", "net", "cluster", "actors"},
    "app": {"base", "net", "cluster", "actors", "web"},
}


def sources(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            yield path.relative_to(root)


def includes(root: Path) -> dict[str, list[str]]:
    """By file: the files of ours that it includes."""
    found: dict[str, list[str]] = {}
    for path in sources(root):
        named = INCLUDE.findall((root / path).read_text())
        found[str(path)] = [name for name in named if (root / name).is_file()]
    return found


def folder_of(path: str) -> str:
    fitting = [name for name in MAY_SEE if path.startswith(name + "/")]
    return max(fitting, key=len, default="")


def layer_faults(graph: dict[str, list[str]]) -> Iterator[str]:
    for path, named in graph.items():
        own = folder_of(path)
        for other in named:
            is_own = other.startswith(own + "/")
            if not is_own and not any(other.startswith(f"{name}/") for name in MAY_SEE[own]):
                yield f"{path}: {own} may not see {other}"


def cycles(graph: dict[str, list[str]]) -> Iterator[str]:
    """One line for each circle that a search from the first file on meets."""
    done: set[str] = set()
    for start in graph:
        way: list[str] = []
        yield from search(graph, start, way, done)


def search(graph: dict[str, list[str]], at: str, way: list[str], done: set[str]) -> Iterator[str]:
    if at in way:
        yield "in a circle: " + " -> ".join([*way[way.index(at) :], at])
        return
    if at in done:
        return
    way.append(at)
    for other in graph.get(at, []):
        yield from search(graph, other, way, done)
    way.pop()
    done.add(at)


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    graph = includes(root)
    if not graph:
        print(f"there are no sources in {root}")
        return 1
    faults = [*layer_faults(graph), *cycles(graph)]
    print("\n".join(faults or [f"includes: {len(graph)} files in order"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
