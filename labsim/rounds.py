"""The main job: every theft x binding x replay that makes sense, against all that can be reached.

One round is one client with one binding, robbed in one way. Before and after it the holder is
served: a refusal of the thief counts only where the holder gets through.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from labsim.estate.names import CONTRACTOR
from labsim.round_table import BASE, DOING, THEFTS, VARIANTS, Round, rounds

if TYPE_CHECKING:
    from labsim.estate.plan import Plan
    from labsim.haul import Haul
    from labsim.lab import Lab

__all__ = ["BASE", "VARIANTS", "Findings", "Round", "attempts_in", "rounds", "run"]
MOST_SERVERS = 4
"""Resource servers at which one token is tried: its own, and others that its owner calls."""


@dataclass(slots=True)
class Findings:
    """Collect the holder's own rows: theft, custody, binding, variant, when, resource, outcome.

    `robbed` has a row for each theft: how many requests of its own the victim made meanwhile, by
    the resource servers' events, and how many of them failed.
    """

    holder: list[dict[str, Any]] = field(default_factory=list)
    robbed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def holders_refused(self) -> list[dict[str, Any]]:
        """Return the rows in which the holder itself was not served."""
        return [row for row in self.holder if row["outcome"] != "served"]


def attempts_in(plan: Plan, each: Round, replays: int) -> int:
    """Return how many attempts a round makes: loot of each resource, at some, in each way."""
    calls = plan.client(each.client).calls
    return len(calls) * len(servers_for(calls, 0)) * min(len(each.replays), replays)


def servers_for(calls: Sequence[str], place: int) -> list[str]:
    """Return where the token of `calls[place]` is tried: its own server and the next ones.

    All of them where there are few: attempts would grow with the square of what a client calls.
    """
    if len(calls) <= MOST_SERVERS:
        return list(calls)
    return [calls[(place + step) % len(calls)] for step in range(MOST_SERVERS)]


def run(
    lab: Lab,
    chosen: Iterable[Round],
    seed: int,
    progress: Callable[[Round, int], None],
) -> Findings:
    """Run rounds; `progress` is told the round and how many attempts were made since the last call.

    The seed decides the order of the replays: no outcome may depend on it.
    """
    order = random.Random(seed)  # noqa: S311  # an order, not a secret
    findings = Findings()
    try:
        for each in chosen:
            _run_one(lab, each, order, findings, partial(progress, each))
    finally:
        if lab.runs:
            lab.vary("base")
    return findings


def _run_one(
    lab: Lab,
    each: Round,
    order: random.Random,
    findings: Findings,
    progress: Callable[[int], None],
) -> None:
    lab.vary(each.variant)
    lab.bind(each.client, each.binding, each.custody)
    _control(lab, each, "before", findings)
    if lab.estate.variant.holds:
        _hold(lab, each, order, progress)
    else:
        _rob(lab, each, order, findings, progress)
    late = THEFTS[each.theft].used_after(lab.plan.token_seconds)
    if not (late and lab.plan.client(each.client).grant == "refresh_token"):
        # Else the holder's next refresh is the second use of one token, and ends the grant of both
        # (RFC 9700 section 4.14.2): it is locked out by what its own server should do.
        _control(lab, each, "after", findings)


def _rob(
    lab: Lab,
    each: Round,
    order: random.Random,
    findings: Findings,
    progress: Callable[[int], None],
) -> None:
    """Steal once and replay; where the request itself is changed, steal one with that in it."""
    before = len(lab.events())
    haul = lab.attacker.steal(each.client, by=each.theft)
    _meanwhile(lab, each, lab.events()[before:], findings)
    replays = list(each.replays)
    if any("foothold" in piece["kinds"] for piece in haul.pieces):
        # Signing in place lasts as long as the code runs there; what was taken lasts longer.
        at_once = [name for name in replays if name == "signed_in_place"]
        _replay(lab, haul, at_once, each, order, progress)
        lab.evict(each.client)
        replays = [name for name in replays if name not in at_once]
    lab.advance(seconds=THEFTS[each.theft].used_after(lab.plan.token_seconds))
    changed = [name for name in replays if name in DOING] if each.theft == "wiretap" else []
    _replay(lab, haul, [n for n in replays if n not in changed], each, order, progress)
    scopes = lab.plan.client(each.client).scopes
    for name in changed:
        if DOING[name] == "write" and not any(scope.endswith(".write") for scope in scopes):
            continue  # a client that writes nowhere has no such request to lose
        haul = lab.attacker.steal(each.client, by=each.theft, doing=DOING[name])
        _replay(lab, haul, [name], each, order, progress)
        lab.restore_records()


def _hold(lab: Lab, each: Round, order: random.Random, progress: Callable[[int], None]) -> None:
    """Have a request held back for each replay and each server: the first use of it spends it."""
    client = lab.plan.client(each.client)
    for name in each.replays:
        doing = DOING.get(name, "read")
        for server in client.calls:
            if doing == "write" and f"{server}.write" not in client.scopes:
                continue
            haul = lab.attacker.steal(each.client, by=each.theft, doing=doing, at=server)
            frame = lab.attacker.replay(haul, by=name, against=server, order=order)
            lab.attacker.release()
            progress(len(frame))
    lab.restore_records()


def _replay(
    lab: Lab,
    haul: Haul,
    replays: Sequence[str],
    each: Round,
    order: random.Random,
    progress: Callable[[int], None],
) -> None:
    calls = lab.plan.client(haul.client).calls
    if not replays:
        return
    if each.beyond:
        outside = next((name for name in lab.plan.resources if name not in calls), None)
        if outside:
            lab.attacker.replay(haul, replays, outside, order=order, progress=progress)
        return
    if len(calls) <= MOST_SERVERS:
        lab.attacker.replay(haul, replays, order=order, progress=progress)
        return
    of = {lab.estate.urls[name]: place for place, name in enumerate(calls)}
    for piece in haul.pieces:
        for name in servers_for(calls, of[piece["resource"]]):
            lab.attacker.replay(piece, replays, name, order=order, progress=progress)


def _meanwhile(lab: Lab, each: Round, events: list[dict[str, Any]], findings: Findings) -> None:
    """Note how the victim's own requests ended while it was robbed.

    Nobody else makes any then but the thief, as the contractor who may read tickets, and code in
    the victim's process, which asks for a nonce just as the victim does.
    """
    # A request for a nonce is answered by the next one: it is no failure of its own.
    own = [
        event
        for event in events
        if event.get("role") == "resource_server"
        and event["reason"] != "NONCE_REQUIRED"
        and event["client_id"] != CONTRACTOR
    ]
    findings.robbed.append(
        {
            "client": each.client,
            "theft": each.theft,
            "custody": lab.custody(each.client),
            "binding": each.binding,
            "variant": each.variant,
            "requests": len(own),
            "failed": sum(event["decision"] != "served" for event in own),
        }
    )


def _control(lab: Lab, each: Round, when: str, findings: Findings) -> None:
    for row in lab.work_rows(each.client):
        findings.holder.append(
            {
                "story": each.story,
                "client": each.client,
                "theft": each.theft,
                "custody": lab.custody(each.client),
                "binding": each.binding,
                "variant": each.variant,
                "relation": "same_resource",
                "when": when,
                "resource": row["resource"],
                "outcome": row["outcome"],
                "status": row["status"],
                "records": len(row["records"]),
                "why": row["why"],
            }
        )
