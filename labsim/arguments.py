"""What a person has passed to one of the lab's verbs, or a clear word about what it is not.

For a notebook, where a wrong type would otherwise show as an error of Python's, deep in the lab.
"""

from __future__ import annotations

import math
from collections.abc import Container
from numbers import Real
from reprlib import repr as shortened

from labsim.errors import LabError

_SECONDS = {"days": 86400.0, "hours": 3600.0, "seconds": 1.0}


def number(name: str, value: object, did: str) -> float:
    """Return a number as a float; LabError for anything else, and for one that is no finite one.

    `did` says what the lab did about it.
    """
    if not isinstance(value, bool) and isinstance(value, Real):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
    raise LabError(f"{name} must be a number, and not {shortened(value)}.", did, "Write a number.")


def request_id(value: object) -> str:
    """Return a Request-Id as it came; LabError for what is no text."""
    if isinstance(value, str):
        return value
    raise LabError(
        f"{shortened(value)} is no Request-Id.",
        "Nothing was looked up.",
        "Pass the text that an answer has as its Request-Id: a row of lab.work() has it.",
    )


def is_number_of(value: object, known: Container[int]) -> bool:
    """Tell whether a value is one of the numbers that are known; False for what is no number."""
    return isinstance(value, Real) and value in known


def lab_seconds(unnamed: tuple[object, ...], **named: object) -> float:
    """Return how many lab seconds `days`, `hours` and `seconds` are together.

    Raises LabError for what is no number, or has no unit.
    """
    did = "Lab time was not advanced."
    if unnamed:
        todo = f"Say which of {', '.join(_SECONDS)} it is, as in lab.advance(days=90)."
        raise LabError(f"{shortened(unnamed[0])} has no unit.", did, todo)
    return sum(number(name, value, did) * _SECONDS[name] for name, value in named.items())


def idle_seconds(minutes: object) -> float | None:
    """Return after how many seconds an idle lab stops, None for never; or LabError."""
    if minutes is None:
        return None
    found = number("idle_minutes", minutes, "Nothing was started.") * 60
    if found <= 0:
        raise LabError(
            f"idle_minutes must be above 0, and not {shortened(minutes)}.",
            "Nothing was started.",
            "None means that the lab never stops by itself.",
        )
    return found
