"""Scales: round ticks, and lab time in words."""

from __future__ import annotations

import pytest

from labsim.charts import scales


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.004, "<0.01 s"),
        (0.25, "0.25 s"),
        (12.34, "12.3 s"),
        (59, "59 s"),
        (59.99, "1 min"),
        (60, "1 min"),
        (90, "1.5 min"),
        (3600, "1 h"),
        (6300, "1.75 h"),
        (86400, "1 day"),
        (86400 * 90, "90 days"),
        (86400 * 1500, "1,500 days"),
    ],
)
def test_lab_time_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert scales.duration(seconds) == said


@pytest.mark.parametrize(
    ("until", "ticks"),
    [
        (0.04, [0.01, 0.02, 0.03, 0.04]),
        (60, [15, 30, 45, 60]),
        (3600, [900, 1800, 2700, 3600]),
        (4 * 3600, [3600, 7200, 10800, 14400]),
        (86400 * 9, [2 * 86400, 4 * 86400, 6 * 86400, 8 * 86400]),
    ],
)
def test_ticks_of_time_are_round(until: float, ticks: list[float]) -> None:
    assert scales.time_ticks(until, 4) == pytest.approx(ticks)


@pytest.mark.parametrize("until", [0.001, 0.3, 7, 100, 5000, 1e5, 1e7, 1e9])
def test_there_are_never_too_many_ticks_and_none_is_beyond_the_end(until: float) -> None:
    for ticks in (scales.time_ticks(until, 5), scales.count_ticks(until, 5)):
        assert len(ticks) <= 5
        assert all(0 < tick <= until * (1 + 1e-9) for tick in ticks)
        assert len(ticks) == len(set(ticks))


def test_ticks_of_counts_are_whole() -> None:
    assert scales.count_ticks(120) == [20, 40, 60, 80, 100, 120]
    assert scales.count_ticks(3) == [1, 2, 3]
    assert scales.count_ticks(0) == []
