"""Curves of records over lab time, sorted into panels; what they say in words.

A panel is one client robbed in one way, or in several that came to the same; in it, curves that
are the same are one group.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labsim.charts import scales, words
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

_AUTHENTICATIONS: Final = {
    "client_secret_basic": "authenticates by a secret",
    "private_key_jwt": "authenticates by a key in a file",
    "tls_client_auth": "authenticates by the same certificate",
    "kept_apart": "credential kept apart",
}
_LONGEST: Final = 230
"""Characters: two lines of a picture; a longer title counts thefts and does not name them."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Hold one case: what it is, and its steps (seconds, within reach, exposed)."""

    binding: str
    custody: str
    authentication: str
    steps: tuple[tuple[float, int, int], ...]

    @property
    def exposed(self) -> int:
        """Return how many records were exposed in the end."""
        return self.steps[-1][2]

    @property
    def left(self) -> int:
        """Return how many records were within reach in the end."""
        return self.steps[-1][1]

    @property
    def out_at(self) -> float | None:
        """Return when the thief was out for good; None if it never was."""
        if self.left:
            return None
        within = [n for n, step in enumerate(self.steps) if step[1]]
        return self.steps[within[-1] + 1][0] if within else 0.0

    def points(self, column: str) -> list[tuple[float, int]]:
        """Return the corners to draw: reach stays until the next step, exposure grows evenly."""
        if column == "exposed":
            return [(seconds, exposed) for seconds, _, exposed in self.steps]
        corners: list[tuple[float, int]] = []
        for seconds, reach, _ in self.steps:
            corners += [(seconds, corners[-1][1])] if corners else []
            corners.append((seconds, reach))
        return corners

    def at(self, column: str, moment: float) -> float:
        """Return the value at a moment."""
        place = bisect_right([step[0] for step in self.steps], moment) - 1
        seconds, reach, exposed = self.steps[place]
        if column != "exposed" or place + 1 == len(self.steps):
            return reach if column != "exposed" else exposed
        later, _, more = self.steps[place + 1]
        return exposed + (more - exposed) * (moment - seconds) / (later - seconds)


@dataclass(frozen=True, slots=True)
class Group:
    """Hold curves that are the same, under one name; `lines` has one of each binding."""

    name: str
    curves: tuple[Curve, ...]

    @property
    def lines(self) -> tuple[Curve, ...]:
        """Return one curve for each binding, to draw and to show in the list."""
        return tuple({curve.binding: curve for curve in reversed(self.curves)}.values())[::-1]

    @property
    def told(self) -> str:
        """Return how many records fell, and whether the thief is out."""
        curve = self.curves[0]
        said = f"{curve.exposed:,} exposed"
        if curve.left:
            return f"{said}, {curve.left:,} still within reach"
        if not curve.out_at:
            return f"{said}, never within reach"
        return f"{said}, out after {scales.duration(curve.out_at)}"


@dataclass(frozen=True, slots=True)
class Panel:
    """Hold the groups of one theft, or of several that are alike; those that lost most first."""

    thefts: tuple[str, ...]
    client: str
    groups: tuple[Group, ...]

    @property
    def name(self) -> str:
        """Return how the token was stolen, in words, and of whom if there are several."""
        said = words.listed([words.theft(theft) for theft in self.thefts])
        return f"{said}, {self.client}" if self.client else said

    @property
    def curves(self) -> list[Curve]:
        """Return every curve."""
        return [curve for group in self.groups for curve in group.curves]

    @property
    def until(self) -> float:
        """Return the last moment that was looked at, in lab seconds since the theft."""
        return self.curves[0].steps[-1][0]

    @property
    def most(self) -> int:
        """Return the highest value of any curve."""
        return max(max(reach, exposed) for c in self.curves for _, reach, exposed in c.steps)

    def style_of(self, group: Group, binding: str) -> int:
        """Return the number of a line's style: how many groups above have that binding too."""
        above = self.groups[: self.groups.index(group)]
        return sum(any(line.binding == binding for line in each.lines) for each in above)


def panels(frame: pd.DataFrame) -> list[Panel]:
    """Sort the rows of `blast.over_time.over_time` into panels; LabError if there is none."""
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    if not rows:
        raise LabError("There are no curves to show.", todo="Follow at least one theft over time.")
    found: dict[tuple[str, str], dict[tuple[str, str, str], list[Any]]] = {}
    for row in rows:
        case = row["binding"], row["custody"], row["authentication"]
        step = float(row["seconds"]), int(row["within_reach"]), int(row["exposed"])
        found.setdefault((row["theft"], row["client"]), {}).setdefault(case, []).append(step)
    several = len({client for _, client in found}) > 1
    thefts = words.in_order("theft", [theft for theft, _ in found])
    ordered = sorted(found, key=lambda key: thefts.index(key[0]))
    said = {authentication for cases in found.values() for _, _, authentication in cases}
    alike: dict[tuple[str, tuple[Group, ...]], list[str]] = {}
    for theft, client in ordered:
        mine = [Curve(*case, tuple(steps)) for case, steps in found[theft, client].items()]
        groups = _groups(mine, len(said) > 1)
        alike.setdefault((client if several else "", groups), []).append(theft)
    return [Panel(tuple(thefts), *key) for key, thefts in alike.items()]


def _groups(curves: list[Curve], authentications: bool) -> tuple[Group, ...]:
    bindings = words.in_order("binding", [curve.binding for curve in curves])
    custodies = words.in_order("custody", [curve.custody for curve in curves])
    ordered = sorted(curves, key=lambda c: (bindings.index(c.binding), custodies.index(c.custody)))
    alike: dict[Any, list[Curve]] = {}
    for curve in ordered:
        alike.setdefault(curve.steps, []).append(curve)
    groups = [Group(_named(each, ordered, authentications), tuple(each)) for each in alike.values()]
    return tuple(sorted(groups, key=lambda g: (-g.curves[0].exposed, -g.curves[0].left)))


def authentication(way: str) -> str:
    """Return in words how a client authenticates."""
    return _AUTHENTICATIONS.get(way, words.plain(way))


def _named(mine: list[Curve], every: list[Curve], authentications: bool) -> str:
    """Name curves by their bindings; custody and authentication only where they matter."""
    said: dict[str, list[str]] = {}
    for binding in dict.fromkeys(curve.binding for curve in mine):
        here = [curve for curve in mine if curve.binding == binding]
        there = [curve for curve in every if curve.binding == binding]
        more = []
        custodies = list(dict.fromkeys(curve.custody for curve in here))
        if set(custodies) != {curve.custody for curve in there}:
            more.append(words.custodies(custodies))
        if authentications and {c.authentication for c in here} != {
            c.authentication for c in every
        }:
            ways = dict.fromkeys(curve.authentication for curve in here)
            more.append(words.listed([authentication(way) for way in ways], "or"))
        said.setdefault(", ".join(more), []).append(words.binding(binding))
    parts = [words.listed(names) + (f" ({more})" if more else "") for more, names in said.items()]
    return words.capital("; ".join(parts))


# What they say.


def title(panels: list[Panel]) -> str:
    """Say how many records were exposed in the end, and how many thieves can still read."""
    after = scales.duration(panels[0].until)
    every = [curve for curves in by_theft(panels).values() for curve in curves]
    if not any(curve.exposed for curve in every):
        names = words.in_order("binding", [curve.binding for curve in every])
        listed = words.listed([words.binding(name) for name in names], "or")
        return f"No record was exposed within {after} of the theft, with {listed}."
    still = sum(curve.left > 0 for curve in every)
    last = f"{still} of {len(every)} thieves can still read"
    if still in (0, len(every)):
        last = "no thief can read any more" if not still else "every thief can still read"
    groups: dict[str, list[str]] = {}
    for theft, mine in by_theft(panels).items():
        groups.setdefault(_lost(mine), []).append(words.theft(theft))
    parts = [f"{said} after {words.listed(thefts)}" for said, thefts in groups.items()]
    said = f"Records exposed within {after}: {'; '.join(parts)}. At the end {last}."
    return said if len(said) <= _LONGEST else f"{_thefts_that_exposed(panels)}. At the end {last}."


def by_theft(panels: list[Panel]) -> dict[str, list[Curve]]:
    """Return the curves of each theft, of all the clients that were robbed so."""
    thefts = words.in_order("theft", [theft for panel in panels for theft in panel.thefts])
    return {t: [c for panel in panels if t in panel.thefts for c in panel.curves] for t in thefts}


def _thefts_that_exposed(panels: list[Panel]) -> str:
    every = by_theft(panels)
    counts: dict[str, list[str]] = {}
    bindings = [curve.binding for curves in every.values() for curve in curves]
    for name in words.in_order("binding", bindings):
        many = sum(any(c.exposed for c in each if c.binding == name) for each in every.values())
        counts.setdefault(f"{many} of {len(every)} thefts", []).append(words.binding(name))
    said = [f"{many} with {words.listed(names)}" for many, names in counts.items()]
    after = scales.duration(panels[0].until)
    return f"Within {after} records were exposed by {words.listed(said)}"


def _lost(curves: list[Curve]) -> str:
    lost: dict[str, list[str]] = {}
    names = words.in_order("binding", [curve.binding for curve in curves])
    for name in names:
        counts = [curve.exposed for curve in curves if curve.binding == name]
        low, high = min(counts), max(counts)
        count = f"{high:,}" if low == high else f"{low:,} to {high:,}"
        lost.setdefault(count, []).append(words.binding(name))
    if len(lost) == 1 and len(names) > 1:
        return f"{next(iter(lost))} with every binding"
    return words.listed([f"{count} with {words.listed(each)}" for count, each in lost.items()])


def alt(panels: list[Panel], marks: Mapping[str, float]) -> str:
    """Return the curves in words: the finding, every group, and the moments pointed at."""
    parts = [title(panels)]
    for panel in panels:
        told = [f"{group.name}: {group.told}" for group in panel.groups]
        parts.append(f"After {panel.name}: {'; '.join(told)}.")
    if marks:
        said = [f"{what} at {scales.duration(at)}" for what, at in marks.items()]
        parts.append(f"Marked: {words.listed(said)}.")
    return " ".join(parts)
