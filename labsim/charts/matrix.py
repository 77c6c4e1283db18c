"""The matrix of outcomes: what each replay of each stolen token came to.

The first row is the holder itself: a refusal counts only where the holder is still served. Every
other row is a way of using what was stolen; every column is how it was stolen and what it was
bound to. Ways that a theft yields nothing for are named in a line below its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import cells, findings, palette, style, tiles, words
from labsim.charts.cells import Cell, Column, Grid
from labsim.charts.findings import SAME
from labsim.charts.picture import Picture
from labsim.charts.tiles import GAP, MARGIN, ROW
from labsim.charts.words import Look

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = 2.05
CELL: Final = 0.99
HEAD: Final = 0.72
NOTE: Final = 0.15
MOST_COLUMNS: Final = 9
"""More columns than these go below, theft by theft, so that the text stays legible."""
_SILENT: Final = {Look.NOT_POSSIBLE, Look.NOT_MEASURED}
type Rows = list[tuple[str, tuple[Cell, ...]]]


@dataclass(frozen=True, slots=True)
class _Panel:
    """Hold the rows of one kind of server in one band, and what could not be built there."""

    where: str
    rows: Rows
    note: list[str]

    @property
    def height(self) -> float:
        return 0.3 + ROW * len(self.rows) + NOTE * len(self.note) + (0.1 if self.note else 0)


def picture(attempts: pd.DataFrame, holder: pd.DataFrame, variant: str = "base") -> Picture:
    """Draw the matrix of one variant with its title and alt text; columns as `cells.grid` reads."""
    grids = findings.both(attempts, holder, variant)
    title = findings.of_matrix(grids[SAME])
    return Picture(_figure(grids, title), title, findings.alt_of_matrix(grids))


def _bands(columns: tuple[Column, ...]) -> list[list[int]]:
    bands: list[list[int]] = [[]]
    for _, group in groupby(range(len(columns)), key=lambda place: columns[place].theft):
        places = list(group)
        if bands[-1] and len(bands[-1]) + len(places) > MOST_COLUMNS:
            bands.append([])
        bands[-1] += places
    return bands


@style.settings()
def _figure(grids: dict[str, Grid], title: str) -> Figure:
    columns = grids[SAME].columns
    bands = _bands(columns)
    width = 2 * MARGIN + LABEL + CELL * max(len(band) for band in bands)
    every = {where: _rows(where, grid) for where, grid in grids.items()}
    panels = [
        [
            _panel(where, rows, places, width)
            for where, rows in every.items()
            if _looks(rows, places) != {Look.NOT_MEASURED}
        ]
        for places in bands
    ]
    found = {cell.look for rows in every.values() for _, row in rows for cell in row}
    looks = [look for look in Look if look in found and look is not Look.NOT_MEASURED]
    top = style.heading_height(width, title)
    body = sum(HEAD + 0.15 + sum(panel.height for panel in band) for band in panels)
    height = top + body + tiles.KEY * len(looks) + 0.5
    figure, axes = style.sheet(width, height)
    y = style.heading(axes, width, title)
    for places, band in zip(bands, panels, strict=True):
        _header(axes, y, [columns[place] for place in places])
        y += HEAD
        for panel in band:
            _draw(axes, y, panel, places)
            y += panel.height
        y += 0.15
    style.write(axes, MARGIN, tiles.key(axes, y + 0.1, looks) + 0.02, _counted(grids), 8, "muted")
    return figure


def _rows(where: str, grid: Grid) -> Rows:
    if where == SAME:
        replays = [(words.replay(row.replays[0]), row.cells) for row in grid.rows]
        return [(words.HOLDER, grid.holder), *replays]
    return findings.labelled(cells.merged(grid.rows))


def _panel(where: str, rows: Rows, places: list[int], width: float) -> _Panel:
    """Part the rows of a band from those that could not be built in any of its columns."""
    shown: Rows = []
    absent: Rows = []
    for label, row in rows:
        silent = {row[place].look for place in places} <= _SILENT and label != words.HOLDER
        (absent if silent else shown).append((label, row))
    if not absent:
        return _Panel(where, shown, [])
    note = f"Cannot be built from what was stolen: {'; '.join(label for label, _ in absent)}."
    return _Panel(where, shown, style.wrapped(note, width - 2 * MARGIN, 7.5, 4))


def _looks(rows: Rows, places: list[int]) -> set[Look]:
    return {row[place].look for _, row in rows for place in places}


def _header(axes: Axes, y: float, columns: list[Column]) -> None:
    x = MARGIN + LABEL
    for theft, group in groupby(columns, key=lambda column: column.theft):
        count = len(list(group))
        name = style.wrapped(words.capital(words.theft(theft)), CELL * count, 9, 1, bold=True)[0]
        style.write(axes, x + CELL * count / 2, y + 0.1, name, 9, ha="center", weight="bold")
        axes.plot([x + GAP, x + CELL * count - GAP], [y + 0.22] * 2, color=palette.LIGHT["line"])
        x += CELL * count
    for place, column in enumerate(columns):
        x = MARGIN + LABEL + CELL * place
        mark = palette.mark(column.binding)
        name = words.capital(words.binding(column.binding))
        size = 8.5 if style.text_width(name, 8.5, bold=True) <= CELL - 0.25 else 7.5
        lines = style.wrapped(name, CELL - 0.25, size, 2, bold=True)
        wide = max(style.text_width(line, size, bold=True) for line in lines)
        start = x + (CELL - wide - 0.14) / 2
        axes.plot([start], [y + 0.36], mark.marker, color=mark.colour, markersize=6)
        for number, line in enumerate(lines):
            middle = y + 0.36 + (number - (len(lines) - 1) / 2) * 0.115
            style.write(axes, start + 0.12, middle, line, size, weight="bold")
        custody = style.wrapped(words.custody(column.custody), CELL - 0.06, 7.5, 1)[0]
        style.write(axes, x + CELL / 2, y + 0.535, custody, 7.5, "muted", ha="center")
        style.box(axes, x + GAP, y + 0.63, CELL - 2 * GAP, 0.05, mark.colour)


def _draw(axes: Axes, y: float, panel: _Panel, places: list[int]) -> None:
    style.write(axes, MARGIN, y + 0.16, panel.where, 8.5, "muted")
    y += 0.3
    for label, row in panel.rows:
        own = label == words.HOLDER
        tiles.label(axes, y, words.capital(label), LABEL - 0.15, bold=own)
        for number, place in enumerate(places):
            tiles.tile(axes, MARGIN + LABEL + CELL * number, y, CELL, row[place], thief=not own)
        y += ROW
    for line in panel.note:
        style.write(axes, MARGIN, y + 0.1, line, 7.5, "muted")
        y += NOTE


def _counted(grids: dict[str, Grid]) -> str:
    shown = [c for g in grids.values() for row in g.rows for c in row.cells if c.attempts]
    counts = [cell.attempts for cell in shown]
    many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{max(counts)}"
    sent = sum(cell.tried for cell in shown)
    return (
        f"One cell stands for {many} attempts; {sum(counts)} in all, of which {sent} could be "
        "built and were sent."
    )
