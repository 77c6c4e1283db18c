"""The lab's clock: real time plus an offset in shared memory."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from labsim.certificates import REAL_LIFETIME
from labsim.estate import clock as module
from labsim.estate.clock import LONGEST_OFFSET, Clock

DAY = 86400.0


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock.made(tmp_path / "clock")


def test_a_new_clock_tells_real_time(clock: Clock) -> None:
    before = time.time()
    assert before <= clock() <= time.time()
    assert clock.offset == 0


def test_ninety_days_pass_in_no_time_for_every_process(clock: Clock, tmp_path: Path) -> None:
    other = Clock(tmp_path / "clock")
    assert clock.advance(90 * DAY) == 90 * DAY
    assert other.offset == clock.offset == 90 * DAY
    assert other() - time.time() == pytest.approx(90 * DAY, abs=60)
    assert other.advance(DAY) == 91 * DAY == clock.offset


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), LONGEST_OFFSET + 1])
def test_time_goes_forward_only_and_not_for_ever(clock: Clock, seconds: float) -> None:
    clock.advance(1)
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(seconds)
    assert clock.offset == 1


def test_certificates_outlive_any_offset() -> None:
    assert REAL_LIFETIME.total_seconds() > LONGEST_OFFSET


def test_a_clock_is_its_owners_only_and_made_once(clock: Clock, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "clock").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        Clock.made(tmp_path / "clock")


def test_it_is_real_time_that_moves_it(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.advance(5)
    monkeypatch.setattr(module.time, "time", lambda: 100.0)
    assert clock() == 105.0
