"""The figures of an attack, from the honest clients' journal and what was seen of the nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from support.figures import Figure
from support.load_journal import Journal

from .attacks import Attack
from .latency import NEVER, Latencies
from .settings import (
    LOG_LIMIT_MIB,
    MEMORY_SLACK_MIB,
    MIB,
    NEWCOMER_LIMIT_S,
    OFFERED_SHARE,
    P99_FLOOR_S,
    P99_RATIO,
    PROBE_LIMIT_S,
    RECOVERY_LIMIT_S,
    Settings,
)

if TYPE_CHECKING:
    from .bench import Seen
    from .watch import Watch


def latency_figures(latencies: Sequence[Latencies], settings: Settings) -> list[Figure]:
    """Of the windows in the order calm, control, attacked, after."""
    calm, *middle, after = latencies
    control, attacked = middle[: settings.windows], middle[settings.windows :]
    compared, usual = _typical(control), calm.p99
    offered = OFFERED_SHARE * settings.rate * settings.window_s
    return [
        Figure("honest p99 before", usual, unit="s"),
        Figure("honest p99 of the control", compared, unit="s"),
        Figure("honest p99 under attack", _typical(attacked), _p99_limit(compared), "s"),
        Figure("honest p99 after", after.p99, _p99_limit(usual), "s"),
        Figure("fewest publications in a window under attack",
               min(window.publications for window in attacked), offered, at_least=True),
    ]  # fmt: skip


def _typical(windows: Sequence[Latencies]) -> float | None:
    """The median, which one pause of the machine does not move."""
    return median([NEVER if window.p99 is None else window.p99 for window in windows])


def _p99_limit(compared: float | None) -> float:
    return max(P99_FLOOR_S, P99_RATIO * (compared or 0))


def honest_figures(journal: Journal, faults: Sequence[str]) -> list[Figure]:
    codes = Counter(outage.code for outage in journal.outages)
    told = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
    return [
        Figure(f"honest members closed{f' ({told})' if told else ''}", len(journal.outages), 0),
        Figure("lost, doubled or reordered", len(faults), 0),
        Figure("told of a loss", journal.told_of_a_loss(), 0),
        Figure("publishes that failed", sum(journal.publish_errors.values()), 0),
        Figure("honest deliveries", journal.deliveries()),
    ]


def node_figures(seen: Seen, watch: Watch, settings: Settings, attack: Attack) -> list[Figure]:
    bound = settings.memory_bound / MIB
    admitted = [took for took in seen.newcomers_s if took is not None]
    slowest = max(admitted) if len(admitted) == len(seen.newcomers_s) else None
    recovered = "all normal again after" + (
        f" ({seen.not_recovered})" if seen.not_recovered else ""
    )
    return [
        Figure("resident memory before", seen.memory_before / MIB, unit="MiB"),
        Figure("most resident memory", watch.peak_bytes[0] / MIB, bound, "MiB"),
        Figure("the same of the second node", watch.peak_bytes[1] / MIB, bound, "MiB"),
        Figure("resident memory after", seen.memory_after / MIB,
               memory_bound_after(seen, settings, attack) / MIB, "MiB"),
        Figure("slowest answer of /healthz", watch.slowest_probe_s, PROBE_LIMIT_S, "s"),
        Figure(f"of {watch.probes} not answered with 200", len(watch.failed_probes), 0),
        Figure("newcomer let in during the attack within", slowest,
               NEWCOMER_LIMIT_S if attack.admits else None, "s"),
        Figure(recovered, seen.recovered_s, RECOVERY_LIMIT_S, "s"),
        Figure("longest turn, at most", seen.longest_turn_s, unit="s"),
        Figure("log of the node", seen.log_bytes / MIB, LOG_LIMIT_MIB, "MiB"),
        Figure("nodes that did not end with exit code 0",
               sum(code != 0 for code in seen.exit_codes), 0),
    ]  # fmt: skip


def memory_bound_after(seen: Seen, settings: Settings, attack: Attack) -> float:
    """Histories that the attackers published live for --history-ttl, within their budget."""
    kept = settings.memory_limit_mib / 4 if attack.keeps_history else 0
    return seen.memory_before + (MEMORY_SLACK_MIB + kept) * MIB


def attack_figures(seen: Seen, settings: Settings, attack: Attack) -> list[Figure]:
    """That it took place at all; and how honest bystanders of it fared, where it has some."""
    seconds = settings.windows * settings.window_s
    figures = [
        Figure(f"attackers: {what}", seen.tally[what], least * seconds, at_least=True)
        for what, least in attack.shows.items()
    ]
    if "bystanders" in attack.programs:
        figures += [
            Figure("honest bystanders", seen.tally["bystanders"], 1, at_least=True),
            Figure("honest bystanders closed", seen.tally["bystanders closed"], 0),
        ]
    judged = {*attack.shows, "bystanders", "bystanders closed"}
    told = [what for what in sorted(seen.tally) if what not in judged]
    return figures + [
        Figure(f"attackers: {what}", seen.tally[what], unit=_beside(seen.control_tally[what]))
        for what in told
    ]


def _beside(control: int) -> str:
    return f"(control: {control:,})"
