"""What the clients of a run say about it, as figures."""

from __future__ import annotations

from rollout import judge
from support.figures import Figure, percentile
from support.load_journal import Journal, Outage

from .run import Run

REBALANCED = "1012"


def delivered(run: Run, journal: Journal) -> None:
    """Nothing is lost, doubled or reordered, and nobody was told of a loss."""
    faults = journal.faults()
    run.faults += faults
    run.take(judge.delivery_figures(journal, faults))


def closed_gently(run: Run, journal: Journal, began: float, ended: float) -> None:
    """Every close is 1012, and who was closed is back within the limit of a rollout."""
    run.take(judge.away_figures(journal, began, ended, "clients"))


def cut_off(run: Run, journal: Journal, since: float, limit_s: float) -> None:
    """The time from a failure until those whose connection it cost were in their rooms again.

    Not from the moment that they noticed: until then they heard nothing either.
    """
    lost = broken(journal, since)
    away = [outage.joined_s - since for outage in lost]
    noticed = [outage.lost_s - since for outage in lost]
    failed = sum(when >= since for when, _ in journal.failed_attempts)
    run.take(
        [
            Figure("clients cut off", len(lost), 1, at_least=True),
            Figure("until they noticed, p99", percentile(noticed, 0.99), unit="s"),
            Figure("until they were back, p50", percentile(away, 0.5), unit="s"),
            Figure("until they were back, p99", percentile(away, 0.99), limit_s, "s"),
            Figure("until they were back, longest", max(away, default=None), unit="s"),
            Figure("attempts to connect that failed", failed),
        ]
    )


def broken(journal: Journal, since: float) -> list[Outage]:
    """The first outage of each member after that moment; a close with 1012 is none."""
    first: dict[int, Outage] = {}
    for outage in journal.outages:
        if outage.lost_s >= since and outage.code != REBALANCED:
            first.setdefault(outage.member, outage)
    return list(first.values())
