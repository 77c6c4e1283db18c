"""How long each theft goes unnoticed: from the theft to the first alarm that the events justify.

A row for each theft and binding, a marker for each robbery at the moment of its first alarm. A
robbery that raised none has no marker: the row says so. Where it was computed, the row also says
what a responder saves who acts on the alarm.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import alarms, palette, scales, style, words
from labsim.charts.alarms import Row
from labsim.charts.picture import Picture

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
MARGIN: Final = 0.25
LABEL: Final = 2.75
AXIS: Final = 3.4
SAID: Final = WIDTH - 2 * MARGIN - LABEL - AXIS - 0.25
LINE: Final = 0.135
TITLE: Final = 0.16
HEAD: Final = 0.36


def picture(frame: pd.DataFrame, how: str = "") -> Picture:
    """Draw the times with title and alt text; `how` is a sentence on how they were measured.

    Reads what `blast.detection.time_to_alarm` returns: theft, custody, binding, client, reason,
    check (string), seconds (Float64, missing where there was no alarm), and, where
    `blast.detection.saved` added them, alone and saved (int64, records). Raises LabError if there
    is no row.
    """
    rows = alarms.rows(frame)
    title = alarms.title(rows)
    alt = " ".join(part for part in (alarms.alt(rows), how) if part)
    return Picture(_figure(rows, title, how), title, alt)


@style.settings()
def _figure(rows: list[Row], title: str, how: str) -> Figure:
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row.thefts)]
    names = [_named(group[0].thefts) for group in groups]
    body = sum(_high(row) for row in rows) + sum(HEAD + TITLE * (len(n) - 1) for n in names)
    more = 0.22 if how else 0.0
    height = style.heading_height(WIDTH, title) + body + 0.95 + more
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    longest = max((seconds for row in rows for seconds in row.seconds), default=0.0)
    scale = AXIS / (longest or 1.0)
    _axis(axes, y + 0.1, height - 0.55 - more, longest, scale)
    for line in style.wrapped(how, WIDTH - 2 * MARGIN, 8, 1):
        style.write(axes, MARGIN, height - 0.2, line, 8, "muted")
    for group, name in zip(groups, names, strict=True):
        for number, line in enumerate(name):
            clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
            middle = y + 0.2 + TITLE * number
            style.write(axes, MARGIN, middle, line, 9, weight="bold", bbox=clear)
        y += HEAD + TITLE * (len(name) - 1)
        for row in group:
            _row(axes, y, row, scale)
            y += _high(row)
    return figure


def _named(thefts: tuple[str, ...]) -> list[str]:
    name = words.capital(words.listed([words.theft(theft) for theft in thefts]))
    return style.wrapped(name, WIDTH - 2 * MARGIN, 9, 3, bold=True)


def _label(row: Row) -> tuple[list[str], list[str]]:
    room = LABEL - 0.4
    names = style.wrapped(words.capital(words.binding(row.binding)), room, 8.5, 1, bold=True)
    custody = words.custodies(list(row.custodies))
    return names, style.wrapped(custody, room, 7.5, 2)


def _told(row: Row) -> tuple[list[str], list[str]]:
    first = style.wrapped(alarms.told(row), SAID, 8, 2, bold=True)
    more = alarms.why(row), alarms.saves(row)
    return first, [line for each in more if each for line in style.wrapped(each, SAID, 7.5, 2)]


def _high(row: Row) -> float:
    left, right = sum(map(len, _label(row))), sum(map(len, _told(row)))
    return 0.11 + LINE * max(left, right)


def _axis(axes: Axes, top: float, bottom: float, longest: float, scale: float) -> None:
    left = MARGIN + LABEL
    ticks = scales.time_ticks(longest, 4) if longest else []
    for moment in (0.0, *ticks):
        x, line = left + moment * scale, palette.LIGHT["line" if moment else "muted"]
        axes.plot([x, x], [top, bottom], color=line, linewidth=0.8, zorder=0)
        said = scales.duration(moment) if moment else "theft"
        style.write(axes, x, bottom + 0.12, said, 8, "muted", ha="center")
    note = "lab time from the theft to the first alarm; one marker a robbery"
    style.write(axes, left, bottom + 0.31, note, 8, "muted")


def _row(axes: Axes, y: float, row: Row, scale: float) -> None:
    mark, first = palette.mark(row.binding), y + 0.1
    axes.plot([MARGIN + 0.12], [first], mark.marker, color=mark.colour, markersize=7)
    names, custody = _label(row)
    for number, line in enumerate(names):
        style.write(axes, MARGIN + 0.28, first + LINE * number, line, weight="bold")
    for number, line in enumerate(custody, len(names)):
        style.write(axes, MARGIN + 0.28, first + LINE * number, line, 7.5, "muted")
    left = MARGIN + LABEL
    if row.seconds:
        ends = [left, left + max(row.seconds) * scale]
        axes.plot(ends, [first, first], color=mark.colour, linewidth=1.2, zorder=2)
    edge = palette.LIGHT["paper"]
    for seconds in row.seconds:
        spot = [left + seconds * scale]
        axes.plot(
            spot, [first], mark.marker, color=mark.colour, markersize=7, zorder=3,
            markeredgecolor=edge, markeredgewidth=0.6,
        )  # fmt: skip
    x = left + AXIS + 0.25
    told, more = _told(row)
    for number, line in enumerate(told):
        weight = "bold" if row.seconds else "normal"
        style.write(axes, x, first + LINE * number, line, 8, weight=weight)
    for number, line in enumerate(more, len(told)):
        style.write(axes, x, first + LINE * number, line, 7.5, "muted")
