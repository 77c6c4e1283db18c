"""A card on a notebook's page: a sign, a headline, and what it says, in the page's own colours.

JupyterLab's custom properties (`--jp-...`) make it fit the light theme and the dark one; outside
JupyterLab the second colour of each pair is used. Signs and words tell things apart, not colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

INK: Final = "var(--jp-content-font-color1, #1f2328)"
MUTED: Final = "var(--jp-content-font-color2, #5b646e)"
PAPER: Final = "var(--jp-layout-color1, #fdfdfc)"
BAND: Final = "var(--jp-layout-color2, #f1f2f4)"
LINE: Final = "var(--jp-border-color1, #c9cfd6)"
BRAND: Final = "var(--jp-brand-color1, #0072b2)"
WARN: Final = "var(--jp-warn-color1, #b35900)"
CODE: Final = "var(--jp-code-font-family, monospace)"

_TEXT: Final = (
    "font-family:var(--jp-content-font-family, sans-serif);font-size:14px;line-height:1.5"
)
_PRE: Final = (
    f"margin:0;padding:8px;background:{BAND};color:{INK};border:1px solid {LINE};"
    f"font-family:{CODE};font-size:12px;line-height:1.4;white-space:pre-wrap;"
    "word-break:normal;overflow-wrap:anywhere"
)


def card(sign: str, headline: str, body: str, accent: str = BRAND) -> str:
    """Return a card as HTML: `headline` is text, `body` is HTML, `accent` a colour from here."""
    style = f"{_TEXT};color:{INK};background:{PAPER};border:1px solid {LINE};"
    style += f"border-left:5px solid {accent};padding:8px 12px;margin:4px 0;max-width:60em"
    head = f'<div style="font-weight:bold">{escape(sign)} {escape(headline)}</div>'
    return f'<div class="labsim-card" style="{style}">{head}{body}</div>'


def paragraph(text: str) -> str:
    """Return text as a paragraph; its line breaks stay, and `code` in it is set as code."""
    words = re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
    return f'<div style="color:{INK};white-space:pre-wrap;margin-top:4px">{words}</div>'


def columns(parts: Iterable[str]) -> str:
    """Return HTML parts side by side; on a narrow page they go below one another."""
    cells = "".join(f'<div style="flex:1 1 18em;min-width:0">{part}</div>' for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:10px;margin:4px 0">{cells}</div>'


def block(title: str, text: str) -> str:
    """Return preformatted text under a small title; long lines wrap."""
    return f"{heading(title)}<pre style='{_PRE}'>{escape(text)}</pre>"


def heading(text: str) -> str:
    """Return a small title."""
    style = f"{_TEXT};color:{MUTED};font-weight:bold;margin:2px 0"
    return f'<div style="{style}">{escape(text)}</div>'


def table(rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows as an HTML table, its columns those of the first row; empty for no rows."""
    rows = list(rows)
    if not rows:
        return ""
    side = 'style="text-align:left;padding:3px 10px 3px 0;vertical-align:top"'
    head = "".join(f"<th {side}>{escape(name)}</th>" for name in rows[0])
    body = "".join(
        "<tr>"
        + "".join(f"<td {side}>{escape(str(value))}</td>" for value in row.values())
        + "</tr>"
        for row in rows
    )
    return f'<table style="margin-top:6px"><tr>{head}</tr>{body}</table>'
