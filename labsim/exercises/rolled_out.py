"""A rollout halfway: which servers enforce first, and what stolen bound tokens still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from labsim.blast.predicted import Predictor, opened_by_credential
from labsim.charts import cards, words
from labsim.estate import plan as plans
from labsim.exercises.counted import agree
from labsim.exercises.counting import Waiting
from labsim.exercises.exercise import Exercise, Unreadable
from labsim.haul import Haul
from labsim.prediction import is_missing
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from labsim.charts.picture import Picture
    from labsim.estate.plan import Plan
    from labsim.lab import Lab

THEFT: Final = "log_line"


@cache
def _predictor() -> Predictor:
    return Predictor(plans.load(None))


class FirstTwo(Exercise):
    """Ask for two servers that enforce first; what is open then decides, and nothing else."""

    def _judge(self, answer: Any) -> str:
        predictor = _predictor()
        fault = _unreadable(predictor.plan, answer)
        if fault:
            raise Unreadable(fault)
        count = still_open(predictor, answer)
        if count == still_open(predictor, self.reference):
            return ""
        why = _why(predictor, answer)
        return f"{count} of {_of(predictor.plan)} records would still be open. {why}"


def _unreadable(plan: Plan, answer: Any) -> str:
    known = isinstance(answer, list | tuple) and all(
        isinstance(name, str) and name in plan.resources for name in answer
    )
    if not known or len(answer) != 2 or len(set(answer)) != 2:
        return f"{answer!r}: give a list of two servers out of {', '.join(plan.resources)}."
    return ""


def _left(plan: Plan, first: Sequence[str]) -> list[str]:
    return [name for name in plan.resources if name not in first]


def _of(plan: Plan) -> int:
    return sum(len(resource.records) for resource in plan.resources.values())


def still_open(predictor: Predictor, first: Sequence[str]) -> int:
    """Return how many records every client's tokens open, with all that these lead to."""
    return len(predictor.followed(_left(predictor.plan, first)).records)


def _why(predictor: Predictor, first: Sequence[str]) -> str:
    """Say of a server left out how what lies there opens one that enforces."""
    for name in _left(predictor.plan, first):
        opens = {
            led.client: [to for to in _opened(predictor.plan, led.client) if to in first]
            for led in predictor.leads(name)
        }
        whose = [client for client, opened in opens.items() if opened]
        if whose:
            where = [to for to in first if any(to in opens[client] for client in whose)]
            return (
                f"{words.capital(name)} takes any token yet, and in its records lies the "
                f"credential of {words.listed(whose)}: it gets new tokens at "
                f"{words.listed(where)}, bound as they should be."
            )
    return "What enforces stays closed, and yet another two would close more."


def _opened(plan: Plan, client: str) -> tuple[str, ...]:
    return opened_by_credential(plan.client(client))


@dataclass(frozen=True, slots=True)
class Rolled:
    """Hold what was open with two servers enforcing: measured, and computed."""

    plan: Plan
    first: tuple[str, ...]
    measured: int
    expected: int

    def _headline(self) -> str:
        who = words.listed(list(self.first))
        return f"With {who} enforcing, {self.measured} of {_of(self.plan)} records were sent."

    def __repr__(self) -> str:
        """Say what was measured and computed."""
        return f"{self._headline()} Computed: {self.expected}."

    def _repr_html_(self) -> str:
        told = f"Measured: {self.measured}. Computed: {self.expected}."
        return cards.card("▣", self._headline(), cards.paragraph(told)) + self.chart().html

    def chart(self) -> Picture:
        """Draw the rollout to its end: these two first, and beside it the plan's own order."""
        import pandas as pd

        from labsim.blast.rollout import rollout
        from labsim.charts import rollout as drawn

        predictor = Predictor(self.plan)
        mine = [*self.first, *_left(self.plan, self.first)]
        orders = [
            rollout(predictor, mine, name="your two first"),
            rollout(predictor, name="as listed"),
        ]
        return drawn.picture(pd.concat(orders))


def roll_out(lab: Lab, first: object) -> Rolled | Waiting:
    """Bind every client, let these two servers enforce, and lose all tokens in logs.

    One campaign goes on from all of them at once. Waits for two servers that can be read. Raises
    LabError where what is measured is not what was computed.
    """
    if is_missing(first) or _unreadable(lab.plan, first):
        return Waiting("Choose two servers above, and run this cell again.")
    chosen = tuple(map(str, first))  # type: ignore[call-overload]
    pieces: list[dict[str, Any]] = []
    lab.enforce(*chosen)
    with ProgressBar("Logs", "clients", len(lab.plan.clients)) as bar:
        for number, name in enumerate(lab.plan.clients, 1):
            lab.bind(name, "dpop")
            pieces += lab.attacker.steal(name, by=THEFT)
            bar.reach(number)
    campaign = lab.attacker.campaign(Haul("every client", THEFT, tuple(pieces)))
    lab.enforce(*lab.plan.resources)
    measured, expected = len(campaign.records), still_open(Predictor(lab.plan), chosen)
    agree(measured, expected, "This rollout")
    return Rolled(lab.plan, chosen, measured, expected)
