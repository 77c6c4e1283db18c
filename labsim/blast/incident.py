"""Incidents: a theft and what is done about it, to be measured and predicted beside one another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from labsim.blast.means import Case, Countermeasures
from labsim.blast.over_time import OVER_TIME_DTYPES, steps
from labsim.blast.predicted import Predictor
from labsim.errors import LabError

COURSE_DTYPES: Final = {"incident": "string", **OVER_TIME_DTYPES}
FOLLOWED_DTYPES: Final = {
    **COURSE_DTYPES,
    "moment": "float64",
    "attempts": "int64",
    "predicted_within_reach": "int64",
    "predicted_exposed": "int64",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Say who is robbed and how, what is done about it, and when the thief tries again.

    `title` says in words what is done. `moments` are lab seconds since the theft, ascending; what
    is done at a moment is done before the thief tries. `introspects`: resource servers ask about
    each token (RFC 7662), and believe an answer for a while, so that `measures.told_after` is the
    most that a revocation can take.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    moments: tuple[float, ...]
    measures: Countermeasures = Countermeasures()  # noqa: RUF009  # frozen
    introspects: bool = False

    def __post_init__(self) -> None:
        """Raise LabError where there is nothing to follow, or the moments are in no order."""
        in_order = all(a < b for a, b in zip(self.moments, self.moments[1:], strict=False))
        if not (self.cases and self.moments and in_order and self.moments[0] >= 0):
            raise LabError(
                f"The incident {self.name} cannot be followed.",
                todo="Give a case at least, and moments that ascend from 0 or later.",
            )


@dataclass(frozen=True, slots=True)
class Tried:
    """Hold what came of one try: when (lab seconds since the theft), and ids that were served."""

    moment: float
    seconds: float
    attempts: int
    served: frozenset[str]


def courses(predictor: Predictor, incidents: Iterable[Incident]) -> pd.DataFrame:
    """Predict each incident from the plan alone, with a thief that reads all at once.

    Columns: `incident` (string), its name; all others as in `blast.over_time.over_time`.
    """
    rows = [
        (incident.name, *_names(predictor, case), *step)
        for incident in incidents
        for case in incident.cases
        for step in steps(predictor, case, incident.measures, incident.moments[-1])
    ]
    return pd.DataFrame(rows, columns=list(COURSE_DTYPES)).astype(COURSE_DTYPES)


def followed(
    predictor: Predictor, tried: Iterable[tuple[Incident, Case, Sequence[Tried]]]
) -> pd.DataFrame:
    """Put what was measured beside what is predicted; one row a try.

    Columns: incident, client, theft, binding, custody, authentication (string); `seconds`
    (float64), lab seconds since the theft as the try began; `within_reach` (int64), distinct
    records that were served in this try; `exposed` (int64), in all so far; `moment` (float64), for
    when the try was meant; `attempts` (int64), how many the thief made in it;
    `predicted_within_reach` and `predicted_exposed` (int64), the same from the plan alone.
    """
    rows: list[tuple[Any, ...]] = []
    for incident, case, tries in tried:
        names = (incident.name, *_names(predictor, case))
        expected = steps(predictor, case, incident.measures, incident.moments[-1])
        moments = [step[0] for step in expected]
        exposed: set[str] = set()
        for each in tries:
            exposed |= each.served
            _, reach, by_then = expected[bisect_right(moments, each.moment) - 1]
            counts = each.seconds, len(each.served), len(exposed), each.moment, each.attempts
            rows.append((*names, *counts, reach, by_then))
    return pd.DataFrame(rows, columns=list(FOLLOWED_DTYPES)).astype(FOLLOWED_DTYPES)


def differences(frame: pd.DataFrame) -> list[str]:
    """Name each row of `followed` in which measured and predicted are not the same."""
    said = []
    for row in frame.to_dict("records"):
        measured = row["within_reach"], row["exposed"]
        if measured != (row["predicted_within_reach"], row["predicted_exposed"]):
            case = " / ".join(row[name] for name in ("incident", "client", "theft", "binding"))
            said.append(
                f"{case} / {row['custody']} at {row['moment']:.0f} s: {measured[0]} records served "
                f"and {measured[1]} exposed, predicted were {row['predicted_within_reach']} and "
                f"{row['predicted_exposed']}."
            )
    return said


def _names(predictor: Predictor, case: Case) -> tuple[str, ...]:
    authentication = case.authentication or predictor.plan.client(case.client).authentication
    return case.client, case.theft, case.binding, case.custody, authentication
