"""From rows to cells: what the matrix, the report and the terminal's tables all show.

One cell is all attempts of one theft, custody, binding, replay, variant and relation, over every
client and resource. Nothing is averaged away: a cell whose attempts ended differently says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from labsim.charts import words
from labsim.charts.words import Look
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd


class Column(NamedTuple):
    """Name one column: how it was stolen, what it was bound to, where the key lay."""

    theft: str
    binding: str
    custody: str


class Ending(NamedTuple):
    """How one attempt ended, and why if it was refused."""

    outcome: str
    reason: str
    check: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold what one cell shows: its look, a word, why, and the attempts behind it.

    `endings` counts the attempts by how they ended, the one that is shown first; `exemplar` is
    the number of an attempt that ended so, 0 if there is none (the holder's own requests).
    """

    look: Look
    word: str
    why: str
    endings: tuple[tuple[Ending, int], ...] = ()
    exemplar: int = 0

    @property
    def attempts(self) -> int:
        """Return how many attempts stand behind this cell."""
        return sum(count for _, count in self.endings)

    @property
    def tried(self) -> int:
        """Return how many of them could be built, and were sent."""
        return sum(n for ending, n in self.endings if ending.outcome != "not_possible")

    @property
    def sign(self) -> words.Sign:
        """Return glyph and words of this cell's look."""
        return words.SIGNS[self.look]


NOT_MEASURED = Cell(Look.NOT_MEASURED, "", "")


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one row: a replay (or several that ended alike) and its cell per column."""

    replays: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Hold one matrix: its columns, the holder's own row, and a row per replay."""

    columns: tuple[Column, ...]
    holder: tuple[Cell, ...]
    rows: tuple[Row, ...]


def cell(endings: Iterable[Ending], numbers: Iterable[int] = ()) -> Cell:
    """Make one cell of several attempts' endings; `numbers` are those attempts' numbers.

    Attempts that could not be built say nothing about those that could: they count only where
    there are no others. A cell with anything served never reads as a refusal.
    """
    every = list(endings)
    if not every:
        return NOT_MEASURED
    tried = [each for each in every if each.outcome != "not_possible"] or every
    counted = Counter(tried)
    served = [each for each in counted if each.outcome == "served"]
    shown = served[0] if served else counted.most_common(1)[0][0]
    exemplar = next((n for n, each in zip(numbers, every, strict=False) if each == shown), 0)
    ordered = sorted(Counter(every).items(), key=lambda item: item[0] != shown)
    look = words.look(shown.outcome, shown.reason)
    alike = sum(count for each, count in counted.items() if each.outcome == shown.outcome)
    word = words.SIGNS[look].word
    if alike < len(tried):
        word = f"{word} {alike} of {len(tried)}"
        look = Look.SERVED_IN_PART if served else look
    return Cell(look, word, _why(shown, counted), tuple(ordered), exemplar)


def ending(row: Mapping[Any, Any]) -> Ending:
    """Return how an attempt ended: where it failed on the way, without the server's address."""
    reason = str(row["reason"])
    if row["outcome"] in ("refused_by_tls", "unreachable"):
        reason = words.without_address(reason)
    return Ending(str(row["outcome"]), reason, str(row["check"]))


def _why(shown: Ending, counted: Counter[Ending]) -> str:
    if shown.outcome == "refused_by_tls":
        return words.alert(shown.reason)
    if shown.outcome != "rejected":
        return ""
    reasons = {words.why(e.reason, e.check) for e in counted if e.outcome == "rejected"}
    first = words.why(shown.reason, shown.check)
    return first if len(reasons) == 1 else f"{first}, and {len(reasons) - 1} more"


def grid(
    attempts: pd.DataFrame,
    holder: pd.DataFrame,
    relation: str = "same_resource",
    variant: str = "base",
    verifier: str = "full",
) -> Grid:
    """Sort attempts and the holder's own requests into the cells of one matrix.

    Reads of `attempts` the columns attempt, theft, custody, binding, replay, variant, verifier,
    relation, outcome, reason, check; of `holder` theft, custody, binding, variant, outcome (all
    string but attempt, int64). Raises LabError where there is no such attempt at all.
    """
    behind: dict[tuple[Column, str], list[tuple[int, Ending]]] = {}
    for row in _records(attempts):
        if (row["relation"], row["variant"], row["verifier"]) == (relation, variant, verifier):
            key = Column(row["theft"], row["binding"], row["custody"]), row["replay"]
            behind.setdefault(key, []).append((row["attempt"], ending(row)))
    if not behind:
        raise LabError(
            f"There are no attempts with relation {relation!r} and variant {variant!r} to show.",
            todo="Run some first.",
        )
    columns = _columns(column for column, _ in behind)
    replays = words.in_order("replay", [replay for _, replay in behind])
    rows = []
    for replay in replays:
        found = [behind.get((column, replay), []) for column in columns]
        made = [cell([e for _, e in each], [n for n, _ in each]) for each in found]
        rows.append(Row((replay,), tuple(made)))
    return Grid(columns, _holder(holder, columns, variant), tuple(rows))


def at(grid: Grid, columns: tuple[Column, ...]) -> Grid:
    """Return a grid with these columns, in their order; those it lacks are not measured."""
    place = {column: number for number, column in enumerate(grid.columns)}

    def placed(found: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return tuple(found[place[c]] if c in place else NOT_MEASURED for c in columns)

    rows = tuple(Row(row.replays, placed(row.cells)) for row in grid.rows)
    return Grid(columns, placed(grid.holder), rows)


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def _columns(found: Iterable[Column]) -> tuple[Column, ...]:
    distinct = list(dict.fromkeys(found))
    thefts = words.in_order("theft", [column.theft for column in distinct])
    bindings = words.in_order("binding", [column.binding for column in distinct])
    custodies = words.in_order("custody", [column.custody for column in distinct])

    def place(column: Column) -> tuple[int, int, int]:
        first, second = thefts.index(column.theft), bindings.index(column.binding)
        return first, second, custodies.index(column.custody)

    return tuple(sorted(distinct, key=place))


def _holder(holder: pd.DataFrame, columns: tuple[Column, ...], variant: str) -> tuple[Cell, ...]:
    found: dict[Column, list[Ending]] = {}
    for row in _records(holder):
        if row["variant"] == variant:
            column = Column(row["theft"], row["binding"], row["custody"])
            found.setdefault(column, []).append(Ending(row["outcome"], row.get("reason", ""), ""))
    return tuple(cell(found.get(column, ())) for column in columns)


def merged(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return the rows with those that ended alike in every column made one.

    What could not be built or was not tried goes with anything: such a row only adds to the
    count of attempts.
    """
    result: list[Row] = []
    for row in rows:
        for place, other in enumerate(result):
            pairs = list(zip(row.cells, other.cells, strict=True))
            if all(_alike(mine, its) for mine, its in pairs):
                cells = tuple(both(mine, its) for mine, its in pairs)
                result[place] = Row(other.replays + row.replays, cells)
                break
        else:
            result.append(row)
    return tuple(result)


_SILENT = (Look.NOT_POSSIBLE, Look.NOT_MEASURED)


def _alike(mine: Cell, its: Cell) -> bool:
    if mine.look in _SILENT or its.look in _SILENT:
        return True
    return (mine.look, mine.word, mine.why) == (its.look, its.word, its.why)


def both(mine: Cell, its: Cell) -> Cell:
    """Return one cell for two that look alike, with the attempts of both."""
    shown = mine if its.look in _SILENT and mine.look not in _SILENT else its
    endings = Counter(dict(shown.endings))
    for ending, count in (its if shown is mine else mine).endings:
        endings[ending] += count
    return Cell(shown.look, shown.word, shown.why, tuple(endings.items()), shown.exemplar)
