"""What k8s/lab/scenarios makes of what it sees, without a cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from manifests import REPOSITORY

TESTS = REPOSITORY / "tests"
sys.path[:0] = [
    *(str(REPOSITORY / "k8s" / "lab"), str(TESTS)),
    *(str(TESTS / "rollout"), str(REPOSITORY / "bench")),
]

from scenarios import applying, cli, judging, report, watch  # noqa: E402, F401
from scenarios.registry import ORDER, SCENARIOS, Scenario  # noqa: E402
from scenarios.run import Run  # noqa: E402
from support.load_journal import Journal, Outage  # noqa: E402


def pod(name: str = "a", ready: str = "True", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name} | metadata,
        "spec": {"nodeName": "node-1"},
        "status": {
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"restartCount": 0, "state": {"running": {}}}],
        },
    }


@pytest.fixture
def run() -> Run:
    return Run(Scenario("x", "X", lambda _: None, True, 2), ["node-1", "node-2"])


def test_a_pod_serves_while_it_is_ready_and_does_not_leave() -> None:
    assert watch.seen_of(0, "ADDED", pod()).serves
    assert not watch.seen_of(0, "MODIFIED", pod(ready="False")).serves
    assert not watch.seen_of(0, "MODIFIED", pod(deletionTimestamp="now")).serves
    assert not watch.seen_of(0, "DELETED", pod()).serves


def test_a_pod_that_the_kernel_killed_for_its_memory_is_noticed_after_its_restart() -> None:
    killed = pod()
    status = killed["status"]["containerStatuses"][0]
    assert not watch.seen_of(0, "MODIFIED", killed).oom_killed
    status["lastState"] = {"terminated": {"reason": "OOMKilled"}}
    assert watch.seen_of(0, "MODIFIED", killed).oom_killed


def test_the_fewest_that_served_are_counted_at_every_moment() -> None:
    watched = watch.Watch()
    told = [(1, "a", "True"), (1, "b", "True"), (5, "a", "False"), (6, "c", "True"), (7, "a", "True")]
    watched.history = [watch.seen_of(when, "MODIFIED", pod(name, r)) for when, name, r in told]
    assert watched.least_serving(since=2) == 1
    assert watched.least_serving(since=5.5) == 1  # b alone, until c came
    assert watched.least_serving(since=6.5) == 2
    assert watched.least_serving(since=9) == 3
    assert watched.first_unready("a", since=2) == 5
    assert watched.first_unready("b", since=2) == float("inf")


def test_away_counts_from_the_failure_and_not_from_its_notice(run: Run) -> None:
    noticed_late = Outage(1, "-", "1006", lost_s=115.0, joined_s=118.0, recovered=True)
    again = Outage(1, "-", "1006", lost_s=119.0, joined_s=150.0, recovered=True)
    rebalanced = Outage(2, "-", "1012", lost_s=116.0, joined_s=190.0, recovered=True)
    earlier = Outage(3, "-", "1006", lost_s=90.0, joined_s=91.0, recovered=True)
    journal = Journal(outages=[noticed_late, again, rebalanced, earlier])
    judging.cut_off(run, journal, since=100.0, limit_s=20.0)
    values = {figure.what: figure.value for figure in run.figures}
    assert values["clients cut off"] == 1
    assert values["until they noticed, p99"] == 15.0
    assert values["until they were back, p99"] == 18.0
    assert not run.missed


def test_nobody_cut_off_is_a_missed_figure_since_the_failure_hit_nobody(run: Run) -> None:
    judging.cut_off(run, Journal(), since=100.0, limit_s=20.0)
    assert {f.what for f in run.missed} == {"clients cut off", "until they were back, p99"}


@pytest.mark.parametrize(("value", "holds"), [(200, True), (199, False), (401, False)])
def test_what_has_to_be_equal_may_be_neither_more_nor_less(run: Run, value: int, holds: bool) -> None:
    run.equal("status", value, 200)
    assert run.figures[0].holds == holds


def test_never_is_a_missed_figure(run: Run) -> None:
    run.figure("until it came back", float("inf"), 30, "s")
    assert [f.value for f in run.missed] == [None]


def test_results_become_rows(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.run.RESULTS", tmp_path)
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    run.figure("warnings", 0, 0)
    run.figure("until ready", 12.34, 30, "s")
    run.write()
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert report.figures_of(lines) == run.figures
    rows = report._rows({"x": lines})
    assert rows[2].startswith("| **X** (`x`") and rows[2].endswith("| warnings | 0 | at most 0 | holds |")
    assert rows[3] == "|  | until ready | 12.3 s | at most 30 s | holds |"


def test_every_scenario_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(SCENARIOS)


def test_every_break_of_the_profile_is_one_change_to_a_pod_that_keeps_it() -> None:
    from scenarios import pods

    kept = pods.pod("breaker", "canang")
    for kind, change in applying.BREAKS.values():
        broken = applying._broken(kind, change)
        assert broken != kept and broken["metadata"] == kept["metadata"]
