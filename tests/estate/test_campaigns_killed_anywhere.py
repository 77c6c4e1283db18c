"""A campaign goes on wherever its attacker died: cut after every line, and killed a hundred times."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from labsim.estate.journal import JournalFile
from tests.killed_campaigns import (
    CASES,
    assert_goes_on_after_byte,
    assert_goes_on_after_line,
    assert_outlives_kills,
    case_of,
)

KILLS = 100


@pytest.mark.parametrize("name", CASES)
def test_cut_after_every_line(name: str) -> None:
    case = case_of(name)
    assert len(case.journal) > KILLS
    for lines in range(len(case.journal) + 1):
        assert_goes_on_after_line(case, lines)


@pytest.mark.parametrize("name", CASES)
def test_cut_at_any_byte(name: str, tmp_path: Path) -> None:
    case, file, chance = case_of(name), tmp_path / "journal.jsonl", random.Random(name)
    journal = JournalFile(file)
    case.resume(journal)
    journal.close()
    whole = file.read_bytes()
    for _ in range(KILLS // 3):
        assert_goes_on_after_byte(case, file, whole, chance.randrange(len(whole)))


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_as_it_sends(number: int) -> None:
    assert_outlives_kills(number)
