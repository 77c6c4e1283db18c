"""Alarms on real processes: when the servers' events first give a thief away, and what that saves.

The thief is in no hurry: it goes to one resource server after the other, the robbed client's first,
and tries there all it has. It is the lab's thief: what looks most like the holder first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from labsim.blast.detection import EVIDENCE, SAVED_DTYPES, Evidence, first_alarm, time_to_alarm
from labsim.blast.means import Case
from labsim.measuring.cases import Cast
from labsim.measuring.thief import EVERY_WAY, Staying, served, wait_until

if TYPE_CHECKING:
    from labsim.lab import Lab

PACE: Final = 300.0
"""Lab seconds from the theft to the first server, and from each server to the next."""
REACTION: Final = 120.0
"""Lab seconds from an alarm to what is done about it."""
ALLOW_LIST: Final = "ip_allow_list"
FROM_ELSEWHERE: Final = Evidence(
    "ADDRESS_NOT_ALLOWED",
    "the request came from an address that is not on the list",
    "policy SA-02",
)
"""What an allow-list sees; a holder that has moved is refused so as well, and none does here."""


@dataclass(frozen=True, slots=True)
class Robbery:
    """Name a theft whose alarm is awaited; `listed` puts servers behind an allow-list."""

    case: Case
    listed: bool = False

    @property
    def guard(self) -> str:
        """Return what stands against it: the binding, or the allow-list."""
        return ALLOW_LIST if self.listed else self.case.binding


@dataclass(frozen=True, slots=True)
class _Thief:
    """Say how long the thief takes from server to server, and in which ways it tries there."""

    pace: float
    replays: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Course:
    """Hold one robbery as it went: when it began (lab time), its events, ids that were served."""

    since: float
    events: list[dict[str, Any]]
    exposed: frozenset[str]


def robberies(chosen: Cast) -> Iterator[Robbery]:
    """Yield what to rob; a client whose credential is replaced by whoever acts comes last."""
    granted = [c.name for c in chosen.plan.clients.values() if c.grant == "refresh_token"]
    for name in granted[:1]:
        yield Robbery(Case(name, "container_files", "bearer", "none"))
    for theft, listed, bound in _ROBBED if chosen.client else ():
        bearer = Case(chosen.client, theft, "bearer", "none")
        yield Robbery(bearer)
        if listed:
            yield Robbery(bearer, listed=True)
        for binding, custody in bound:
            yield Robbery(Case(chosen.client, theft, binding, custody))


_IN_FILES: Final = (("dpop", "file"), ("mtls", "file"), ("http_signature", "file"))
_IN_MEMORY: Final = tuple((binding, "memory") for binding, _ in _IN_FILES)
_AT_A_SIGNER: Final = tuple((binding, "signer") for binding, _ in _IN_FILES)
_ROBBED: Final = (
    ("wiretap", False, _IN_FILES),
    ("log_line", True, _IN_FILES),
    ("container_files", True, (("dpop", "file"), *_IN_MEMORY)),
    ("container_code", True, _AT_A_SIGNER),
)
"""Thefts, whether an allow-list is tried as well, and which bindings with which custody."""


def measure(
    lab: Lab,
    wanted: Iterable[Robbery],
    *,
    pace: float = PACE,
    reaction: float = REACTION,
    replays: Sequence[str] = EVERY_WAY,
) -> pd.DataFrame:
    """Let each robbery happen, with nobody acting on the alarm; where that exposes records, again.

    The second time, `reaction` after the alarm, the client's credential is replaced, the foothold
    ends and all its tokens are revoked. The holder works again when a token's life is over.
    `replays` are the ways in which the thief tries, until one is served.

    Columns: those of `blast.detection.time_to_alarm`, where `binding` may be `ip_allow_list`, for
    bearer tokens behind one; and int64: `alone`, distinct records exposed if nobody acts;
    `exposed`, if somebody does; `saved`, the difference. Without an alarm nobody acts.
    """
    frames = []
    for each in wanted:
        try:
            frames.append(_measured(lab, each, _Thief(pace, replays), reaction))
        finally:
            if lab.runs:
                lab.vary("base")
    return pd.concat(frames, ignore_index=True)


def _measured(lab: Lab, each: Robbery, thief: _Thief, reaction: float) -> pd.DataFrame:
    evidence = (*EVIDENCE, FROM_ELSEWHERE) if each.listed else EVIDENCE
    course = _course(lab, each, evidence, thief, None)
    case = each.case
    row: dict[str, Any] = {"theft": case.theft, "custody": case.custody, "binding": each.guard}
    row |= {"client": case.client, "stolen_at": course.since}
    frame = time_to_alarm(course.events, [row], evidence)
    alone = exposed = len(course.exposed)
    if alone and not frame["seconds"].isna().any():
        exposed = len(_course(lab, each, evidence, thief, reaction).exposed)
    counts = {"alone": alone, "exposed": exposed, "saved": alone - exposed}
    return frame.assign(**counts).astype(SAVED_DTYPES)


def _course(
    lab: Lab, each: Robbery, evidence: tuple[Evidence, ...], how: _Thief, reaction: float | None
) -> _Course:
    case, pace = each.case, how.pace
    lab.vary(ALLOW_LIST if each.listed else "base")
    lab.bind(case.client, case.binding, "file" if case.custody == "none" else case.custody)
    since, before = lab.now, len(lab.events())
    haul = lab.attacker.steal(case.client, by=case.theft)
    thief = Staying.begin(lab, [haul], replays=how.replays)
    exposed: frozenset[str] = frozenset()
    acted = reaction is None
    for number, server in enumerate(_in_turn(lab, case.client), 1):
        alarm = first_alarm(lab.events()[before:], since, {case.client}, evidence=evidence)
        act_at = alarm.seconds + (reaction or 0.0) if alarm else None
        if not acted and act_at is not None and act_at < number * pace:
            wait_until(lab, since, act_at)
            _act(lab, case.client)
            acted = True
        wait_until(lab, since, number * pace)
        exposed |= served(thief.again([server]))
    wait_until(lab, since, lab.plan.token_seconds + 1.0)
    lab.work_rows(case.client)
    return _Course(since, lab.events()[before:], exposed)


def _in_turn(lab: Lab, client: str) -> list[str]:
    calls = lab.plan.client(client).calls
    return [*calls, *(name for name in lab.plan.resources if name not in calls)]


def _act(lab: Lab, client: str) -> None:
    lab.rotate(client)
    lab.evict(client)
    lab.revoke(client)
