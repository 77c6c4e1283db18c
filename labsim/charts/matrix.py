"""The matrix of outcomes: what each replay of each stolen token came to.

The first row is the holder itself: a refusal counts only where the holder is still served. Every
other row is a way of using what was stolen; every column is how it was stolen and what it was
bound to.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import cells, findings, palette, style, words
from labsim.charts.cells import Cell, Column, Grid
from labsim.charts.findings import SAME
from labsim.charts.picture import Picture
from labsim.charts.words import Look

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = 2.05
CELL: Final = 0.99
ROW: Final = 0.5
HEAD: Final = 0.72
GAP: Final = 0.03
MARGIN: Final = 0.25
MOST_COLUMNS: Final = 9
"""More columns than these go below, theft by theft, so that the text stays legible."""
_FILLS: Final = {
    Look.SERVED: ("served", "on-served", ""),
    Look.SERVED_IN_PART: ("paper", "ink", "||||"),
    Look.REJECTED_BY_BINDING: ("bound", "ink", ""),
    Look.REJECTED_OTHERWISE: ("other", "ink", "////"),
    Look.REFUSED_BY_TLS: ("other", "ink", "xxxx"),
    Look.UNREACHABLE: ("paper", "muted", "...."),
    Look.NOT_POSSIBLE: ("paper", "muted", ""),
    Look.NOT_MEASURED: ("paper", "muted", ""),
}
_SILENT: Final = (Look.NOT_POSSIBLE, Look.UNREACHABLE)
"""Looks that tell nothing about the binding; their words are set lighter."""


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
    grid = grids[SAME]
    bands = _bands(grid.columns)
    width = 2 * MARGIN + LABEL + CELL * max(len(band) for band in bands)
    panels = {where: _rows(where, panel) for where, panel in grids.items()}
    looks = [look for look in Look if any(look in _looks(rows) for rows in panels.values())]
    top = style.heading_height(width, title)
    band = HEAD + sum(0.3 + ROW * len(rows) for rows in panels.values()) + 0.15
    height = top + band * len(bands) + 0.24 * len(looks) + 0.5
    figure, axes = style.sheet(width, height)
    y = style.heading(axes, width, title)
    for places in bands:
        _header(axes, y, [grid.columns[place] for place in places])
        below = y + HEAD
        for where, rows in panels.items():
            below = _panel(axes, below, where, rows, places)
        y += band
    _legend(axes, y + 0.1, looks, grids)
    return figure


def _rows(where: str, grid: Grid) -> list[tuple[str, tuple[Cell, ...]]]:
    if where == SAME:
        replays = [(words.replay(row.replays[0]), row.cells) for row in grid.rows]
        return [(words.HOLDER, grid.holder), *replays]
    return findings.labelled(cells.merged(grid.rows))


def _looks(rows: list[tuple[str, tuple[Cell, ...]]]) -> set[Look]:
    return {cell.look for _, row in rows for cell in row}


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


def _panel(
    axes: Axes,
    y: float,
    where: str,
    rows: list[tuple[str, tuple[Cell, ...]]],
    places: list[int],
) -> float:
    style.write(axes, MARGIN, y + 0.16, where, 8.5, "muted")
    y += 0.3
    for label, row in rows:
        weight = "bold" if label == words.HOLDER else "normal"
        lines = style.wrapped(words.capital(label), LABEL - 0.15, 8.5, 2, bold=weight == "bold")
        for number, line in enumerate(lines):
            middle = y + ROW / 2 + (number - (len(lines) - 1) / 2) * 0.155
            style.write(axes, MARGIN, middle, line, weight=weight)
        for number, place in enumerate(places):
            x = MARGIN + LABEL + CELL * number
            _cell(axes, x, y, row[place], thief=label != words.HOLDER)
        y += ROW
    return y


def _cell(axes: Axes, x: float, y: float, cell: Cell, thief: bool) -> None:
    fill, ink, hatch = _FILLS[cell.look]
    if cell.look is Look.SERVED and not thief:
        fill, ink = "band", "ink"  # the full shade is for what should not have been served
    size, bold = (7, False) if cell.look in _SILENT else (8, True)
    wide, high = CELL - 2 * GAP, ROW - 2 * GAP
    line = palette.LIGHT["line"]
    style.box(axes, x + GAP, y + GAP, wide, high, fill, edgecolor=line, linewidth=0.6)
    if hatch:
        strip = {"hatch": hatch, "edgecolor": palette.LIGHT["hatch"]}
        style.box(axes, x + GAP, y + GAP, 0.09, high, "paper", **strip)
    left = 0.09 if hatch else 0
    room = wide - left - 0.04
    word = f"{cell.sign.glyph} {cell.word}".strip()
    lines = [(line, size, bold) for line in style.wrapped(word, room, size, 2, bold)]
    lines += [(line, 7, False) for line in style.wrapped(cell.why, room, 7, 2)]
    for number, (text, points, heavy) in enumerate(lines[:3]):
        middle = y + ROW / 2 + (number - (min(len(lines), 3) - 1) / 2) * 0.132
        centre, weight = x + GAP + left + (wide - left) / 2, "bold" if heavy else "normal"
        style.write(axes, centre, middle, text, points, ink, ha="center", weight=weight)


def _legend(axes: Axes, y: float, looks: list[Look], grids: dict[str, Grid]) -> None:
    for look in looks:
        if look is Look.NOT_MEASURED:
            continue
        sign = words.SIGNS[look]
        fill, ink, hatch = _FILLS[look]
        edge = palette.LIGHT["hatch" if hatch else "line"]
        style.box(axes, MARGIN, y - 0.08, 0.3, 0.17, fill, edgecolor=edge, linewidth=0.6)
        if hatch:
            strip = {"hatch": hatch, "edgecolor": edge}
            style.box(axes, MARGIN, y - 0.08, 0.09, 0.17, "paper", **strip)
        left = 0.195 if hatch else 0.15
        style.write(axes, MARGIN + left, y, sign.glyph, 8, ink, ha="center", weight="bold")
        note = f"{words.capital(look)}: {sign.meaning}"
        note += " (full shade: to the thief)." if look is Look.SERVED else "."
        style.write(axes, MARGIN + 0.4, y, note, 8, "muted")
        y += 0.24
    shown = [c for g in grids.values() for row in g.rows for c in row.cells if c.attempts]
    counts = [cell.attempts for cell in shown]
    many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{max(counts)}"
    note = f"One cell stands for {many} attempts; {sum(counts)} in all, of which "
    note += f"{sum(cell.tried for cell in shown)} could be built and were sent."
    style.write(axes, MARGIN, y + 0.02, note, 8, "muted")
