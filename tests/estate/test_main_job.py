"""The main job on real processes: what was measured equals what was written down before."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from labsim.attempt import COLUMNS
from labsim.blast import incident
from labsim.blast.detection import ALARM_DTYPES, SAVED_DTYPES
from labsim.commands import demo
from labsim.estate import plan as plans
from labsim.http_message import Ending
from labsim.measuring import main_job, rollout
from labsim.rooms import names
from labsim.stories import oracle
from tests.own_estate import written


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """Run the main job once; return its exit status and the folder of its results."""
    out = tmp_path_factory.mktemp("out")
    return demo.main(["--out", str(out), "--seed", "7"]), out


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "attempts.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_outcome_is_the_one_that_was_written_down(finished: tuple[int, Path]) -> None:
    status, out = finished
    expected = oracle.load(plans.DATA / "expected_outcomes.csv")
    assert oracle.differences(rows(out), expected) == []
    assert status == 0


def test_attempts_have_the_promised_columns_and_words(finished: tuple[int, Path]) -> None:
    attempts = rows(finished[1])
    assert tuple(attempts[0]) == COLUMNS
    assert [int(row["attempt"]) for row in attempts] == list(range(1, len(attempts) + 1))
    assert {row["theft"] for row in attempts} == set(names("labsim.thefts"))
    assert {row["binding"] for row in attempts} == set(names("labsim.bindings"))
    assert {row["replay"] for row in attempts} == set(names("labsim.replays"))
    assert {row["relation"] for row in attempts} == {"same_resource", "other_resource"}
    assert {row["verifier"] for row in attempts} == {"full"}
    assert {row["outcome"] for row in attempts} <= {str(ending) for ending in Ending}


def test_a_refusal_says_status_error_reason_check_and_source(finished: tuple[int, Path]) -> None:
    for row in rows(finished[1]):
        if row["outcome"] == "rejected":
            assert all(row[name] for name in ("status", "error", "reason", "check", "source")), row
        if row["outcome"] == "not_possible":
            assert row["reason"], row
            assert not row["status"], row


def test_a_served_replay_was_sent_the_records_that_the_servers_event_names(
    finished: tuple[int, Path],
) -> None:
    lines = (finished[1] / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert sum(len(event.get("records", ())) for event in events) > 0
    served = [row for row in rows(finished[1]) if row["outcome"] == "served"]
    assert served
    reading = [row for row in served if row["replay"] != "changed_body"]
    assert len(reading) < len(served), "what was written is served too, and reads nothing"
    assert all(int(row["records"]) > 0 for row in reading)


def test_the_report_is_one_file_that_asks_for_nothing(finished: tuple[int, Path]) -> None:
    report = (finished[1] / "report.html").read_text()
    shown = re.sub(r"<pre.*?</pre>", "", report, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)\s*=\s*"(?!#|data:)', shown)
    assert "@import" not in shown
    assert "prefers-color-scheme" in shown
    drawn = ("matrix", "blast_radius", "variants", *main_job.NAMES)
    for name in drawn:
        assert "<title" in (finished[1] / f"{name}.svg").read_text()
    assert report.count("<svg") == len(drawn) == report.count('role="img"')


def table(out: Path, name: str) -> list[dict[str, str]]:
    with (out / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_what_was_followed_over_time_is_what_the_plan_predicts(finished: tuple[int, Path]) -> None:
    courses = table(finished[1], "over_time")
    assert tuple(courses[0]) == tuple(incident.FOLLOWED_DTYPES)
    for row in courses:
        assert row["within_reach"] == row["predicted_within_reach"], row
        assert row["exposed"] == row["predicted_exposed"], row
    assert {row["within_reach"] == "0" for row in courses} == {True, False}
    last = {row["binding"]: row for row in courses if row["incident"] == "key_copied"}
    assert (last["dpop"]["within_reach"], last["mtls"]["within_reach"]) == ("0", "42")
    steps = table(finished[1], "rollout")
    assert tuple(steps[0]) == tuple(rollout.MEASURED_DTYPES)
    assert [row["records"] for row in steps] == [row["predicted_records"] for row in steps]
    assert [row["by_token"] for row in steps] == [row["predicted_by_token"] for row in steps]
    assert (steps[0]["records"], steps[-1]["records"]) == ("120", "0")


def test_alarms_are_as_the_events_justify_them(finished: tuple[int, Path]) -> None:
    robbed = table(finished[1], "time_to_alarm")
    assert tuple(robbed[0]) == (*ALARM_DTYPES, *SAVED_DTYPES)
    by_a_log_line = {r["binding"]: r["reason"] for r in robbed if r["theft"] == "log_line"}
    assert by_a_log_line.pop("bearer") == ""
    assert by_a_log_line.pop("ip_allow_list") == "ADDRESS_NOT_ALLOWED"
    assert set(by_a_log_line.values()) == {"PROOF_MISSING"}
    assert any(int(row["saved"]) for row in robbed)


def test_the_report_shows_the_alarm_of_a_client_whose_request_was_held_back(
    finished: tuple[int, Path],
) -> None:
    report = (finished[1] / "report.html").read_text()
    _, _, section = report.partition('<h2 id="held-back">')
    table = [re.sub(r"<[^>]*>", "|", row) for row in section.partition("</table>")[0].split("<tr>")]
    first = [row for row in table if "Hold a request back, and send it first" in row]
    said = {row.split("|")[3].partition(",")[0]: row for row in first}
    assert set(said) == {"Bearer", "DPoP", "mTLS", "HTTP signature"}
    for binding in ("DPoP", "HTTP signature"):
        assert "Served 2 of 2" in said[binding]
        assert "Refused 2 of 2 (proof was used before)" in said[binding]
        assert "Alarm|: one proof came twice" in said[binding]
    assert "Alarm|:" not in said["Bearer"]


def test_a_cell_that_differs_is_named_and_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(plans.DATA, data)
    file = data / "expected_outcomes.csv"
    wrong = "log_line,none,bearer,token_as_is,base,same_resource,rejected,jti_is_new,RFC 9449"
    right = "log_line,none,bearer,token_as_is,base,same_resource,served,,"
    file.write_text(file.read_text().replace(right, wrong))
    monkeypatch.setattr(plans, "DATA", data)
    # A small estate: its outcomes are held against the same file.
    estate = str(written(tmp_path))
    assert demo.main(["--out", str(tmp_path / "out"), "--estate", estate]) == 1
    printed = capsys.readouterr().out
    assert "1 cells differ" in printed
    assert "log_line / none / bearer / token_as_is / base / same_resource" in printed
