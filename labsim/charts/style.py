"""How pictures are drawn: one sheet in inches, one font, and a small SVG that is always the same.

A picture is a `Figure` with one `Axes` that covers it, whose units are inches and whose origin is
the top left corner: each thing is placed where it belongs, and nothing is left to a layout engine.
No pyplot: it costs half a second and keeps global state.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from typing import Any, Final

from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle

from labsim.charts.palette import LIGHT

FONT: Final = "DejaVu Sans"
"""It comes with matplotlib, so a text is as wide everywhere as it was when it was placed."""
_SETTINGS: Final[Any] = {
    **{k: v for k, v in rcParamsDefault.items() if k != "backend"},
    "font.family": [FONT],
    "hatch.linewidth": 0.7,
    "svg.fonttype": "path",
    "svg.hashsalt": "labsim",
}


@contextmanager
def settings() -> Iterator[None]:
    """Draw with the lab's settings, whatever the user's own matplotlibrc says."""
    with rc_context(_SETTINGS):
        yield


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Return an empty card of `width` by `height` inches, opaque, with inches as its units."""
    figure = Figure(figsize=(width, height), facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def write(
    axes: Axes, x: float, y: float, text: str, size: float = 8.5, colour: str = "ink", **how: Any
) -> None:
    """Write one line of text at (x, y) inches; `how` goes to matplotlib (ha, va, weight)."""
    how.setdefault("va", "center")
    axes.text(x, y, text, size=size, color=LIGHT.get(colour, colour), parse_math=False, **how)


def box(
    axes: Axes, x: float, y: float, width: float, height: float, fill: str, **how: Any
) -> Rectangle:
    """Draw a rectangle whose top left corner is at (x, y) inches."""
    how.setdefault("linewidth", 0)
    how.setdefault("clip_on", False)
    patch = Rectangle((x, y), width, height, facecolor=LIGHT.get(fill, fill), **how)
    axes.add_artist(patch)  # add_patch would look whether the sheet has to grow: it never does
    return patch


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a line of text is, in inches."""
    # A line is broken by measuring ever longer beginnings of it. In this font, nothing happens
    # between a word and a space: what has been laid out once need not be again.
    words = text.split(" ")
    space = _run_width("a a", size, bold) - 2 * _run_width("a", size, bold)
    return sum(_run_width(word, size, bold) for word in words) + space * (len(words) - 1)


@lru_cache(maxsize=8192)
def _run_width(run: str, size: float, bold: bool) -> float:
    font = get_font(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")))
    font.set_size(size, 72)
    font.set_text(run)
    return float(font.get_width_height()[0]) / 64 / 72


def wrapped(text: str, width: float, size: float, lines: int, bold: bool = False) -> list[str]:
    """Break text into at most `lines` lines of `width` inches; an ellipsis stands for the rest."""

    def fits(candidate: str) -> bool:
        return text_width(candidate, size, bold) <= width

    result: list[str] = []
    words = text.split()
    while words and len(result) < lines:
        line = words.pop(0)
        while words and fits(f"{line} {words[0]}"):
            line += f" {words.pop(0)}"
        result.append(line)
    if words:
        result[-1] += "…"
    return [_cut(line, fits) for line in result]


def _cut(line: str, fits: Any) -> str:
    short = line
    while not fits(short) and len(short) > 1:
        short = short.rstrip("…")[:-1].rstrip() + "…"
    return short


def heading(axes: Axes, width: float, title: str) -> float:
    """Write the picture's title across `width` inches; return how far down it reaches."""
    size, lines = titled(title, width)
    y = 0.3
    for line in lines:
        write(axes, 0.25, y, line, size, weight="bold")
        y += size * 1.35 / 72
    return y


def heading_height(width: float, title: str) -> float:
    """Return what `heading` will return, before there is a sheet to write on."""
    size, lines = titled(title, width)
    return 0.3 + len(lines) * size * 1.35 / 72


def titled(title: str, width: float) -> tuple[float, list[str]]:
    """Break a title into two lines, in a smaller size if need be; more only on a narrow picture."""
    for size in (12.5, 12, 11.5, 11, 10.5, 10):
        lines = wrapped(title, width - 0.5, size, 5, bold=True)
        if len(lines) <= 2:
            break
    return size, lines


def svg(figure: Figure, title: str, alt: str) -> str:
    """Return the figure as one small SVG element, the same bytes for the same data.

    `title` and `alt` become its accessible name and description.
    """
    with settings():
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", facecolor=figure.get_facecolor(), metadata=nothing)
    return _tidy(out.getvalue(), title, alt)


def _tidy(text: str, title: str, alt: str) -> str:
    body = text[text.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.S)
    body = re.sub(r'(?<= d=")[^"]+|translate\([^)]+', lambda m: _rounded(m[0]), body)
    prefix = "p" + hashlib.sha256((title + alt).encode()).hexdigest()[:4]
    body = re.sub(r"\n\s*", "\n", _own_ids(body, prefix))
    body = _words_once(body, prefix)
    body = re.sub(r"<g>\n(<[^g].*\n)</g>\n", r"\1", re.sub(r"<g>\n</g>\n", "", body))
    opening, rest = body.split(">", 1)
    opening = re.sub(r' (?:version|xmlns:xlink)="[^"]*"', "", opening)
    named = f"<title>{escape(title)}</title>\n<desc>{escape(alt)}</desc>"
    label = escape(f"{title}. {alt}" if title not in alt else alt, quote=True)
    return f'{opening} role="img" aria-label="{label}">\n{named}{rest}\n'


def _rounded(path: str) -> str:
    # Half a thousandth of an inch is more than any screen shows.
    return re.sub(r"\s+", " ", re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", path)).strip()


def _own_ids(body: str, prefix: str) -> str:
    """Keep the ids that something refers to, under names of this picture's own.

    Two pictures in one page would otherwise share glyphs and clipping paths by accident.
    """
    body = body.replace("xlink:href", "href")
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    names = {old: f"{prefix}-{number}" for number, old in enumerate(used)}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{names[match[1]]}"' if match[1] in names else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    return re.sub(r'(href="#|url\(#)([^")]+)', lambda match: f"{match[1]}{names[match[2]]}", body)


def _words_once(body: str, prefix: str) -> str:
    """Spell out a text that is written in many places only once."""
    names: dict[str, str] = {}

    def spelled(match: re.Match[str]) -> str:
        run = match[0]
        if run in names:
            return f'<use href="#{names[run]}"/>\n'
        names[run] = f"{prefix}-w{len(names)}"
        return f'<g id="{names[run]}">\n{run}</g>\n'

    return re.sub(r"(?:<use [^>]*/>\n){3,}", spelled, body)
