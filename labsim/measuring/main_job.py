"""The main job's second part, in an estate of its own: over time, in a roll-out, and alarms.

What happens here changes clients for good and moves the clock by days, so that the first part, in
which each attempt is compared with what was written down, is over by then. It has shown that of a
few ways one is served wherever any is: the thief tries those.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labsim.blast import incident
from labsim.blast.predicted import Predictor
from labsim.charts import incidents as courses_picture
from labsim.charts import rollout as rollout_picture
from labsim.charts import time_to_alarm as alarms_picture
from labsim.charts.scales import duration
from labsim.errors import LabError
from labsim.measuring import alarms, cases, rollout
from labsim.measuring.incidents import follow
from labsim.measuring.thief import WAYS_IN
from labsim.starting import start

if TYPE_CHECKING:
    import pandas as pd

    from labsim.charts.picture import Picture
    from labsim.estate.plan import Plan
    from labsim.lab import Lab

NAMES: Final = ("over_time", "rollout", "time_to_alarm")
"""Tables and pictures, in the order in which a reader meets them."""


@dataclass(slots=True)
class Measured:
    """Hold tables and pictures, by the names in NAMES, and in sentences what is wrong with them.

    Columns: `over_time` as `blast.incident.followed` has them, `rollout` as
    `measuring.rollout.measure`, `time_to_alarm` as `measuring.alarms.measure`.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def save(self, out: Path) -> None:
        """Write each table and picture into a folder."""
        for name, frame in self.frames.items():
            frame.to_csv(out / f"{name}.csv", index=False, lineterminator="\n")
        for name, picture in self.pictures.items():
            picture.save(out / f"{name}.svg")

    def text(self, width: int = 100) -> str:
        """Say in lines of at most `width` characters what each picture shows; empty if none."""
        shown = [name for name in NAMES if name in self.pictures]
        told = [f"{_TOLD[name]} {self.pictures[name].title}" for name in shown]
        return "\n".join(textwrap.fill(each, width, subsequent_indent="  ") for each in told)


_DIFFERS: Final = "Not as the plan predicts: "
_HOW: Final = (
    f"The thief goes from server to server, one in {duration(alarms.PACE)}; "
    f"{duration(alarms.REACTION)} after an alarm somebody acts."
)
_TOLD: Final = {
    "over_time": "Over lab time:",
    "rollout": "While servers begin to enforce one by one:",
    "time_to_alarm": "By the servers' own events:",
}


def measure(plan: Plan, say: Callable[[str], None]) -> Measured:
    """Start an estate of this plan and measure in it; `say` is told what is done, a line each.

    An estate with more resource servers than `cases.MOST_SERVERS`, or with no client that can be
    robbed so, is left out, which is said as well. If something fails half-way, that is a fault, and
    what was measured by then is returned: the first part shall not be lost by it.
    """
    chosen = cases.cast(plan)
    if len(plan.resources) > cases.MOST_SERVERS or not chosen.client:
        why = (
            f"{len(plan.resources)} resource servers are more than {cases.MOST_SERVERS}"
            if chosen.client
            else "no client asks for tokens by itself with a secret or a key"
        )
        say(f"Not followed over time: {why}.")
        return Measured()
    found = Measured()
    try:
        _measure(chosen, found, say)
    except LabError as error:
        found.faults.append(f"Following thefts over lab time ended half-way: {error}")
    found.pictures = {name: found.pictures[name] for name in NAMES if name in found.pictures}
    return found


def _measure(chosen: cases.Cast, found: Measured, say: Callable[[str], None]) -> None:
    with start(chosen.plan, quiet=True) as lab:
        # Credentials that lie in records must be good in the first two, which find some.
        say("Letting one resource server after the other enforce bindings.")
        _rollout(lab, found)
        say(f"Waiting for alarms after thefts from {chosen.client}.")
        _alarms(lab, chosen, found)
        say(f"Following thefts from {chosen.client} over lab time.")
        _over_time(lab, chosen, found)


def _rollout(lab: Lab, found: Measured) -> None:
    frame = rollout.measure(lab, replays=WAYS_IN)
    found.frames["rollout"] = frame
    found.pictures["rollout"] = rollout_picture.picture(frame)
    found.faults += [_DIFFERS + said for said in rollout.differences(frame)]
    for client in lab.plan.clients.values():
        lab.bind(client.name, client.binding, client.custody)


def _alarms(lab: Lab, chosen: cases.Cast, found: Measured) -> None:
    frame = alarms.measure(lab, alarms.robberies(chosen), replays=WAYS_IN)
    found.frames["time_to_alarm"] = frame
    found.pictures["time_to_alarm"] = alarms_picture.picture(frame, _HOW)


def _over_time(lab: Lab, chosen: cases.Cast, found: Measured) -> None:
    wanted, predictor = cases.incidents(chosen), Predictor(lab.plan)
    tried = [course for each in wanted for course in follow(lab, each, WAYS_IN)]
    frame = incident.followed(predictor, tried)
    titles = {each.name: each.title for each in wanted}
    found.frames["over_time"] = frame
    expected = incident.courses(predictor, wanted)
    found.pictures["over_time"] = courses_picture.picture(frame, expected, titles)
    found.faults += [_DIFFERS + said for said in incident.differences(frame)]
