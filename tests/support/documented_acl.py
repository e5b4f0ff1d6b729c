"""What docs/configuration.md says that a Redis' ACL has to allow: tests run under exactly that."""

from __future__ import annotations

import re
from functools import cache

from .canang_process import REPOSITORY

USER = "canang"
PASSWORD = "secret"


@cache
def documented_commands() -> tuple[str, ...]:
    """`+eval`, `+script|load`, ..."""
    text = (REPOSITORY / "docs" / "configuration.md").read_text()
    paragraph = next(part for part in text.split("\n\n") if "ACL" in part)
    found = re.findall(r"\+[a-z|]+", paragraph)
    assert len(found) > 20, "no list of an ACL in docs/configuration.md"
    return tuple(found)


def documented_rules(prefix: str = "canang") -> list[str]:
    """What comes after the user's name in ACL SETUSER, or in redis-server's --user."""
    return ["on", f">{PASSWORD}", f"~{prefix}:*", f"&{prefix}:*", "-@all", *documented_commands()]
