"""What each verifier let out: a bar for each weakened server, and one for every check in place.

All stand on one linear axis, so that before and after can be compared by eye. Nothing is written
"0 of N by replay", beside the number of attempts that were made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labsim.charts import count_axis, palette, style, words
from labsim.charts.picture import Picture
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 9.0
LABEL: Final = 2.6
AXIS: Final = 3.8
MARGIN: Final = 0.25
ROW: Final = 0.36
"""Inches."""
_CALLED: Final = {"full": "every check in place", "not_enforcing": "nothing is asked"}

type Row = dict[str, Any]


def picture(blast: pd.DataFrame) -> Picture:
    """Draw what each verifier let out, in the order of the rows, with title and alt text.

    Reads the columns verifier (string), records, of, served and attempts (int64): distinct records
    that were sent to the thief, of those within reach, and how many attempts were served. Raises
    LabError if there is no row.
    """
    rows: list[Row] = blast.to_dict("records")  # type: ignore[assignment]
    if not rows:
        raise LabError("There are no attempts to show.", todo="Steal something and replay it.")
    title = _title(rows)
    return Picture(_figure(rows, title), title, _alt(rows, title))


def _title(rows: list[Row]) -> str:
    weak = [row["records"] > 0 for row in rows if row["verifier"] != "full"]
    good = [row["records"] for row in rows if row["verifier"] == "full"]
    said = [f"{sum(weak)} of {len(weak)} weakened servers let records out"] if weak else []
    if good:
        said.append(f"with every check in place, {good[0] or 'no'} records came out")
    return f"{words.capital('; '.join(said))}."


def _counted(row: Row) -> str:
    if not row["records"]:
        return f"0 of {row['of']} by replay, in {row['attempts']} attempts"
    return f"{row['records']} of {row['of']}, {row['served']} of {row['attempts']} attempts served"


def _alt(rows: list[Row], title: str) -> str:
    bars = "; ".join(f"{called(row['verifier'])}: {_counted(row)}" for row in rows)
    return f"{title} Records that were sent to the thief: {bars}."


def called(verifier: str) -> str:
    """Return in words what a verifier checks; a preset or a case has its own name."""
    return _CALLED.get(verifier, verifier.replace("_", " "))


@style.settings()
def _figure(rows: list[Row], title: str) -> Figure:
    top = style.heading_height(WIDTH, title) + 0.15
    height = top + ROW * len(rows) + 0.75
    figure, axes = style.sheet(WIDTH, height)
    style.heading(axes, WIDTH, title)
    scale = AXIS / max(1, *(max(row["of"], row["records"]) for row in rows))
    _axis(axes, top, height - 0.6, scale)
    for number, row in enumerate(rows):
        _bar(axes, top + ROW * number, row, scale)
    return figure


def _axis(axes: Axes, top: float, bottom: float, scale: float) -> None:
    unit = "records: distinct ones, sent to the thief in answer to a replay"
    count_axis.draw(axes, MARGIN + LABEL, top, bottom, scale=scale, most=AXIS / scale, unit=unit)


def _bar(axes: Axes, y: float, row: Row, scale: float) -> None:
    left, reach, good = MARGIN + LABEL, row["records"] * scale, row["verifier"] == "full"
    name = style.wrapped(words.capital(called(row["verifier"])), LABEL - 0.2, 9, 1, bold=True)[0]
    style.write(axes, MARGIN, y + 0.17, name, 9, weight="bold")
    style.box(axes, left, y + 0.06, reach, 0.22, "bound" if good else "served")
    clear = {"facecolor": palette.LIGHT["paper"], "linewidth": 0, "pad": 1.5}
    style.write(axes, left + reach + 0.1, y + 0.17, _counted(row), bbox=clear)
