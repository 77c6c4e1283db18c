"""A proof that was made ahead is good once: an attacker that was killed does not forget which it sent."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from labsim.estate import plan as plans
from labsim.http_message import Outcome, Request
from labsim.loot import Loot
from labsim.thefts.container_code import STEP_SECONDS
from tests.measured_radius import bound
from tests.wired_estate import MemoryJournal, WiredEstate

KILLS = 30
SEED = 3
CLIENT = "support-agent"
BINDINGS = ("dpop", "http_signature")


class Killed(BaseException):
    """The attacker's process ends here, with everything that it had in memory."""


class Robbed:
    """A client whose code was thrown out again: no key was there to copy, proofs are what is left.

    `sent` are the proofs made ahead that came to the server that they are for, life after life.
    """

    def __init__(self, binding: str) -> None:
        self.estate = WiredEstate(bound(plans.load(), CLIENT, binding, "signer"))
        self.loot: list[Loot] = self.estate.robbed(CLIENT, "container_code")
        self.estate.footholds.clear()
        self.made = {request for piece in self.loot for _at, request in piece.ahead}
        self.sent: list[Request] = []
        self.requests = 0

    def send(self, request: Request) -> Outcome:
        self.requests += 1
        if request in self.made:
            self.sent.append(request)
        return self.estate.send(request)

    def run(self, journal: MemoryJournal, send: Callable[[Request], Outcome]) -> list[Any]:
        return list(self.estate.campaign(SEED, journal, send).run(self.loot))

    def deadly(self, number: int, late: bool) -> Callable[[Request], Outcome]:
        """Kill whoever sends the n-th request: before it is out or, if `late`, after its answer."""
        count = itertools.count(1)

        def send(request: Request) -> Outcome:
            fatal = next(count) == number
            if fatal and not late:
                raise Killed
            outcome = self.send(request)
            if fatal:
                raise Killed
            return outcome

        return send

    def deadly_proof(self, request: Request) -> Outcome:
        """Kill whoever has just sent a proof made ahead to its own server."""
        outcome = self.send(request)
        if request in self.made:
            raise Killed
        return outcome


def used(rows: Sequence[Any]) -> list[tuple[str, str, bool]]:
    """Return server, outcome and `again` of each proof made ahead at its own server."""
    return [
        (row["resource"], row["outcome"], row["again"])
        for row in rows
        if row["replay"] == "proofs_made_ahead" and row["relation"] == "same_resource"
    ]


def opened(rows: Sequence[Any]) -> set[str]:
    return {record for row in rows for record in row["records"]}


@pytest.mark.parametrize("binding", BINDINGS)
def test_if_nobody_is_killed_one_proof_for_each_server_is_enough(binding: str) -> None:
    robbed = Robbed(binding)
    rows = robbed.run(MemoryJournal(), robbed.send)
    assert sorted(used(rows)) == [("collab", "served", False), ("crm", "served", False)]
    assert len(robbed.sent) == 2


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize(("later", "outcome"), [(0, "rejected"), (STEP_SECONDS, "served")])
def test_the_one_that_was_sent_is_not_sent_again(binding: str, later: int, outcome: str) -> None:
    """The next one is used, and is good when its time has come."""
    robbed, journal = Robbed(binding), MemoryJournal()
    with pytest.raises(Killed):
        robbed.run(journal, robbed.deadly_proof)
    assert journal[-1]["entry"] == "intent"
    robbed.estate.clock.advance(later)
    rows = robbed.run(journal, robbed.send)
    (again,) = [each for each in used(rows) if each[2]]
    assert again[1] == outcome
    assert max(Counter(robbed.sent).values()) == 1
    checks = [row["why"] for row in rows if row["replay"] == "proofs_made_ahead"]
    assert not [why for why in checks if "is_new" in why]
    # What it may have been served then it gets with the client's credential, whatever its proofs.
    assert opened(rows) >= {
        r.id for name in ("crm", "collab") for r in plans.load().resource(name).records
    }
    assert robbed.run(journal, robbed.send) == rows, "its journal has it all by now"


@cache
def if_nobody_is_killed(binding: str) -> tuple[int, set[str]]:
    """Return how many requests a campaign sends, and what it is served."""
    robbed = Robbed(binding)
    rows = robbed.run(MemoryJournal(), robbed.send)
    return robbed.requests, opened(rows)


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_as_it_sends(number: int) -> None:
    """Kill the attacker time and again: no proof goes to its server twice, no attempt is lost."""
    chance = random.Random(f"proofs {number}")
    binding = chance.choice(BINDINGS)
    robbed, (requests, expected) = Robbed(binding), if_nobody_is_killed(binding)
    journal, deaths = MemoryJournal(), 0
    with pytest.raises(Killed):
        robbed.run(journal, robbed.deadly_proof)
    while True:
        send = robbed.deadly(chance.randrange(1, requests), chance.random() < 0.5)
        try:
            rows = robbed.run(journal, send)
        except Killed:
            deaths += 1
            robbed.estate.clock.advance(chance.choice([0, 0, STEP_SECONDS]))
        else:
            break
    assert max(Counter(robbed.sent).values()) == 1
    done = Counter(tuple(entry["attempt"]) for entry in journal if entry["entry"] == "outcome")
    assert max(done.values()) == 1
    assert {tuple(e["attempt"]) for e in journal if e["entry"] == "intent"} == set(done)
    assert opened(rows) == expected
    assert {resource for resource, *_ in used(rows)} == {"crm", "collab"}
    assert 1 <= sum(again for *_, again in used(rows)) <= deaths + 1


def test_where_each_was_sent_the_last_one_is_and_is_refused() -> None:
    """A thief has nothing else; the attempt is not missing in the record."""
    robbed, journal = Robbed("dpop"), MemoryJournal()
    robbed.loot = [
        Loot.from_json({**piece.to_json(), "ahead": piece.to_json()["ahead"][:1]})
        for piece in robbed.loot
    ]
    with pytest.raises(Killed):
        robbed.run(journal, robbed.deadly_proof)
    rows = robbed.run(journal, robbed.send)
    (again,) = [each for each in used(rows) if each[2]]
    assert again[1] == "rejected"
