"""Take one check out and see which rows of the catalogue then get in: what it alone stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from labsim import checks
from labsim.binding import ReplayMemory
from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Verdict, run_between
from labsim.catalogue.stage import Stage, asks_nonces
from labsim.catalogue.vector import Refusal, Vector
from labsim.checks import Check
from labsim.credentials import ACCESS_TOKEN
from labsim.rejection import Reason
from labsim.roles.client_authentication import ASSERTION_CHECKS
from labsim.rooms import rooms

TOKEN = ACCESS_TOKEN.name
"""What stands in a binding's place for the checks of the token itself."""
ASSERTION = "client assertion"
"""The same for those of an assertion by which a client says who it is."""

type Memory = Callable[[], ReplayMemory]


@dataclass(frozen=True, slots=True)
class Ablated:
    """Hold what became of the catalogue without one check; `of` is a binding, or TOKEN.

    `alone` are the rows that name the check and are served without it. `held` are those that name
    it and that something else then refuses: the name of that check stands beside each.
    """

    of: str
    check: Check
    alone: tuple[Vector, ...]
    held: tuple[tuple[Vector, str], ...]


def removable() -> Iterator[tuple[str, Check]]:
    """Yield every check that a verifier can be made without here, in order."""
    for check in ACCESS_TOKEN.checks:
        yield TOKEN, check
    for name, binding in rooms("labsim.bindings", "BINDING").items():
        for check in binding.checks:
            yield name, check
    for check in ASSERTION_CHECKS:
        yield ASSERTION, check


def naming(of: str, check: Check) -> tuple[Vector, ...]:
    """Return the rows that this check refuses; two lists may have a check of one name."""
    binding = None if of in (TOKEN, ASSERTION) else of
    said = (check.name, check.reason)
    return tuple(v for v in catalogue(binding) if v.refusal and _said(v.refusal) == said)


def _said(refusal: Refusal) -> tuple[str, Reason]:
    return refusal.check, refusal.reason


def weakened_stage(of: str, check: Check, memory: Memory, *, nonces: bool) -> Stage:
    """Set a stage whose servers lack one check."""
    stage = Stage(memory, asks_nonces=nonces)
    if of == TOKEN:
        rest = checks.without(ACCESS_TOKEN.checks, frozenset({check.name}))
        weak = replace(ACCESS_TOKEN, checks=rest)
        stage.serving = replace(stage.serving, credential=weak)
    elif of == ASSERTION:
        rest = checks.without(ASSERTION_CHECKS, frozenset({check.name}))
        stage.issuing = replace(stage.issuing, assertion_checks=rest)
    else:
        stage.weaken(of, check.name)
    return stage


def ablate(of: str, check: Check, memory: Memory) -> Ablated:
    """Run the rows that name a check against servers without it."""
    alone: list[Vector] = []
    held: list[tuple[Vector, str]] = []
    stages = {on: weakened_stage(of, check, memory, nonces=on) for on in (False, True)}
    for vector in naming(of, check):
        stage = stages[asks_nonces(vector)]
        result = run_between(vector, lambda v=vector, s=stage: s.good_for(v), stage.send)  # type: ignore[misc]
        if result.verdict is Verdict.ACCEPTED:
            alone.append(vector)
        else:
            held.append((vector, str(stage.event.get("check", ""))))
    return Ablated(of, check, tuple(alone), tuple(held))
