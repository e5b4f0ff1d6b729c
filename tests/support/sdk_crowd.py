"""Thousands of clients of the npm package `centrifuge`, and the judge of what each of them was told."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .centrifugo import ENDPOINT
from .process_lifetime import die_with_parent
from .sdk import js_command

LINE_LIMIT = 1 << 28  # a report is one line


@dataclass
class Publication:
    offset: int
    number: int


@dataclass
class Return:
    """Of one client: from the moment it noticed that its connection is lost to that it is in its room again."""

    code: int
    seconds: float
    recovered: bool


@dataclass
class Story:
    """What one client was told."""

    room: str
    epochs: list[str] = field(default_factory=list)
    got: list[Publication] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)


def story_of(room: str, log: Sequence[Sequence[Any]]) -> Story:
    story = Story(room)
    lost: tuple[float, int] | None = None
    for what, at, *rest in log:
        if what == "got":
            story.got.append(Publication(*rest))
        elif what == "lost":
            lost = lost or (at, rest[0])
        elif what == "subscribed":
            epoch, _, was_recovering, recovered = rest
            story.epochs.append(epoch)
            if lost:
                since, code = lost
                story.returns.append(
                    Return(code, (at - since) / 1000, was_recovering and recovered)
                )
            lost = None
        else:
            story.oddities.append(f"{what} {rest}")
    if lost:
        story.oddities.append("did not come back")
    return story


def faults_of(stories: Sequence[Story], count: int) -> list[str]:
    """What contradicts that each client got publications 0 to `count` - 1 of its room once and in order, at the places
    that all others of the room have them at."""
    faults = []
    places: dict[str, list[int]] = {}
    for n, story in enumerate(stories):
        name = f"client {n} in {story.room}"
        faults += [f"{name}: {oddity}" for oddity in story.oddities]
        faults += [f"{name}: told that it is not recovered" for r in story.returns if not r.recovered]
        if len(set(story.epochs)) != 1:
            faults.append(f"{name}: epochs {story.epochs}")
        numbers = [publication.number for publication in story.got]
        if numbers != list(range(count)):
            faults.append(f"{name}: {difference(numbers, count)}")
        offsets = [publication.offset for publication in story.got]
        expected = places.setdefault(story.room, offsets)
        if offsets != expected or any(b <= a for a, b in zip(offsets, offsets[1:], strict=False)):
            faults.append(f"{name}: other places than the others of its room")
    return faults


def difference(numbers: Sequence[int], count: int) -> str:
    lost = sorted(set(range(count)) - set(numbers))
    doubled = sorted({number for number in numbers if numbers.count(number) > 1})
    if lost or doubled:
        return f"lost {lost[:10]}, doubled {doubled[:10]}"
    return f"reordered: {numbers}" if numbers != sorted(numbers) else "more than was published"


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, math.ceil(share * len(sorted_values)) - 1)]


class SdkCrowd:
    """`async with SdkCrowd(port, 2000, rooms=20, processes=2) as crowd`: clients that connect at once."""

    def __init__(self, port: int, count: int, rooms: int, processes: int) -> None:
        assert count % processes == 0 and (count // processes) % rooms == 0
        self.count = count
        url = f"ws://127.0.0.1:{port}{ENDPOINT}"
        self._command = [*js_command("js/crowd.mjs"), url, str(count // processes), str(rooms)]
        self._wanted = processes
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> SdkCrowd:
        pipe = asyncio.subprocess.PIPE
        for _ in range(self._wanted):
            self._processes.append(
                await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=pipe,
                    stdout=pipe,
                    limit=LINE_LIMIT,
                    preexec_fn=die_with_parent,
                )
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            await process.wait()

    async def _ask(self, what: str) -> list[dict[str, Any]]:
        async def ask(process: asyncio.subprocess.Process) -> dict[str, Any]:
            process.stdin.write(f"{what}\n".encode())
            await process.stdin.drain()
            line = await process.stdout.readline()
            assert line, f"the clients' process has ended with {await process.wait()}"
            return json.loads(line)

        return await asyncio.gather(*(ask(process) for process in self._processes))

    async def subscribed(self) -> int:
        return sum(answer["subscribed"] for answer in await self._ask("status"))

    async def returned(self) -> int:
        return sum(answer["returned"] for answer in await self._ask("status"))

    async def least(self) -> int:
        """How many publications the client has that has the fewest."""
        return min(answer["least"] for answer in await self._ask("status"))

    async def stories(self) -> list[Story]:
        return [
            story_of(client["room"], client["log"])
            for answer in await self._ask("report")
            for client in answer["clients"]
        ]
