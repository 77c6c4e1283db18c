"""The report: one HTML file that says what was measured and shows the bytes behind each cell.

It needs nothing but itself: no script, no font, no request to anywhere. It follows the reader's
light or dark system, and every cell of the matrix opens by mouse or keyboard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from labsim.charts import cells, differences, findings, palette, words
from labsim.charts.cells import Cell, Column, Grid
from labsim.charts.words import SIGNS, Look
from labsim.errors import LabError
from labsim.stories.exchange import Exchange, view, visible
from labsim.stories.held_back import Held, finding

if TYPE_CHECKING:
    import pandas as pd

    from labsim.charts.picture import Picture

NOT_SHOWN: Final = (
    (
        "Only what stands in the tables was tried. A theft or a replay that is not there was not "
        "tested. Each theft is shown on one client or a few, which stand for others like them, and "
        "a variant on one. A theft that yields the same wherever a key lies was tried with it in a "
        "file."
    ),
    (
        "The counts end with what was stolen first. A credential that lay in a record which was "
        "read is not followed here: that is a campaign, and goes further."
    ),
    (
        "Clients, records and rights are made up. The counts compare one binding with another in "
        "this lab; they do not say how often such thefts happen, nor what they cost."
    ),
    (
        "Thief, clients and servers are processes of one user on one machine. That the thief sees "
        "only what it was given is the lab's own doing, not the operating system's."
    ),
    (
        "Binding is no answer to too many rights, to tokens that nobody revokes, or to a client's "
        "credential that lies beside the token."
    ),
)
MOST_COLUMNS: Final = 9
"""A table with more is parted by theft, so that a cell's words stay inside it."""
_MANY: Final = ("no", "one", "two", "three", "four", "five", "six")
_RELATIONS: Final = {
    "same_resource": findings.SAME,
    "other_resource": findings.OTHER,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold one cell of a table with the attempt that stands for it."""

    cell: Cell
    shade: str
    counts: str
    row: Mapping[Any, Any] | None
    exchange: Exchange | None


@dataclass(frozen=True, slots=True)
class Table:
    """Hold one table of the report: its heading, columns, the holder's row and the others."""

    title: str
    columns: tuple[Column, ...]
    thefts: tuple[tuple[str, int], ...]
    holder: tuple[Shown, ...]
    rows: tuple[tuple[str, tuple[Shown, ...]], ...]


def report_html(
    attempts: pd.DataFrame,
    blast: pd.DataFrame,
    holder: pd.DataFrame,
    exchanges: Mapping[int, Mapping[str, Any]],
    *,
    charts: Sequence[Picture],
    facts: Mapping[str, str],
    not_shown: Sequence[str] = NOT_SHOWN,
    held: Sequence[Held] = (),
) -> str:
    """Return the report as one HTML page.

    `attempts` and `blast` are the tables of `blast.measured`, `holder` the holder's own requests
    (columns as `cells.grid` reads). `exchanges` has for an attempt's number the request and the
    response (latin-1 text) and the server's event. `facts` says how it was measured (seed and so
    on), `not_shown` what this does not show, `held` what became of requests that were held back.
    """
    numbered = {row["attempt"]: row for row in attempts.to_dict("records")}
    bars = findings.bars(blast)
    grids = findings.both(attempts, holder)
    tried = sum(row["outcome"] != "not_possible" for row in numbered.values())
    return _template().render(
        css=Markup(palette.css()),  # noqa: S704  # our own
        finding=[findings.of_matrix(grids[findings.SAME]), findings.of_bars(bars)],
        tried=tried,
        clients=attempts["client"].nunique(),
        many=_pictures(len(charts)),
        charts=[Markup(chart.themed_svg) for chart in charts],  # noqa: S704  # escaped there
        looks=_legend(attempts),
        tables=list(_tables(attempts, holder, numbered, exchanges)),
        variants=differences.differences(attempts),
        differences=differences,
        bars=bars,
        facts={"Attempts": f"{len(numbered)}, of which {tried} could be built and sent", **facts},
        not_shown=not_shown,
        held=held,
        held_finding=finding(held),
        **_vocabulary(grids[findings.SAME].columns),
    )


def _vocabulary(columns: Sequence[Column]) -> dict[str, Any]:
    names = words.in_order("binding", [column.binding for column in columns])
    thefts = words.in_order("theft", [column.theft for column in columns])
    return {
        "words": words,
        "bindings": [(words.binding(name), words.binding_told(name)) for name in names],
        "thefts": [(words.theft(name), words.theft_told(name)) for name in thefts],
        "marks": {name: palette.mark(name) for name in names},
    }


def _pictures(many: int) -> str:
    count = _MANY[many] if many < len(_MANY) else str(many)
    return f"{count} picture{'' if many == 1 else 's'}"


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=folder,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_seen,
    )
    return environment.get_template("report.html.j2")


def _seen(value: Any) -> Any:
    # Whatever an estate or a server names itself, nothing on the page is invisible.
    return visible(value) if type(value) is str else value


def _legend(attempts: pd.DataFrame) -> list[tuple[str, str, words.Sign]]:
    pairs = attempts[["outcome", "reason"]].drop_duplicates().itertuples(index=False)
    found = {words.look(outcome, reason) for outcome, reason in pairs}
    return [(_shade(look), str(look), SIGNS[look]) for look in Look if look in found]


def _shade(look: Look) -> str:
    return look.value.replace(" ", "-")


def _tables(
    attempts: pd.DataFrame,
    holder: pd.DataFrame,
    numbered: Mapping[int, Mapping[Any, Any]],
    exchanges: Mapping[int, Mapping[str, Any]],
) -> Any:
    variants = words.in_order("variant", sorted(attempts["variant"].unique()))
    verifiers = sorted(attempts["verifier"].unique(), key=lambda name: (name != "full", name))
    for verifier in verifiers:
        for variant in variants:
            for relation, where in _RELATIONS.items():
                try:
                    grid = cells.grid(attempts, holder, relation, variant, verifier)
                except LabError:
                    continue  # nothing of this kind was tried
                title = f"{where}: {words.variant(variant)}"
                title += "" if verifier == "full" else f", weakened: {words.plain(verifier)}"
                for part in _parts(grid):
                    told = title
                    if len(part.columns) < len(grid.columns):
                        told += f", stolen by {words.theft(part.columns[0].theft)}"
                    yield _table(told, part, relation == "same_resource", numbered, exchanges)


def _parts(grid: Grid) -> list[Grid]:
    """Part a grid by theft if it has more columns than a page can show side by side."""
    if len(grid.columns) <= MOST_COLUMNS:
        return [grid]
    groups = groupby(range(len(grid.columns)), key=lambda place: grid.columns[place].theft)
    return [_at(grid, list(places)) for _, places in groups]


def _at(grid: Grid, places: list[int]) -> Grid:
    def chosen(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row[place] for place in places)

    rows = tuple(replace(row, cells=chosen(row.cells)) for row in grid.rows)
    return Grid(chosen(grid.columns), chosen(grid.holder), rows)


def _table(
    title: str,
    grid: Grid,
    with_holder: bool,
    numbered: Mapping[int, Mapping[Any, Any]],
    exchanges: Mapping[int, Mapping[str, Any]],
) -> Table:
    def shown(cell: Cell) -> Shown:
        row = numbered.get(cell.exemplar)
        exchange = view(row, exchanges.get(cell.exemplar)) if row else None
        return Shown(cell, _shade(cell.look), _counts(cell), row, exchange)

    groups = groupby(grid.columns, key=lambda column: column.theft)
    return Table(
        title=title,
        columns=grid.columns,
        thefts=tuple((words.theft(theft), len(list(group))) for theft, group in groups),
        holder=tuple(shown(cell) for cell in grid.holder) if with_holder else (),
        rows=tuple(
            (words.replay(row.replays[0]), tuple(shown(cell) for cell in row.cells))
            for row in grid.rows
        ),
    )


def _counts(cell: Cell) -> str:
    said = []
    for ending, count in cell.endings:
        why = words.why(ending.reason, ending.check) if ending.outcome == "rejected" else ""
        if ending.outcome == "refused_by_tls":
            why = words.alert(ending.reason)
        if ending.outcome == "not_possible":
            why = ending.reason
        how = words.plain(ending.outcome).replace("tls", "TLS")
        said.append(f"{count} {how}{f' ({why})' if why else ''}")
    return ", ".join(said)
