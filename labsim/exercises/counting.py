"""Exercises whose answer is a number for each of several cases, and results that wait for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labsim.charts import cards
from labsim.exercises.exercise import Choice, Exercise, Unreadable


class Counts(Exercise):
    """Ask for a number for each of several cases: a mapping, `reference` being the right one.

    `options` are the numbers that may be said; `why` tells for a case and a wrong number what is
    wrong with it, `look` for a case where to look when a wrong number has no word of its own.
    """

    def __init__(
        self,
        name: str,
        question: str,
        *,
        options: tuple[int, ...],
        why: Mapping[tuple[str, int], str],
        look: Mapping[str, str],
        **more: Any,
    ) -> None:
        super().__init__(name, question, **more)
        self.options = options
        self._why = why
        self._look = look

    def _judge(self, answer: Any) -> str:
        if not isinstance(answer, Mapping) or set(answer) != set(self.reference):
            raise Unreadable(
                f"Give a mapping with exactly these keys: {', '.join(self.reference)}."
            )
        for case, number in answer.items():
            if type(number) is not int or number not in self.options:
                listed = ", ".join(map(str, self.options))
                raise Unreadable(f"{case}: {number!r} is not one of the options: {listed}.")
        for case, right in self.reference.items():
            if answer[case] != right:
                said = self._why.get((case, answer[case]), self._look[case])
                return f"{case}: {said}"
        return ""


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
