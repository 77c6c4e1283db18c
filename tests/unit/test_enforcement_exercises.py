"""What a learner writes in notebook 05 is judged by its effect: each holder and each thief counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labsim.exercises import chosen_binding, kept_numbers
from labsim.exercises.chosen_binding import HOLDERS, THIEVES
from labsim.exercises.exercise import NotAttempted


def right(cnf: dict[str, Any], _scheme: str) -> str | None:
    if not cnf:
        return "bearer"
    return "dpop" if "jkt" in cnf else "mtls" if "x5t#S256" in cnf else None


def never(*names: str) -> Callable[[dict[str, Any], str], str | None]:
    def choice(cnf: dict[str, Any], scheme: str) -> str | None:
        said = right(cnf, scheme)
        return None if said in names else said

    return choice


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (right, ""),
        (
            lambda cnf, scheme: (
                right(cnf, scheme) if (scheme == "dpop") == ("jkt" in cnf) else None
            ),
            "",
        ),
        (never("bearer"), HOLDERS[0]),
        (never("dpop"), HOLDERS[1]),
        (never("mtls"), HOLDERS[2]),
        (lambda cnf, scheme: None if len(cnf) > 1 else right(cnf, scheme), HOLDERS[3]),
        (lambda cnf, scheme: "bearer" if scheme == "bearer" else right(cnf, scheme), THIEVES[0]),
        (lambda cnf, scheme: "bearer" if "x5t#S256" in cnf else right(cnf, scheme), THIEVES[1]),
        (lambda cnf, scheme: right(cnf, scheme) or "bearer", THIEVES[2]),
        (lambda cnf, scheme: None, chosen_binding.NOTHING_BACK),
    ],
)
def test_a_choice_is_judged_by_whom_it_serves(choice: Any, said: str) -> None:
    assert chosen_binding.effect(choice) == said


def test_a_choice_that_is_no_binding_is_named() -> None:
    assert "'DPoP'" in chosen_binding.effect(lambda cnf, scheme: "DPoP")
    assert "['dpop']" in chosen_binding.effect(lambda cnf, scheme: ["dpop"])


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (lambda iat, now: iat + 60, ""),
        (lambda iat, now: max(iat, now) + 60, ""),
        (lambda iat, now: now + 120, kept_numbers.TOO_LONG),
        (lambda iat, now: now + 60, kept_numbers.AHEAD),
        (lambda iat, now: iat, kept_numbers.AGAIN),
        (lambda iat, now: 60, kept_numbers.AGAIN),
        (lambda iat, now: float("inf"), kept_numbers.TOO_LONG),
        (lambda iat, now: float("nan"), kept_numbers.AGAIN),
        (lambda iat, now: None, kept_numbers.NOTHING_BACK),
    ],
)
def test_a_memory_is_judged_by_what_it_forgets(until: Any, said: str) -> None:
    assert kept_numbers.effect(until) == said


def test_a_memory_that_forgets_late_proofs_is_told() -> None:
    said = kept_numbers.effect(lambda iat, now: iat + 60 if iat >= now else iat + 55)
    assert said.startswith("A proof that came 50 s late")
    assert "'soon'" in kept_numbers.effect(lambda iat, now: "soon")


@pytest.mark.parametrize("effect", [chosen_binding.effect, kept_numbers.effect])
def test_what_is_handed_out_is_no_attempt(effect: Any) -> None:
    with pytest.raises(NotAttempted):
        effect(lambda one, other: ...)
