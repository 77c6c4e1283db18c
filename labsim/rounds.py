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

if TYPE_CHECKING:
    from labsim.estate.plan import Plan
    from labsim.haul import Haul
    from labsim.lab import Lab

# Binding and custody. A bearer client has no key, so that custody says nothing there.
BASE = (
    ("bearer", "file"),
    ("dpop", "file"),
    ("dpop", "memory"),
    ("dpop", "signer"),
    ("mtls", "file"),
    ("mtls", "memory"),
    ("mtls", "signer"),
    ("http_signature", "file"),
    ("http_signature", "memory"),
    ("http_signature", "signer"),
)
# Variant, binding, custody, theft: once is enough, since the story makes no difference to a
# verifier, and only where the variant can make one.
VARIANTS = (
    ("nonce", "dpop", "file", "wiretap"),
    ("nonce", "dpop", "file", "container_files"),
    ("introspection", "dpop", "file", "container_files"),
    ("minimal", "dpop", "file", "wiretap"),
    ("minimal", "http_signature", "file", "wiretap"),
    ("replicas_shared", "dpop", "file", "wiretap"),
    ("replicas_shared", "http_signature", "file", "wiretap"),
    ("replicas_apart", "dpop", "file", "wiretap"),
    ("replicas_apart", "http_signature", "file", "wiretap"),
    ("proxy_strips", "mtls", "memory", "container_files"),
    ("proxy_passes", "mtls", "memory", "container_files"),
)


MOST_SERVERS = 4
"""Resource servers at which one token is tried: its own, and others that its owner calls."""


@dataclass(frozen=True, slots=True)
class Round:
    """One client, bound in one way, robbed in one way, under one variant."""

    story: str
    client: str
    binding: str
    custody: str
    theft: str
    variant: str


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


def rounds(plan: Plan) -> list[Round]:
    """Return every round of the main job, in the order of the stories.

    A client is bound in every way of BASE, and as the estate file has it if that is another one.
    A variant is shown on the first story that has the theft for it.
    """
    found = [
        Round(story.name, story.client, binding, custody, theft, "base")
        for story in plan.stories.values()
        for binding, custody in dict.fromkeys((*BASE, _as_written(plan, story.client)))
        for theft in story.thefts
    ]
    for variant, binding, custody, theft in VARIANTS:
        story = next((s for s in plan.stories.values() if theft in s.thefts), None)
        if story is not None:
            found.append(Round(story.name, story.client, binding, custody, theft, variant))
    return found


def _as_written(plan: Plan, client: str) -> tuple[str, str]:
    found = plan.client(client)
    return found.binding, "file" if found.binding == "bearer" else found.custody


def attempts_in(plan: Plan, each: Round, replays: int) -> int:
    """Return how many attempts a round makes: loot of each resource, at some, in each way."""
    calls = plan.client(each.client).calls
    return len(calls) * len(servers_for(calls, 0)) * replays


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
    before = len(lab.events())
    haul = lab.attacker.steal(each.client, by=each.theft)
    _meanwhile(lab, each, lab.events()[before:], findings)
    _replay(lab, haul, order, progress)
    _control(lab, each, "after", findings)


def _replay(lab: Lab, haul: Haul, order: random.Random, progress: Callable[[int], None]) -> None:
    calls = lab.plan.client(haul.client).calls
    if len(calls) <= MOST_SERVERS:
        lab.attacker.replay(haul, order=order, progress=progress)
        return
    of = {lab.estate.urls[name]: place for place, name in enumerate(calls)}
    for piece in haul.pieces:
        for name in servers_for(calls, of[piece["resource"]]):
            lab.attacker.replay(piece, against=name, order=order, progress=progress)


def _meanwhile(lab: Lab, each: Round, events: list[dict[str, Any]], findings: Findings) -> None:
    """Note how the victim's own requests ended while it was robbed: nobody else makes any then."""
    # A request for a nonce is answered by the next one: it is no failure of its own.
    own = [
        event
        for event in events
        if event.get("role") == "resource_server" and event["reason"] != "NONCE_REQUIRED"
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
