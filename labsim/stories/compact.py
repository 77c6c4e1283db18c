"""The matrix for a terminal that is too narrow for words: a glyph a cell, and a number for why.

Every column stands in one strip, so that a row is read at a glance. What could not be built in any
column of a theft is named in a line of its own.
"""

from __future__ import annotations

import textwrap
from typing import Final

from labsim.charts import words
from labsim.charts.cells import Cell, Column
from labsim.charts.words import Look
from labsim.stories.signs import Signs

type Rows = tuple[list[tuple[str, tuple[Cell, ...]]], int]
"""Every row with its name, and how many of them are at the server that the token is for."""
type Reasons = dict[str, int]
"""Why something was refused, and the number that stands for it."""

ROOM: Final = 7
LABEL: Final = 31
_SILENT: Final = {Look.NOT_POSSIBLE, Look.NOT_MEASURED}
_HEADS: Final = {"http_signature": ("HTTP", "sign.")}
_KEPT: Final = {"none": "", "memory": "mem."}


def block(
    found: Rows,
    columns: tuple[Column, ...],
    places: list[int],
    width: int,
    signs: Signs,
    reasons: Reasons,
) -> list[str]:
    """Return the columns at `places` as lines; what is new among the reasons gets a number."""
    rows, own = found
    fit = max(1, (width - LABEL) // ROOM)
    lines: list[str] = []
    for start in range(0, len(places), fit):
        chosen = places[start : start + fit]
        lines += _heads([columns[place] for place in chosen])
        lines += _part(rows[:own], chosen, width, signs, reasons)
        elsewhere = {row[place].look for _, row in rows[own:] for place in chosen}
        if elsewhere - {Look.NOT_MEASURED}:
            lines += ["  At another server:", *_part(rows[own:], chosen, width, signs, reasons)]
    return lines


def legend(reasons: Reasons, width: int) -> list[str]:
    """Return what the numbers stand for, as a paragraph; nothing if there is none."""
    said = "; ".join(f"{number} {why}" for why, number in reasons.items())
    return textwrap.wrap(f"Why: {said}", width, subsequent_indent="  ") if said else []


def _heads(columns: list[Column]) -> list[str]:
    """Return three lines: the binding in up to two, and where the key lies."""
    lines = ["", "", ""]
    last = ""
    for column in columns:
        name = words.binding(column.binding)
        first, second = _HEADS.get(column.binding) or (name[: ROOM - 1], "")
        shown = (first, second) if column.binding != last else ("", "")
        kept = _KEPT.get(column.custody, words.plain(column.custody)[: ROOM - 1])
        for number, part in enumerate((*shown, kept)):
            lines[number] += part.ljust(ROOM)
        last = column.binding
    return [(" " * LABEL + line).rstrip() for line in lines if line.strip()]


def _part(
    rows: list[tuple[str, tuple[Cell, ...]]],
    places: list[int],
    width: int,
    signs: Signs,
    reasons: Reasons,
) -> list[str]:
    lines, absent = [], []
    for label, row in rows:
        if label != words.HOLDER and {row[place].look for place in places} <= _SILENT:
            absent.append(label)
            continue
        shown = "".join(_sign(row[place], signs, reasons).ljust(ROOM) for place in places)
        name = textwrap.wrap(label, LABEL - 3, subsequent_indent="  ") or [""]
        lines.append((f"  {name[0]}".ljust(LABEL) + shown).rstrip())
        lines += [f"  {more}" for more in name[1:]]
    if absent:
        note = f"Cannot be built from this: {'; '.join(absent)}"
        lines += textwrap.wrap(note, width, initial_indent="  ", subsequent_indent="    ")
    return lines


def _sign(cell: Cell, signs: Signs, reasons: Reasons) -> str:
    word = cell.word if cell.word != cell.sign.word else ""
    why = ": ".join(part for part in (word, cell.why) if part)
    if not why:
        return signs.of(cell.look)
    return f"{signs.of(cell.look)}{reasons.setdefault(why, len(reasons) + 1)}"
