"""Incidents on real processes: a theft, what is done about it, and what the thief still gets.

The thief reads all that it is served at once, and tries again at chosen moments on the lab's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from labsim.blast.incident import Incident, Tried
from labsim.blast.means import KEPT_APART, Case, Countermeasures
from labsim.measuring.thief import EVERY_WAY, Staying, served, wait_until

if TYPE_CHECKING:
    from labsim.lab import Lab

type Act = tuple[float, Callable[[], object]]


def follow(
    lab: Lab, incident: Incident, replays: Sequence[str] = EVERY_WAY
) -> Iterator[tuple[Incident, Case, list[Tried]]]:
    """Let each case of an incident happen, one after the other; yield it with its tries.

    `replays` are the ways in which the thief tries, until one is served.
    The lab is in its base afterwards, and every resource server enforces; the robbed client keeps
    the binding of the case.
    """
    for case in incident.cases:
        try:
            yield incident, case, list(_tries(lab, incident, case, replays))
        finally:
            if lab.runs:
                lab.vary("base")
                lab.enforce(*lab.plan.resources)


def _tries(lab: Lab, incident: Incident, case: Case, replays: Sequence[str]) -> Iterator[Tried]:
    lab.vary("introspection" if incident.introspects else "base")
    if incident.measures.enforce_at is not None:
        lab.enforce()
    lab.bind(case.client, case.binding, "file" if case.custody == "none" else case.custody)
    haul = lab.attacker.steal(case.client, by=case.theft)
    since = float(haul[0]["taken_at"])
    kept_apart = case.authentication == KEPT_APART
    thief = Staying.begin(lab, [haul], kept_apart=kept_apart, replays=replays)
    fallen: set[str] = set()
    acts = _acts(lab, case.client, incident.measures, fallen)
    for moment in incident.moments:
        wait_until(lab, since, moment)
        while acts and acts[0][0] <= moment:
            acts.pop(0)[1]()
        began = lab.now - since
        rows = thief.again()
        fallen.update(row["client"] for row in rows)
        yield Tried(moment, began, len(rows), served(rows))


def _acts(lab: Lab, client: str, measures: Countermeasures, fallen: set[str]) -> list[Act]:
    """Return what is done and when, in order: of what is done at one time, revoking comes last.

    `fallen` are the clients of whom the thief had something when it is called.
    """

    def rotate_found() -> None:
        for name in sorted(fallen - {client}):
            lab.rotate(name)

    def withdraw() -> None:
        lab.revoke_certificate(client)
        lab.renew_certificate(client)

    ways: list[tuple[float | None, Callable[[], object]]] = [
        (measures.enforce_at, lambda: lab.enforce(*lab.plan.resources)),
        (measures.evict_at, lambda: lab.evict(client)),
        (measures.rotate_at, lambda: lab.rotate(client)),
        (measures.rotate_found_at, rotate_found),
        (measures.withdraw_at, withdraw),
        (measures.reused_at, lambda: lab.work_rows(client)),
        (measures.revoke_at, lambda: lab.revoke(client)),
    ]
    return sorted(((at, act) for at, act in ways if at is not None), key=lambda each: each[0])
