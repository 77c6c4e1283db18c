"""The axis of a picture that counts records: lines at round counts, from 0, and what is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.charts import palette, scales, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(
    axes: Axes, left: float, top: float, bottom: float, *, scale: float, most: float, unit: str
) -> None:
    """Draw lines from `top` to `bottom` at round counts up to `most`, and `unit` below them.

    All places are inches, `scale` is inches a record; 0 stands at `left`.
    """
    for tick in (0, *scales.count_ticks(most)):
        x, line = left + tick * scale, palette.LIGHT["line" if tick else "muted"]
        axes.plot([x, x], [top, bottom], color=line, linewidth=0.8, zorder=0)
        style.write(axes, x, bottom + 0.12, f"{tick:,}", 8, "muted", ha="center")
    style.write(axes, left, bottom + 0.33, unit, 8, "muted")
