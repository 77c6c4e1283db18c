"""A campaign whose attacker was killed goes on: nothing is missing in its record or there twice."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from labsim.campaign import Campaign
from labsim.checks import StorageUnavailable
from labsim.errors import LabError
from labsim.estate.journal import JournalFile
from labsim.http_message import Outcome, Request
from tests.killed_campaigns import (
    CASES,
    Case,
    Killed,
    assert_goes_on_after_byte,
    assert_goes_on_after_line,
    assert_outlives_kills,
    bound,
    case_of,
    recorded,
    told,
)
from tests.random_plans import random_plan
from tests.wired_estate import REPLAYS, MemoryJournal, WiredEstate


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


# Every line, more bytes and a hundred kills, in tests/estate/test_campaigns_killed_anywhere.py.


def test_cut_after_a_line(case: Case) -> None:
    # Intents and outcomes take turns: an odd distance meets both.
    for lines in (0, 1, *range(2, len(case.journal), 23), len(case.journal)):
        assert_goes_on_after_line(case, lines)


def test_an_attempt_whose_outcome_is_unknown_is_marked(case: Case) -> None:
    intents = [n for n, e in enumerate(case.journal, 1) if e["entry"] == "intent"]
    last = case.journal[intents[-1] - 1]["attempt"]
    journal = MemoryJournal(case.journal[: intents[-1]])
    before = case.estate.asked
    rows = case.resume(journal)
    assert [row["credential"] for row in rows if row["again"]] == [last[0]]
    assert 1 <= case.estate.asked - before <= 2, "nothing else was sent a second time"
    assert [row["again"] for row in case.resume(journal)] == [row["again"] for row in rows]


@pytest.mark.parametrize("number", range(6))
def test_killed_as_it_sends(number: int) -> None:
    assert_outlives_kills(number)


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
    for cut in (0, 1, len(whole) // 3, len(whole) - 1, len(whole)):
        assert_goes_on_after_byte(case, file, whole, cut)


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


def test_what_the_attacker_refreshes_afterwards_is_not_in_the_journal() -> None:
    estate, journal = WiredEstate(bound("lead-sync", "dpop", custody="memory")), MemoryJournal()
    attacker, loot = estate.attacker(), estate.robbed("lead-sync", "container_files")
    list(Campaign(attacker, estate.targets, REPLAYS, 0, journal).run(loot))
    written = list(journal.entries())
    assert any(entry["entry"] == "rotated" for entry in written)
    refreshing = next(piece for piece in loot if piece.refresh_token)
    crm = next(target for target in estate.targets if target.name == "crm")
    again = attacker.replay(REPLAYS["new_token_for_own_key"], refreshing, crm)
    assert again.outcome == "served"
    assert list(journal.entries()) == written


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
