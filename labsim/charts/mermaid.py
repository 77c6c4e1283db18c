"""Text for mermaid, which reads what it is given as markup.

A title, a name or a server's word must not be able to end its box, start a statement or bring a
tag: everything that mermaid could read is written as an entity.
"""

from __future__ import annotations

from typing import Final

_ESCAPES: Final = {ord(c): f"#{ord(c)};" for c in '"<>#&;{}[]()|`\\'}
_LINE_ENDS: Final = str.maketrans("\r\n", "  ")


def escaped(text: str) -> str:
    """Return text on one line, with nothing in it that mermaid reads as markup."""
    return text.translate(_LINE_ENDS).translate(_ESCAPES)


def quoted(*lines: str) -> str:
    """Return lines as the label of a box."""
    return '"' + "<br/>".join(map(escaped, lines)) + '"'


def plain(text: str) -> str:
    """Return text for `accTitle` and `accDescr`, where there are no entities."""
    return "".join("," if character in "{};#\r\n" else character for character in text)
