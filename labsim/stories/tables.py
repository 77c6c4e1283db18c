"""The matrix and the blast radius as plain text, for a terminal.

Columns that came out the same are one column, and so are thefts: what is left is what differs.
"""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Final

from labsim.charts import cells, findings, words
from labsim.charts.cells import Cell, Grid
from labsim.charts.words import SIGNS, Look
from labsim.stories import compact
from labsim.stories.signs import Signs

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = 36
NARROWEST: Final = 21
"""Characters: what a row's name takes, and the least that a column needs."""
type Block = tuple[list[str], list[tuple[str, tuple[Cell, ...]]]]


def matrix_text(
    attempts: pd.DataFrame,
    holder: pd.DataFrame,
    *,
    variant: str = "base",
    width: int = 100,
    encoding: str = "utf-8",
) -> str:
    """Return the matrix of one variant as lines of at most `width` characters.

    Reads the columns that `cells.grid` reads. Where `encoding` has no glyphs, letters stand for
    them. Raises LabError if there is no attempt of that variant.
    """
    signs = Signs(encoding)
    grids = findings.both(attempts, holder, variant)
    same, other = grids[findings.SAME], grids.get(findings.OTHER)
    bands = [
        list(group)
        for _, group in groupby(range(len(same.columns)), key=lambda n: same.columns[n].theft)
    ]
    in_words = max(len(_columns(same, other, band, signs)) for band in bands) <= _fit(width)
    reasons: compact.Reasons = {}
    blocks: dict[str, list[str]] = {}
    for band in bands:
        text = "\n".join(
            _block(same, other, band, width, signs)
            if in_words
            else compact.block(_rows(same, other), same.columns, band, width, signs, reasons)
        )
        blocks.setdefault(text, []).append(same.columns[band[0]].theft)
    lines = [*_wrapped(findings.of_matrix(same), width), ""]
    for text, thefts in blocks.items():
        for number, theft in enumerate(thefts):
            told = f"{'Or' if number else 'Stolen'} by {words.theft(theft)}"
            lines += _wrapped(f"{told} ({words.theft_told(theft)})", width)
        lines += [text, ""]
    for look in _looks(same, other):
        lines += _wrapped(f"{signs.of(look)} {look}: {SIGNS[look].meaning}", width)
    lines += compact.legend(reasons, width)
    return "\n".join(line.rstrip() for line in lines)


def _looks(same: Grid, other: Grid | None) -> list[Look]:
    rows = [*same.rows, *(other.rows if other else ())]
    looks = {cell.look for row in rows for cell in row.cells} - {Look.NOT_MEASURED}
    return [look for look in Look if look in looks]


def _block(
    same: Grid, other: Grid | None, places: list[int], width: int, signs: Signs
) -> list[str]:
    rows, own = _rows(same, other)
    merged = _columns(same, other, places, signs)
    fit = _fit(width)
    lines: list[str] = []
    for start in range(0, len(merged), fit):
        chosen = merged[start : start + fit]
        room = (width - LABEL) // len(chosen)
        heads = [_head(same, group) for group in chosen]
        lines += _lines("", heads, room)
        for number, (label, row) in enumerate(rows):
            if number == own:
                lines += ["", "  At another server:"]
            lines += _lines(label, [signs.cell(row[group[0]]) for group in chosen], room)
    return lines


def _fit(width: int) -> int:
    return max(1, (width - LABEL) // NARROWEST)


def _rows(same: Grid, other: Grid | None) -> compact.Rows:
    """Return every row with its name, and how many of them are at the token's own server."""
    rows: list[tuple[str, tuple[Cell, ...]]] = [(words.HOLDER, same.holder)]
    rows += [(words.replay(row.replays[0]), row.cells) for row in same.rows]
    own = len(rows)
    if other:
        rows += findings.labelled(cells.merged(other.rows))
    return rows, own


def _columns(same: Grid, other: Grid | None, places: list[int], signs: Signs) -> list[list[int]]:
    """Return columns as groups: of one binding, and the same in every row."""
    rows, _ = _rows(same, other)
    columns: dict[tuple[str, ...], list[int]] = {}
    for place in places:
        shown = tuple(signs.cell(row[place]) for _, row in rows)
        columns.setdefault((same.columns[place].binding, *shown), []).append(place)
    return list(columns.values())


def _head(grid: Grid, group: list[int]) -> str:
    columns = [grid.columns[place] for place in group]
    binding = words.binding(columns[0].binding)
    kept = [words.custody(column.custody) for column in columns]
    if columns[0].custody == "none":
        return binding
    return f"{binding}, {' or '.join([kept[0], *(k.removeprefix('key ') for k in kept[1:])])}"


def _lines(label: str, texts: list[str], room: int) -> list[str]:
    """Lay one row out; what does not fit goes below in its own column."""
    columns = [(textwrap.wrap(label, LABEL - 4, subsequent_indent="  ") or [""], LABEL)]
    for text in texts:
        columns.append((textwrap.wrap(text, room - 2, subsequent_indent="  ") or [""], room))
    high = max(len(lines) for lines, _ in columns)
    rows = []
    for number in range(high):
        parts = [(lines[number] if number < len(lines) else "").ljust(w) for lines, w in columns]
        rows.append(("  " + parts[0])[:LABEL] + "".join(parts[1:]))
    return [row.rstrip() for row in rows]


def blast_text(blast: pd.DataFrame, *, width: int = 100, encoding: str = "utf-8") -> str:
    """Return the blast radius as lines of at most `width` characters.

    Reads the columns theft, custody, binding (string), records, of, read_in_passing, resources
    (int64; records and read_in_passing count distinct records, resources distinct servers).
    """
    signs = Signs(encoding)
    room = max(0, min(20, width - 69))
    first, second = (
        f"{'':34}{'records that the':<{room + 17}}",
        f"{'':34}{'thief was sent by replay':<{room + 17}}",
    )
    bars = findings.bars(blast)
    lines = [*_wrapped(findings.of_bars(bars), width), ""]
    lines += [f"{first}{'read in':>9}{'servers':>9}", f"{second}{'passing':>9}"]
    for theft, group in groupby(bars, key=lambda bar: bar["theft"]):
        lines.append(f"After {words.theft(theft)}")
        for bar in group:
            kept = "" if bar["custody"] == "none" else f", {words.custody(bar['custody'])}"
            name = f"  {words.binding(bar['binding'])}{kept}"
            share = bar["records"] / bar["of"] if bar["of"] else 0
            drawn = f"{signs.bar(share, room)} {bar['records']} of {bar['of']}"
            mark = "*" if bar.get("victim_failed") else ""
            read = f"{bar['read_in_passing']}{mark}"
            numbers = f"{read:>9}{bar['resources']:>9}"
            lines.append(f"{name:34.33}{drawn:<{room + 17}}{numbers}")
    if any(bar.get("victim_failed") for bar in bars):
        lines += _wrapped("* Meanwhile the victim's own requests failed: that is noticed.", width)
    return "\n".join(line.rstrip() for line in lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ")
