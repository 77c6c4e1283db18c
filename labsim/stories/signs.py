"""Glyphs for a terminal, or letters where its encoding has none."""

from __future__ import annotations

from labsim.charts.cells import Cell
from labsim.charts.words import SIGNS, Look


class Signs:
    """Choose glyphs that the terminal's encoding has."""

    def __init__(self, encoding: str) -> None:
        try:
            "".join(sign.glyph for sign in SIGNS.values()).encode(encoding)
            "█░".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            self.plain = True
        else:
            self.plain = False

    def of(self, look: Look) -> str:
        """Return a look's glyph, or the letter that stands in for it."""
        return SIGNS[look].ascii if self.plain else SIGNS[look].glyph

    def cell(self, cell: Cell) -> str:
        """Return a cell as glyph and words: why, or how it ended where there is no why."""
        word = cell.word if cell.word != SIGNS[cell.look].word or not cell.why else ""
        return (
            f"{self.of(cell.look)} {': '.join(part for part in (word, cell.why) if part)}".strip()
        )

    def bar(self, share: float, length: int) -> str:
        """Return a bar of `length` characters, full as far as `share` says."""
        full = "#" if self.plain else "█"
        empty = "." if self.plain else "░"
        # Something is never drawn as nothing, nor less than all as all.
        count = round(share * length)
        count = max(count, 1) if share > 0 else 0
        count = min(count, max(length - 1, 0)) if share < 1 else length
        return full * count + empty * (length - count)
