"""Exercises whose answer is one number, and results that wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labsim.charts import cards
from labsim.exercises.exercise import Choice


class Number(Choice):
    """Ask for one number; recorded are its digits, and a learner may leave the quotes out."""

    def _judge(self, answer: Any) -> str:
        return super()._judge(str(answer) if type(answer) is int else answer)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Stand for a result that waits for an answer; `todo` says for which."""

    todo: str

    def __repr__(self) -> str:
        """Say what it waits for."""
        return self.todo

    def _repr_html_(self) -> str:
        return cards.card("▢", "Not shown yet", cards.paragraph(self.todo), cards.LINE)
