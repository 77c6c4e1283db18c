"""Incidents over lab time: what a thief was served at each try, on the course that was predicted.

A lane for each course of an incident, all on the same two scales: the line is what the plan says is
within the thief's reach, a marker is one try, filled where records were served. Cases that came to
the same share a lane, and each has a marker of its own there.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import lanes, palette, scales, style
from labsim.charts.lanes import Lane
from labsim.charts.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

WIDTH: Final = 10.7
MARGIN: Final = 0.25
LABEL: Final = 2.85
AXIS: Final = 4.75
SAID: Final = WIDTH - 2 * MARGIN - LABEL - AXIS - 0.3
HIGH: Final = 0.3
LINE: Final = 0.135
HEAD: Final = 0.3
SPREAD: Final = 0.115
SIZE: Final = 6.5


def picture(measured: pd.DataFrame, predicted: pd.DataFrame, titles: Mapping[str, str]) -> Picture:
    """Draw the incidents with title and alt text.

    Reads what `blast.incident.followed` and `blast.incident.courses` return, of the same incidents:
    incident, binding, custody, authentication, theft (string); of the first seconds, moment
    (float64), within_reach, exposed, predicted_within_reach, predicted_exposed (int64), of the
    second seconds and within_reach. `titles` say in words what is done in each. Raises LabError if
    there is no row.
    """
    found = lanes.lanes(measured, predicted, titles)
    title = lanes.title(found)
    return Picture(_figure(found, title), title, lanes.alt(found))


@style.settings()
def _figure(found: list[Lane], title: str) -> Figure:
    groups = [list(group) for _, group in groupby(found, key=lambda lane: lane.incident)]
    names = [style.wrapped(g[0].title, WIDTH - 2 * MARGIN, 9, 2, bold=True) for g in groups]
    body = sum(_high(lane) for lane in found) + sum(HEAD + 0.16 * (len(n) - 1) for n in names)
    height = style.heading_height(WIDTH, title) + body + 0.95
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    until = max(lane.until for lane in found)
    scale = AXIS / (until or 1.0)
    most = max(lane.most for lane in found)
    _axis(axes, y + 0.1, height - 0.62, until, scale)
    for group, name in zip(groups, names, strict=True):
        for number, line in enumerate(name):
            clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
            style.write(axes, MARGIN, y + 0.17 + 0.16 * number, line, 9, weight="bold", bbox=clear)
        y += HEAD + 0.16 * (len(name) - 1)
        for lane in group:
            _lane(axes, y, lane, scale, HIGH / (most or 1))
            y += _high(lane)
    note = (
        "Line: records within reach, predicted from the plan alone. Marker: measured, one try of "
        "the thief; filled where it was served records."
    )
    style.write(axes, MARGIN, height - 0.2, note, 8, "muted")
    return figure


def _label(lane: Lane) -> list[str]:
    return style.wrapped(lane.name, LABEL - 1.5 * SPREAD * len(lane.bindings) - 0.15, 8, 3)


def _told(lane: Lane) -> list[str]:
    return style.wrapped(lane.told, SAID, 8, 3)


def _high(lane: Lane) -> float:
    return max(HIGH + 0.2, LINE * max(len(_label(lane)), len(_told(lane))) + 0.2)


def _axis(axes: Axes, top: float, bottom: float, until: float, scale: float) -> None:
    left = MARGIN + LABEL
    for moment in (0.0, *scales.time_ticks(until, 5)):
        x, line = left + moment * scale, palette.LIGHT["line" if moment else "muted"]
        axes.plot([x, x], [top, bottom], color=line, linewidth=0.8, zorder=0)
        said = scales.duration(moment) if moment else "theft"
        style.write(axes, x, bottom + 0.12, said, 8, "muted", ha="center")
    style.write(axes, left + AXIS + 0.25, bottom + 0.12, "lab time", 8, "muted")


def _lane(axes: Axes, y: float, lane: Lane, scale: float, of_record: float) -> None:
    left, base = MARGIN + LABEL, y + HIGH + 0.08
    colour = palette.LIGHT["hatch"]
    first = y + 0.14
    for number, binding in enumerate(lane.bindings):
        mark = palette.mark(binding)
        x = MARGIN + 0.1 + SPREAD * number
        axes.plot([x], [first], mark.marker, color=mark.colour, markersize=SIZE)
    room = MARGIN + 0.13 + SPREAD * len(lane.bindings)
    for number, line in enumerate(_label(lane)):
        style.write(axes, room, first + LINE * number, line, 8)
    xs = [left + seconds * scale for seconds, _ in lane.corners]
    ys = [base - count * of_record for _, count in lane.corners]
    axes.fill_between(xs, ys, base, color=palette.LIGHT["other"], linewidth=0, zorder=1)
    axes.plot(xs, ys, color=palette.LIGHT["muted"], linewidth=1.3, zorder=2)
    axes.plot([xs[0], xs[-1]], [base, base], color=colour, linewidth=0.8, zorder=1)
    for tried in lane.shown(0.05 / scale):
        for number, binding in enumerate(lane.bindings):
            _marker(axes, left + tried.seconds * scale, number, lane, binding,
                    base - tried.served * of_record, bool(tried.served))  # fmt: skip
    for number, line in enumerate(_told(lane)):
        style.write(axes, left + AXIS + 0.25, first + LINE * number, line, 8)


def _marker(
    axes: Axes, x: float, number: int, lane: Lane, binding: str, y: float, filled: bool
) -> None:
    mark = palette.mark(binding)
    spread = (number - (len(lane.bindings) - 1) / 2) * SPREAD
    axes.plot(
        [x + spread], [y], mark.marker, markersize=SIZE, zorder=4, markeredgewidth=1.2,
        markeredgecolor=mark.colour,
        markerfacecolor=mark.colour if filled else palette.LIGHT["paper"],
    )  # fmt: skip
