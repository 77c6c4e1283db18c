"""The oracle: outcomes that a person wrote down from the documents before any run.

`data/expected_outcomes.csv` is compared in both directions: every cell that was measured must
stand there, and every cell that stands there must have been measured. No program writes it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from labsim.errors import LabError

CELL = ("theft", "custody", "binding", "replay", "variant", "relation")
FOUND = ("outcome", "check", "source")
COLUMNS = (*CELL, *FOUND)

type Cell = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold one cell in which the run and the oracle do not agree."""

    cell: Cell
    expected: Cell | None
    measured: frozenset[Cell]

    def __str__(self) -> str:
        """Name the cell and say what was expected and what was measured."""
        where = " / ".join(self.cell)
        expected = _words(self.expected) if self.expected else "nothing (no such line)"
        measured = " and ".join(sorted(_words(m) for m in self.measured)) or "nothing (not tried)"
        return f"{where}: expected {expected}, measured {measured}"


def _words(found: Cell) -> str:
    outcome, check, source = found
    return f"{outcome} by {check} ({source})" if check else outcome


def load(file: Path) -> dict[Cell, Cell]:
    """Read the oracle: cell to outcome, check and source.

    Raises LabError that names the file and the line for whatever is wrong with it.
    """
    try:
        lines = list(csv.reader(file.read_text().splitlines()))
    except OSError as error:
        raise LabError(
            f"The expected outcomes cannot be read: {file}: {error.strerror}.",
            todo="Restore the file from the repository (git checkout data).",
        ) from error
    if not lines or tuple(lines[0]) != COLUMNS:
        raise LabError(
            f"{file}, line 1: the columns must be {','.join(COLUMNS)}.",
            todo="Restore the file from the repository (git checkout data).",
        )
    found: dict[Cell, Cell] = {}
    for number, line in enumerate(lines[1:], 2):
        cell = tuple(line[: len(CELL)])
        if len(line) != len(COLUMNS) or cell in found:
            what = "stands twice" if cell in found else f"needs {len(COLUMNS)} values"
            raise LabError(f"{file}, line {number}: this cell {what}.", todo="Mend that line.")
        found[cell] = tuple(line[len(CELL) :])
    return found


def differences(
    rows: Iterable[Mapping[str, object]], expected: Mapping[Cell, Cell]
) -> list[Difference]:
    """Compare attempts (mappings with the columns of `COLUMNS`) with the oracle, both ways."""
    measured: dict[Cell, set[Cell]] = {}
    for row in rows:
        cell = tuple(str(row[name]) for name in CELL)
        measured.setdefault(cell, set()).add(tuple(str(row[name]) for name in FOUND))
    return [
        Difference(cell, expected.get(cell), frozenset(measured.get(cell, ())))
        for cell in sorted({*expected, *measured})
        if measured.get(cell, set()) != ({expected[cell]} if cell in expected else set())
    ]
