"""What a learner's replay memory does: proofs of several ages, and how long each is remembered."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, Final

from labsim.bindings.dpop import WINDOW
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.exercises.exercise import NotAttempted

NOW: Final = 1_800_000_000.0
NOTHING_BACK: Final = (
    "It gives nothing back: a function without `return` returns None, which is no time."
)
TOO_LONG: Final = (
    "No proof is good twice. But numbers are kept for minutes after their proofs have ended: the "
    "memory fills, and a full one must refuse everybody, the owner too."
)
AGAIN: Final = (
    "The owner's ordinary proof was served again, as in case C: it was forgotten while "
    "iat_is_recent would still take it."
)
AHEAD: Final = (
    "A proof whose clock ran 50 s ahead was served again. It is good for 60 s after its iat, which "
    "is longer than 60 s from now."
)


def effect(until: Callable[[float, float], Any]) -> str:
    """Remember proofs for as long as a learner's function says; return what is wrong.

    Returns an empty text if nothing is. Raises NotAttempted for one that answers `...`, and
    whatever it raises itself.
    """
    raw = [until(NOW + ahead, NOW) for ahead in (0.0, 50.0, -50.0)]
    if all(said is ... for said in raw):
        raise NotAttempted
    if all(said is None for said in raw):
        return NOTHING_BACK
    for said in raw:
        if isinstance(said, bool) or not isinstance(said, Real):
            return f"It returned {said!r}. Return a time: a number of seconds, as iat and now are."
    if _is_good_twice(0.0, float(raw[0])):
        return AGAIN
    if _is_good_twice(50.0, float(raw[1])):
        return AHEAD
    if _is_good_twice(-50.0, float(raw[2])):
        return "A proof that came 50 s late was served again, in the seconds that it had left."
    if any(float(raw[i]) > NOW + ahead + 2 * WINDOW for i, ahead in enumerate((0.0, 50.0, -50.0))):
        return TOO_LONG
    return ""


def _is_good_twice(ahead: float, until: float) -> bool:
    """Tell whether a proof is new again at the last moment at which its `iat` is recent."""
    memory, proof = InProcessReplayMemory(), ("key", "number")
    assert memory.is_first(proof, until, NOW)
    return memory.is_first(proof, until, NOW + ahead + WINDOW)
