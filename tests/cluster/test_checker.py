"""The judge itself: each kind of fault, planted in logs that are right otherwise."""

from __future__ import annotations

import pytest
from support.checker import Got, Joined, Log, faults_of


def run(first: int, count: int, epoch: str = "e") -> list[Joined | Got]:
    return [Got(epoch, first + i, f"m{first + i}") for i in range(count)]


def good() -> dict[str, list[Joined | Got]]:
    return {
        "a": [Joined("e", 0, False), *run(1, 6)],
        "b": [Joined("e", 0, False), *run(1, 3), Joined("e", 3, True), *run(4, 3)],
        "late": [Joined("e", 4, False), *run(5, 2)],
    }


def test_finds_nothing_in_logs_that_are_right() -> None:
    logs = good()
    assert faults_of(logs) == []
    logs.pop("late")
    assert faults_of(logs, [f"m{i}" for i in range(1, 7)]) == []


@pytest.mark.parametrize(
    ("plant", "word"),
    [
        (lambda log: log.pop(2), "was at"),  # a gap
        (lambda log: log.insert(3, log[2]), "second time"),
        (lambda log: log.__setitem__(slice(2, 4), [log[3], log[2]]), "was at"),  # swapped
        (lambda log: log.__setitem__(2, Got("e", 2, "other")), "'other' to"),
        (lambda log: log.pop(0), "before it was told"),
        (lambda log: log.__setitem__(2, Got("f", 2, "m2")), "was at"),  # another epoch, untold
    ],
    ids=["gap", "double", "swapped", "other-content", "no-join", "other-epoch"],
)
@pytest.mark.parametrize("victim", ["a", "b"])
def test_finds_a_planted_fault(plant, word: str, victim: str) -> None:
    logs = good()
    plant(logs[victim])
    faults = faults_of(logs)
    assert any(word in fault for fault in faults), faults


def test_finds_a_client_that_is_falsely_called_recovered() -> None:
    # It had m4 and m5 of the old epoch, which ended at 3; the new one has other ones there.
    fork: Log = [Joined("e", 0, False), *run(1, 5), Joined("f", 5, True), Got("f", 6, "n6")]
    rest: Log = [Joined("f", 3, False), Got("f", 4, "n4"), Got("f", 5, "n5"), Got("f", 6, "n6")]
    assert faults_of({"saw": fork, "rest": rest}, ["n4", "n5", "n6"]) != []
    without_lineage: Log = [Joined("e", 0, False), *run(1, 5), Got("e", 6, "n6")]
    others: Log = [Joined("e", 3, False), Got("e", 4, "n4"), Got("e", 5, "n5"), Got("e", 6, "n6")]
    assert faults_of({"saw": without_lineage, "rest": others}) != []


def test_finds_a_recovery_to_another_place() -> None:
    log: Log = [Joined("e", 0, False), *run(1, 3), Joined("e", 4, True), *run(5, 1)]
    assert any("recovered to" in fault for fault in faults_of({"a": log}))


def test_finds_an_acknowledged_publication_that_is_missing() -> None:
    assert any("lacks 1" in fault for fault in faults_of({"a": good()["a"]}, ["m1", "lost"]))


def test_excuses_who_was_told_of_a_loss() -> None:
    told: Log = [Joined("e", 0, False), *run(1, 2), Joined("e", 4, False), *run(5, 2)]
    assert faults_of({"told": told}, ["m3"]) == []
