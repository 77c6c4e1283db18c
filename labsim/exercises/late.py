"""A response that comes late: what a thief has read by then, and what it can go on reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labsim.blast.means import Case, Countermeasures
from labsim.blast.over_time import over_time
from labsim.blast.predicted import Predictor
from labsim.exercises.counting import Number, Waiting
from labsim.exercises.exercise import Wrong
from labsim.prediction import is_missing

if TYPE_CHECKING:
    from labsim.charts.picture import Picture
    from labsim.estate.plan import Plan
    from labsim.lab import Lab

AT: Final = 900.0
UNTIL: Final = 7200.0
PACE: Final = 10.0
"""Lab seconds: of the response, of the end of the picture, and for reading one record (assumed)."""
CASE: Final = Case("ci-runner", "container_files", "dpop", "signer")
BOUND: Final = Case("ci-runner", "log_line", "dpop", "signer")
RESPONSE: Final = Countermeasures(evict_at=AT, rotate_at=AT, revoke_at=AT)


def left_within_reach(plan: Plan) -> int:
    """Return how many records the backup's thief can still read at the end."""
    how = {"until": UNTIL, "seconds_per_record": PACE}
    return int(over_time(Predictor(plan), [CASE], RESPONSE, **how)["within_reach"].iloc[-1])


def late(lab: Lab, answer: object) -> Picture | Waiting:
    """Draw the two thefts over time, computed from the plan; waits for an answer."""
    from labsim.charts import over_time as drawn

    if is_missing(answer):
        return Waiting("Answer above, and run this cell again.")
    how = {"until": UNTIL, "seconds_per_record": PACE}
    frame = over_time(Predictor(lab.plan), [BOUND, CASE], RESPONSE, **how)
    return drawn.picture(frame, {"evicted, rotated and revoked, for the runner": AT})


what_stays_open = Number(
    "blast_radius.what_stays_open",
    "How many records can the thief still read after your response? Options: 0, 24, 86, 110.",
    reference="86",
    solved=(
        "The runner's 24 are closed. Orders, payments, crm and collab are not: their credentials "
        "lay in records, and nobody has rotated those."
    ),
    stretch=True,
    wrong=(
        Wrong(
            "0",
            "For the runner you did all there is. But by then the thief had read the vault. Whose "
            "credentials lay there?",
        ),
        Wrong(
            "24",
            "These are the runner's own servers, the ones that your response did close.",
        ),
        Wrong(
            "110",
            "So many were open before. The runner's own 24 can be read with nothing else that was "
            "found.",
        ),
    ),
    hints=(
        "Fifteen minutes, ten seconds a record: what had the thief read by then?",
        "Rotating the runner's secret ends what the runner's secret opens, and no more.",
        "Take the 110 that were open, and subtract those at deploy and at the vault.",
    ),
)
