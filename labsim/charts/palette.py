"""The colours of every picture and of the report, by name, for light and dark pages.

A binding has one colour, one marker and one hatch wherever it is drawn. The colours are Okabe and
Ito's (2008), which people who see no red or no green can tell apart. Outcomes are told by glyph
and word, with shades of ink behind them: neither red nor green, for "served" is good news for the
thief and bad news for everyone else.

No matplotlib here: the report and the terminal's tables need these too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LIGHT: Final = {
    "paper": "#fdfdfc",
    "ink": "#1f2328",
    "muted": "#5b646e",
    "line": "#c9cfd6",
    "band": "#f1f2f4",
    "served": "#262b33",
    "on-served": "#fefefe",
    "bound": "#e3e1f6",
    "other": "#ecedef",
    "hatch": "#b4bac2",
}
"""Colours by their names; each hex value is used for one name only, so that it can be swapped."""
DARK: Final = {
    "paper": "#15191f",
    "ink": "#e6e9ed",
    "muted": "#9aa4af",
    "line": "#3d4650",
    "band": "#20262d",
    "served": "#f2f0e8",
    "on-served": "#14171c",
    "bound": "#3b3866",
    "other": "#2a3038",
    "hatch": "#59636e",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Tell how a binding is drawn: colour, marker and hatch (as matplotlib spells them)."""

    colour: str
    marker: str
    hatch: str


_BINDINGS: Final = {
    "bearer": Mark("#e69f00", "o", "///"),
    "dpop": Mark("#0072b2", "s", "\\\\\\"),
    "mtls": Mark("#cc79a7", "D", "xxx"),
    "http_signature": Mark("#56b4e9", "^", "---"),
    "ip_allow_list": Mark("#009e73", "v", "+++"),  # a baseline that stands where a binding does
}
_SPARE: Final = (
    Mark("#d55e00", "P", "|||"),
    Mark("#b3541e", "X", "..."),
    Mark("#f0e442", "*", "ooo"),
)


def mark(binding: str) -> Mark:
    """Return how a binding is drawn; one that is not known yet gets a spare look of its own."""
    known = _BINDINGS.get(binding)
    return known or _SPARE[sum(binding.encode()) % len(_SPARE)]


def css(indent: str = "") -> str:
    """Return custom properties for light and, where the reader's system asks for it, dark."""
    light = "".join(f"--{name}:{value};" for name, value in LIGHT.items())
    dark = "".join(f"--{name}:{value};" for name, value in DARK.items())
    return (
        f"{indent}:root{{color-scheme:light dark;{light}}}\n"
        f"{indent}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


def themed(svg: str) -> str:
    """Return SVG text whose known colours follow the page's custom properties."""
    for name, value in LIGHT.items():
        svg = svg.replace(value, f"var(--{name},{value})")
    return svg


def following(svg: str) -> str:
    """Return SVG text that brings its own light and dark colours, as the reader's system asks."""
    light = "".join(f"--{name}:{value};" for name, value in LIGHT.items())
    dark = "".join(f"--{name}:{value};" for name, value in DARK.items())
    style = (
        f"<style>.labsim-own{{{light}}}"
        f"@media (prefers-color-scheme:dark){{.labsim-own{{{dark}}}}}</style>"
    )
    opening, rest = themed(svg).split(">", 1)
    return f'{opening} class="labsim-own">{style}{rest}'
