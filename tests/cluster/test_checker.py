"""The judge itself: each kind of fault, planted in logs that are right otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.checker import KINDS, faults_of
from support.journal import Ended, Entry, Failed, Got, Joined, Opened, Sent

Logs = dict[str, list[Entry]]


def run(first: int, count: int, epoch: str = "e", text: str = "m") -> list[Entry]:
    return [Got(epoch, first + i, f"{text}{first + i}") for i in range(count)]


def good() -> Logs:
    """m1 to m6 by two senders, a client that comes back, one that came late, one without echo."""
    return {
        "writer": [
            Opened("n1"), Joined("e", 0, False), Sent("m1"), Sent("m2"), *run(1, 2), Sent("m4"),
            *run(3, 4), Sent("refused"), Failed("unavailable"),
        ],
        "back": [
            Opened("n1"), Joined("e", 0, False), *run(1, 2), Sent("m3"), Got("e", 3, "m3"),
            Ended(1006), Opened("n2", ("e", 3)), Joined("e", 3, True), *run(4, 3),
        ],
        "late": [Opened("n2"), Joined("e", 3, False), *run(4, 3)],
        "mute": [
            Opened("n2", echo=False), Joined("e", 0, False), *run(1, 4), Sent("m5"),
            Got("e", 6, "m6"), Sent("m6b"),
        ],
        "gone": [Opened("n1"), Joined("e", 0, False), *run(1, 2), Ended(1000)],
    }  # fmt: skip


def forked() -> Logs:
    """A failover: epoch e ended at 3 for the new master, m4 and m5 are lost, n4 to n6 are new."""
    old = [Opened("n1"), Joined("e", 0, False), *run(1, 3)]
    new = run(4, 3, "f", "n")
    return {
        "writer": [*old, Sent("m4"), Sent("m5"), *run(4, 2), Joined("f", 3, False), *new],
        "saw": [*old, *run(4, 2), Ended(1006), Opened("n2", ("e", 5)), Joined("f", 6, False)],
        "had not": [*old, Ended(1006), Opened("n2", ("e", 3)), Joined("f", 3, True), *new],
        "told later": [*old, Joined("f", 3, True), *new],
        "historian": [Opened("n2"), Joined("f", 0, False), *run(1, 3, "f"), *new],
    }


def emptied() -> Logs:
    """Redis lost everything: another epoch, offsets from 1."""
    logs: Logs = {
        "sender": [Opened(), Joined("e", 0, False), Sent("m1"), Sent("m2"), *run(1, 2)],
        "other": [Opened(), Joined("e", 1, False), *run(2, 1)],
    }
    for log in logs.values():
        log += [Joined("g", 0, False), *run(1, 3, "g", "x")]
    return logs


SURVIVORS = ["m1", "m2", "m3", "n4", "n5", "n6"]


def test_finds_nothing_in_logs_that_are_right() -> None:
    assert faults_of(good(), [f"m{i}" for i in range(1, 7)], settled=True) == []
    assert faults_of(forked(), SURVIVORS, settled=True) == []
    assert faults_of(emptied(), ["x1", "x2", "x3"], settled=True) == []


def test_who_was_told_of_a_loss_is_not_asked_for_it() -> None:
    logs = good()
    logs["back"][7:] = [Opened("n2", ("e", 3)), Joined("e", 5, False), *run(6, 1)]
    assert faults_of(logs, ["m4", "m5"], settled=True) == []


def test_events_may_be_told_of_again_and_nobody_sent_them() -> None:
    def come(offset: int) -> Got:
        return Got("e", offset, "joined n/1", is_event=True)

    logs: Logs = {"a": [Joined("e", 0, False), Sent("m1"), come(1), Got("e", 2, "m1"), come(3)]}
    assert faults_of(logs, all_senders_logged=True) == []


def at(who: str, change: Callable[[list[Entry]], Any]) -> Callable[[Logs], Any]:
    return lambda logs: change(logs[who])


def swap(first: int, second: int) -> Callable[[list[Entry]], None]:
    def do(log: list[Entry]) -> None:
        log[first], log[second] = log[second], log[first]

    return do


def put(index: int, entry: Entry) -> Callable[[list[Entry]], None]:
    return lambda log: log.__setitem__(index, entry)


def without(*indexes: int) -> Callable[[list[Entry]], None]:
    return lambda log: [log.pop(index) for index in sorted(indexes, reverse=True)] and None


def store_twice(logs: Logs) -> None:
    for log in logs.values():
        if not isinstance(log[-1], Ended):
            log.append(Got("e", 7, "m3"))


def end_of_stretch_is_other(logs: Logs) -> None:
    logs["back"][-1] = Got("e", 6, "not m6")


PLANTED: list[tuple[str, str, Callable[[], Logs], Callable[[Logs], Any]]] = [
    ("gap", "one is left out", good, at("late", without(2))),
    ("gap", "behind a recovered join", good, at("back", without(9))),
    ("gap", "without echo, of another's", good, at("mute", without(3))),
    ("gap", "after the loss that was told", forked, at("writer", without(10))),
    ("reordered", "two are swapped", good, at("late", swap(2, 3))),
    ("reordered", "a sender's own, for all", good, at("writer", swap(2, 3))),
    ("doubled", "at once", good, at("late", lambda log: log.insert(3, log[2]))),
    ("doubled", "after the return", good, at("back", lambda log: log.insert(9, log[5]))),
    ("doubled", "from before the loss", forked, at("saw", lambda log: log.append(log[3]))),
    ("doubled", "stored twice", good, store_twice),
    ("forked", "other content", good, at("late", put(2, Got("e", 4, "other")))),
    ("forked", "other content at the end", good, end_of_stretch_is_other),
    ("untold", "no join frame", good, at("late", without(1))),
    ("untold", "no join frame after the return", good, at("back", without(8))),
    ("untold", "another epoch", good, at("late", put(3, Got("f", 5, "m5")))),
    ("untold", "the new epoch", forked, at("told later", without(5))),
    ("untold", "Redis emptied", emptied, at("other", without(3))),
    ("false recovered", "to another place", good, at("back", put(8, Joined("e", 4, True)))),
    ("false recovered", "first of all", good, at("late", put(1, Joined("e", 3, True)))),
    ("false recovered", "after a fork", forked, at("saw", put(-1, Joined("f", 5, True)))),
    ("false recovered", "mid-stream", forked, at("writer", put(9, Joined("f", 5, True)))),
    ("false recovered", "Redis emptied", emptied, at("other", put(3, Joined("g", 0, True)))),
    ("missing", "at the end", good, at("late", without(-1))),
    ("missing", "in place of another", good, at("back", put(3, Got("e", 2, "other")))),
    ("missing", "the whole rest", good, at("back", without(-1, -2, -3))),
    ("missing", "survivors that no one got", forked, lambda logs: [
        log.remove(Got("f", 6, "n6")) for log in logs.values() if Got("f", 6, "n6") in log]),
    ("missing", "joined in the old epoch", emptied, at("other", without(-1))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "logs", "plant"),
    [pytest.param(kind, logs, plant, id=f"{kind}-{name}") for kind, name, logs, plant in PLANTED],
)
def test_finds_a_planted_fault(
    kind: str, logs: Callable[[], Logs], plant: Callable[[Logs], Any]
) -> None:
    planted, survivors = logs(), {good: ["m6"], forked: SURVIVORS, emptied: ["x3"]}[logs]
    plant(planted)
    faults = faults_of(planted, survivors, settled=True)
    assert kind in {fault.kind for fault in faults}, faults


def test_finds_what_nobody_sent() -> None:
    logs: Logs = {"a": [Joined("e", 0, False), Sent("m1"), *run(1, 1), Got("e", 2, "?")]}
    assert [fault.kind for fault in faults_of(logs, all_senders_logged=True)] == ["invented"]
    assert faults_of(logs) == []


def test_every_kind_of_fault_is_planted() -> None:
    assert {kind for kind, *_ in PLANTED} | {"invented"} == KINDS.keys()


# -- one fault alone, so that no other finding stands in for it ------------------------------------


def test_a_false_recovered_is_found_without_a_list_of_what_was_acknowledged() -> None:
    fork: list[Entry] = [Joined("e", 0, False), *run(1, 5), Joined("f", 5, True), Got("f", 6, "n6")]
    rest: list[Entry] = [Joined("f", 3, False), *run(4, 3, "f", "n")]
    faults = faults_of({"saw": fork, "rest": rest})
    assert {(fault.kind, fault.who) for fault in faults} == {("false recovered", "saw")}


def test_a_false_recovered_is_found_where_nothing_has_taken_the_lost_ones_places_yet() -> None:
    saw: list[Entry] = [Joined("e", 0, False), *run(1, 5), Joined("f", 5, True)]
    rest: list[Entry] = [Joined("f", 3, False)]
    faults = faults_of({"saw": saw, "rest": rest}, settled=True)
    assert ("false recovered", "saw") in {(fault.kind, fault.who) for fault in faults}
    assert faults_of({"saw": saw, "rest": rest}) == [], "the rest may still be on its way"


def test_without_a_lineage_the_fork_is_found() -> None:
    saw: list[Entry] = [
        Joined("e", 0, False), *run(1, 5), Ended(), Opened("n", ("e", 5)), Joined("e", 5, True),
        Got("e", 6, "n6"),
    ]  # fmt: skip
    rest: list[Entry] = [Joined("e", 0, False), *run(1, 3), *run(4, 3, "e", "n")]
    assert {"forked", "false recovered"} <= {
        fault.kind for fault in faults_of({"s": saw, "r": rest})
    }


def test_a_sender_that_is_overtaken_by_itself_is_found_though_all_agree() -> None:
    logs: Logs = {
        name: [Opened(), Joined("e", 0, False), *run(1, 3)] for name in ("sender", "other")
    }
    logs["sender"][2:2] = [Sent("m1"), Sent("m3"), Sent("m2")]
    assert [fault.kind for fault in faults_of(logs)] == ["reordered"]
    logs["sender"].insert(4, Opened())  # over two connections there is no promise
    logs["sender"].insert(5, Joined("e", 0, True))
    assert faults_of(logs) == []


def test_one_that_is_stored_twice_is_found_though_no_client_has_it_twice() -> None:
    logs: Logs = {
        "a": [Joined("e", 0, False), *run(1, 3), Ended()],
        "b": [Joined("e", 3, False), Got("e", 4, "m2")],
    }
    assert [(fault.kind, fault.who) for fault in faults_of(logs)] == [("doubled", "the room")]


def test_with_echo_a_client_must_get_its_own() -> None:
    log: list[Entry] = [Opened(), Joined("e", 0, False), Sent("m1"), *run(2, 1)]
    logs: Logs = {"a": log, "b": [Joined("e", 0, False), *run(1, 2)]}
    assert {fault.kind for fault in faults_of(logs)} == {"gap"}
    log[0] = Opened(echo=False)
    assert faults_of(logs) == []


def test_a_fork_behind_a_recovered_join_does_not_make_that_join_false() -> None:
    back = good()["back"]
    back[9] = Got("e", 4, "other")
    assert {fault.kind for fault in faults_of({"late": good()["late"], "back": back})} == {"forked"}


def test_an_acknowledged_one_that_everybody_lacks_is_found() -> None:
    assert [fault.kind for fault in faults_of({"a": good()["late"]}, ["lost"])] == ["missing"]


def test_one_that_came_back_to_its_sender_alone_is_found_to_be_missing() -> None:
    logs: Logs = {
        "sender": [Opened(), Joined("e", 0, False), Sent("m1"), Got("e", 1, "m1")],
        "other": [Opened(), Joined("e", 0, False)],
    }
    assert faults_of(logs) == []
    assert [(f.kind, f.who) for f in faults_of(logs, settled=True)] == [("missing", "other")]
    logs["other"].append(Ended(1006))
    assert faults_of(logs, settled=True) == []


def test_one_that_is_behind_with_an_acknowledged_one_is_found() -> None:
    room: list[Entry] = [Joined("e", 0, False), *run(1, 5)]
    told: list[Entry] = [Joined("e", 0, False), *run(1, 1), Joined("e", 3, False), *run(4, 1)]
    faults = faults_of({"room": room, "told": told}, ["m5"])
    assert [(fault.kind, fault.who) for fault in faults] == [("missing", "told")]
    assert faults_of({"room": room, "told": told}) == []


def test_one_that_never_hears_of_the_new_epoch_is_found() -> None:
    old: list[Entry] = [Joined("e", 0, False), *run(1, 3)]
    new: list[Entry] = [*old, Joined("f", 3, True), *run(4, 1, "f", "n")]
    faults = faults_of({"old": old, "new": new}, ["n4"])
    assert [(fault.kind, fault.who) for fault in faults] == [("missing", "old")]
    many: list[Entry] = [Joined("e", 0, False), *run(1, 9)]
    few: list[Entry] = [Joined("g", 0, False), *run(1, 1, "g", "x")]
    faults = faults_of({"e": many, "g": few}, settled=True)
    assert {(fault.kind, fault.who) for fault in faults} == {("missing", "e"), ("missing", "g")}


def test_who_left_or_hears_no_echo_need_not_be_at_the_top() -> None:
    back: list[Entry] = [Joined("e", 0, False), *run(1, 5), Joined("f", 5, True)]
    gone: list[Entry] = [Joined("f", 1, False), Ended()]
    assert faults_of({"back": back, "gone": gone}, settled=True) == []
    mute: list[Entry] = [Opened(echo=False), Joined("e", 0, False), Sent("m1")]
    assert faults_of({"mute": mute, "m": [Joined("e", 0, False), *run(1, 1)]}, settled=True) == []


def test_a_fault_shows_the_log_around_it() -> None:
    logs = good()
    logs["late"].pop(3)
    text = "\n".join(str(fault) for fault in faults_of(logs))
    assert "gap: late: was at ('e', 4), got 6, lacks [5]" in text
    assert "joined e:3, not recovered" in text
    assert any(line.startswith(">") and "e:6 'm6'" in line for line in text.splitlines()), text
