"""Run a choice of the control panel on an estate of its own, and tell how it ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from labsim.estate.plan import Plan
from labsim.lab import Lab
from labsim.panel.choices import BASE, NONE, UNKNOWN, Choice, steps
from labsim.seen_attempt import SeenAttempt
from labsim.starting import start_beside

IDLE_MINUTES: Final = 30.0
KEPT: Final = 5
"""How many outcomes are remembered."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Hold one run: what was chosen and predicted, and the attempt."""

    choice: Choice
    predicted: str
    attempt: SeenAttempt

    @property
    def word(self) -> str:
        """Return how it ended, in the word of a prediction."""
        row = self.attempt.row
        return str(
            row["check"] if row["outcome"] == "rejected" and row["check"] else row["outcome"]
        )

    @property
    def ended(self) -> str:
        """Say how it ended."""
        row = self.attempt.row
        if row["outcome"] == "served":
            return f"served {row['records']} records"
        if row["outcome"] == "rejected":
            return f"rejected by {row['check']} ({row['source']})"
        return f"{str(row['outcome']).replace('_', ' ').replace('tls', 'TLS')}: {row['reason']}"

    @property
    def holder(self) -> str:
        """Say how the holder's own request to that server ended, if it made one."""
        own = self.attempt.exchange.get("holder")
        if not own:
            return "made no request of its own"
        for late in self.attempt.exchange.get("victim") or ():
            by = f" by {late['check']}" if late["check"] else ""
            return f"held back, then {late['outcome']}{by}"
        return f"{own['outcome']} ({own['status']})" if own["status"] else str(own["outcome"])

    @property
    def as_predicted(self) -> str:
        """Say whether it ended as predicted; nothing where nothing was predicted."""
        if self.predicted in ("", UNKNOWN):
            return "–"
        return "yes" if self.predicted == self.word else "no"


class Runner:
    """Hold the panel's estate, which starts with the first run, and the last outcomes."""

    def __init__(
        self, begin: Callable[[], Lab] = lambda: start_beside("panel", IDLE_MINUTES)
    ) -> None:
        self._begin = begin
        self._lab: Lab | None = None
        self.outcomes: list[Ran] = []

    @property
    def runs(self) -> bool:
        """Tell whether the panel's estate runs."""
        return self._lab is not None and self._lab.runs

    def run(self, choice: Choice, predicted: str = "") -> Ran:
        """Run a choice; raises LabError where the lab cannot do it, or cannot start."""
        if self._lab is None or not self._lab.runs:
            self._lab = self._begin()
        ran = Ran(choice, predicted, attempt(self._lab, choice))
        self.outcomes = [ran, *self.outcomes][:KEPT]
        return ran

    def stop(self) -> None:
        """Stop the panel's estate, if it runs; the next run starts another."""
        if self._lab is not None:
            self._lab.stop()
        self._lab = None


def attempt(lab: Lab, choice: Choice) -> SeenAttempt:
    """Do with a lab what the choice's code says, and return the attempt.

    The lab is in its base variant afterwards. Raises LabError where it cannot be done.
    """
    what = steps(lab.plan, choice)
    lab.vary(what.variant)
    try:
        lab.bind(what.client, choice.binding, **_custody(choice))
        with _weakened(lab, what.weakened, choice.preset):
            loot = lab.attacker.steal(what.client, **what.steal)
            if what.evicts:
                lab.evict(what.client)
            if what.seconds:
                lab.advance(seconds=what.seconds)
            table = lab.attacker.replay(loot[0], by=choice.replay, against=what.resource)
        return table.attempt(0)
    finally:
        lab.vary(BASE)
        lab.restore_records()


def _custody(choice: Choice) -> dict[str, str]:
    return {} if choice.custody == NONE else {"custody": choice.custody}


def _weakened(lab: Lab, role: str, preset: str) -> contextlib.AbstractContextManager[Any]:
    return lab.weakened(role, preset=preset) if role else contextlib.nullcontext()


def plan_of_the_lab() -> Plan:
    """Return the plan that the panel's estate is made from."""
    from labsim.estate import plan as plans

    return plans.load(None)
