"""The blast radius: how many records each theft exposed, by replay and in passing.

Every bar stands on one linear axis, so that before and after can be compared by eye. Nothing by
replay is written "0 of N by replay"; what an interceptor read in its victim's answers meanwhile
is drawn beside it, for a proof on the request does not hide the answer. Where the victim itself
was not served meanwhile, that is said: such a theft makes noise.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import findings, palette, style, words
from labsim.charts.findings import Bar
from labsim.charts.picture import Picture

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
LABEL: Final = 2.6
AXIS: Final = 5.2
MARGIN: Final = 0.25
ROW: Final = 0.34
PASSING: Final = 0.17
"""Inches: a row, and what it needs more where something was read in passing."""


def picture(blast: pd.DataFrame) -> Picture:
    """Draw the blast radius with its title and alt text.

    Reads the columns theft, custody, binding (string), records, of, read_in_passing (int64, each
    a count of distinct records), and where they are there `victim_requests` and `victim_failed`
    (int64: the victims' own requests during the theft). Raises LabError if there is no row.
    """
    bars = findings.bars(blast)
    title = findings.of_bars(bars)
    return Picture(_figure(bars, title), title, findings.alt_of_bars(bars))


@style.settings()
def _figure(bars: list[Bar], title: str) -> Figure:
    groups = [list(group) for _, group in groupby(bars, key=lambda bar: bar["theft"])]
    top = style.heading_height(WIDTH, title)
    height = top + 0.4 * len(groups) + sum(_height(bar) for bar in bars) + 1.2
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    scale = AXIS / max(1, *(max(bar["of"], bar["read_in_passing"]) for bar in bars))
    _axis(axes, y, height - 1.0, scale)
    for group in groups:
        name = words.capital(words.theft(group[0]["theft"]))
        heading = style.wrapped(name, LABEL - 0.1, 9, 1, bold=True)[0]
        style.write(axes, MARGIN, y + 0.25, heading, 9, weight="bold")
        y += 0.4
        for bar in group:
            _bar(axes, y, bar, scale)
            y += _height(bar)
    _legend(axes, height - 0.3, bars)
    return figure


def _height(bar: Bar) -> float:
    return ROW + (PASSING if findings.passing(bar) else 0)


def _axis(axes: Axes, top: float, bottom: float, scale: float) -> None:
    left = MARGIN + LABEL
    most = AXIS / scale
    step = next(s for s in _steps() if most / s <= 6)
    for tick in range(0, int(most) + 1, step):
        x, line = left + tick * scale, palette.LIGHT["line" if tick else "muted"]
        axes.plot([x, x], [top + 0.1, bottom], color=line, linewidth=0.8, zorder=0)
        style.write(axes, x, bottom + 0.12, f"{tick}", 8, "muted", ha="center")
    unit = "records: distinct ones, of those at the servers that the robbed clients call"
    style.write(axes, left, bottom + 0.33, unit, 8, "muted")


def _steps() -> Any:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _bar(axes: Axes, y: float, bar: Bar, scale: float) -> None:
    left = MARGIN + LABEL
    mark = palette.mark(bar["binding"])
    axes.plot([MARGIN + 0.12], [y + 0.15], mark.marker, color=mark.colour, markersize=7)
    name = words.capital(words.binding(bar["binding"]))
    bold = style.text_width(name, 8.5, bold=True)
    style.write(axes, MARGIN + 0.28, y + 0.15, name, weight="bold")
    custody = style.wrapped(words.custody(bar["custody"]), LABEL - bold - 0.5, 7.5, 1)[0]
    style.write(axes, MARGIN + 0.36 + bold, y + 0.155, custody, 7.5, "muted")
    reach = bar["records"] * scale
    style.box(axes, left, y + 0.04, reach, 0.21, mark.colour)
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
    style.write(
        axes, left + reach + 0.1, y + 0.15, findings.counted(bar), weight="bold", bbox=clear
    )
    note = findings.passing(bar)
    if note:
        read = bar["read_in_passing"] * scale
        how = {"hatch": mark.hatch, "edgecolor": mark.colour, "linewidth": 0.8}
        if read:
            style.box(axes, left, y + 0.29, read, 0.13, "paper", **how)
        style.write(axes, left + read + 0.1, y + 0.36, note, 7.5, "muted", bbox=clear)


def _legend(axes: Axes, y: float, bars: list[Bar]) -> None:
    notes = [("", "full bar: sent to the thief in answer to a replay")]
    if any(bar["read_in_passing"] for bar in bars):
        notes.append(("////", "hatched: read by the interceptor in the answers to its victim"))
    x = MARGIN + LABEL
    for hatch, note in notes:
        how = {"hatch": hatch, "edgecolor": palette.LIGHT["muted"], "linewidth": 0.8}
        style.box(axes, x, y - 0.07, 0.26, 0.14, "paper" if hatch else "muted", **how)
        style.write(axes, x + 0.34, y, note, 8, "muted")
        x += style.text_width(note, 8) + 0.6
