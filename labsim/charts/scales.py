"""Scales for pictures: where ticks stand, how lab time is written, and which curves are alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86400.0
_TIMES: Final = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
)


def duration(seconds: float) -> str:
    """Write lab seconds in the largest unit of which there is one, with three digits at most."""
    for size, unit in ((_DAY, "day"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size * 0.9995:  # what would be rounded to 60 s is a minute
            many = _digits(seconds / size)
            return f"{many} {unit}{'s' if unit == 'day' and many != '1' else ''}"
    return f"{_digits(seconds)} s" if seconds >= 0.01 or seconds <= 0 else "<0.01 s"


def _digits(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def time_ticks(until: float, most: int = 5) -> list[float]:
    """Return at most `most` round times above 0, up to `until` lab seconds."""
    return _ticks(until, most, _times())


def count_ticks(highest: float, most: int = 6) -> list[int]:
    """Return at most `most` round counts above 0, up to `highest`."""
    return [int(tick) for tick in _ticks(highest, most, _counts())]


def _ticks(highest: float, most: int, sizes: Iterable[float]) -> list[float]:
    # A tick that only a rounding error puts beyond the end is one.
    step, count = next(
        (size, int(highest / size + 1e-9)) for size in sizes if highest / size + 1e-9 < most + 1
    )
    return [step * n for n in range(1, count + 1)]


def _times() -> Iterator[float]:
    yield from _TIMES
    for size in _counts():
        yield size * _DAY


def _counts() -> Iterator[float]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)
