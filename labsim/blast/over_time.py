"""Records exposed as a function of lab seconds since the theft.

Two curves: what is still within the thief's reach, which ends with expiry, revocation, eviction,
rotation and enforcement (see `means`); and what was exposed so far, which never shrinks. How fast
a thief reads is an assumption, and so it is an argument: with none, all within reach is read at
once, and no responder can be early enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

import pandas as pd

from labsim.blast.means import Case, Countermeasures, Mean, found_mean, means, stolen
from labsim.blast.predicted import Predictor
from labsim.errors import LabError

OVER_TIME_DTYPES: Final = {
    "client": "string",
    "theft": "string",
    "binding": "string",
    "custody": "string",
    "authentication": "string",
    "seconds": "float64",
    "within_reach": "int64",
    "exposed": "int64",
}
type Step = tuple[float, int, int]
"""Seconds since the theft, records within reach from then on, records exposed by then."""


def over_time(
    predictor: Predictor,
    cases: Iterable[Case],
    measures: Countermeasures,
    *,
    until: float,
    seconds_per_record: float = 0.0,
) -> pd.DataFrame:
    """Follow each case from its theft on for `until` lab seconds; one row a step.

    The thief reads one record after the other, `seconds_per_record` each, in the plan's order of
    those within reach, and uses a credential as soon as it has read it. A record is exposed when
    it was read whole, at the very end of its server's time too.

    Columns: client, theft, binding, custody, authentication (string: the plan's where the case
    names none); `seconds` (float64), since the theft, where a step begins; `within_reach` (int64),
    records that the thief can read from then until the next row; `exposed` (int64), distinct
    records read by then; between two rows it grows evenly, or not at all. The first row of a case
    is at 0, the last at `until`. Raises LabError as `means` does, and for a time that is none.
    """
    _check(until=until, seconds_per_record=seconds_per_record)
    rows = []
    for case in cases:
        authentication = case.authentication or predictor.plan.client(case.client).authentication
        names = (case.client, case.theft, case.binding, case.custody, authentication)
        for step in steps(predictor, case, measures, until, seconds_per_record):
            rows.append((*names, *step))
    return pd.DataFrame(rows, columns=list(OVER_TIME_DTYPES)).astype(OVER_TIME_DTYPES)


def steps(
    predictor: Predictor,
    case: Case,
    measures: Countermeasures,
    until: float,
    seconds_per_record: float = 0.0,
) -> list[Step]:
    """Return the steps of one case, as `over_time` has them, at most one for each moment."""
    loot = stolen(predictor.plan.client(case.client), case)
    fallen = {case.client} if "client_credential" in loot.kinds else set()
    first = list(means(predictor.plan, case, measures))
    thief = _Thief(predictor, case, measures, seconds_per_record, first, fallen)
    now, found = 0.0, dict[float, Step]()
    while True:
        reach = thief.reach(now)
        found[now] = (now, thief.size(reach), thief.exposed)
        if now >= until:
            return list(found.values())
        now = thief.read(now, min([until, *(m.until for m in thief.means if m.until > now)]))


def _check(**times: float) -> None:
    for name, value in times.items():
        if not (isfinite(value) and value >= 0):
            raise LabError(f"{name} is {value}.", todo="Give lab seconds, 0 or more.")


@dataclass(slots=True)
class _Thief:
    """Hold how far a thief has come: its means, and how many records of each resource it has read.

    `stretch` is when the reading without a pause began, and how many records it has yielded.
    """

    predictor: Predictor
    case: Case
    measures: Countermeasures
    pace: float
    means: list[Mean]
    fallen: set[str]
    read_at: dict[str, int] = field(default_factory=dict)
    exposed: int = 0
    stretch: tuple[float, int] | None = None
    reading: str = ""

    def reach(self, now: float) -> list[str]:
        """Return the resources that some means opens at this moment, in the plan's order."""
        live = {name for each in self.means if each.until > now for name in each.resources}
        return [name for name in self.predictor.plan.resources if name in live]

    def size(self, resources: Iterable[str]) -> int:
        """Return how many records the resources hold."""
        return sum(len(self.predictor.plan.resources[name].records) for name in resources)

    def read(self, now: float, change: float) -> float:
        """Read from `now` to `change`; return when a step ends: there, or before.

        It ends early when a credential opens something, and when there is nothing more to read.
        """
        open_now = self.reach(now)
        if self.reading not in open_now:
            self.stretch = None  # what was half read when its server closed is not read
        began_with = self.exposed
        for name in open_now:
            records = self.predictor.plan.resources[name].records
            while self.read_at.get(name, 0) < len(records):
                self.reading = name
                began, count = self.stretch or (now, 0)
                done = began + (count + 1) * self.pace
                self.stretch = (began, count)
                if done > change:
                    return change
                self.stretch = (began, count + 1)
                record = records[self.read_at.get(name, 0)].id
                self.read_at[name] = self.read_at.get(name, 0) + 1
                self.exposed += 1
                if self._follow(name, record, done):
                    return done
        ended, self.stretch, self.reading = self.stretch, None, ""
        if ended is None or self.exposed == began_with:
            return change
        return ended[0] + ended[1] * self.pace

    def _follow(self, resource: str, record: str, now: float) -> bool:
        """Use what a record holds; tell whether that opens anything at all."""
        found = [led.client for led in self.predictor.leads(resource) if led.record == record]
        fresh = [name for name in found if name not in self.fallen]
        self.fallen.update(fresh)
        plan, case = self.predictor.plan, self.case
        opened = [found_mean(plan, name, case, now, self.measures) for name in fresh]
        self.means += [mean for mean in opened if mean is not None]
        return any(opened)
