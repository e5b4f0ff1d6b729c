"""What goes wrong around a drain, with clients that resume behind HAProxy."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rollout.crowd import crowd
from rollout.settings import EXIT_MARGIN_S, Settings
from rollout.stage import Stage
from support.canang_process import CanangProcess
from support.figures import table
from support.load_clients import Clients
from support.load_journal import Journal
from support.waiting import wait_until

FEW = Settings(rooms=20, members=15, rate=100, grace_s=1.0, period_s=4.0, rebalance_s=0)
PRESENCE_LIMIT_S = 15.0
DRAIN_CLOSES = re.compile(r'^canang_closes_total\{code="1012",reason="drain"\} (\d+)', re.M)


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Two nodes, ready; `request.param` are the settings, when they are not FEW."""
    with Stage(tmp_path, getattr(request, "param", FEW), ["node1", "node2"]) as made:
        made.start("node1", "node2")
        yield made


@pytest.fixture
def clients(stage: Stage) -> Clients:
    started = stage.start_clients()
    started.wait_connected()
    return started


def scrape(stage: Stage, name: str) -> str:
    answer = stage.nodes[name].get_internal("/metrics")
    assert answer.status == 200
    return answer.text


def drain_closes(text: str) -> int:
    found = DRAIN_CLOSES.search(text)
    return int(found[1]) if found else 0


def closing(stage: Stage, name: str) -> bool:
    return drain_closes(scrape(stage, name)) > 0


def faultless(clients: Clients) -> Journal:
    """Everybody is back in its room, and has everything."""
    journal = clients.finish()
    assert clients.process.returncode == 0, clients.tail()
    assert journal.faults() == []
    assert journal.told_of_a_loss() == 0
    assert len(journal.acknowledged) > 0
    return journal


def in_mid_drain(stage: Stage) -> CanangProcess:
    """node1, which has closed some of its connections, and has others."""
    node = stage.nodes["node1"]
    node.signal(signal.SIGTERM)
    wait_until(lambda: closing(stage, "node1"), "closes begin", FEW.grace_s + 2)
    assert node.metrics()["canang_connections"] > 0, "the drain is over already"
    return node


def test_a_second_sigterm_ends_it_at_once_and_clients_resume(stage, clients) -> None:
    node = in_mid_drain(stage)
    node.signal(signal.SIGTERM)
    assert node.wait_exit(1.5) in (-signal.SIGTERM, 128 + signal.SIGTERM)
    journal = faultless(clients)
    assert {o.node for o in journal.outages} == {"node1"}
    assert {"1012", "1006"} == {o.code for o in journal.outages}


def test_a_drain_while_redis_is_away_ends_in_time_and_nothing_is_lost(stage, clients) -> None:
    node = stage.nodes["node1"]
    stage.redis.pause()
    began = time.monotonic()
    node.signal(signal.SIGTERM)
    assert node.wait_exit(FEW.exit_limit_s + 10) == 0
    assert time.monotonic() - began <= FEW.exit_limit_s
    stage.redis.resume()
    journal = faultless(clients)
    assert sum(o.code == "1012" for o in journal.outages if o.node == "node1") == FEW.clients / 2


def test_a_kill_in_the_middle_of_a_drain_costs_nothing_but_a_resume(stage, clients) -> None:
    node = in_mid_drain(stage)
    node.signal(signal.SIGKILL)
    assert node.wait_exit(2) == -signal.SIGKILL
    survivor = stage.nodes["node2"]

    def present() -> int:
        answer = json.loads(survivor.get_internal("/rooms/load-0/presence").text)
        return len(answer["members"])

    survivor.wait_metric("canang_connections", FEW.clients, 10)  # now a ghost would be one more
    wait_until(lambda: present() == FEW.members, "no ghost is left", PRESENCE_LIMIT_S, 0.2)
    journal = faultless(clients)
    assert {o.node for o in journal.outages} == {"node1"}


@pytest.mark.parametrize("stage", [replace(FEW, period_s=0.0)], indirect=True)
def test_a_drain_period_of_0_ends_it_after_the_grace_and_clients_resume(stage, clients) -> None:
    drained = stage.drain("node1")
    assert drained.code == 0
    assert FEW.grace_s <= drained.took_s <= FEW.grace_s + EXIT_MARGIN_S
    journal = faultless(clients)
    assert len(journal.outages) == FEW.clients / 2


def test_every_scrape_during_a_drain_is_answered(stage, clients) -> None:
    node = stage.nodes["node1"]
    node.signal(signal.SIGTERM)
    closes, slowest_s, unready = [], 0.0, []
    while node.running:
        began = time.monotonic()
        try:
            text, ready = scrape(stage, "node1"), node.get_internal("/readyz")
        except OSError:
            wait_until(lambda: not node.running, "refused only at the end", 1)
            break
        slowest_s = max(slowest_s, time.monotonic() - began)
        closes.append(drain_closes(text))
        unready.append(ready.status == 503 and json.loads(ready.text)["reason"] == "draining")
        time.sleep(0.05)  # the pace of the scrapes
    assert node.wait_exit(1) == 0
    assert len(closes) > 20 and closes == sorted(closes)
    assert 0 in closes and any(0 < count < FEW.clients / 2 for count in closes), closes
    assert all(unready)
    assert slowest_s < 1.0
    faultless(clients)


@pytest.mark.timeout(90)
def test_a_crowd_of_which_some_never_read_is_drained_in_time(tmp_path: Path) -> None:
    settings = replace(FEW, rooms=100, members=20, ramp_up=1000, period_s=5.0)
    outcome = crowd(tmp_path, settings, print)
    print(table(outcome.figures))
    missed = [figure.words() for figure in outcome.figures if not figure.holds]
    assert not missed, missed


SILENCE_LIMIT_S = 2.0  # in every room something is said each 200 ms


def test_clients_give_up_a_node_that_hangs_and_resume_elsewhere(stage) -> None:
    # Once nobody publishes any more there is silence, so the end must come sooner.
    clients = stage.start_clients(silence_limit_s=SILENCE_LIMIT_S, quiet_s=0.5)
    clients.wait_connected()
    stage.nodes["node1"].signal(signal.SIGSTOP)
    hung = time.monotonic()
    stage.haproxy.wait_state("node1", up=False, timeout=10)
    stage.nodes["node2"].wait_metric("canang_connections", FEW.clients, 20)
    journal = faultless(clients)
    assert {(o.node, o.code) for o in journal.outages} == {("node1", "1006")}
    assert len(journal.outages) == FEW.clients / 2
    noticed = [o.lost_s - hung for o in journal.outages]
    assert SILENCE_LIMIT_S - 0.5 <= min(noticed) and max(noticed) <= SILENCE_LIMIT_S + 1.5
