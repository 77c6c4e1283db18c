"""What stolen tokens still open while only some resource servers enforce the binding.

One row a step, from none that enforces to all: the share that enforces goes down the page, and
the residual blast radius is its bar. One group an order, so that two orders can be compared.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import count_axis, palette, style, words
from labsim.charts.picture import Picture
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
MARGIN: Final = 0.25
LABEL: Final = 3.0
AXIS: Final = 5.4
ROW: Final = 0.24
HEAD: Final = 0.4
_FEW: Final = 10
type Row = dict[Any, Any]


def picture(frame: pd.DataFrame) -> Picture:
    """Draw the roll-out with title and alt text.

    Reads what `blast.rollout.rollout` returns, of one order or of several one after the other:
    order, server (string), enforcing, of_servers, by_token, records, of (int64). Raises LabError
    if there is no row.
    """
    rows: list[Row] = frame.to_dict("records")
    if not rows:
        raise LabError("There is no roll-out to show.", todo="Compute one for a plan.")
    orders = [list(group) for _, group in groupby(rows, key=lambda row: row["order"])]
    title = said(orders)
    return Picture(_figure(orders, title), title, alt(orders))


@style.settings()
def _figure(orders: list[list[Row]], title: str) -> Figure:
    named = [bool(rows[0]["order"]) for rows in orders]
    body = sum(ROW * len(rows) + 0.15 for rows in orders) + HEAD * sum(named)
    height = style.heading_height(WIDTH, title) + 0.35 + body + 0.85
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.1
    most = max(row["of"] for rows in orders for row in rows)
    scale = AXIS / max(1, most)
    style.write(axes, MARGIN, y + 0.1, "servers that enforce, the newest by name", 8, "muted")
    _axis(axes, y + 0.2, height - 0.75, most, scale)
    y += 0.25
    for rows in orders:
        if rows[0]["order"]:
            name = words.capital(rows[0]["order"])
            line = style.wrapped(name, LABEL + AXIS, 9, 1, bold=True)[0]
            clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
            style.write(axes, MARGIN, y + 0.2, line, 9, weight="bold", bbox=clear)
            y += HEAD
        for row in rows:
            _bar(axes, y, row, scale)
            y += ROW
        y += 0.15
    _legend(axes, height - 0.22)
    return figure


def _axis(axes: Axes, top: float, bottom: float, most: int, scale: float) -> None:
    unit = "records still open, of all in the estate"
    count_axis.draw(axes, MARGIN + LABEL, top, bottom, scale=scale, most=most, unit=unit)


def _bar(axes: Axes, y: float, row: Row, scale: float) -> None:
    left, middle = MARGIN + LABEL, y + ROW / 2
    share = f"{row['enforcing']} of {row['of_servers']}"
    style.write(axes, MARGIN + 0.75, middle, share, 8, "muted", ha="right")
    name = f"+ {row['server']}" if row["server"] else "none yet"
    line = style.wrapped(name, LABEL - 1.0, 8.5, 1)[0]
    style.write(axes, MARGIN + 0.85, middle, line, 8.5)
    dark, line_colour = palette.LIGHT["served"], palette.LIGHT["muted"]
    by_token, records = row["by_token"] * scale, row["records"] * scale
    style.box(axes, left, y + 0.04, by_token, ROW - 0.08, dark)
    if records > by_token:
        how = {"hatch": "////", "edgecolor": line_colour, "linewidth": 0.8}
        style.box(axes, left + by_token, y + 0.04, records - by_token, ROW - 0.08, "paper", **how)
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.2}
    text = f"{row['records']:,} of {row['of']:,}"
    style.write(axes, left + records + 0.08, middle, text, 8, weight="bold", bbox=clear)


def _legend(axes: Axes, y: float) -> None:
    x = MARGIN
    notes = (
        ("", "full: opened by the stolen tokens themselves"),
        ("////", "hatched: led to by credentials found in those records, enforced or not"),
    )
    for hatch, note in notes:
        how = {"hatch": hatch, "edgecolor": palette.LIGHT["muted"], "linewidth": 0.8}
        style.box(axes, x, y - 0.07, 0.26, 0.14, "paper" if hatch else "served", **how)
        style.write(axes, x + 0.34, y, note, 8, "muted")
        x += style.text_width(note, 8) + 0.65


# What it says.


def said(orders: list[list[Row]]) -> str:
    """Say how much is open before, after half of the servers, and when nothing is any more."""
    first = orders[0][0]
    if not any(row["records"] for rows in orders for row in rows):
        return "The stolen tokens open no record, whichever servers enforce."
    before = f"{first['records']:,} of {first['of']:,} records are open while no server enforces"
    if len({_shape(rows) for rows in orders}) == 1:
        return f"{before}; {_course(orders[0])}."
    courses = [f"{rows[0]['order']}, {_course(rows)}" for rows in orders]
    return f"{before}; {'; '.join(courses)}."


def _shape(rows: list[Row]) -> tuple[int, ...]:
    return tuple(row["records"] for row in rows)


def _course(rows: list[Row]) -> str:
    """Say what half a roll-out leaves, and which step closes the last record."""
    servers = rows[0]["of_servers"]
    closed = [row["enforcing"] for row in rows if not row["records"]]
    if not closed:
        end = f"{rows[-1]['records']:,} still with all {servers}"
    elif servers == 1:
        end = "none once it does"
    else:
        end = f"none only with all {servers}" if closed[0] == servers else f"none with {closed[0]}"
    half = rows[servers // 2]
    if servers < 2 or not half["records"] or half["records"] == rows[-1]["records"]:
        return end
    return f"{half['records']:,} with {half['enforcing']} of {servers} and {end}"


def alt(orders: list[list[Row]]) -> str:
    """Return the roll-out in words: the finding, and each step (of long ones, those that count)."""
    parts = [said(orders)]
    for rows in orders:
        shown = rows
        if len(rows) > _FEW:  # only where something changes, and the last
            pairs = pairwise(rows)
            changes = [here for there, here in pairs if here["records"] != there["records"]]
            shown = [rows[0], *changes[: _FEW - 2], rows[-1]]
        steps = [f"{r['enforcing']} enforce: {r['records']:,} open" for r in shown]
        name = f"{words.capital(rows[0]['order'])}: " if rows[0]["order"] else ""
        parts.append(
            f"{name}{'; '.join(dict.fromkeys(steps))}, of {rows[0]['of_servers']} servers."
        )
    return " ".join(parts)
