"""What a variant of the servers changes: the replays that end otherwise, the base beside each.

Only what differs is drawn, in a heavy frame; the variants that change nothing are named in a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import differences, palette, style, tiles, words
from labsim.charts.differences import BASE, Compared, Differences, Place, Way
from labsim.charts.picture import Picture
from labsim.charts.tiles import GAP, MARGIN, ROW
from labsim.charts.words import Look

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = 2.05
CELL: Final = 1.1
LINE: Final = 0.125
MOST_COLUMNS: Final = 8
NARROWEST: Final = 7.5
"""Inches, but for the columns: more of them go below, binding by binding."""
type Row = tuple[Way, tuple[Compared, ...]]


def picture(attempts: pd.DataFrame) -> Picture:
    """Draw what the variants change, with title and alt text; columns as `differences` reads."""
    found = differences.differences(attempts)
    return Picture(_figure(found), differences.title(found), differences.alt(found))


@style.settings()
def _figure(found: Differences) -> Figure:
    bands = _bands(found.places)
    most = max((len(band) for band in bands), default=0)
    width = max(NARROWEST, 2 * MARGIN + LABEL + CELL * most)
    looks = [look for look in Look if look in _looks(found) and look is not Look.NOT_MEASURED]
    notes = style.wrapped(differences.unchanged(found), width - 2 * MARGIN, 8.5, 6)
    title = differences.title(found)
    rows = [_rows(found, places) for places in bands]
    body = sum(
        _head(found, places) + ROW * len(shown) + 0.2
        for places, shown in zip(bands, rows, strict=True)
    )
    keys = tiles.KEY * (len(looks) + 1) if looks else 0
    height = style.heading_height(width, title) + body + 0.16 * len(notes) + keys + 0.3
    figure, axes = style.sheet(width, height)
    y = style.heading(axes, width, title) + 0.05
    for places, shown in zip(bands, rows, strict=True):
        _band(axes, y, found, places, shown, width - 2 * MARGIN - LABEL)
        y += _head(found, places) + ROW * len(shown) + 0.2
    for line in notes:
        style.write(axes, MARGIN, y, line)
        y += 0.16
    if looks:
        _key(axes, y + 0.12, looks)
    return figure


def _bands(places: tuple[Place, ...]) -> list[list[int]]:
    bands: list[list[int]] = []
    for _, group in groupby(range(len(places)), key=lambda n: places[n][:2]):
        columns = list(group)
        if bands and len(bands[-1]) + len(columns) <= MOST_COLUMNS:
            bands[-1] += columns
        else:
            bands.append(columns)
    return bands


def _rows(found: Differences, places: list[int]) -> list[Row]:
    return [row for row in found.rows if any(row[1][place].differs for place in places)]


def _looks(found: Differences) -> set[Look]:
    return {each.cell.look for _, row in found.rows for each in row}


def _named(found: Differences, place: int) -> list[str]:
    name = words.capital(words.variant(found.places[place].variant))
    return style.wrapped(name, CELL - 0.1, 7.5, 6)


def _head(found: Differences, places: list[int]) -> float:
    return 0.42 + LINE * max(len(_named(found, place)) for place in places)


def _band(
    axes: Axes, y: float, found: Differences, places: list[int], rows: list[Row], wide: float
) -> None:
    """Draw one band; `wide` inches are there for its columns, used or not."""
    head = _head(found, places)
    for number, place in enumerate(places):
        binding, custody, variant = found.places[place]
        x = MARGIN + LABEL + CELL * number
        if variant == BASE:
            many = sum(found.places[each][:2] == (binding, custody) for each in places)
            is_last = number + many == len(places)
            room = wide - CELL * number if is_last else CELL * many
            _group(axes, x, y, many, room, binding, custody)
        for line, text in enumerate(_named(found, place)):
            weight = "bold" if variant == BASE else "normal"
            middle = y + 0.38 + LINE * line
            style.write(axes, x + CELL / 2, middle, text, 7.5, ha="center", weight=weight)
    for way, row in rows:
        what, when = differences.label(way)
        tiles.label(axes, y + head, words.capital(what), LABEL - 0.1, when)
        for number, place in enumerate(places):
            x = MARGIN + LABEL + CELL * number
            here = row[place]
            tiles.tile(axes, x, y + head, CELL, here.cell, frame=here.differs)
        head += ROW


def _group(
    axes: Axes, x: float, y: float, many: int, room: float, binding: str, custody: str
) -> None:
    mark = palette.mark(binding)
    name = words.capital(words.binding(binding))
    axes.plot([x + 0.12], [y + 0.1], mark.marker, color=mark.colour, markersize=6)
    shown = style.wrapped(name, room - 0.3, 8.5, 1, bold=True)[0]
    style.write(axes, x + 0.24, y + 0.1, shown, weight="bold")
    room -= 0.44 + style.text_width(shown, 8.5, bold=True)
    kept = style.wrapped(words.custody(custody), room, 7.5, 1)[0]
    if style.text_width(kept, 7.5) <= room:
        start = x + 0.34 + style.text_width(shown, 8.5, bold=True)
        style.write(axes, start, y + 0.105, kept, 7.5, "muted")
    style.box(axes, x + GAP, y + 0.22, CELL * many - 2 * GAP, 0.05, mark.colour)


def _key(axes: Axes, y: float, looks: Sequence[Look]) -> None:
    heavy = {"edgecolor": palette.LIGHT["ink"], "linewidth": 2}
    style.box(axes, MARGIN, y - 0.08, 0.3, 0.17, "none", **heavy)
    note = f"{tiles.DIFFERS}, framed: ends otherwise than in the base, for the same clients."
    style.write(axes, MARGIN + 0.4, y, note, 8, "muted")
    tiles.key(axes, y + tiles.KEY, looks)
