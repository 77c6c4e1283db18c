"""What the measured rows show, said in words: titles, alt texts, and labels of merged rows.

Every sentence is computed from the rows at hand. Change a row and the sentence changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from labsim.charts import cells, words
from labsim.charts.cells import Cell, Column, Grid, Row
from labsim.charts.words import Look
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

SAME: Final = "At the server that the token is for"
OTHER: Final = "At another server"
_AS_IT_IS: Final = "token_as_is"
_NOTHING: Final = {Look.NOT_POSSIBLE, Look.NOT_MEASURED}
type Bar = dict[Any, Any]
"""One row of `blast.measured.blast_radius`."""


def both(attempts: pd.DataFrame, holder: pd.DataFrame, variant: str = "base") -> dict[str, Grid]:
    """Return the grid of the server the token is for and, where one was tried, of the others.

    Both have the same columns: one in which no other server was tried is not measured there.
    """
    grids = {SAME: cells.grid(attempts, holder, "same_resource", variant)}
    try:
        other = cells.grid(attempts, holder, "other_resource", variant)
    except LabError:
        return grids  # every client that was robbed calls one resource only
    return grids | {OTHER: cells.at(other, grids[SAME].columns)}


def of_matrix(grid: Grid) -> str:
    """Say in one or two sentences what the matrix shows, from its cells alone."""
    said: dict[str, list[str]] = {}
    names = words.in_order("binding", [column.binding for column in grid.columns])
    for name in names:
        said.setdefault(_said_of(grid, name), []).append(words.binding(name))
    parts = [sentence.format(words.listed(bindings, "or")) for sentence, bindings in said.items()]
    for number, part in enumerate(parts[1:], 1):
        if " was served " in parts[0]:  # said once, it need not be said again
            parts[number] = part.replace(" was served ", " ", 1)
    holders = [cell.look for cell in grid.holder]
    refused = sum(look is not Look.SERVED for look in holders)
    last = ""
    if refused:
        last = f" But the holder itself was not served in {refused} of {len(holders)} columns."
    return words.capital("; ".join(parts)) + "." + last


def _said_of(grid: Grid, binding: str) -> str:
    pairs = list(_pairs(grid, binding))
    tried = [cell for _, _, cell in pairs if cell.look not in _NOTHING]
    got_in = [pair for pair in pairs if pair[2].look in (Look.SERVED, Look.SERVED_IN_PART)]
    if not tried:
        return "no replay of a stolen {} token could be built"
    if not got_in:
        return "a stolen {} token was never served"
    plainly = {cell.look for replay, _, cell in pairs if replay == _AS_IT_IS} - _NOTHING
    if plainly == {Look.SERVED}:
        return "a stolen {} token was served just as it is"
    replays = words.in_order("replay", [replay for replay, _, _ in got_in])
    if len(replays) > 3:
        return f"a stolen {{}} token was served in {len(got_in)} of {len(tried)} cells"
    having = [words.needed(replay) for replay in replays if words.needed(replay)]
    doing = [words.replay(replay) for replay in replays if not words.needed(replay)]
    ways = [f"who could {way}" for way in doing]
    ways += [f"with {words.listed(having, 'or')}"] if having else []
    return f"a stolen {{}} token was served only to a thief {' or '.join(ways)}"


def _pairs(grid: Grid, binding: str) -> Iterator[tuple[str, Column, Cell]]:
    for row in grid.rows:
        for column, cell in zip(grid.columns, row.cells, strict=True):
            if column.binding == binding:
                yield row.replays[0], column, cell


def alt_of_matrix(grids: dict[str, Grid]) -> str:
    """Return the matrix in words: the finding, and how many cells looked how."""
    parts = [of_matrix(grids[SAME])]
    for where, grid in grids.items():
        counts = []
        for binding in words.in_order("binding", [column.binding for column in grid.columns]):
            looks = [cell.look for _, _, cell in _pairs(grid, binding)]
            found = [f"{looks.count(look)} {look}" for look in Look if look in looks]
            counts.append(f"{words.binding(binding)}: {', '.join(found)}")
        parts.append(f"{where}, in cells: {'; '.join(counts)}.")
    served = sum(cell.look is Look.SERVED for cell in grids[SAME].holder)
    parts.append(f"The holder itself was served in {served} of {len(grids[SAME].holder)} columns.")
    return " ".join(parts)


def labelled(rows: tuple[Row, ...]) -> list[tuple[str, tuple[Cell, ...]]]:
    """Return merged rows with a label each: one way by its name, several as what they are."""
    result = []
    for row in sorted(rows, key=lambda row: len(row.replays)):
        label = words.replay(row.replays[0])
        if len(row.replays) > 1:
            label = "any of these ways" if len(rows) == 1 else "any of the other ways"
        if len(row.replays) == 2 and len(rows) > 1:
            label = " / ".join(words.replay(replay) for replay in row.replays)
        result.append((label, row.cells))
    return result


def bars(blast: pd.DataFrame) -> list[Bar]:
    """Return the rows as dictionaries, in the order in which a reader meets them."""
    rows: list[Bar] = blast.to_dict("records")
    orders = {
        kind: words.in_order(kind, [row[kind] for row in rows])
        for kind in ("theft", "binding", "custody")
    }
    if not rows:
        raise LabError("There is no blast radius to show: nothing was tried.", todo="Run attempts.")
    return sorted(rows, key=lambda row: [names.index(row[kind]) for kind, names in orders.items()])


def of_bars(bars: list[Bar]) -> str:
    """Say in one sentence what the bars show, from their numbers alone."""
    groups: dict[str, list[str]] = {}
    for theft in words.in_order("theft", [bar["theft"] for bar in bars]):
        mine = [bar for bar in bars if bar["theft"] == theft]
        groups.setdefault(_lost(mine), []).append(words.theft(theft))
    parts = [f"{said} after {words.listed(thefts)}" for said, thefts in groups.items()]
    return f"Records exposed by replay: {'; '.join(parts)}."


def _lost(bars: list[Bar]) -> str:
    """Say for one theft how many records each binding lost, as few times as possible."""
    lost: dict[str, list[str]] = {}
    names = words.in_order("binding", [bar["binding"] for bar in bars])
    for name in names:
        counts = [bar["records"] for bar in bars if bar["binding"] == name]
        of = max(bar["of"] for bar in bars if bar["binding"] == name)
        low, high = min(counts), max(counts)
        count = f"{high} of {of}" if low == high else f"{low} to {high} of {of}"
        lost.setdefault(count, []).append(words.binding(name))
    if len(lost) == 1 and len(names) > 1:
        return f"{next(iter(lost))} with every binding"
    return words.listed([f"{count} with {words.listed(b)}" for count, b in lost.items()])


def alt_of_bars(bars: list[Bar]) -> str:
    """Return the blast radius in words: the finding, and every bar with its numbers."""
    parts = [of_bars(bars)]
    for theft, group in groupby(bars, key=lambda bar: bar["theft"]):
        counts = [f"{_named(bar)} {counted(bar)}{_and_passing(bar)}" for bar in group]
        parts.append(f"After {words.theft(theft)}: {'; '.join(counts)}.")
    return " ".join(parts)


def _named(bar: Bar) -> str:
    binding = words.binding(bar["binding"])
    return binding if bar["custody"] == "none" else f"{binding}, {words.custody(bar['custody'])}"


def counted(bar: Bar) -> str:
    """Return what a bar says: how many records, of how many within reach."""
    return f"{bar['records']} of {bar['of']} by replay"


def passing(bar: Bar) -> str:
    """Return what an interceptor read in passing, and whether its victim noticed; or nothing."""
    read, failed = bar["read_in_passing"], bar.get("victim_failed", 0)
    if not read and not failed:
        return ""
    count = f"{read} of {bar['of']} read in passing" if read else "0 read in passing"
    if not failed:
        return count
    asked = bar["victim_requests"]
    which = "the victim's own requests failed"
    return f"{count}: {which if failed == asked else f'{failed} of {asked} of {which}'}"


def _and_passing(bar: Bar) -> str:
    note = passing(bar)
    return f", {note}" if note else ""


def with_victims(blast: pd.DataFrame, robbed: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Add to a blast radius how the victims' own requests ended while they were robbed.

    `robbed` are rows with theft, custody, binding, variant, requests and failed. Adds the columns
    victim_requests and victim_failed (int64), counted in the base configuration.
    """
    counts: dict[tuple[str, ...], list[int]] = {}
    for row in robbed:
        if row["variant"] == "base":
            count = counts.setdefault((row["theft"], row["custody"], row["binding"]), [0, 0])
            count[0] += row["requests"]
            count[1] += row["failed"]
    keys = zip(blast["theft"], blast["custody"], blast["binding"], strict=True)
    found = [counts.get(key, [0, 0]) for key in keys]
    return blast.assign(
        victim_requests=[asked for asked, _ in found], victim_failed=[failed for _, failed in found]
    )
