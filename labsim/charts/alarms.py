"""Alarms sorted into rows, and what they say in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from labsim.charts import scales, words
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

_SHOWN: Final = 2
"""Reasons that a row names; more are counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """Hold the robberies by some thefts under one binding, of custodies that came to the same.

    `seconds` are those from theft to alarm, ascending, of robberies that raised one; `reasons`
    the words for why, most frequent first; `alone` and `saved` are records of each robbery, both
    empty where that was not computed.
    """

    thefts: tuple[str, ...]
    binding: str
    custodies: tuple[str, ...]
    robberies: int
    seconds: tuple[float, ...]
    reasons: tuple[str, ...]
    alone: tuple[int, ...] = ()
    saved: tuple[int, ...] = ()


type _Found = dict[Any, Any]


def rows(frame: pd.DataFrame) -> list[Row]:
    """Sort the rows of `blast.detection.time_to_alarm`; LabError if there is none.

    Custodies that are equally noticed stand in one row, and thefts that never are in one group.
    """
    found: list[_Found] = frame.to_dict("records")
    if not found:
        raise LabError("There are no alarms to show.", todo="Rob somebody, and look at the events.")
    thefts = words.in_order("theft", [row["theft"] for row in found])
    groups = {theft: _of_theft([r for r in found if r["theft"] == theft]) for theft in thefts}
    alike: dict[Any, list[str]] = {}
    for theft, made in groups.items():
        silent = not any(row.seconds for row in made)
        alike.setdefault(tuple(made) if silent else theft, []).append(theft)
    return [
        Row(tuple(same), r.binding, r.custodies, r.robberies * len(same), r.seconds, r.reasons,
            r.alone, r.saved)
        for same in alike.values()
        for r in groups[same[0]]
    ]  # fmt: skip


def _of_theft(found: list[_Found]) -> list[Row]:
    bindings = words.in_order("binding", [row["binding"] for row in found])
    custodies = words.in_order("custody", [row["custody"] for row in found])
    made = []
    for binding in bindings:
        alike: dict[Any, list[str]] = {}
        for custody in custodies:
            here = _cell(found, binding, [custody])
            if here:
                many = sum(_is_alarm(row) for row in here)
                exposed = any(row.get("alone") for row in here)
                noticed = (many == len(here), many > 0, exposed)
                alike.setdefault(noticed, []).append(custody)
        for same in alike.values():
            made.append(_row(binding, same, _cell(found, binding, same)))
    return made


def _cell(found: list[_Found], binding: str, custodies: Iterable[str]) -> list[_Found]:
    return [row for row in found if row["binding"] == binding and row["custody"] in custodies]


def _is_alarm(row: _Found) -> bool:
    return bool(row["seconds"] == row["seconds"]) if isinstance(row["seconds"], float) else False


def _reasons(here: list[_Found]) -> tuple[str, ...]:
    said = [words.why(row["reason"], row["check"]) for row in here if _is_alarm(row)]
    return tuple(sorted(set(said), key=lambda each: (-said.count(each), each)))


def _row(binding: str, custodies: list[str], here: list[_Found]) -> Row:
    counted = "saved" in here[0]
    return Row(
        thefts=(),
        binding=binding,
        custodies=tuple(custodies),
        robberies=len(here),
        seconds=tuple(sorted(float(row["seconds"]) for row in here if _is_alarm(row))),
        reasons=_reasons(here),
        alone=tuple(int(row["alone"]) for row in here) if counted else (),
        saved=tuple(int(row["saved"]) for row in here) if counted else (),
    )


# What they say.


def told(row: Row) -> str:
    """Say when the alarm came, and in how many of the robberies."""
    if not row.seconds:
        return "no alarm"
    first, last = (_after(row.seconds[place]) for place in (0, -1))
    after = f"alarm {first}" if first == last else f"alarm {first} to {last.removeprefix('after ')}"
    if len(row.seconds) == row.robberies:
        return after
    return f"{after}, in {len(row.seconds)} of {row.robberies}"


def _after(seconds: float) -> str:
    """Say when, from a second on: how fast this machine answered is no lab time worth a digit."""
    return "at once" if seconds < 1 else f"after {scales.duration(seconds)}"


def why(row: Row) -> str:
    """Say what raised the alarm; of no alarm, that nothing counted as one."""
    if not row.seconds:
        return "nothing that was refused points to a theft"
    more = len(row.reasons) - _SHOWN
    named = list(row.reasons[:_SHOWN])
    return words.listed(named) if more <= 0 else f"{', '.join(named)} and {more} more"


def saves(row: Row) -> str:
    """Say what acting on it saves, over all the robberies of the row; empty if not computed."""
    alone = sum(row.alone)
    if not row.saved:
        return ""
    if not alone:
        return "no record is exposed by replay"
    if not row.seconds:
        return f"nobody acts: {alone:,} records exposed"
    return f"acting on it saves {sum(row.saved):,} of {alone:,} records"


def title(rows: list[Row]) -> str:
    """Say how many robberies were noticed under each binding, and within what time."""
    robberies = sum(row.robberies for row in rows)
    noticed = sum(len(row.seconds) for row in rows)
    if not noticed:
        return f"None of {robberies} robberies raised an alarm, with {_bindings(rows)}."
    latest = scales.duration(max(seconds for row in rows for seconds in row.seconds))
    if noticed == robberies:
        return f"Each of {robberies} robberies raised an alarm, within {latest} of the theft."
    counts: dict[str, list[str]] = {}
    for name, mine in groupby(_by_binding(rows), key=lambda row: row.binding):
        here = list(mine)
        many, of = sum(len(row.seconds) for row in here), sum(row.robberies for row in here)
        counts.setdefault(f"{many} of {of}", []).append(words.binding(name))
    parts = [f"{many} with {words.listed(names)}" for many, names in counts.items()]
    each = " each" if any(len(names) > 1 for names in counts.values()) else ""
    return (
        f"Robberies that raised an alarm: {words.listed(parts)}{each}, "
        f"the latest {latest} after the theft."
    )


def _by_binding(rows: list[Row]) -> list[Row]:
    order = words.in_order("binding", [row.binding for row in rows])
    return sorted(rows, key=lambda row: order.index(row.binding))


def _bindings(rows: list[Row]) -> str:
    names = words.in_order("binding", [row.binding for row in rows])
    return words.listed([words.binding(name) for name in names], "or")


def alt(rows: list[Row]) -> str:
    """Return the times in words: the finding, and every row."""
    parts = [title(rows)]
    for thefts, mine in groupby(rows, key=lambda row: row.thefts):
        said = []
        for row in mine:
            custody = "" if row.custodies == ("none",) else words.custodies(list(row.custodies))
            name = ", ".join(part for part in (words.binding(row.binding), custody) if part)
            more = f" ({why(row)})" if row.seconds else ""
            saved = f", {saves(row)}" if saves(row) else ""
            said.append(f"{name}: {told(row)}{more}{saved}")
        parts.append(f"After {words.listed([words.theft(t) for t in thefts])}: {'; '.join(said)}.")
    return " ".join(parts)
