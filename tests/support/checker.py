"""Judges what clients of a cluster logged. Knows nothing of servers: it reads logs.

`faults_of` takes the logs of one room's clients (see journal.py), each over all connections of that
client, and says what contradicts the promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from .journal import Ended, Got, Joined, Log, Opened, Sent, excerpt

Place = tuple[str, int]  # epoch and offset

KINDS = {
    "untold": "a publication, or another epoch, before a join frame has told of it",
    "gap": "offsets do not follow each other",
    "reordered": "against the order of the room, or of the one who sent it",
    "doubled": "twice to one client, or stored twice",
    "forked": "one position is two publications",
    "missing": "acknowledged, but not there",
    "false recovered": "the client was told that it has everything, and it has not",
    "invented": "nobody sent it",
}


@dataclass(frozen=True)
class Fault:
    kind: str
    who: str
    text: str
    lines: tuple[str, ...] = ()  # of the client's log

    def __str__(self) -> str:
        return "\n".join([f"{self.kind}: {self.who}: {self.text}", *self.lines])


def faults_of(
    logs: Mapping[str, Log],
    acknowledged: Iterable[str] = (),
    *,
    settled: bool = False,
    all_senders_logged: bool = False,
) -> list[Fault]:
    """Empty when nothing is wrong.

    - Between its losses a client's publications follow each other without a gap, over all its
      connections; each epoch is told of by a join frame before its first publication.
    - A `recovered` join continues exactly where the client was, in an epoch in which all that the
      client has had is at the same place.
    - Nothing comes twice to one client, nothing is at two places of the room, no place is two
      publications.
    - What one connection sent is in the room in that order.
    - What came back to its sender is acknowledged: whoever has had what was before and after,
      without having been told of a loss in between, has it too.
    - `acknowledged` must not be lost: all clients have it that were there before it and were never
      told of a loss. Others have it where it is behind their last loss.
    - `settled`: all clients that are connected have had everything up to the room's top.
    - `all_senders_logged`: there is nothing that no client logged to have sent.
    """
    return _Judge(logs, set(acknowledged), settled, all_senders_logged).judge()


@dataclass
class _Stretch:
    """What a client had between two losses: places that it passed, and publications by offset."""

    start: Place
    spans: list[tuple[str, int, int]]  # epoch, the offset before the first, the last
    had: dict[int, str] = field(default_factory=dict)
    claims: list[tuple[int, Joined]] = field(default_factory=list)  # recovered: at which entry

    @property
    def last(self) -> Place:
        epoch, _, offset = self.spans[-1]
        return epoch, offset

    def go_on(self, offset: int) -> None:
        epoch, first, _ = self.spans[-1]
        self.spans[-1] = (epoch, first, offset)

    def passed(self, place: Place) -> bool:
        return any(e == place[0] and first < place[1] <= last for e, first, last in self.spans)


@dataclass
class _Client:
    name: str
    log: Log
    stretches: list[_Stretch] = field(default_factory=list)
    connections: list[list[str]] = field(default_factory=list)  # what each one sent
    own: set[str] = field(default_factory=set)
    had: set[str] = field(default_factory=set)
    echo: bool = True

    @property
    def is_open(self) -> bool:
        return not (self.log and isinstance(self.log[-1], Ended))


class _Judge:
    def __init__(
        self, logs: Mapping[str, Log], acknowledged: set[str], settled: bool, closed_world: bool
    ) -> None:
        self.clients = [_Client(name, log) for name, log in logs.items()]
        self.acknowledged = acknowledged
        self.settled = settled
        self.closed_world = closed_world
        self.faults: list[Fault] = []
        self.meaning: dict[Place, dict[str, str]] = {}  # what was there, and to whom first
        self.places: dict[str, set[Place]] = {}
        self.events: set[str] = set()

    def judge(self) -> list[Fault]:
        for client in self.clients:
            client.own = {entry.data for entry in client.log if isinstance(entry, Sent)}
            self._gather(client)
        for client in self.clients:
            self._walk(client)
        self._judge_places()
        for client in self.clients:
            self._judge_claims(client)
            self._judge_senders(client)
            self._judge_missing(client)
        return self.faults

    def _fault(self, kind: str, client: _Client, text: str, index: int | None = None) -> None:
        assert kind in KINDS
        at = len(client.log) - 1 if index is None else index
        self.faults.append(Fault(kind, client.name, text, tuple(excerpt(client.log, at))))

    # -- what is where -------------------------------------------------------------------------

    def _gather(self, client: _Client) -> None:
        for index, entry in enumerate(client.log):
            if not isinstance(entry, Got):
                continue
            place = (entry.epoch, entry.offset)
            meaning = self.meaning.setdefault(place, {})
            if meaning and entry.data not in meaning:
                data, whose = next(iter(meaning.items()))
                text = f"{place} is {entry.data[:60]!r} here and {data[:60]!r} to {whose}"
                self._fault("forked", client, text, index)
            meaning.setdefault(entry.data, client.name)
            self.places.setdefault(entry.data, set()).add(place)
            if entry.is_event:
                self.events.add(entry.data)

    def _judge_places(self) -> None:
        sent = set().union(*(client.own for client in self.clients))
        nobody = _Client("the room", ())
        for data, places in self.places.items():
            if data in self.events:
                continue  # who was taken for gone may be told of again
            if len({offset for _, offset in places}) > 1:
                self._fault("doubled", nobody, f"{data[:60]!r} is at {sorted(places)}")
            if self.closed_world and data not in sent:
                self._fault("invented", nobody, f"{data[:60]!r} was sent by nobody")
        for data in sorted(self.acknowledged - self.places.keys()):
            self._fault("missing", nobody, f"{data[:60]!r} is acknowledged, and nobody has it")

    # -- one client, entry by entry ------------------------------------------------------------

    def _walk(self, client: _Client) -> None:
        is_told = False
        for index, entry in enumerate(client.log):
            match entry:
                case Opened():
                    is_told, client.echo = False, entry.echo
                    client.connections.append([])
                case Sent():
                    if not client.connections:
                        client.connections.append([])
                    client.connections[-1].append(entry.data)
                case Joined():
                    self._on_joined(client, entry, index)
                    is_told = True
                case Got():
                    if not is_told:
                        self._fault("untold", client, f"got {entry.offset} before a join", index)
                        is_told = True
                    self._on_got(client, entry, index)

    def _on_joined(self, client: _Client, entry: Joined, index: int) -> None:
        start = (entry.epoch, entry.offset)
        new = _Stretch(start, [(entry.epoch, entry.offset, entry.offset)])
        if not entry.recovered:
            client.stretches.append(new)
            return
        if not client.stretches:
            self._fault("false recovered", client, "recovered, though it had nothing", index)
            client.stretches.append(new)
            return
        stretch = client.stretches[-1]
        if entry.offset != stretch.last[1]:
            text = f"was at {stretch.last} and is recovered to {start}"
            self._fault("false recovered", client, text, index)
        stretch.spans += new.spans
        stretch.claims.append((index, entry))

    def _on_got(self, client: _Client, entry: Got, index: int) -> None:
        if not client.stretches:
            before = (entry.epoch, entry.offset - 1)
            client.stretches.append(_Stretch(before, [(*before, entry.offset - 1)]))
        stretch = client.stretches[-1]
        epoch, last = stretch.last
        if entry.data in client.had and entry.data not in self.events:
            self._fault("doubled", client, f"got {entry.data[:60]!r} a second time", index)
            if entry.offset <= last:
                return
        client.had.add(entry.data)
        if entry.epoch != epoch:
            self._fault("untold", client, f"was in {epoch}, and was told of no other", index)
            stretch.spans.append((entry.epoch, entry.offset - 1, entry.offset - 1))
        elif entry.offset <= last:
            self._fault("reordered", client, f"was at {stretch.last}, got {entry.offset}", index)
        elif lacking := self._lacking(client, epoch, range(last + 1, entry.offset)):
            text = f"was at {stretch.last}, got {entry.offset}, lacks {lacking[:5]}"
            self._fault("gap", client, text, index)
        stretch.go_on(max(last, entry.offset) if entry.epoch == epoch else entry.offset)
        stretch.had.setdefault(entry.offset, entry.data)

    def _lacking(self, client: _Client, epoch: str, offsets: range) -> list[int]:
        """Without echo a client's own publications are left out."""
        if client.echo:
            return list(offsets)
        return [o for o in offsets if not client.own & self.meaning.get((epoch, o), {}).keys()]

    # -- all of them together ------------------------------------------------------------------

    def _judge_claims(self, client: _Client) -> None:
        for stretch in client.stretches:
            for index, claim in stretch.claims:
                for offset, data in stretch.had.items():
                    others = self.meaning.get((claim.epoch, offset), {}).keys() - {data}
                    if offset <= claim.offset and others:
                        text = f"{offset} of {claim.epoch} is {others}, it had {data[:60]!r}"
                        self._fault("false recovered", client, text, index)
                if self.settled and claim.offset > (top := self._top(claim.epoch, client)):
                    text = f"{claim.epoch} ends at {top} for all others"
                    self._fault("false recovered", client, text, index)

    def _top(self, epoch: str, but: _Client) -> int:
        """The last offset of the epoch that others who are there still know of."""
        return max(
            (
                other.stretches[-1].last[1]
                for other in self.clients
                if other is not but and other.is_open and other.stretches
                and other.stretches[-1].last[0] == epoch
            ),
            default=1 << 63,
        )  # fmt: skip

    def _judge_senders(self, client: _Client) -> None:
        for sent in client.connections:
            for epoch in {epoch for data in sent for epoch, _ in self.places.get(data, ())}:
                stored = [
                    (offset, data)
                    for data in sent
                    for where, offset in self.places.get(data, ())
                    if where == epoch
                ]
                for (earlier, one), (later, other) in pairwise(stored):
                    if later < earlier:
                        text = f"sent {one[:60]!r} before {other[:60]!r}, in the room it is after"
                        self._fault("reordered", client, text)

    def _judge_missing(self, client: _Client) -> None:
        came_back = set().union(*(other.own & other.had for other in self.clients))
        lacking: list[tuple[str, Place]] = []
        for data in sorted((came_back | self.acknowledged) - client.had):
            if not client.echo and data in client.own:
                continue
            lacking += [(data, place) for place in self.places.get(data, ())]
        wanted = [(data, place) for data, place in lacking if self._must_have(client, data, place)]
        if wanted:
            text = f"lacks {len(wanted)} acknowledged ones: {[(d[:60], p) for d, p in wanted[:5]]}"
            self._fault("missing", client, text)
        if self.settled and client.is_open and client.stretches:
            end = client.stretches[-1].last
            others = [other for other in self.clients if other.is_open and other.stretches]
            tops = {other.stretches[-1].last for other in others}
            if any(top[0] != end[0] or top[1] > end[1] for top in tops) and client.echo:
                self._fault("missing", client, f"is at {end}, and the room at {sorted(tops)}")

    def _must_have(self, client: _Client, data: str, place: Place) -> bool:
        if any(stretch.passed(place) for stretch in client.stretches):
            return True
        if data not in self.acknowledged or not client.stretches:
            return False
        first, last = client.stretches[0], client.stretches[-1]
        is_behind = client.is_open and place[0] == last.last[0] and place[1] > last.last[1]
        never_lost = first is last and first.start[1] < place[1]
        return is_behind or (never_lost and (client.is_open or place[1] <= last.last[1]))
