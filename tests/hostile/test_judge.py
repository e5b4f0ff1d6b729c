"""The judge itself: what an attack must not do, planted in figures that are right otherwise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from hostile import judge
from hostile.attacks import ATTACKS, Attack
from hostile.bench import Seen
from hostile.latency import NEVER, Latencies, Window, latencies_of
from hostile.settings import MIB, P99_FLOOR_S, Settings
from support.figures import Figure
from support.load_journal import read_journal

# Two members of a room. The publication 0:1 is slow, and 0:2 never comes to member 1.
JOURNAL = """\
# rooms 1 members 2
1000000 c 0
1000000 c 1
1001000 u 0 -
1001000 u 1 -
1002000 j 0 e 0 0
1002000 j 1 e 0 0
2000000 s 0 0:0
2001000 p 0 e 1 0:0
2001000 p 1 e 1 0:0
3000000 s 0 0:1
3500000 p 0 e 2 0:1
3500000 p 1 e 2 0:1
4000000 s 0 0:2
4001000 p 0 e 3 0:2
# end
"""
SETTINGS = Settings(windows=1, window_s=1.0, rate=1)
ATTACK = Attack("a", "an attack", ("storm",), {"opened": 10})


def missed(figures: list[Figure]) -> list[str]:
    return [figure.what for figure in figures if not figure.holds]


def of(p99_s: float, publications: int = 100) -> Latencies:
    return Latencies(publications, [p99_s] * publications)


def test_latencies_count_from_the_publication_and_for_every_member(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(JOURNAL)
    windows = [Window(1.5, 2.5), Window(2.5, 3.5), Window(3.5, 4.5), Window(5.0, 6.0)]
    first, slow, lost, none = latencies_of(path, windows, 2)
    assert first.publications == 1
    assert [round(value, 3) for value in first.of_members] == [0.001, 0.001]
    assert [round(value, 3) for value in slow.of_members] == [0.5, 0.5]
    assert lost.p99 == NEVER
    assert (none.publications, none.p99) == (0, None)


def test_a_p99_of_more_than_twice_the_control_is_missed() -> None:
    def judged(control: float, attacked: float, after: float = 0.001) -> list[str]:
        windows = [of(0.001), of(control), of(attacked), of(after)]
        return missed(judge.latency_figures(windows, SETTINGS))

    assert judged(0.03, 0.059) == []
    assert judged(0.03, 0.061) == ["honest p99 under attack"]
    assert judged(0.001, P99_FLOOR_S) == [], "below the floor nothing is judged"
    assert judged(0.03, 0.03, after=0.061) == ["honest p99 after"]
    silent = judge.latency_figures([of(0.001), of(0.001), Latencies(0, []), of(0.001)], SETTINGS)
    assert "honest p99 under attack" in missed(silent)


def test_what_happens_to_an_honest_member_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    end = "4500000 x 1 1008\n4600000 e 0 unavailable\n# end\n"
    path.write_text(JOURNAL.replace("# end\n", end))
    figures = judge.honest_figures(read_journal(path), ["a fault"])
    assert missed(figures) == [
        "honest members closed (1 with 1008)",
        "lost, doubled or reordered",
        "publishes that failed",
    ]


def seen_well() -> Seen:
    return Seen(
        newcomers_s=[0.1], memory_before=30 * MIB, memory_after=40 * MIB, recovered_s=1.0,
        exit_codes=[0, 0], tally=Counter(opened=10),
    )  # fmt: skip


def watched(first_mib: int = 100, slowest_s: float = 0.1) -> SimpleNamespace:
    return SimpleNamespace(
        peak_bytes=[first_mib * MIB, 100 * MIB], slowest_probe_s=slowest_s, probes=9,
        failed_probes=[],
    )  # fmt: skip


def test_a_node_over_its_memory_or_out_of_reach_is_missed() -> None:
    def judged(seen: Seen, attack: Attack = ATTACK, **watch: float) -> list[str]:
        return missed(judge.node_figures(seen, watched(**watch), SETTINGS, attack))

    well = seen_well()
    assert judged(well) == []
    assert judged(well, first_mib=282) == ["most resident memory"]
    assert judged(well, slowest_s=2.1) == ["slowest answer of /healthz"]
    shut = replace(well, newcomers_s=[0.1, None])
    assert judged(shut) == ["newcomer let in during the attack within"]
    assert judged(shut, replace(ATTACK, admits=False)) == []
    fat = replace(well, memory_after=63 * MIB)
    assert judged(fat) == ["resident memory after"]
    assert judged(fat, replace(ATTACK, keeps_history=True)) == []
    ill = replace(well, recovered_s=None, not_recovered="a newcomer is not let in")
    assert judged(ill) == ["all normal again after (a newcomer is not let in)"]
    assert judged(replace(well, log_bytes=2 * MIB)) == ["log of the node"]
    crashed = replace(well, exit_codes=[0, -11])
    assert judged(crashed) == ["nodes that did not end with exit code 0"]


def test_an_attack_that_did_not_take_place_is_missed() -> None:
    assert missed(judge.attack_figures(seen_well(), SETTINGS, ATTACK)) == []
    idle = replace(seen_well(), tally=Counter(opened=9))
    assert missed(judge.attack_figures(idle, SETTINGS, ATTACK)) == ["attackers: opened"]
    flood = ATTACKS["flood"]
    hurt = Counter({"bytes": 10**9, "bystanders": 20, "bystanders closed": 1})
    figures = judge.attack_figures(replace(seen_well(), tally=hurt), SETTINGS, flood)
    assert missed(figures) == ["honest bystanders closed"]
