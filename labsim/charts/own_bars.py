"""A learner's own bars: how many records replay got, before a binding and after, by notebook.

All bars stand on one linear axis. The full part is what was served to a thief who had only what
leaked; the outlined part is what it took more for, a key or a credential say. Zero is written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import count_axis, having, palette, style, words
from labsim.charts.having import Row
from labsim.charts.picture import Picture

WIDTH: Final = 9.6
LABEL: Final = 2.9
AXIS: Final = 3.6
MARGIN: Final = 0.25
BAR: Final = 0.46
GROUP: Final = 0.26
"""Inches: the picture, a bar's name, the axis, the margin, a bar's row, a notebook's name."""


def picture(rows: Sequence[Row]) -> Picture:
    """Draw rows as `labsim.tally.rows` returns them; there must be one at least."""
    bars = together(rows)
    title = finding(bars)
    alt = " ".join(f"{bar['notebook']}, {bar['name']}: {counted(bar)}." for bar in bars)
    return Picture(_figure(bars, title), title, f"{title} {alt}")


def together(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one bar for each binding of a notebook; of several thefts, the one that got most.

    Each has notebook, name, binding, plain, records, of; `more`: what the outlined part took, and
    `built`: what was tried for it; `tried`: whether anything that leaked was replayed at all, for
    else its zero is no measurement; `usual`: whether its servers are the base's, with every check.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row["notebook"]), having.named(row)), []).append(row)
    return [_bar_of(*key, mine) for key, mine in groups.items()]


def _bar_of(notebook: str, name: str, rows: Sequence[Row]) -> dict[str, Any]:
    there = having.present(rows)
    served = {kind for row in rows for kind in having.served(row, having.MORE)}
    return {
        "notebook": notebook,
        "name": name,
        "binding": rows[0]["binding"],
        **{count: max(row[count] for row in rows) for count in ("plain", "records", "of")},
        "more": [kind for kind in having.MORE if kind in served],
        "built": [kind for kind in there if kind in having.MORE],
        "tried": not set(there) <= set(having.MORE),
        "usual": (rows[0]["variant"], rows[0]["verifier"]) == ("base", "full"),
    }


def counted(bar: Row) -> str:
    """Return what a bar says: how many records, of how many, and what was needed for more."""
    said = [f"{bar['plain']} of {bar['of']} by replay"] if bar["tried"] else []
    if bar["records"] > bar["plain"]:
        said.append(f"{bar['records']} with {_things(bar['more'])}")
    elif not said and bar["built"]:
        said.append(f"0 of {bar['of']} with {_things(bar['built'])}")
    return ", ".join(said) or "nothing could be built"


def _things(kinds: Sequence[str]) -> str:
    return words.listed([having.KINDS[kind].removesuffix(" too") for kind in kinds], "or")


def finding(bars: Sequence[Row]) -> str:
    """Say in one sentence what the bars show, each binding once, with its highest bar."""
    said: dict[str, list[str]] = {}
    tried = [bar for bar in bars if bar["tried"]]
    if not tried:
        return "What leaked was not replayed yet."
    usual = [bar for bar in tried if bar["usual"]] or tried
    for name in words.in_order("binding", [bar["binding"] for bar in usual]):
        best = max((bar for bar in usual if bar["binding"] == name), key=lambda bar: bar["plain"])
        said.setdefault(f"{best['plain']} of {best['of']}", []).append(words.binding(name))
    parts = [f"{count} with {words.listed(names)}" for count, names in said.items()]
    most = max((bar["plain"] for bar in tried if bar not in usual), default=0)
    but = f"; up to {most} where servers differ" if most else ""
    return f"Records served to a replay of what leaked: {words.listed(parts)}{but}."


@style.settings()
def _figure(bars: list[dict[str, Any]], title: str) -> Figure:
    notebooks = list(dict.fromkeys(bar["notebook"] for bar in bars))
    top = style.heading_height(WIDTH, title)
    height = top + GROUP * len(notebooks) + BAR * len(bars) + 1.05
    figure, axes = style.sheet(WIDTH, height)
    y = style.heading(axes, WIDTH, title) + 0.05
    scale = AXIS / max(1, *(bar["of"] for bar in bars))
    _axis(axes, y, height - 0.85, scale)
    for notebook in notebooks:
        style.write(axes, MARGIN, y + 0.14, f"Notebook {notebook}", 8.5, "muted")
        y += GROUP
        for bar in bars:
            if bar["notebook"] == notebook:
                _bar(axes, y, bar, scale)
                y += BAR
    _legend(axes, height - 0.2)
    return figure


def _axis(axes: Axes, top: float, bottom: float, scale: float) -> None:
    unit = "records: distinct ones, of those at the servers that the robbed client calls"
    count_axis.draw(axes, MARGIN + LABEL, top, bottom, scale=scale, most=AXIS / scale, unit=unit)


def _bar(axes: Axes, y: float, bar: Row, scale: float) -> None:
    left, mark = MARGIN + LABEL, palette.mark(bar["binding"])
    axes.plot([MARGIN + 0.1], [y + 0.17], mark.marker, color=mark.colour, markersize=7)
    lines = style.wrapped(bar["name"], LABEL - 0.4, 8.5, 2, bold=True)
    for number, line in enumerate(lines):
        at = y + 0.17 + (number - (len(lines) - 1) / 2) * 0.15
        style.write(axes, MARGIN + 0.26, at, line, 8.5, weight="bold")
    plain, every = bar["plain"] * scale, max(bar["plain"], bar["records"]) * scale
    edge = {"edgecolor": mark.colour, "linewidth": 1.0}
    if every > plain:
        how = edge | {"hatch": mark.hatch}
        style.box(axes, left + plain, y + 0.05, every - plain, 0.24, "paper", **how)
    style.box(axes, left, y + 0.05, plain, 0.24, mark.colour)
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
    room = WIDTH - MARGIN - (left + every + 0.1)
    for number, line in enumerate(style.wrapped(counted(bar), room, 8, 2, bold=True)):
        at = y + 0.17 + (number * 0.14 - 0.07 if _long(bar, room) else 0)
        style.write(axes, left + every + 0.1, at, line, 8, weight="bold", bbox=clear)


def _long(bar: Row, room: float) -> bool:
    return len(style.wrapped(counted(bar), room, 8, 2, bold=True)) > 1


def _legend(axes: Axes, y: float) -> None:
    x = MARGIN + LABEL
    notes = ("full: had only what leaked", "outlined: had more, as the bar says")
    for fill, note in zip(("muted", "paper"), notes, strict=True):
        hatch = {} if fill == "muted" else {"hatch": "////"}
        edge = {"edgecolor": palette.LIGHT["muted"], "linewidth": 0.8}
        style.box(axes, x, y - 0.07, 0.26, 0.14, fill, **edge, **hatch)
        style.write(axes, x + 0.34, y, note, 8, "muted")
        x += style.text_width(note, 8) + 0.7
