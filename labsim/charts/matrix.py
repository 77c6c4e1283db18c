"""The matrix of outcomes: what each replay of each stolen token came to.

The first row is the holder itself: a refusal counts only where the holder is still served. Every
other row is a way of using what was stolen; every column is how it was stolen and what it was
bound to, several where they ended alike in every row. Ways that a theft yields nothing for are
named in a line below its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import cells, condensed, findings, palette, style, tiles, words
from labsim.charts.cells import Cell, Grid
from labsim.charts.condensed import Together
from labsim.charts.findings import SAME
from labsim.charts.picture import Picture
from labsim.charts.tiles import GAP, MARGIN, ROW
from labsim.charts.words import Look

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = 2.05
CELL: Final = 0.99
HEAD: Final = 0.55
NAME: Final = 0.15
KEPT: Final = 0.12
NOTE: Final = 0.15
MOST_COLUMNS: Final = 9
"""More columns than these go below, theft by theft, so that the text stays legible."""
NARROWEST: Final = 5
"""Columns for which there is room at least, so that title and key stay legible too."""
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


def _bands(columns: list[Together]) -> list[list[int]]:
    """Put the columns of each theft below one another, or beside those of others if they fit."""
    bands: list[list[int]] = []
    for _, group in groupby(range(len(columns)), key=lambda place: columns[place].thefts):
        places = list(group)
        roomy = (band for band in bands if len(band) + len(places) <= MOST_COLUMNS)
        band = next(roomy, None)
        if band is None:
            bands.append(places)
        else:
            band += places
    return bands


@style.settings()
def _figure(grids: dict[str, Grid], title: str) -> Figure:
    whole = {where: _rows(where, grid) for where, grid in grids.items()}
    every_row = [row for rows in whole.values() for _, row in rows]
    columns = condensed.together(grids[SAME].columns, every_row)
    every: dict[str, Rows] = {
        where: [(label, condensed.gathered(row, columns)) for label, row in rows]
        for where, rows in whole.items()
    }
    bands = _bands(columns)
    width = 2 * MARGIN + LABEL + CELL * max(NARROWEST, *(len(band) for band in bands))
    panels = [
        [
            _panel(where, every[where], places, width)
            for where in grids
            if _looks(every[where], places) != {Look.NOT_MEASURED}
        ]
        for places in bands
    ]
    every_place = list(range(len(columns)))
    looks = [
        look for look in Look if any(look in _looks(rows, every_place) for rows in every.values())
    ]
    looks = [look for look in looks if look is not Look.NOT_MEASURED]
    heads = [_head([columns[place] for place in places]) for places in bands]
    top = style.heading_height(width, title)
    body = sum(heads) + sum(0.15 + sum(panel.height for panel in band) for band in panels)
    height = top + body + tiles.KEY * len(looks) + 0.5
    figure, axes = style.sheet(width, height)
    y = style.heading(axes, width, title)
    for places, head, band in zip(bands, heads, panels, strict=True):
        _header(axes, y, head, [columns[place] for place in places])
        y += head
        for panel in band:
            _draw(axes, y, panel, places)
            y += panel.height
        y += 0.15
    style.write(axes, MARGIN, tiles.key(axes, y + 0.1, looks) + 0.02, _counted(every), 8, "muted")
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


def _looks(rows: Rows, places: Iterable[int]) -> set[Look]:
    return {row[place].look for _, row in rows for place in places}


def _named(thefts: tuple[str, ...], count: int) -> list[str]:
    name = words.capital(words.listed([words.theft(theft) for theft in thefts]))
    return style.wrapped(name, CELL * count - 0.1, 9, 6, bold=True)


def _kept(column: Together) -> list[str]:
    return style.wrapped(words.custodies(list(column.custodies)), CELL - 0.06, 7.5, 4)


def _by_theft(columns: list[Together]) -> list[tuple[tuple[str, ...], int]]:
    found = groupby(columns, key=lambda column: column.thefts)
    return [(thefts, len(list(group))) for thefts, group in found]


def _head(columns: list[Together]) -> float:
    """Return how high the header of a band is: names of thefts, of bindings, of custodies."""
    names = max(len(_named(*each)) for each in _by_theft(columns))
    return HEAD + NAME * names + KEPT * max(len(_kept(column)) for column in columns)


def _header(axes: Axes, y: float, head: float, columns: list[Together]) -> None:
    x, names = MARGIN + LABEL, max(len(_named(*each)) for each in _by_theft(columns))
    for thefts, count in _by_theft(columns):
        lines = _named(thefts, count)
        for number, line in enumerate(lines, names - len(lines)):
            middle = y + 0.1 + NAME * number
            style.write(axes, x + CELL * count / 2, middle, line, 9, ha="center", weight="bold")
        under = [y + 0.07 + NAME * names] * 2
        axes.plot([x + GAP, x + CELL * count - GAP], under, color=palette.LIGHT["line"])
        x += CELL * count
    for place, column in enumerate(columns):
        x = MARGIN + LABEL + CELL * place
        mark = palette.mark(column.binding)
        name = words.capital(words.binding(column.binding))
        size = 8.5 if style.text_width(name, 8.5, bold=True) <= CELL - 0.25 else 7.5
        lines = style.wrapped(name, CELL - 0.25, size, 2, bold=True)
        wide = max(style.text_width(line, size, bold=True) for line in lines)
        start, level = x + (CELL - wide - 0.14) / 2, y + 0.21 + NAME * names
        axes.plot([start], [level], mark.marker, color=mark.colour, markersize=6)
        for number, line in enumerate(lines):
            middle = level + (number - (len(lines) - 1) / 2) * 0.115
            style.write(axes, start + 0.12, middle, line, size, weight="bold")
        for number, line in enumerate(_kept(column)):
            middle = level + 0.2 + KEPT * number
            style.write(axes, x + CELL / 2, middle, line, 7.5, "muted", ha="center")
        style.box(axes, x + GAP, y + head - 0.09, CELL - 2 * GAP, 0.05, mark.colour)


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


def _counted(every: dict[str, Rows]) -> str:
    rows = [row for rows in every.values() for label, row in rows if label != words.HOLDER]
    shown = [cell for row in rows for cell in row if cell.attempts]
    counts = [cell.attempts for cell in shown]
    many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{max(counts)}"
    sent = sum(cell.tried for cell in shown)
    return (
        f"One cell stands for {many} attempts; {sum(counts)} in all, of which {sent} could be "
        "built and were sent."
    )
