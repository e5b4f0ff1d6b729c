"""What one client of a room logs: an entry for all that it did and got, in order.

Entries compare without the moment (`at`, seconds of the event loop's clock), so that a log can be
written by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Opened:
    """A connection is open; `since` is the position that the client came with."""

    node: str = ""
    since: tuple[str, int] | None = None
    echo: bool = True
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Joined:
    """A join frame, the first of a connection or a later one."""

    epoch: str
    offset: int
    recovered: bool
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Got:
    """A publication. `is_event`: a join or a leave of somebody, not what a client published."""

    epoch: str
    offset: int
    data: str
    is_event: bool = False
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Sent:
    """The client published this. Coming back, it is acknowledged."""

    data: str
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Failed:
    """An error frame: one of the client's publishes was not taken."""

    code: str
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Ended:
    """The connection is over. A log that ends with it is not judged for what came later."""

    code: int | None = None
    reason: str = ""
    at: float = field(default=0.0, compare=False)


Entry = Opened | Joined | Got | Sent | Failed | Ended
Log = Sequence[Entry]


def line_of(entry: Entry) -> str:
    """One line for a person who reads what went wrong."""
    match entry:
        case Opened():
            since = f" since {entry.since[0]}:{entry.since[1]}" if entry.since else ""
            text = f"opened to {entry.node}{since}" + ("" if entry.echo else ", without echo")
        case Joined():
            how = "recovered" if entry.recovered else "not recovered"
            text = f"joined {entry.epoch}:{entry.offset}, {how}"
        case Got():
            text = f"got    {entry.epoch}:{entry.offset} {entry.data[:60]!r}"
        case Sent():
            text = f"sent   {entry.data[:60]!r}"
        case Failed():
            text = f"error  {entry.code}"
        case Ended():
            text = f"ended  {entry.code} {entry.reason}"
    return f"{entry.at:10.3f} {text}"


def excerpt(log: Log, index: int, before: int = 6, after: int = 3) -> list[str]:
    """The entries around one of them, which is marked."""
    first = max(0, index - before)
    return [
        ("> " if n == index else "  ") + line_of(log[n])
        for n in range(first, min(len(log), index + after + 1))
    ]
