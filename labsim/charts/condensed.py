"""Columns of a matrix that ended alike in every row, as one: so that forty fit where ten did.

Custodies of one binding after one theft come together first, then thefts whose columns are all
the same. Nothing is lost: a cell still counts every attempt behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby
from typing import Any, NamedTuple

from labsim.charts.cells import Cell, Column, both


class Together(NamedTuple):
    """Name one column as drawn; `places` are those of the columns that it stands for."""

    thefts: tuple[str, ...]
    binding: str
    custodies: tuple[str, ...]
    places: tuple[int, ...]


def together(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> list[Together]:
    """Return the columns to draw, in the order in which a reader meets the first of each.

    `rows` are all rows of all panels; columns come together that look the same in every one.
    """
    looks = [_look(column) for column in zip(*rows, strict=True)]
    groups: dict[Any, list[list[Together]]] = {}
    for _, group in groupby(range(len(columns)), key=lambda place: columns[place].theft):
        mine = _of_one_theft(columns, looks, list(group))
        alike = tuple((each.binding, each.custodies, looks[each.places[0]]) for each in mine)
        groups.setdefault(alike, []).append(mine)
    return [
        Together(
            tuple(name for each in same for name in each.thefts),
            same[0].binding,
            same[0].custodies,
            tuple(place for each in same for place in each.places),
        )
        for thefts in groups.values()
        for same in zip(*thefts, strict=True)
    ]


def _look(column: Iterable[Cell]) -> tuple[Any, ...]:
    return tuple((cell.look, cell.word, cell.why) for cell in column)


def _of_one_theft(
    columns: Sequence[Column], looks: Sequence[Any], places: Sequence[int]
) -> list[Together]:
    alike: dict[Any, list[int]] = {}
    for place in places:
        alike.setdefault((columns[place].binding, looks[place]), []).append(place)
    return [
        Together(
            (columns[same[0]].theft,),
            columns[same[0]].binding,
            tuple(columns[place].custody for place in same),
            tuple(same),
        )
        for same in alike.values()
    ]


def gathered(row: Sequence[Cell], columns: Iterable[Together]) -> tuple[Cell, ...]:
    """Return a row's cells for the columns as drawn, each with all the attempts it stands for."""
    return tuple(reduce(both, (row[place] for place in each.places)) for each in columns)
