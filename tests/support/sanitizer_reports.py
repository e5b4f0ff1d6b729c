"""What sanitizers found in the processes of a test: each writes its own file."""

from __future__ import annotations

from pathlib import Path

# A process with a report ends with this code, and goes on until then.
EXIT_CODE = 66


def reporting_into(directory: Path) -> dict[str, str]:
    """The environment of a process that writes its reports below `directory` and runs on after one."""
    place = f"log_path={directory / 'report'}:exitcode={EXIT_CODE}"
    return {
        "TSAN_OPTIONS": f"halt_on_error=0:second_deadlock_stack=1:history_size=5:{place}",
        "ASAN_OPTIONS": f"detect_leaks=1:detect_stack_use_after_return=1:{place}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{place}",
    }


def reports_in(directory: Path) -> list[str]:
    """The text of each file that has any."""
    texts = (file.read_text(errors="replace") for file in sorted(directory.glob("report*")))
    return [text for text in texts if text.strip()]
