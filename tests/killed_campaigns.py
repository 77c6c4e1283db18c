"""Campaigns whose attacker is killed, and what the record of one that went on has to be."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labsim.estate import plan as plans
from labsim.estate.journal import JournalFile
from labsim.estate.plan import Plan
from labsim.http_message import Outcome, Request
from labsim.loot import Loot
from tests.wired_estate import MemoryJournal, WiredEstate

SEED = 5


class Killed(BaseException):
    """The attacker's process ends here, with everything that it had in memory."""


def told(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return of each attempt what does not change from run to run."""
    names = ("credential", "led_by", "hop", "resource", "replay", "binding", "outcome", "error")
    return [(*(row[name] for name in names), tuple(row["records"])) for row in rows]


def recorded(entries: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the attempts as the journal has them; an attempt stands there once, or not at all."""
    outcomes = [entry for entry in entries if entry["entry"] == "outcome"]
    assert max(Counter(tuple(entry["attempt"]) for entry in outcomes).values()) == 1
    return told(entry["row"] for entry in outcomes if entry["row"] is not None)


def found(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [entry["credential"]["name"] for entry in entries if entry["entry"] == "found"]


class Case:
    """An estate, what was stolen, and the campaign as it goes if nobody is killed."""

    def __init__(self, plan: Plan, client: str, theft: str) -> None:
        self.estate = WiredEstate(plan)
        self.loot: list[Loot] = self.estate.robbed(client, theft)
        self.journal = MemoryJournal()
        before = self.estate.asked
        self.rows = list(self.estate.campaign(SEED, self.journal).run(self.loot))
        self.requests = self.estate.asked - before
        self.credentials = found(self.journal)

    def resume(self, journal: Any, send: Callable[[Request], Outcome] | None = None) -> list[Any]:
        return list(self.estate.campaign(SEED, journal, send).run(self.loot))


def bound(client: str, binding: str, **more: Any) -> Plan:
    lab = plans.load()
    changed = replace(lab.client(client), binding=binding, **more)
    return replace(lab, clients=MappingProxyType({**lab.clients, client: changed}))


CASES = {
    "bearer": (plans.load(), "support-agent", "log_line"),
    "dpop": (bound("support-agent", "dpop"), "support-agent", "container_files"),
    "mtls": (bound("ci-runner", "mtls"), "support-agent", "log_line"),
}


@cache
def case_of(name: str) -> Case:
    """Make a case once: a campaign changes nothing that another one could notice."""
    return Case(*CASES[name])


def deadly(estate: WiredEstate, left: int, late: bool) -> Callable[[Request], Outcome]:
    """Kill whoever sends the n-th request: before it is out or, if `late`, once it was answered."""
    calls = itertools.count(1)

    def send(request: Request) -> Outcome:
        fatal = next(calls) == left
        if fatal and not late:
            raise Killed
        outcome = estate.send(request)
        if fatal:
            raise Killed
        return outcome

    return send


def assert_goes_on_after_line(case: Case, lines: int) -> None:
    """Assert that a campaign that was cut after so many lines ends as it does uncut."""
    journal = MemoryJournal(case.journal[:lines])
    open_intent = lines > 0 and journal[-1]["entry"] == "intent"
    rows = case.resume(journal)
    assert told(rows) == told(case.rows), lines
    assert recorded(journal) == told(case.rows), lines
    assert found(journal) == case.credentials, lines
    again = [row for row in rows if row["again"]]
    assert len(again) <= open_intent, lines


def assert_goes_on_after_byte(case: Case, file: Path, whole: bytes, cut: int) -> None:
    """Assert the same of a journal in a file of which so many bytes are there."""
    file.write_bytes(whole[:cut])
    journal = JournalFile(file)
    assert len(list(journal.entries())) == whole[:cut].count(b"\n")
    rows = case.resume(journal)
    journal.close()
    again = JournalFile(file)
    assert told(rows) == told(case.rows) == recorded(again.entries()), cut
    assert found(again.entries()) == case.credentials, cut
    again.close()


def assert_outlives_kills(number: int) -> None:
    """Kill the attacker time and again, until it comes to the end before that."""
    case = case_of([*CASES][number % len(CASES)])
    chance = random.Random(f"kill {number}")
    journal, before, deaths = MemoryJournal(), case.estate.asked, 0
    while True:
        send = deadly(case.estate, chance.randrange(1, case.requests), chance.random() < 0.5)
        try:
            rows = case.resume(journal, send)
        except Killed:
            deaths += 1
        else:
            break
    assert told(rows) == told(case.rows) == recorded(journal)
    assert found(journal) == case.credentials
    assert sum(row["again"] for row in rows) <= deaths
    twice = 2 * deaths  # an attempt is a token request and a request with the token, at most
    assert case.requests <= case.estate.asked - before <= case.requests + twice
