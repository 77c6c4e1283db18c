"""Records exposed over lab time: what was read so far, and what is still within the thief's reach.

One panel a theft, all on the same two scales. Curves that are the same are drawn over one another
with their markers side by side, and are named once, in the list beside the panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import curves, palette, scales, style, words
from labsim.charts.curves import Curve, Group, Panel
from labsim.charts.picture import Picture

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 10.7
MARGIN: Final = 0.25
SCALE: Final = 0.45
PLOT: Final = 3.15
BETWEEN: Final = 0.55
LIST: Final = 2.45
HIGH: Final = 1.5
LINE: Final = 0.15
SAMPLE: Final = 0.13
_STYLES: Final[tuple[Any, ...]] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
_PLOTS: Final = (("exposed", "exposed so far"), ("within_reach", "still within reach"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Hold where one plot lies, and its scales: inches of a second and of a record."""

    x: float
    y: float
    of_second: float
    of_record: float

    def at(self, seconds: float, records: float) -> tuple[float, float]:
        return self.x + seconds * self.of_second, self.y + HIGH - records * self.of_record


def picture(frame: pd.DataFrame, marks: Mapping[str, float] | None = None) -> Picture:
    """Draw the curves with title and alt text.

    Reads what `blast.over_time.over_time` returns: client, theft, binding, custody,
    authentication (string), seconds (float64), within_reach, exposed (int64). `marks` are moments
    to point at, as words and lab seconds since the theft (`{"tokens revoked": 900}`); those beyond
    the last row are left out. Raises LabError if there is no row.
    """
    panels = curves.panels(frame)
    until = panels[0].until
    shown = {said: at for said, at in (marks or {}).items() if 0 <= at <= until}
    title = curves.title(panels)
    alt = curves.alt(panels, shown)
    return Picture(_figure(panels, title, shown), title, alt)


@style.settings()
def _figure(panels: list[Panel], title: str, marks: Mapping[str, float]) -> Figure:
    until, most = panels[0].until, max(panel.most for panel in panels)
    names = [_names(panel) for panel in panels]
    lists = [[_listed(group) for group in panel.groups] for panel in panels]
    highs = [
        LINE * len(name) + _high(panel, each)
        for name, panel, each in zip(names, panels, lists, strict=True)
    ]
    key = _key_lines(marks)
    top = style.heading_height(WIDTH, title) + 0.1
    figure, axes = style.sheet(WIDTH, top + sum(highs) + 0.3 + LINE * len(key))
    y = style.heading(axes, WIDTH, title) + 0.1
    for name, panel, texts, high in zip(names, panels, lists, highs, strict=True):
        for number, line in enumerate(name):
            style.write(axes, MARGIN, y + 0.1 + LINE * number, line, 9, weight="bold")
        under = y + LINE * len(name)
        for number, (column, said) in enumerate(_PLOTS):
            x = MARGIN + SCALE + number * (PLOT + BETWEEN)
            place = _Place(x, under + 0.45, PLOT / max(until, 1e-9), HIGH / max(most, 1))
            style.write(axes, x, under + 0.15, f"records {said}", 8, "muted")
            _scales(axes, place, until, most)
            _marks(axes, place, marks)
            _curves(axes, place, panel, column)
        _list(axes, under + 0.27, panel, texts)
        y += high
    for line in key:
        style.write(axes, MARGIN, y, line, 8, "muted")
        y += LINE
    return figure


def _names(panel: Panel) -> list[str]:
    return style.wrapped(words.capital(panel.name), WIDTH - 2 * MARGIN, 9, 3, bold=True)


def _listed(group: Group) -> tuple[list[str], list[str]]:
    room = LIST - 0.42
    return style.wrapped(group.name, room, 8, 4, bold=True), style.wrapped(group.told, room, 7.5, 2)


def _high(panel: Panel, texts: list[tuple[list[str], list[str]]]) -> float:
    entries = zip(panel.groups, texts, strict=True)
    return max(HIGH + 0.95, 0.45 + sum(_entry(group, *text) for group, text in entries))


def _entry(group: Group, names: list[str], told: list[str]) -> float:
    return max(LINE * (len(names) + len(told)), SAMPLE * len(group.lines)) + 0.1


def _scales(axes: Axes, place: _Place, until: float, most: int) -> None:
    line, edge = palette.LIGHT["line"], palette.LIGHT["muted"]
    right, bottom = place.at(until, 0)
    for tick in (0, *scales.count_ticks(most, 5)):
        _, y = place.at(0, tick)
        axes.plot([place.x, right], [y, y], color=line if tick else edge, linewidth=0.8, zorder=0)
        style.write(axes, place.x - 0.07, y, f"{tick:,}", 7.5, "muted", ha="right")
    axes.plot([place.x, place.x], [bottom, place.y], color=edge, linewidth=0.8, zorder=0)
    for moment in (0.0, *scales.time_ticks(until, 4)):
        x, _ = place.at(moment, 0)
        axes.plot([x, x], [bottom, bottom + 0.05], color=edge, linewidth=0.8, zorder=0)
        said = scales.duration(moment) if moment else "theft"
        style.write(axes, x, bottom + 0.15, said, 7.5, "muted", ha="center")


def _curves(axes: Axes, place: _Place, panel: Panel, column: str) -> None:
    lines = [(group, curve) for group in panel.groups for curve in group.lines]
    for number, (group, curve) in enumerate(lines):
        mark = palette.mark(curve.binding)
        how: Any = {"color": mark.colour, "linewidth": 1.8, "solid_joinstyle": "miter"}
        how["linestyle"] = _STYLES[panel.style_of(group, curve.binding) % len(_STYLES)]
        points = [place.at(*point) for point in curve.points(column)]
        axes.plot(*zip(*points, strict=True), zorder=3, clip_on=False, **how)
        spots = 4 if len(lines) <= 8 else 2
        moments = [
            panel.until * (spot + (number + 0.5) / len(lines)) / spots for spot in range(spots)
        ]
        where = [place.at(moment, curve.at(column, moment)) for moment in moments]
        edge: Any = {"markeredgecolor": palette.LIGHT["paper"], "markeredgewidth": 0.6}
        xs, ys = zip(*where, strict=True)
        axes.plot(xs, ys, mark.marker, color=mark.colour, markersize=6, zorder=4, **edge)


def _list(axes: Axes, y: float, panel: Panel, texts: list[tuple[list[str], list[str]]]) -> None:
    x = WIDTH - MARGIN - LIST
    for group, (names, told) in zip(panel.groups, texts, strict=True):
        for number, curve in enumerate(group.lines):
            _sample(axes, (x + 0.3, y + SAMPLE * number), panel, group, curve)
        for number, line in enumerate(names):
            style.write(axes, x + 0.42, y + LINE * number, line, 8, weight="bold")
        for number, line in enumerate(told, len(names)):
            style.write(axes, x + 0.42, y + LINE * number, line, 7.5, "muted")
        y += _entry(group, names, told)


def _sample(axes: Axes, end: tuple[float, float], panel: Panel, group: Group, curve: Curve) -> None:
    mark = palette.mark(curve.binding)
    line = _STYLES[panel.style_of(group, curve.binding) % len(_STYLES)]
    x, y = end
    axes.plot([x - 0.3, x], [y, y], linestyle=line, color=mark.colour, linewidth=1.8)
    axes.plot([x - 0.15], [y], mark.marker, color=mark.colour, markersize=5.5)


def _lettered(marks: Mapping[str, float]) -> list[tuple[str, str, float]]:
    ordered = sorted(marks.items(), key=lambda each: each[1])
    return [(chr(ord("a") + n % 26), said, at) for n, (said, at) in enumerate(ordered)]


def _key_lines(marks: Mapping[str, float]) -> list[str]:
    said = [f"{letter}: {what}, at {scales.duration(at)}" for letter, what, at in _lettered(marks)]
    times = "Lab time since the theft."
    return style.wrapped(" ".join([times, *(f"{each}." for each in said)]), WIDTH - 0.5, 8, 6)


def _marks(axes: Axes, place: _Place, marks: Mapping[str, float]) -> None:
    """Draw a line at each moment; letters that would touch stand together at the first one's."""
    together: list[tuple[float, str]] = []
    for letter, _, at in _lettered(marks):
        x, bottom = place.at(at, 0)
        how: Any = {"color": palette.LIGHT["muted"], "linewidth": 0.9, "linestyle": (0, (2, 2))}
        axes.plot([x, x], [place.y - 0.03, bottom], zorder=1, **how)
        if together and x - together[-1][0] < 0.065 * len(together[-1][1]) + 0.05:
            together[-1] = (together[-1][0], together[-1][1] + letter)
        else:
            together.append((x, letter))
    for x, letters in together:
        style.write(axes, x, place.y - 0.1, letters, 7.5, "muted")
