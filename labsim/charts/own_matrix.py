"""A learner's own matrix: who was robbed of what, and what each kind of loot was good for.

A row is one theft under one binding, as one notebook tried it; its first cell is the holder itself,
for a refusal counts only where the holder is served. The other columns are what the thief had.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import having, palette, style, tiles, words
from labsim.charts.having import Row
from labsim.charts.picture import Picture
from labsim.charts.tiles import MARGIN, ROW
from labsim.charts.words import Look

LABEL: Final = 2.9
CELL: Final = 1.06
HEAD: Final = 0.52
GROUP: Final = 0.28
"""Inches: a row's name, a cell, the names of the columns, the name of a notebook."""
NARROWEST: Final = 5


def picture(rows: Sequence[Row]) -> Picture:
    """Draw rows as `labsim.tally.rows` returns them; there must be one at least."""
    title = finding(rows)
    return Picture(_figure(rows, title), title, f"{title} {' '.join(map(_told, rows))}")


def finding(rows: Sequence[Row]) -> str:
    """Say in one sentence what the rows show."""
    leaked = [row for row in rows if having.served(row, set(having.KINDS) - set(having.MORE))]
    more = [row for row in rows if row not in leaked and having.served(row, having.MORE)]
    many = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
    said = f"The thief was served in {len(leaked)} of {many} with no more than what leaked"
    if more:
        kinds = dict.fromkeys(kind for row in more for kind in having.served(row, having.MORE))
        needed = words.listed([_thing(kind) for kind in kinds], "or")
        said += f", and in {len(more)} with {needed}"
    return f"{said}."


def _thing(kind: str) -> str:
    return having.KINDS[kind].removesuffix(" too")


def _told(row: Row) -> str:
    cells = {"the holder itself": having.holder(row)}
    cells |= {having.KINDS[kind]: having.ended(row, kind) for kind in having.KINDS}
    shown = {name: cell for name, cell in cells.items() if cell.look is not Look.NOT_MEASURED}
    ends = [
        f"{name}: {cell.word}{f' ({cell.why})' if cell.why else ''}" for name, cell in shown.items()
    ]
    return f"{row['notebook']}, {having.named(row)}, {having.robbed(row)}: {'; '.join(ends)}."


@style.settings()
def _figure(rows: Sequence[Row], title: str) -> Figure:
    kinds = having.present(rows)
    groups = [(name, list(mine)) for name, mine in groupby(rows, key=lambda row: row["notebook"])]
    width = 2 * MARGIN + LABEL + CELL * max(NARROWEST, len(kinds) + 1)
    looks = _looks(rows, kinds)
    top = style.heading_height(width, title)
    body = HEAD + GROUP * len(groups) + ROW * len(rows)
    figure, axes = style.sheet(width, top + body + tiles.KEY * len(looks) + 0.4)
    y = style.heading(axes, width, title) + 0.05
    heads = [words.HOLDER, *(having.KINDS[kind] for kind in kinds)]
    for number, name in enumerate(heads):
        _head(axes, MARGIN + LABEL + CELL * number, y, name)
    y += HEAD
    for name, mine in groups:
        style.write(axes, MARGIN, y + 0.16, f"Notebook {name}", 8.5, "muted")
        y += GROUP
        for row in mine:
            _row(axes, y, row, kinds)
            y += ROW
    tiles.key(axes, y + 0.25, looks)
    return figure


def _head(axes: Axes, x: float, y: float, name: str) -> None:
    lines = style.wrapped(words.capital(name), CELL - 0.1, 8, 3, bold=True)
    for number, line in enumerate(lines):
        at = y + HEAD - 0.1 - 0.14 * (len(lines) - 1 - number)
        style.write(axes, x + CELL / 2, at, line, 8, ha="center", weight="bold")


def _row(axes: Axes, y: float, row: Row, kinds: list[str]) -> None:
    mark = palette.mark(row["binding"])
    style.box(axes, MARGIN, y + 0.06, 0.05, ROW - 0.12, mark.colour)
    lines = style.wrapped(having.named(row), LABEL - 0.25, 8.5, 2, bold=True)
    said = [(line, 8.5, "ink") for line in lines]
    said += [
        (line, 7.5, "muted") for line in style.wrapped(having.robbed(row), LABEL - 0.25, 7.5, 1)
    ]
    for number, (line, size, colour) in enumerate(said):
        at = y + ROW / 2 + (number - (len(said) - 1) / 2) * 0.15
        weight = "bold" if colour == "ink" else "normal"
        style.write(axes, MARGIN + 0.13, at, line, size, colour, weight=weight)
    left = MARGIN + LABEL
    tiles.tile(axes, left, y, CELL, having.holder(row), thief=False)
    for number, kind in enumerate(kinds, 1):
        tiles.tile(axes, left + CELL * number, y, CELL, having.ended(row, kind))


def _looks(rows: Sequence[Row], kinds: list[str]) -> list[Look]:
    cells = [having.holder(row) for row in rows]
    cells += [having.ended(row, kind) for row in rows for kind in kinds]
    there = {cell.look for cell in cells} - {Look.NOT_MEASURED}
    return [look for look in Look if look in there]
