"""The judge itself: each kind of fault, planted in a journal that is right otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rollout import judge
from rollout.scraper import Sample
from rollout.settings import Settings
from rollout.stage import Drained
from support.figures import Figure, busiest_second, percentile
from support.load_journal import Journal, read_journal

# Two members of a room; member 1 is away while 0:1 comes, and gets it when it is back.
GOOD = """\
# rooms 1 members 2
1000000 c 0
1000000 c 1
1001000 u 0 node1
1001000 u 1 node2
1002000 j 0 e 0 0
1002000 j 1 e 0 0
2000000 s 0 0:0
2001000 p 0 e 1 0:0
2001000 p 1 e 1 0:0
3000000 x 1 1012
3100000 s 0 0:1
3101000 p 0 e 2 0:1
3500000 c 1
3501000 u 1 node1
3502000 j 1 e 1 1
3502000 p 1 e 2 0:1
4000000 s 1 1:0
4001000 p 0 e 3 1:0
4001000 p 1 e 3 1:0
# end
"""


@pytest.fixture
def judged(tmp_path: Path) -> Callable[[str], Journal]:
    def read(text: str) -> Journal:
        path = tmp_path / "journal"
        path.write_text(text)
        return read_journal(path)

    return read


def test_finds_nothing_in_a_journal_that_is_right(judged) -> None:
    journal = judged(GOOD)
    assert journal.faults() == []
    assert journal.told_of_a_loss() == 0
    assert journal.deliveries() == 6
    assert set(journal.acknowledged) == set(journal.published) == {"0:0", "0:1", "1:0"}
    (outage,) = journal.outages
    assert (outage.node, outage.code, outage.recovered) == ("node2", "1012", True)
    assert outage.away_s == pytest.approx(0.502)


@pytest.mark.parametrize(
    ("was", "becomes", "word"),
    [
        ("3502000 p 1 e 2 0:1\n", "", "was at"),
        ("4001000 p 0 e 3 1:0\n", "", "lacks 1 acknowledged"),
        ("4001000 p 1 e 3 1:0\n", "", "lacks 1 acknowledged"),
        ("2001000 p 1 e 1 0:0\n", "2001000 p 1 e 1 0:0\n" * 2, "second time"),
        ("p 0 e 2 0:1\n", "p 0 e 3 0:1\n", "was at"),
        ("j 1 e 1 1\n", "j 1 e 2 1\n", "recovered to"),
        ("p 1 e 2 0:1\n", "p 1 e 2 9:9\n", "'9:9' here"),
        ("# end\n", "", "cut short"),
    ],
    ids="gap last own-last double reordered falsely-recovered other cut-short".split(),
)
def test_finds_a_planted_fault(judged, was: str, becomes: str, word: str) -> None:
    assert was in GOOD
    faults = judged(GOOD.replace(was, becomes, 1)).faults()
    assert any(word in fault for fault in faults), faults


def test_who_was_told_of_a_loss_is_no_fault_but_counted(judged) -> None:
    told = GOOD.replace("j 1 e 1 1\n3502000 p 1 e 2 0:1\n", "j 1 e 2 0\n")
    journal = judged(told)
    assert journal.faults() == []
    assert journal.told_of_a_loss() == 1


def test_what_only_others_got_of_a_publisher_is_not_acknowledged(judged) -> None:
    journal = judged(GOOD.replace("4001000 p 1 e 3 1:0\n", ""))
    assert set(journal.acknowledged) == {"0:0", "0:1"}


def test_who_never_comes_back_is_away_for_ever(judged) -> None:
    gone = "".join(line for line in GOOD.splitlines(True) if not line.startswith("35"))
    (outage,) = judged(gone.replace("4001000 p 1 e 3 1:0\n", "")).outages
    assert outage.away_s == float("inf")


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    assert busiest_second([]) == 0
    assert busiest_second([0.0, 0.9, 1.1, 1.2, 1.85, 3.0]) == 4
    assert busiest_second([0.0, 1.0, 2.0]) == 1


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.99) is None
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 0.5) == 50.0
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([1.0] * 98 + [5.0] * 2, 0.99) == 5.0


@pytest.mark.parametrize(("seconds", "holds"), [(20.0, True), (5.0, False)])
def test_closes_that_come_too_fast_are_a_missed_figure(judged, seconds: float, holds: bool) -> None:
    def member(number: int) -> str:
        closed = int(1e7 + number * seconds * 1e6 / 200)
        return f"1 u {number} n\n2 j {number} e 0 0\n{closed} x {number} 1012\n"

    journal = judged("# rooms 1 members 200\n" + "".join(member(n) for n in range(200)) + "# end\n")
    drained = Drained("n", "drained", 200, 9.0, 0.5, 30.0, 0)
    counted = [Sample(10 + s, 0, 0, min(200.0, 200 * s / seconds), 0) for s in range(21)]
    figures = judge.drain_figures(journal, counted, drained, Settings())
    shares = [f for f in figures if "in one second" in f.what or "by /metrics" in f.what]
    assert [share.holds for share in shares] == [holds, holds]


def test_a_figure_that_could_not_be_measured_is_missed() -> None:
    assert not Figure("x", None, 1).holds
    assert Figure("x", None).holds
    assert Figure("x", 1, 1).holds and not Figure("x", 1.1, 1).holds
    assert Figure("x", 1, 1, at_least=True).holds and not Figure("x", 0, 1, at_least=True).holds
