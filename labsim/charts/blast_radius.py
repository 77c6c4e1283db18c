"""The blast radius: how many records each theft exposed, by replay and in passing.

Every bar stands on one linear axis, so that before and after can be compared by eye; what came to
the same, in other custodies or after other thefts, is drawn once. Nothing by
replay is written "0 of N by replay"; what an interceptor read in its victim's answers meanwhile
is drawn beside it, for a proof on the request does not hide the answer. Where the victim itself
was not served meanwhile, that is said: such a theft makes noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import count_axis, findings, palette, style, words
from labsim.charts.findings import Bar, Together
from labsim.charts.picture import Picture

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
LABEL: Final = 2.6
AXIS: Final = 5.2
MARGIN: Final = 0.25
ROW: Final = 0.34
PASSING: Final = 0.17
HEAD: Final = 0.25
LINE: Final = 0.16
"""Inches: a row, what it needs more where something was read in passing, and a group's name."""


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
    groups = [(_named(thefts), mine) for thefts, mine in findings.condensed(bars)]
    top = style.heading_height(WIDTH, title)
    body = sum(HEAD + LINE * len(names) + sum(map(_height, mine)) for names, mine in groups)
    height = top + body + 1.2
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    scale = AXIS / max(1, *(max(bar["of"], bar["read_in_passing"]) for bar in bars))
    _axis(axes, y, height - 1.0, scale)
    for names, mine in groups:
        for number, line in enumerate(names):
            middle = y + 0.25 + LINE * number
            style.write(axes, MARGIN, middle, line, 9, weight="bold", bbox=_clear())
        y += HEAD + LINE * len(names)
        for each in mine:
            _bar(axes, y, each, scale)
            y += _height(each)
    _legend(axes, height - 0.3, bars)
    return figure


def _named(thefts: tuple[str, ...]) -> list[str]:
    name = words.capital(words.listed([words.theft(theft) for theft in thefts]))
    return style.wrapped(name, WIDTH - 2 * MARGIN, 9, 3, bold=True)


def _clear() -> dict[str, Any]:
    return {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}


def _kept(each: Together) -> list[str]:
    return style.wrapped(words.custodies(list(each.custodies)), LABEL - 0.4, 7.5, 2)


def _height(each: Together) -> float:
    label = 0.23 + 0.13 * len(_kept(each))
    return max(label, ROW + (PASSING if findings.passing(each.bar) else 0)) + 0.04


def _axis(axes: Axes, top: float, bottom: float, scale: float) -> None:
    unit = "records: distinct ones, of those at the servers that the robbed clients call"
    count_axis.draw(
        axes, MARGIN + LABEL, top + 0.1, bottom, scale=scale, most=AXIS / scale, unit=unit
    )


def _bar(axes: Axes, y: float, each: Together, scale: float) -> None:
    left, bar = MARGIN + LABEL, each.bar
    mark = palette.mark(bar["binding"])
    axes.plot([MARGIN + 0.12], [y + 0.12], mark.marker, color=mark.colour, markersize=7)
    name = words.capital(words.binding(bar["binding"]))
    line = style.wrapped(name, LABEL - 0.4, 8.5, 1, bold=True)[0]
    style.write(axes, MARGIN + 0.28, y + 0.12, line, weight="bold")
    for number, line in enumerate(_kept(each)):
        style.write(axes, MARGIN + 0.28, y + 0.265 + 0.13 * number, line, 7.5, "muted")
    reach = bar["records"] * scale
    style.box(axes, left, y + 0.04, reach, 0.21, mark.colour)
    counted = findings.counted(bar)
    style.write(axes, left + reach + 0.1, y + 0.15, counted, weight="bold", bbox=_clear())
    note = findings.passing(bar)
    if note:
        read = bar["read_in_passing"] * scale
        how = {"hatch": mark.hatch, "edgecolor": mark.colour, "linewidth": 0.8}
        if read:
            style.box(axes, left, y + 0.29, read, 0.13, "paper", **how)
        style.write(axes, left + read + 0.1, y + 0.36, note, 7.5, "muted", bbox=_clear())


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
