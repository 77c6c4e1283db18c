"""A run is idle when nothing changes in its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labsim.estate import idleness
from labsim.estate.idleness import Idleness


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Stand in for the real time: the last entry is now."""
    now = [100.0]
    monkeypatch.setattr(idleness.time, "monotonic", lambda: now[-1])
    return now


def test_a_folder_in_which_nothing_changes_is_idle_after_its_time(
    tmp_path: Path, seconds: list[float]
) -> None:
    watched = Idleness(tmp_path, 60)
    assert not watched.is_over()
    seconds.append(159.9)
    assert not watched.is_over()
    seconds.append(160.0)
    assert watched.is_over()


def test_a_change_anywhere_in_it_begins_the_time_anew(tmp_path: Path, seconds: list[float]) -> None:
    file = tmp_path / "crm" / "events.jsonl"
    file.parent.mkdir()
    file.touch()
    watched = Idleness(tmp_path, 60)
    seconds.append(150.0)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert not watched.is_over()
    seconds.append(209.0)
    assert not watched.is_over()
    seconds.append(210.0)
    assert watched.is_over()


def test_what_is_asked_begins_the_time_anew(tmp_path: Path, seconds: list[float]) -> None:
    watched = Idleness(tmp_path, 60)
    seconds.append(150.0)
    watched.used()
    seconds.append(209.0)
    assert not watched.is_over()
    seconds.append(210.0)
    assert watched.is_over()


def test_it_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    said = Idleness(tmp_path, 7200).what_happened()
    assert "120 minutes" in said.happened
    assert "lab.reset()" in said.todo
