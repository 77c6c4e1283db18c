"""A campaign whose attacker was killed goes on: nothing is missing in its record or there twice."""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate import plan as plans
from labsim.estate.journal import JournalFile
from labsim.estate.plan import Plan
from labsim.http_message import Outcome, Request
from labsim.loot import Loot
from tests.random_plans import random_plan
from tests.wired_estate import MemoryJournal, WiredEstate

KILLS = 100
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


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


def test_cut_after_every_line(case: Case) -> None:
    assert len(case.journal) > KILLS
    for lines in range(len(case.journal) + 1):
        journal = MemoryJournal(case.journal[:lines])
        open_intent = lines > 0 and journal[-1]["entry"] == "intent"
        rows = case.resume(journal)
        assert told(rows) == told(case.rows), lines
        assert recorded(journal) == told(case.rows), lines
        assert found(journal) == case.credentials, lines
        again = [row for row in rows if row["again"]]
        assert len(again) <= open_intent, lines


def test_an_attempt_whose_outcome_is_unknown_is_marked(case: Case) -> None:
    intents = [n for n, e in enumerate(case.journal, 1) if e["entry"] == "intent"]
    last = case.journal[intents[-1] - 1]["attempt"]
    journal = MemoryJournal(case.journal[: intents[-1]])
    before = case.estate.asked
    rows = case.resume(journal)
    assert [row["credential"] for row in rows if row["again"]] == [last[0]]
    assert 1 <= case.estate.asked - before <= 2, "nothing else was sent a second time"
    assert [row["again"] for row in case.resume(journal)] == [row["again"] for row in rows]


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


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_as_it_sends(number: int) -> None:
    """Kill the attacker time and again until it comes to the end before that."""
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


def test_the_kills_do_kill() -> None:
    case = case_of("bearer")

    def send(_request: Request) -> Outcome:
        raise Killed

    journal = MemoryJournal()
    with pytest.raises(Killed):
        case.resume(journal, send)
    assert [entry["entry"] for entry in journal] == ["begun", "intent"]


@pytest.mark.parametrize("name", CASES)
def test_a_file_cut_at_any_byte_is_read_up_to_its_last_whole_line(
    tmp_path: Path, name: str
) -> None:
    case = case_of(name)
    file = tmp_path / "journal.jsonl"
    journal = JournalFile(file)
    case.resume(journal)
    journal.close()
    whole = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    chance = random.Random(name)
    cuts = [
        0,
        1,
        len(whole) - 1,
        len(whole),
        *(chance.randrange(len(whole)) for _ in range(KILLS // 3)),
    ]
    for cut in cuts:
        file.write_bytes(whole[:cut])
        journal = JournalFile(file)
        assert len(list(journal.entries())) == whole[:cut].count(b"\n")
        rows = case.resume(journal)
        journal.close()
        again = JournalFile(file)
        assert told(rows) == told(case.rows) == recorded(again.entries()), cut
        assert found(again.entries()) == case.credentials, cut
        again.close()


@pytest.mark.parametrize("line", [b"no JSON\n", b"[]\n", b"{}\n", b"\xff\n", b"\n"])
def test_a_line_that_is_no_entry_is_told(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b'{"entry":"begun"}\n' + line + b'{"entry":"begun"}\n')
    with pytest.raises(LabError, match="line 2 is no entry"):
        JournalFile(file)
    file.write_bytes(b'{"entry":"begun"}\n' + line[:-1])
    assert len(list(JournalFile(file).entries())) == 1, "half a last line is what a kill leaves"


@pytest.mark.parametrize("octets", [-1, 5])
def test_a_journal_that_cannot_be_written_ends_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, octets: int
) -> None:
    def write(descriptor: int, data: bytes) -> int:
        if octets < 0:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:octets])

    case, file, real = case_of("bearer"), tmp_path / "journal.jsonl", os.write
    journal = JournalFile(file)
    monkeypatch.setattr("labsim.estate.journal.os.write", write)
    before = case.estate.asked
    with pytest.raises(StorageUnavailable, match="journal"):
        case.resume(journal)
    assert case.estate.asked == before, "nothing is sent that was not written down before"
    monkeypatch.undo()
    journal.close()
    assert told(case.resume(JournalFile(file))) == told(case.rows)


def test_a_rotated_refresh_token_is_followed_after_a_restart() -> None:
    lab = bound("lead-sync", "dpop", custody="memory")
    case = Case(lab, "lead-sync", "container_files")
    (rotated,) = [n for n, e in enumerate(case.journal) if e["entry"] == "rotated"]
    served = [row for row in case.rows if row["outcome"] == "served" and row["hop"] == 0]
    assert [(row["resource"], row["replay"]) for row in served] == [
        ("crm", "new_token_for_own_key")
    ]
    # Killed right after it was noted: the attempt is made once more, with the newer token.
    rows = case.resume(MemoryJournal(case.journal[: rotated + 1]))
    assert told(rows) == told(case.rows)


def test_a_refresh_token_that_was_rotated_in_the_moment_of_death_is_lost() -> None:
    case = Case(bound("lead-sync", "dpop", custody="memory"), "lead-sync", "container_files")
    (rotated,) = [n for n, e in enumerate(case.journal) if e["entry"] == "rotated"]
    journal = MemoryJournal(case.journal[:rotated])
    rows = case.resume(journal)
    (again,) = [row for row in rows if row["again"]]
    assert (again["outcome"], again["error"]) == ("rejected", "invalid_grant")
    assert told(rows) == recorded(journal)
    assert told(case.resume(journal)) == told(rows)


@pytest.mark.parametrize("seed", range(20))
def test_random_estates_cut_anywhere(seed: int) -> None:
    plan = random_plan(seed)
    chance = random.Random(seed)
    case = Case(plan, chance.choice(list(plan.clients)), "log_line")
    for lines in chance.choices(range(len(case.journal)), k=5):
        journal = MemoryJournal(case.journal[:lines])
        assert told(case.resume(journal)) == told(case.rows) == recorded(journal)
