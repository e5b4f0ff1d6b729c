"""A node with 500 honest members, attacked in one way after the other, and in all ways at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile.attacks import ALL_AT_ONCE, ONE_BY_ONE, Attack
from hostile.bench import run
from hostile.settings import Settings
from support.figures import table

SHORT = Settings()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("attack", [*ONE_BY_ONE, ALL_AT_ONCE], ids=lambda attack: attack.name)
def test_honest_members_do_not_notice(attack: Attack, tmp_path: Path) -> None:
    outcome = run(tmp_path, SHORT, attack, print)
    print(f"{attack.what}\n\n{table(outcome.figures)}")
    missed = [figure.words() for figure in outcome.missed]
    assert not missed, f"{missed}\n{outcome.faults[:5]}"
