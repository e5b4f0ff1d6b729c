"""The scripts that nodes run in Redis, put together as the build does (cluster/rooms/scripts/embed.cmake)."""

from __future__ import annotations

from pathlib import Path

from .redis_link import RedisLink, Word

SOURCES = Path(__file__).resolve().parents[2] / "cluster" / "rooms" / "scripts"
PRELUDE = ("prelude.lua", "events.lua")


def source_of(name: str) -> str:
    return "\n".join((SOURCES / part).read_text() for part in (*PRELUDE, f"{name}.lua"))


class Script:
    """One of them, loaded."""

    def __init__(self, link: RedisLink, name: str) -> None:
        self.sha = link("SCRIPT", "LOAD", source_of(name)).decode()

    def call(self, keys: list[Word], arguments: list[Word]) -> list[Word]:
        """The command; see the head of the script for what it takes."""
        return ["EVALSHA", self.sha, len(keys), *keys, *arguments]
