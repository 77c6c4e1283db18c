"""The oracle: outcomes that a person wrote down from the documents before any run.

`data/expected_outcomes.csv` is compared in both directions: every cell that was measured must
stand there, and every cell that stands there must have been measured. No program writes it. A
user's own estate is compared in the first direction only: it need not have all that is there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from labsim.errors import LabError
from labsim.estate.plan import Plan
from labsim.roles.tls_client_authentication import TLS_CLIENT_AUTH

CELL = ("theft", "custody", "binding", "replay", "variant", "relation")
FOUND = ("outcome", "check", "source")
COLUMNS = (*CELL, *FOUND)

type Cell = tuple[str, ...]
type Row = Mapping[str, object]


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


def comparable(rows: Iterable[Row], plan: Plan) -> list[Row]:
    """Return the attempts that the oracle has a line for, whoever's estate they were made in.

    Its lines about a client's credential are for one that lies in a file and may ask for tokens by
    itself. A client that authenticates by the very certificate that its tokens are bound to may
    have it in no file (RFC 8705 section 2.1); one that lives from refresh tokens gets nothing with
    its credential alone, and a copy of files or a commit may have none (RFC 6749 section 10.4).
    """

    def has_line(row: Row) -> bool:
        client = plan.client(str(row["client"]))
        if row["replay"] != "new_token_for_own_key":
            return True
        one_key = client.authentication == TLS_CLIENT_AUTH and row["binding"] == "mtls"
        kinds = str(row["loot"]).split("+")
        alone = "client_credential" in kinds and "refresh_token" not in kinds
        return not (
            (one_key and row["custody"] != "file") or (client.grant == "refresh_token" and alone)
        )

    return [row for row in rows if has_line(row)]


def differences(
    rows: Iterable[Row], expected: Mapping[Cell, Cell], whole: bool = True
) -> list[Difference]:
    """Compare attempts (mappings with the columns of `COLUMNS`) with the oracle, both ways.

    If it is not the `whole` of it that was to be measured, only what was measured is compared.
    """
    measured: dict[Cell, set[Cell]] = {}
    for row in rows:
        cell = tuple(str(row[name]) for name in CELL)
        measured.setdefault(cell, set()).add(tuple(str(row[name]) for name in FOUND))
    return [
        Difference(cell, expected.get(cell), frozenset(measured.get(cell, ())))
        for cell in sorted({*expected, *measured} if whole else measured)
        if measured.get(cell, set()) != ({expected[cell]} if cell in expected else set())
    ]
