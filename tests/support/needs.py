"""What a command of the tests needs before it can begin."""

from __future__ import annotations

import shutil

from .canang_process import binary
from .load_clients import load_binary

FOLDERS = "/usr/sbin:/usr/local/bin:/usr/bin:/bin"


def missing(command: str, programs: tuple[str, ...]) -> str:
    """A line that says what there is not, or nothing."""
    for program in programs:
        if not shutil.which(program, path=FOLDERS):
            return f"needs {program}: {command} installs it"
    for path in (binary(), load_binary()):
        if not path.is_file():
            return f"there is no {path}: {command} builds it"
    return ""
