"""The figures of a run, from the clients' journal and what the stage saw of its nodes."""

from __future__ import annotations

from collections.abc import Sequence

from support.figures import Figure, busiest_second, percentile
from support.load_journal import Journal

from .scraper import Sample
from .settings import (
    AWAY_P99_LIMIT_S,
    FEW_CLOSES,
    Settings,
)
from .stage import Drained

COMING_BACK = "1012"


def delivery_figures(journal: Journal, faults: list[str]) -> list[Figure]:
    """What must hold whatever was done to the cluster."""
    published, acknowledged = len(journal.published), len(journal.acknowledged)
    latencies = [when - journal.published[id_] for id_, when in journal.acknowledged.items()]
    return [
        Figure("lost, doubled or reordered", len(faults), 0),
        Figure("told of a loss (not recovered)", journal.told_of_a_loss(), 0),
        Figure("publications", published),
        Figure("of them never acknowledged", published - acknowledged),
        Figure("publishes answered with an error", sum(journal.publish_errors.values())),
        Figure("deliveries", journal.deliveries()),
        Figure("publish to acknowledgement, p50", percentile(latencies, 0.5), unit="s"),
        Figure("publish to acknowledgement, p99", percentile(latencies, 0.99), unit="s"),
    ]


def away_figures(journal: Journal, began: float, ended: float, label: str) -> list[Figure]:
    """The time without a connection, of those that lost theirs in this part of the run."""
    away = [o.away_s for o in journal.outages if began <= o.lost_s < ended]
    other_codes = sum(
        o.code != COMING_BACK for o in journal.outages if began <= o.lost_s < ended
    )
    failed = sum(began <= when < ended for when, _ in journal.failed_attempts)
    return [
        Figure(f"{label}: connections that were closed", len(away)),
        Figure(f"{label}: of them with another code than 1012", other_codes, 0),
        Figure(f"{label}: p50 of the time without a connection", percentile(away, 0.5), unit="s"),
        Figure(
            f"{label}: p99 of the time without a connection",
            percentile(away, 0.99),
            AWAY_P99_LIMIT_S,
            "s",
        ),
        Figure(f"{label}: longest", max(away, default=None), unit="s"),
        Figure(f"{label}: attempts to connect that failed", failed),
    ]


def counted_share(samples: Sequence[Sample], drained: Drained) -> float | None:
    """Percent of its closes that a node counted in one second, as /metrics told it."""
    line = [s for s in samples if drained.began - 2 <= s.when <= drained.ended]
    rates = [
        (b.drain_closes - a.drain_closes) / (b.when - a.when)
        for a, b in zip(line, line[1:], strict=False)
        if b.when - a.when > 0.5
    ]
    return 100 * max(rates) / drained.had if rates and drained.had else None


def drain_figures(
    journal: Journal,
    samples: Sequence[Sample],
    drained: Drained,
    settings: Settings,
) -> list[Figure]:
    label = drained.label
    closes = [
        o.lost_s
        for o in journal.outages
        if o.node == drained.name and drained.began <= o.lost_s <= drained.ended + 1
    ]
    figures = [
        Figure(f"{label}: exit code", drained.code, 0),
        Figure(f"{label}: SIGTERM to exit", drained.took_s, settings.exit_limit_s, "s"),
        Figure(f"{label}: SIGTERM to HAProxy's notice", drained.noticed_s, settings.grace_s, "s"),
        Figure(f"{label}: connections it had", drained.had),
    ]
    if len(closes) >= FEW_CLOSES:
        share = 100 * busiest_second(closes) / len(closes)
        figures.append(
            Figure(f"{label}: of its closes in one second", share, settings.closes_limit, "%")
        )
        counted = counted_share(samples, drained)
        figures.append(
            Figure(f"{label}: the same by /metrics", counted, settings.closes_limit, "%")
        )
        figures.append(
            Figure(f"{label}: first to last close", max(closes) - min(closes), unit="s")
        )
    return figures
