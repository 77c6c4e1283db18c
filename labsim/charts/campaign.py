"""The blast radius of one campaign: records at each resource server, and how far away they were.

One row for each resource server, those that opened first on top; the whole bar is what lies there,
the full part what the attacker was sent. Beside it stands which credential opened it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import palette, style, words
from labsim.charts.picture import Picture
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
LABEL: Final = 2.3
AXIS: Final = 3.6
MARGIN: Final = 0.25
ROW: Final = 0.36
COUNT: Final = 0.85
"""Inches: the card, a server's name, the longest bar, a row, and the number behind the bar."""
type Row = dict[Any, Any]


def picture(fallen: pd.DataFrame, began: str) -> Picture:
    """Draw what a campaign opened, with its title and alt text.

    Reads a row for each resource server: title, opened_by (string, empty where nothing opened
    it), records, of (int64, distinct records), hop (Int64, missing where nothing opened it).
    `began` says in words what the campaign began with. Raises LabError if there is no row.
    """
    rows: list[Row] = fallen.to_dict("records")
    if not rows:
        raise LabError("There is no resource server to show.", todo="Give the estate one.")
    rows.sort(key=lambda row: row["hop"] if row["records"] else len(rows) + 1e6)
    title = _title(rows, began)
    return Picture(_figure(rows, title), title, _alt(rows, title))


def _title(rows: list[Row], began: str) -> str:
    """Say in one sentence what the campaign was served, from the rows alone."""
    opened = [row for row in rows if row["records"]]
    records, of = sum(row["records"] for row in rows), sum(row["of"] for row in rows)
    start = f"From {began}: {records} of {of} records"
    if not opened:
        return f"{start}; no resource server served the attacker."
    far = max(row["hop"] for row in opened)
    steps = {0: "without a further credential", 1: "one further credential away"}
    how = steps.get(far, f"up to {far} further credentials away")
    return f"{start}, at {len(opened)} of {len(rows)} resource servers, {how}."


def _alt(rows: list[Row], title: str) -> str:
    parts = [title]
    for row in rows:
        by = f", at hop {row['hop']} by {row['opened_by']}" if row["records"] else ""
        parts.append(f"{row['title']}: {row['records']} of {row['of']}{by}.")
    return " ".join(parts)


@style.settings()
def _figure(rows: list[Row], title: str) -> Figure:
    height = style.heading_height(WIDTH, title) + 0.35 + ROW * len(rows) + 0.95
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    far = MARGIN + LABEL + AXIS + COUNT
    for x, head in ((MARGIN, "resource server"), (far, "hop"), (far + 0.45, "opened by")):
        style.write(axes, x, y + 0.12, head, 8, "muted")
    y += 0.3
    widest = max(style.text_width(_count(row), 8) for row in rows)
    room = min(AXIS, AXIS + COUNT - 0.25 - widest)
    scale = room / max(1, *(row["of"] for row in rows))
    _axis(axes, y, y + ROW * len(rows), room, scale)
    for row in rows:
        _bar(axes, y, row, scale)
        y += ROW
    _legend(axes, y + 0.62)
    return figure


def _bar(axes: Axes, y: float, row: Row, scale: float) -> None:
    left, middle = MARGIN + LABEL, y + ROW / 2
    name = style.wrapped(str(row["title"]), LABEL - 0.15, 8.5, 1, bold=True)[0]
    style.write(axes, MARGIN, middle, name, weight="bold")
    edge = {"edgecolor": palette.LIGHT["muted"], "linewidth": 0.7}
    style.box(axes, left, y + 0.07, row["of"] * scale, ROW - 0.14, "paper", **edge)
    style.box(axes, left, y + 0.07, row["records"] * scale, ROW - 0.14, "served")
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
    style.write(axes, left + row["of"] * scale + 0.08, middle, _count(row), 8, bbox=clear)
    far = left + AXIS + COUNT
    if row["records"]:
        room = WIDTH - MARGIN - far - 0.45
        style.write(axes, far + 0.05, middle, f"{row['hop']}", weight="bold")
        by = style.wrapped(str(row["opened_by"]), room, 8, 1)[0]
        style.write(axes, far + 0.45, middle, by, 8)
    else:
        style.write(axes, far + 0.05, middle, "\N{EN DASH}", colour="muted")


def _count(row: Row) -> str:
    return f"{row['records']} of {row['of']}"


def _axis(axes: Axes, top: float, bottom: float, room: float, scale: float) -> None:
    left, most = MARGIN + LABEL, room / scale
    sizes = (size * 10**power for power in range(9) for size in (1, 2, 5))
    step = next(size for size in sizes if most / size <= 6)
    for tick in range(0, int(most) + 1, step):
        x, line = left + tick * scale, palette.LIGHT["line" if tick else "muted"]
        axes.plot([x, x], [top, bottom], color=line, linewidth=0.8, zorder=0)
        style.write(axes, x, bottom + 0.12, f"{tick}", 8, "muted", ha="center")
    style.write(axes, left, bottom + 0.33, "records: distinct ones at this server", 8, "muted")


def _legend(axes: Axes, y: float) -> None:
    x = MARGIN + LABEL
    edge = {"edgecolor": palette.LIGHT["muted"], "linewidth": 0.7}
    for fill, note in (("served", "sent to the attacker"), ("paper", "not sent")):
        style.box(axes, x, y - 0.07, 0.26, 0.14, fill, **edge)
        style.write(axes, x + 0.34, y, note, 8, "muted")
        x += style.text_width(note, 8) + 0.6
    hops = words.capital("hop: how many credentials were found on the way")
    style.write(axes, x, y, hops, 8, "muted")
