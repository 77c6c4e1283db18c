"""The sequence diagram drawn by the lab: a column a participant, a row a step, time downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import style
from labsim.charts.palette import LIGHT
from labsim.charts.sequence import Message, Note

if TYPE_CHECKING:
    from labsim.charts.sequence import Sequence

COLUMN: Final = 2.55
"""Inches from one participant to the next."""
HEAD: Final = 0.5
LINE: Final = 0.15
SMALL: Final = 7.5
NOTE: Final = COLUMN - 0.15
_LINES: Final = 3
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "request": {"linestyle": "-", "arrowstyle": "-|>"},
    "answer": {"linestyle": "--", "arrowstyle": "-|>"},
    "theft": {"linestyle": "-", "arrowstyle": "->", "linewidth": 2.4},
    "refused": {"linestyle": "--", "arrowstyle": "-"},
}


@dataclass(frozen=True, slots=True)
class _Row:
    step: Message | Note
    lines: tuple[str, ...]
    x: float
    to: float

    @property
    def height(self) -> float:
        room = 0.16 if isinstance(self.step, Message) else 0.2
        return len(self.lines) * LINE + room


@style.settings()
def draw(shown: Sequence) -> Figure:
    """Draw the diagram."""
    width = max(COLUMN * len(shown.participants) + 0.2, 6.0)
    places = {name: (n + 0.5) * COLUMN + 0.1 for n, (name, _) in enumerate(shown.participants)}
    rows = [_row(step, places, width) for step in shown.steps]
    top = style.heading_height(width, shown.title) + 0.15
    begin = top + HEAD + 0.15
    height = begin + sum(row.height for row in rows) + 0.25
    figure, axes = style.sheet(width, height)
    style.heading(axes, width, shown.title)
    for name, below in shown.participants:
        _participant(axes, places[name], top, height - 0.15, name, below)
    y = begin
    for row in rows:
        y += row.height
        if isinstance(row.step, Message):
            _message(axes, row, y)
        else:
            _note(axes, row, y)
    return figure


def _row(step: Message | Note, places: dict[str, float], width: float) -> _Row:
    if isinstance(step, Note):
        x = places[step.at]
        return _Row(step, tuple(style.wrapped(step.text, NOTE - 0.12, SMALL, 5)), x, x)
    x, to = places[step.sender], places[step.receiver]
    room = min(max(abs(to - x), COLUMN) - 0.2, width)
    return _Row(step, tuple(style.wrapped(step.text, room, SMALL, _LINES)), x, to)


def _participant(axes: Axes, x: float, y: float, end: float, name: str, below: str) -> None:
    axes.plot([x, x], [y + HEAD, end], color=LIGHT["line"], linewidth=1, zorder=1)
    attacker = name == "attacker"
    fill, ink = ("served", "on-served") if attacker else ("band", "ink")
    wide = COLUMN - 0.25
    style.box(
        axes, x - wide / 2, y, wide, HEAD, fill, edgecolor=LIGHT["muted"], linewidth=0.8, zorder=2
    )
    first = style.wrapped(name, wide - 0.1, 8.5, 1, bold=True)[0]
    at = y + (0.16 if below else 0.25)
    style.write(axes, x, at, first, 8.5, ink, ha="center", weight="bold", zorder=3)
    if below:
        line = style.wrapped(below, wide - 0.1, SMALL, 1)[0]
        colour = ink if attacker else "muted"
        style.write(axes, x, y + 0.35, line, SMALL, colour, ha="center", zorder=3)


def _message(axes: Axes, row: _Row, y: float) -> None:
    assert isinstance(row.step, Message)
    colour = LIGHT["served"] if row.step.kind == "theft" else LIGHT["ink"]
    how = {"color": colour, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (row.to, y), (row.x, y), arrowprops={**how, **_STYLES[row.step.kind]})
    if row.step.kind == "refused":
        back = 0.12 if row.to < row.x else -0.12
        axes.plot([row.to + back], [y], "x", color=colour, markersize=7, zorder=3)
    middle = (row.x + row.to) / 2
    first = y - 0.1 - (len(row.lines) - 1) * LINE
    for number, line in enumerate(row.lines):
        half = style.text_width(line, SMALL) / 2 + 0.03
        at = first + number * LINE
        # The lifelines behind a text would run through its letters.
        style.box(axes, middle - half, at - LINE / 2, 2 * half, LINE, "paper", zorder=1.5)
        style.write(axes, middle, at, line, SMALL, ha="center", zorder=3)


def _note(axes: Axes, row: _Row, y: float) -> None:
    high = len(row.lines) * LINE + 0.08
    style.box(
        axes, row.x - NOTE / 2, y - high, NOTE, high, "bound", edgecolor=LIGHT["muted"],
        linewidth=0.8, zorder=2,
    )  # fmt: skip
    for number, line in enumerate(row.lines):
        at = y - high + 0.04 + (number + 0.5) * LINE
        style.write(axes, row.x, at, line, SMALL, ha="center", zorder=3)
