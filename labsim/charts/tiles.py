"""Cells as pictures draw them: a shade, a hatch, a glyph, a word and why; and what they mean.

Shared by every picture that has cells, so that an outcome looks the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

from labsim.charts import palette, style, words
from labsim.charts.cells import Cell
from labsim.charts.words import Look

ROW: Final = 0.5
GAP: Final = 0.03
MARGIN: Final = 0.25
KEY: Final = 0.24
"""Inches: a row of cells, the gap around each, the margin of the card, a line of the key."""
FILLS: Final = {
    Look.SERVED: ("served", "on-served", ""),
    Look.SERVED_IN_PART: ("paper", "ink", "||||"),
    Look.REJECTED_BY_BINDING: ("bound", "ink", ""),
    Look.REJECTED_OTHERWISE: ("other", "ink", "////"),
    Look.REFUSED_BY_TLS: ("other", "ink", "xxxx"),
    Look.UNREACHABLE: ("paper", "muted", "...."),
    Look.NOT_POSSIBLE: ("paper", "muted", ""),
    Look.NOT_MEASURED: ("paper", "muted", ""),
}
DIFFERS: Final = "≠ base"
_SILENT: Final = (Look.NOT_POSSIBLE, Look.UNREACHABLE, Look.NOT_MEASURED)
"""Looks that tell nothing about the binding; their words are set lighter."""


def tile(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    cell: Cell,
    *,
    thief: bool = True,
    frame: bool = False,
) -> None:
    """Draw a cell at (x, y); the full shade is what the thief is served; a `frame`: it differs."""
    fill, ink, hatch = FILLS[cell.look]
    if cell.look is Look.SERVED and not thief:
        fill, ink = "band", "ink"  # the full shade is for what should not have been served
    wide, high = width - 2 * GAP, ROW - 2 * GAP
    edge = palette.LIGHT["line"]
    style.box(axes, x + GAP, y + GAP, wide, high, fill, edgecolor=edge, linewidth=0.6)
    if hatch:
        strip = {"hatch": hatch, "edgecolor": palette.LIGHT["hatch"]}
        style.box(axes, x + GAP, y + GAP, 0.09, high, "paper", **strip)
    if frame:
        heavy = {"edgecolor": palette.LIGHT["ink"], "linewidth": 2}
        style.box(axes, x + GAP / 2, y + GAP / 2, width - GAP, ROW - GAP, "none", **heavy)
    left = 0.09 if hatch else 0
    _say(axes, (x + GAP + left, y + ROW / 2), wide - left, cell, (ink, frame))


def _say(
    axes: Axes, place: tuple[float, float], wide: float, cell: Cell, how: tuple[str, bool]
) -> None:
    """Write a cell's word and why around the middle of its left edge, in four lines at most."""
    ink, differs = how
    size, bold = (7.0, False) if cell.look in _SILENT else (8.0, True)
    room = wide - 0.04
    word = f"{cell.sign.glyph} {cell.word or 'not tried'}".strip()
    lines = [(line, size, bold) for line in style.wrapped(word, room, size, 2, bold)]
    why = f"{DIFFERS} {cell.why}".strip() if differs else cell.why
    lines += [(line, 7.0, False) for line in style.wrapped(why, room, 7, 2)]
    pitch = 0.132
    if len(lines) > 3:
        pitch, lines = 0.105, [(line, min(points, 7.4), strong) for line, points, strong in lines]
    for number, (text, points, strong) in enumerate(lines):
        middle = place[1] + (number - (len(lines) - 1) / 2) * pitch
        weight = "bold" if strong else "normal"
        style.write(
            axes, place[0] + wide / 2, middle, text, points, ink, ha="center", weight=weight
        )


def label(
    axes: Axes, y: float, text: str, width: float, under: str = "", bold: bool = False
) -> None:
    """Write a row's name into `width` inches at the margin, and below it what else there is."""
    most = 2 if under else 3
    lines = [(line, 8.5, "ink") for line in style.wrapped(text, width, 8.5, most, bold=bold)]
    lines += [(line, 7.5, "muted") for line in style.wrapped(under, width, 7.5, 1)]
    for number, (line, size, colour) in enumerate(lines):
        middle = y + ROW / 2 + (number - (len(lines) - 1) / 2) * 0.155
        weight = "bold" if bold else "normal"
        style.write(axes, MARGIN, middle, line, size, colour, weight=weight)


def key(axes: Axes, y: float, looks: Sequence[Look]) -> float:
    """Write what each look means, one line each; return where the last line ends."""
    for look in looks:
        sign = words.SIGNS[look]
        fill, ink, hatch = FILLS[look]
        edge = palette.LIGHT["hatch" if hatch else "line"]
        style.box(axes, MARGIN, y - 0.08, 0.3, 0.17, fill, edgecolor=edge, linewidth=0.6)
        if hatch:
            strip = {"hatch": hatch, "edgecolor": edge}
            style.box(axes, MARGIN, y - 0.08, 0.09, 0.17, "paper", **strip)
        left = 0.195 if hatch else 0.15
        style.write(axes, MARGIN + left, y, sign.glyph, 8, ink, ha="center", weight="bold")
        note = f"{words.capital(look)}: {sign.meaning}"
        note += " (full shade: to the thief)." if look is Look.SERVED else "."
        style.write(axes, MARGIN + 0.4, y, note, 8, "muted")
        y += KEY
    return y
