"""A TCP proxy on loopback that cuts connections, keeps back what they carry, or swallows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from .redis_process import RedisProcess, free_port

UP, DOWN = "up", "down"  # to Redis, and from it
COMMANDS, SUBSCRIPTION = "commands", "subscription"


@dataclass(eq=False)
class Link:
    """A connection through the proxy; a subscription from its first SUBSCRIBE on."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    kind: str = COMMANDS
    held: set[str] = field(default_factory=set)  # directions that are wedged for good

    def close(self) -> None:
        self.near.close()
        self.far.close()

    @property
    def is_open(self) -> bool:
        return not (self.near.is_closing() or self.far.is_closing())


class Proxy:
    """Forwards to a port. Runs in the test's event loop; `async with` it."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port  # of connections from now on; may be changed
        self.port = free_port()
        self.swallows = False  # all links stay, nothing arrives
        self.swallows_kind: str | None = None  # the same for one kind of links, new ones too
        self.links: list[Link] = []
        self._is_cut = False
        self._held: set[str] = set()  # directions
        self._flows = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return RedisProcess.at(self.port)

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what a test does ----------------------------------------------------------------------

    def cut(self, spared: int = 0) -> None:
        """Ends all connections but the first ones, and refuses new ones until `mend`."""
        self._is_cut = True
        for link in self.links[spared:]:
            link.close()

    def end(self, kind: str | None = None) -> int:
        """Ends the connections that there are, of one kind or all; how many."""
        ended = [link for link in self.links if link.is_open and kind in (None, link.kind)]
        for link in ended:
            link.close()
        return len(ended)

    def hold(self, *ways: str) -> None:
        """Keeps back what all links carry, new ones too, until `mend`: nothing is lost by that."""
        self._held |= set(ways or (UP, DOWN))
        self._flows.clear()

    def wedge(self, kind: str, *ways: str) -> None:
        """The links of this kind that there are now carry nothing any more; a new one does."""
        for link in self.of_kind(kind):
            link.held |= set(ways or (UP, DOWN))

    def mend(self) -> None:
        self._is_cut = self.swallows = False
        self.swallows_kind = None
        self._held.clear()
        self._flows.set()

    def of_kind(self, kind: str) -> list[Link]:
        """The open links of this kind."""
        return [link for link in self.links if link.is_open and link.kind == kind]

    # -- carrying ------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        link = Link(writer, far_writer)
        self.links.append(link)
        self._start(link, UP, reader, far_writer)
        self._start(link, DOWN, far_reader, writer)

    def _start(
        self, link: Link, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(self._pump(link, way, source, target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, link: Link, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(65536):
                if way == UP and b"SUBSCRIBE" in data:
                    link.kind = SUBSCRIPTION
                while way in self._held:
                    await self._flows.wait()
                is_lost = self.swallows or self.swallows_kind == link.kind or way in link.held
                if not is_lost:
                    target.write(data)
                    await target.drain()
        except OSError:
            pass
        target.close()
