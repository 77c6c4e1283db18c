"""Campaigns side by side: what each was served, and beside it what was computed beforehand.

One row for each theft, binding, custody and way to authenticate, all on one axis: the bar is
measured, from the attempts that were served; the tick is computed, from the estate's file alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import count_axis, curves, palette, style, words
from labsim.charts.picture import Picture
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
MARGIN: Final = 0.25
LABEL: Final = 3.9
AXIS: Final = 4.6
ROW: Final = 0.5
"""Inches: the card, a row's words, the longest bar, and a row."""
_FEW: Final = 3
type Row = dict[Any, Any]


def picture(frame: pd.DataFrame) -> Picture:
    """Draw the campaigns with title and alt text.

    Reads theft, binding, custody, authentication (string), measured, computed and of (int64,
    distinct records). Raises LabError if there is no row.
    """
    rows: list[Row] = frame.to_dict("records")
    if not rows:
        raise LabError("There is no campaign to show.", todo="Run one first.")
    title = said(rows)
    return Picture(_figure(rows, title), title, alt(rows))


@style.settings()
def _figure(rows: list[Row], title: str) -> Figure:
    height = style.heading_height(WIDTH, title) + 0.1 + ROW * len(rows) + 0.95
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.1
    most = max(row["of"] for row in rows)
    scale = AXIS / max(1, most)
    _axis(axes, y, y + ROW * len(rows), most, scale)
    for row in rows:
        _row(axes, y, row, scale)
        y += ROW
    _legend(axes, height - 0.25)
    return figure


def _axis(axes: Axes, top: float, bottom: float, most: int, scale: float) -> None:
    unit = "records, of all in the estate"
    count_axis.draw(axes, MARGIN + LABEL, top, bottom, scale=scale, most=most, unit=unit)


def _row(axes: Axes, y: float, row: Row, scale: float) -> None:
    left, mark = MARGIN + LABEL, palette.mark(row["binding"])
    axes.plot([MARGIN + 0.12], [y + 0.15], mark.marker, color=mark.colour, markersize=7)
    name, told = _named(row)
    for number, line in enumerate(style.wrapped(name, LABEL - 0.4, 8.5, 1, bold=True)):
        style.write(axes, MARGIN + 0.28, y + 0.15 + number, line, 8.5, weight="bold")
    for number, line in enumerate(style.wrapped(told, LABEL - 0.4, 7.5, 1)):
        style.write(axes, MARGIN + 0.28, y + 0.31 + number, line, 7.5, "muted")
    reach, mid = row["measured"] * scale, y + 0.23
    style.box(axes, left, mid - 0.11, reach, 0.22, mark.colour)
    at = left + row["computed"] * scale
    axes.plot([at, at], [mid - 0.18, mid + 0.18], color=palette.LIGHT["ink"], linewidth=2, zorder=4)
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
    end = max(reach, row["computed"] * scale)
    style.write(axes, left + end + 0.1, mid, _counted(row), 8.5, weight="bold", bbox=clear)


def _named(row: Row) -> tuple[str, str]:
    name = f"{words.capital(words.theft(row['theft']))}, {words.binding(row['binding'])}"
    return name, f"{words.custody(row['custody'])}; {curves.authentication(row['authentication'])}"


def _counted(row: Row) -> str:
    counted = f"{row['measured']:,} of {row['of']:,}"
    if row["measured"] == row["computed"]:
        return counted
    return f"{counted}, computed {row['computed']:,}"


def _legend(axes: Axes, y: float) -> None:
    x = MARGIN + LABEL
    style.box(axes, x, y - 0.07, 0.26, 0.14, "muted")
    style.write(axes, x + 0.34, y, "bar: measured, sent to the attacker", 8, "muted")
    x += style.text_width("bar: measured, sent to the attacker", 8) + 0.75
    axes.plot([x, x], [y - 0.1, y + 0.1], color=palette.LIGHT["ink"], linewidth=2)
    style.write(axes, x + 0.12, y, "tick: computed beforehand", 8, "muted")


# What it says.


def said(rows: list[Row]) -> str:
    """Say how far the thefts went, and whether what was computed is what happened."""
    of = rows[0]["of"]
    wrong = sum(row["measured"] != row["computed"] for row in rows)
    agrees = f"{wrong} of {len(rows)} otherwise than computed" if wrong else "each as computed"
    counts = Counter(row["measured"] for row in rows)
    ordered = sorted(counts.items(), reverse=True)
    if len(ordered) > _FEW:
        reach = f"{ordered[-1][0]:,} to {ordered[0][0]:,} of {of:,} records exposed by {len(rows)}"
        return f"{reach} thefts, {agrees}."
    (most, by), *rest = ordered
    whose = f"{by} of {len(rows)} thefts" if len(rows) > 1 else "this theft"
    parts = [f"{most:,} of {of:,} records exposed by {whose}"]
    parts += [f"{count:,} by {number}" for count, number in rest]
    return f"{words.listed(parts)}, {agrees}."


def alt(rows: list[Row]) -> str:
    """Return the picture in words, row by row."""
    parts = [said(rows)]
    for row in rows:
        name, told = _named(row)
        parts.append(f"{name} ({told}): {_counted(row)}.")
    return " ".join(parts)
