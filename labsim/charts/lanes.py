"""Incidents sorted into lanes, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from labsim.charts import scales, words
from labsim.errors import LabError

if TYPE_CHECKING:
    import pandas as pd

_CASE: Final = ("incident", "client", "theft", "binding", "custody", "authentication")
_SAME_KEY: Final = "tls_client_auth"


@dataclass(frozen=True, slots=True)
class Try:
    """Hold one try: lab seconds since the theft (as meant), and how many records were served."""

    seconds: float
    served: int


@dataclass(frozen=True, slots=True)
class Lane:
    """Hold cases of one incident that came to the same.

    `steps` are predicted (lab seconds since the theft, records within reach from then on); `tries`
    were measured. `exposed` counts distinct records served in all, `wrong` the tries in which
    measured and predicted differ.
    """

    incident: str
    title: str
    cases: tuple[tuple[str, str, str], ...]
    theft: str
    steps: tuple[tuple[float, int], ...]
    tries: tuple[Try, ...]
    exposed: int
    wrong: int

    @property
    def bindings(self) -> tuple[str, ...]:
        """Return the bindings, in the reader's order."""
        return tuple(words.in_order("binding", [binding for binding, _, _ in self.cases]))

    @property
    def name(self) -> str:
        """Return what was stolen how, in words."""
        named = words.listed([words.binding(binding) for binding in self.bindings])
        custodies = list(dict.fromkeys(c for _, c, _ in self.cases if c != "none"))
        more = [words.custodies(custodies)] if custodies and self.theft not in _NO_KEY else []
        if any(authentication == _SAME_KEY for _, _, authentication in self.cases):
            more.append("which also authenticates the client")
        return ", ".join([words.capital(named), words.theft(self.theft), *more])

    @property
    def until(self) -> float:
        """Return the last moment that is shown."""
        return max(self.steps[-1][0], self.tries[-1].seconds)

    @property
    def most(self) -> int:
        """Return the most records of any moment."""
        return max(*(reach for _, reach in self.steps), *(each.served for each in self.tries))

    @property
    def corners(self) -> list[tuple[float, int]]:
        """Return the corners of the predicted line."""
        found: list[tuple[float, int]] = []
        for seconds, reach in self.steps:
            found += [(seconds, found[-1][1])] if found else []
            found.append((seconds, reach))
        return found

    @property
    def still(self) -> bool:
        """Tell whether the last try was served."""
        return self.tries[-1].served > 0

    @property
    def out_at(self) -> float | None:
        """Return the first try since which nothing was served; None if the last one was."""
        if self.still:
            return None
        places = [n for n, each in enumerate(self.tries) if each.served]
        return self.tries[places[-1] + 1].seconds if places else self.tries[0].seconds

    @property
    def told(self) -> str:
        """Say how many records were served, and until when."""
        if not self.exposed:
            return "no record was ever served"
        last = self.tries[-1].seconds
        if self.out_at is None:
            return f"{self.exposed:,} records, served after {scales.duration(last)} still"
        return f"{self.exposed:,} records, none from {scales.duration(self.out_at)} on"

    def shown(self, apart: float) -> list[Try]:
        """Return the tries to draw: of two that are closer than `apart` and alike, the later."""
        pairs = zip(self.tries, [*self.tries[1:], None], strict=True)
        return [
            each
            for each, later in pairs
            if later is None
            or later.seconds - each.seconds > apart
            or bool(later.served) != bool(each.served)
        ]


_NO_KEY: Final = ("log_line", "commit")
"""Thefts that take no key, wherever it lies."""


def lanes(measured: pd.DataFrame, predicted: pd.DataFrame, titles: Mapping[str, str]) -> list[Lane]:
    """Sort the rows into lanes, in their order; LabError if there is none."""
    rows: list[dict[Any, Any]] = measured.to_dict("records")
    if not rows:
        raise LabError("There are no incidents to show.", todo="Follow at least one.")
    expected: dict[tuple[Any, ...], list[tuple[float, int]]] = {}
    for row in predicted.to_dict("records"):
        step = float(row["seconds"]), int(row["within_reach"])
        expected.setdefault(tuple(row[name] for name in _CASE), []).append(step)
    alike: dict[Any, list[tuple[Any, ...]]] = {}
    for case, group in groupby(rows, key=lambda row: tuple(row[name] for name in _CASE)):
        made = list(group)
        tries = tuple(Try(float(row["moment"]), int(row["within_reach"])) for row in made)
        wrong = sum(_differs(row) for row in made)
        key = (case[0], case[2], tuple(expected[case]), tries, int(made[-1]["exposed"]), wrong)
        alike.setdefault(key, []).append(case[3:])
    return [
        Lane(key[0], titles.get(key[0], words.plain(key[0])), tuple(cases), *key[1:])
        for key, cases in alike.items()
    ]


def _differs(row: Mapping[Any, Any]) -> bool:
    measured = row["within_reach"], row["exposed"]
    return bool(measured != (row["predicted_within_reach"], row["predicted_exposed"]))


# What they say.


def title(found: list[Lane]) -> str:
    """Say which thieves are still served at their last try, and when the others were out."""
    every = [lane for lane in found for _ in lane.cases]
    exposed = [lane for lane in every if lane.exposed]
    wrong = sum(lane.wrong * len(lane.cases) for lane in found)
    tries = "1 try" if wrong == 1 else f"{wrong} tries"
    more = f" In {tries} measured and predicted differ." if wrong else ""
    if not exposed:
        return f"None of {len(every)} thieves was served a record.{more}"
    still = [lane for lane in found if lane.still]
    out = [lane.out_at for lane in exposed if lane.out_at is not None]
    ends = f"the others were out by {scales.duration(max(out))} after the theft" if out else ""
    if not still:
        said = f"None of {len(exposed)} thieves that were served records still is at its last try"
        return f"{said}; {ends}.{more}"
    count = sum(len(lane.cases) for lane in still)
    after = scales.duration(max(lane.tries[-1].seconds for lane in still))
    which = words.listed(list(dict.fromkeys(_still(lane) for lane in still)))
    said = f"Of {len(exposed)} thieves that were served records, {count} still "
    said += f"{'is' if count == 1 else 'are'} {after} after the theft: {which}"
    return f"{said}; {ends}.{more}" if ends else f"{said}.{more}"


def _still(lane: Lane) -> str:
    named = words.listed([words.binding(binding) for binding in lane.bindings])
    same = any(authentication == _SAME_KEY for _, _, authentication in lane.cases)
    return f"{named}, whose key is the client's authentication too" if same else named


def alt(found: list[Lane]) -> str:
    """Return the incidents in words: the finding, and every lane."""
    parts = [title(found)]
    for name, group in groupby(found, key=lambda lane: lane.title):
        parts.append(f"{name}. {'; '.join(f'{lane.name}: {lane.told}' for lane in group)}.")
    return " ".join(parts)
