"""From single runs to medians, and to ratios of pairs that ran one after the other."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

# Figures that become a row: their unit, and whether more is better.
METRICS = {
    "deliveries_per_s": True,
    "p99_ms": False,
    "p50_ms": False,
    "p99_times": False,
    "bytes_a_connection": False,
    "connects_per_s": True,
    "publish_calls_a_message": False,
    "own_publish_calls_a_message": False,
}
MEDIANS = ("load_cpu", "server_cpu", "offered_per_s")
MEDIANS += ("publishing_cpu", "delivering_cpu", "redis_cpu")  # of a cluster


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
        "n": len(values),
    }


def ratios(ours: dict[int, float], theirs: dict[int, float]) -> dict[str, float] | None:
    """Ours over theirs, round by round."""
    pairs = [ours[r] / theirs[r] for r in ours if r in theirs and theirs[r]]
    return spread(pairs) if pairs else None


def summarize(runs: list[dict[str, Any]], base: str) -> list[dict[str, Any]]:
    """One entry a case and peer, in the order of the runs. `base` is who is compared with all."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["case"], run["peer"]), []).append(run)
    entries = []
    for (case, peer), found in groups.items():
        good = [run for run in found if "error" not in run]
        flags = Counter(flag for run in good for flag in run["figures"]["flags"])
        entry: dict[str, Any] = {
            "scenario": found[0]["scenario"],
            "case": case,
            "label": found[0]["label"],
            "peer": peer,
            "runs": len(good),
            "flags": sorted(flag for flag, n in flags.items() if n * 2 >= len(good)),
            "faults": sorted({f for run in good for f in run["figures"].get("faults", [])}),
            "errors": sorted({run["error"] for run in found if "error" in run}),
            "metrics": {},
            "ratio": {},
        }
        entry["delivered"] = median([run["figures"].get("delivered", 1.0) for run in good] or [0])
        for name in MEDIANS:
            values = [run["figures"][name] for run in good if name in run["figures"]]
            if values:
                entry[name] = round(median(values), 3)
        reference = base if found[0]["scenario"] != "workers" else f"{base}-1"
        for name in METRICS:
            values = by_round(found, name)
            if not values:
                continue
            entry["metrics"][name] = spread(list(values.values()))
            ours = by_round(groups.get((case, reference), []), name)
            if found[0]["scenario"] == "workers":
                ratio = ratios(values, ours)
            else:
                ratio = ratios(ours, values) if peer != base else None
            if ratio:
                entry["ratio"][name] = ratio
        entries.append(entry)
    return entries


def by_round(runs: list[dict[str, Any]], name: str) -> dict[int, float]:
    return {
        run["round"]: run["figures"][name]
        for run in runs
        if "error" not in run and run["figures"].get(name) is not None
    }


def ceilings(runs: list[dict[str, Any]], dialect: str = "") -> dict[str, float]:
    """The most deliveries a second of each server with 1,000 members at 64 B, in one dialect."""
    best: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        is_one = run["scenario"] == "throughput" and run["size"] == 64
        if is_one and run.get("dialect", "") == dialect and "error" not in run:
            values = best.setdefault(run["peer"], {}).setdefault(run["case"], [])
            values.append(run["figures"]["deliveries_per_s"])
    return {peer: max(median(v) for v in cases.values()) for peer, cases in best.items()}
