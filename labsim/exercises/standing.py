"""How far a learner has come: a row a notebook, from the learner's own record and nothing else."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import labsim.exercises
from labsim import own_folder
from labsim.charts import cards
from labsim.exercises.exercise import Exercise, Outcome, Said
from labsim.exercises.progress import HINT
from labsim.exercises.progress import lines as progress_lines

_ATTEMPTED = (Outcome.RAISED, Outcome.FAILED, Outcome.PASSED)


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold one row a notebook: exercises, attempted, passed, hints, wrong answers."""

    rows: tuple[dict[str, Any], ...]
    where: str

    @property
    def headline(self) -> str:
        """Say how many exercises were passed, of how many."""
        passed, every = (sum(row[name] for row in self.rows) for name in ("passed", "exercises"))
        return f"You have passed {passed} of {every} exercises."

    def __repr__(self) -> str:
        """Say it as text, a line a notebook."""
        lines = ["; ".join(f"{name} {value}" for name, value in row.items()) for row in self.rows]
        return "\n".join([self.headline, *lines, self.where])

    def _repr_html_(self) -> str:
        body = cards.table(self.rows) + cards.paragraph(self.where)
        return cards.card("●", self.headline, body)


def progress() -> Standing:
    """Tell what was attempted and passed in each notebook, and with how many hints.

    An exercise counts as passed once any answer to it was right. Raises LabError for a record that
    cannot be read.
    """
    lines = progress_lines()
    rows = []
    for number, exercises in by_notebook().items():
        mine = [line for line in lines if line.get("exercise") in exercises]

        def of(outcomes: tuple[str, ...], mine: list[dict[str, Any]] = mine) -> list[str]:
            return [str(line["exercise"]) for line in mine if line.get("outcome") in outcomes]

        rows.append(
            {
                "notebook": number,
                "exercises": len(exercises),
                "attempted": len(set(of(_ATTEMPTED))),
                "passed": len(set(of((Outcome.PASSED,)))),
                "wrong answers": len(of((Outcome.FAILED,))),
                "hints": len(of((HINT,))),
            }
        )
    where = f"Counted from {own_folder.file()}, on this machine only. labsim.reset_progress() "
    return Standing(tuple(rows), where + "removes it.")


def reset_progress() -> Said:
    """Remove the learner's own record: answers, hints, predictions, rows of the matrix.

    Raises LabError if a file cannot be removed.
    """
    gone = own_folder.remove()
    text = "\n".join(map(str, gone)) or f"There was nothing in {own_folder.file().parent}."
    return Said("Your record was removed" if gone else "Your record was empty", text)


@cache
def by_notebook() -> dict[str, dict[str, Exercise]]:
    """Return every exercise by its name, under the number of its notebook, in their order."""
    found: dict[str, dict[str, Exercise]] = {}
    for each in pkgutil.iter_modules(labsim.exercises.__path__):
        module = import_module(f"labsim.exercises.{each.name}")
        number = re.match(r"(?:Notebook )?(\d\d|[Pp]rimer):", module.__doc__ or "")
        mine = {x.name: x for x in vars(module).values() if isinstance(x, Exercise)}
        if number and mine:
            found.setdefault(number[1].lower(), {}).update(mine)
    return dict(sorted(found.items(), key=lambda item: (item[0].isdigit(), item[0])))
