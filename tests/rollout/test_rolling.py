"""The short form of `./dev rollout`: the same run with fewer clients and a shorter drain."""

from __future__ import annotations

from pathlib import Path

import pytest
from rollout.plot import time_chart
from rollout.rolling import Outcome, roll_and_scale
from rollout.settings import Settings
from rollout.wedge import wedge
from support.figures import table

SHORT = Settings(
    rooms=40, members=15, rate=200, grace_s=1.5, period_s=17.0, rebalance_s=0, pause_s=0.5
)


def judge(outcome: Outcome) -> None:
    print(table(outcome.figures))
    missed = [figure.words() for figure in outcome.figures if not figure.holds]
    assert not missed, f"{missed}\n{outcome.faults[:5]}"


@pytest.mark.timeout(150)
def test_three_nodes_to_two_and_back_to_four_cost_no_client_a_publication(tmp_path: Path) -> None:
    # What scaling does to a node is what a restart does, and more.
    outcome = roll_and_scale(tmp_path, SHORT, print, restarts=0)
    judge(outcome)
    named = {figure.what: figure.value for figure in outcome.figures}
    assert named["scaling: connections that were closed"] == SHORT.clients / 3
    acknowledged = named["publications"] - named["of them never acknowledged"]
    assert named["deliveries"] == SHORT.members * acknowledged
    chart = time_chart("t", "s", outcome.samples, outcome.marks)
    assert chart.count('<path class="line') >= 2 * 3  # two panels, three nodes or more


@pytest.mark.timeout(90)
def test_a_wedged_node_gets_no_new_client_until_it_is_mended(tmp_path: Path) -> None:
    judge(wedge(tmp_path, SHORT, print))
