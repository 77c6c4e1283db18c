"""What the variants change, as plain text for a terminal: the base beside what differs from it."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Final

from labsim.charts import differences, words
from labsim.stories.signs import Signs

if TYPE_CHECKING:
    import pandas as pd

_LEAST: Final = 14
"""Characters that a column needs at least, however narrow the terminal."""


def variants_text(attempts: pd.DataFrame, *, width: int = 100, encoding: str = "utf-8") -> str:
    """Return what differs from the base as lines of at most `width` characters.

    Reads the columns that `differences.differences` reads.
    """
    signs = Signs(encoding)
    found = differences.differences(attempts)
    lines = [*textwrap.wrap(differences.title(found), width, subsequent_indent="  "), ""]
    room = max(_LEAST, (width - 4) // 4)
    first = max(_LEAST, width - 2 * room)
    if found.rows:
        lines += _columns(["", "in the base", "with the variant"], first, room)
    for way, group in groupby(differences.changes(found), key=lambda change: change[0]):
        what, when = differences.label(way)
        lines += textwrap.wrap(f"{words.capital(what)}, {when}", width, subsequent_indent="  ")
        for _, place, base, here in group:
            bound = words.binding(place.binding)
            if place.custody != "none":
                bound += f", {words.custody(place.custody)}"
            name = f"  {bound}: {words.variant(place.variant)}"
            lines += _columns([name, signs.cell(base), signs.cell(here)], first, room)
    if found.unchanged:
        said = differences.unchanged(found)
        lines += textwrap.wrap(said, width, subsequent_indent="  ")
    return "\n".join(line.rstrip() for line in lines)


def _columns(texts: list[str], first: int, room: int) -> list[str]:
    """Lay texts out side by side; what does not fit goes below in its own column."""
    widths = [first, *(room for _ in texts[1:])]
    wrapped = [
        textwrap.wrap(text, wide - 2, subsequent_indent="    ", drop_whitespace=True)
        if number == 0 and not text.startswith("  ")
        else textwrap.wrap(
            text.strip(),
            wide - 2,
            initial_indent="  " if number == 0 else "",
            subsequent_indent="    " if number == 0 else "  ",
        )
        for number, (text, wide) in enumerate(zip(texts, widths, strict=True))
    ]
    high = max(len(lines) for lines in wrapped)
    return [
        "".join(
            (lines[number] if number < len(lines) else "").ljust(wide)
            for lines, wide in zip(wrapped, widths, strict=True)
        )
        for number in range(high)
    ]
