"""A finished picture: a figure with its title and its alt text, ready for a page or a notebook."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from labsim.charts import palette, style


@dataclass(frozen=True)
class Picture:
    """Hold a figure, the finding it shows as its title, and what it shows for those who hear it."""

    figure: Figure = field(repr=False)
    title: str
    alt: str

    @cached_property
    def svg(self) -> str:
        """Return the picture as one SVG element with its own light background."""
        return style.svg(self.figure, self.title, self.alt)

    @cached_property
    def themed_svg(self) -> str:
        """Return the SVG for a page that has the palette's custom properties, light and dark."""
        return palette.themed(self.svg)

    def save(self, file: Path) -> None:
        """Write the picture to an SVG file."""
        file.write_text(self.svg, encoding="utf-8")

    @property
    def html(self) -> str:
        """Return the picture as an element of a notebook's page."""
        # An <img> with its alt text: JupyterLab drops the one that IPython's Image is given.
        data = base64.b64encode(self.svg.encode()).decode()
        image = f'<img alt="{escape(self.alt, quote=True)}" src="data:image/svg+xml;base64,{data}"'
        return f'<figure style="margin:0">{image} style="max-width:100%;height:auto" /></figure>'

    def _repr_mimebundle_(self, **_how: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": f"{self.title}\n{self.alt}"}
