"""The table of attempts and the blast radius: typed, exact, and never a silent zero."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from labsim.attempt import COLUMNS
from labsim.blast import measured
from labsim.blast.measured import ATTEMPTS_DTYPES as DTYPES
from tests.unit import synthetic_attempts as run

ROW: dict[str, Any] = run.rows()[0]
type Rows = list[dict[str, Any]]


def blast(rows: Rows, **how: Any) -> pd.DataFrame:
    frame = measured.attempts_frame(rows)
    return measured.blast_radius(frame, run.exposed(rows), run.passing(), run.reachable(), **how)


def bar(frame: pd.DataFrame, theft: str, binding: str, custody: str) -> dict[str, Any]:
    keys = (frame["theft"] == theft, frame["binding"] == binding, frame["custody"] == custody)
    (found,) = frame[keys[0] & keys[1] & keys[2]].to_dict("records")
    return {str(name): value for name, value in found.items()}


def test_the_columns_are_those_of_attempts_csv_in_order() -> None:
    frame = measured.attempts_frame(run.rows())
    columns = (
        "attempt,story,client,theft,custody,loot,binding,replay,variant,verifier,resource,"
        "relation,outcome,status,error,reason,check,source,records,seconds"
    )
    assert ",".join(frame.columns) == columns


@pytest.mark.parametrize("rows", [run.rows(), []], ids=["some", "none"])
def test_the_types_are_the_documented_ones(rows: Rows) -> None:
    types = measured.attempts_frame(rows).dtypes.astype(str).to_dict()
    numbers = {"attempt": "int64", "status": "Int64", "records": "int64", "seconds": "int64"}
    assert types == {name: numbers.get(name, "string") for name in COLUMNS}


def test_nothing_to_say_is_an_empty_text_and_no_answer_is_no_status() -> None:
    row = {**ROW, "status": None, "error": None}
    del row["loot"]
    frame = measured.attempts_frame([row])
    texts = [name for name in COLUMNS if name not in DTYPES]
    assert not frame[texts].isna().any().any()
    assert (frame["error"][0], frame["loot"][0]) == ("", "")
    assert frame["status"].isna().all()


def test_the_table_survives_csv(tmp_path: Any) -> None:
    frame = measured.attempts_frame(run.rows())
    frame.to_csv(tmp_path / "attempts.csv", index=False)
    types = {name: DTYPES.get(name, "string") for name in COLUMNS}
    texts: dict[str, list[str]] = {name: [] for name in types if name not in DTYPES}
    again = pd.read_csv(
        tmp_path / "attempts.csv",
        dtype=types,
        keep_default_na=False,
        na_values=texts | {"status": [""]},
    )
    pd.testing.assert_frame_equal(frame, again)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"statuss": 401}, "attempt 1: no such column: statuss"),
        ({"records": None}, "attempt 1: no value for records"),
        ({"attempt": None}, "no value for attempt"),
    ],
)
def test_a_row_that_is_no_attempt_is_refused(change: dict[str, Any], said: str) -> None:
    measured.attempts_frame([ROW])
    with pytest.raises(ValueError, match=said):
        measured.attempts_frame([ROW | change])


def test_distinct_records_are_counted_once() -> None:
    found = bar(blast(run.rows()), "wiretap", "bearer", "none")
    first = {calls[0] for _, calls in run.STORIES.values()}
    assert found["records"] == sum(run.RECORDS[name] for name in first)
    assert found["served"] == 2 * len(run.STORIES)  # the token, and the whole request again
    assert found["resources"] == len(first)


def test_of_is_what_the_robbed_clients_can_reach() -> None:
    rows = run.rows()
    everything = {one for ids in run.reachable().values() for one in ids}
    assert set(blast(rows)["of"]) == {len(everything)}
    one = [row for row in rows if row["client"] == "lead-sync"]
    frame = measured.attempts_frame(one)
    alone = measured.blast_radius(frame, run.exposed(one), [], run.reachable())
    assert set(alone["of"]) == {run.RECORDS["crm"]}


def test_read_in_passing_stands_beside_it_and_is_not_mixed_in() -> None:
    found = bar(blast(run.rows()), "wiretap", "dpop", "memory")
    assert (found["records"], found["read_in_passing"]) == (0, 6)
    assert bar(blast(run.rows()), "log_line", "dpop", "memory")["read_in_passing"] == 0


def test_only_served_attempts_count() -> None:
    rows = run.rows()
    before = bar(blast(rows), "log_line", "bearer", "none")["records"]
    for row in rows:
        if (row["theft"], row["binding"], row["resource"]) == ("log_line", "bearer", "crm"):
            row |= {"outcome": "rejected", "records": 0}
    after = bar(blast(rows), "log_line", "bearer", "none")["records"]
    assert before - after == run.RECORDS["crm"]


def test_what_could_not_be_built_is_no_attempt() -> None:
    found = bar(blast(run.rows()), "log_line", "dpop", "file")
    assert found["attempts"] == 5 * sum(len(calls) for _, calls in run.STORIES.values())


def test_other_configurations_count_only_when_asked_for() -> None:
    rows = run.rows()
    new = len(rows) + 1
    more = {**ROW, "attempt": new, "outcome": "served", "resource": "collab", "records": 4}
    for change in ({"variant": "nonce"}, {"verifier": "binding_never_compared"}):
        changed = [*rows, more | change]
        pd.testing.assert_frame_equal(blast(changed), blast(rows))
        with_it = bar(blast(changed, variant=None, verifier=None), "wiretap", "bearer", "none")
        assert with_it["records"] == bar(blast(rows), "wiretap", "bearer", "none")["records"] + 4
    assert set(blast([*rows, more | {"variant": "nonce"}], variant="nonce")["records"]) == {4}


def test_by_says_what_one_row_is() -> None:
    rows = run.rows()
    table = measured.blast_radius(
        measured.attempts_frame(rows), run.exposed(rows), [], run.reachable(), by=["story"]
    )
    assert list(table["story"]) == list(run.STORIES)
    assert table["story"].dtype == "string"


def test_a_served_attempt_without_its_ids_is_an_error_and_no_zero() -> None:
    rows = run.rows()
    exposed = run.exposed(rows)
    number = next(iter(exposed))
    del exposed[number]
    with pytest.raises(ValueError, match=f"attempt {number} was served"):
        measured.blast_radius(measured.attempts_frame(rows), exposed, [], run.reachable())


def test_a_theft_after_which_nothing_was_tried_is_not_lost() -> None:
    table = measured.blast_radius(measured.attempts_frame([]), {}, run.passing(), run.reachable())
    assert set(table["read_in_passing"]) == {6}
    assert set(table["records"]) == {0}


def test_the_types_of_the_blast_radius_are_the_documented_ones() -> None:
    for rows in (run.rows(), []):
        frame = measured.attempts_frame(rows)
        table = measured.blast_radius(frame, run.exposed(rows), [], run.reachable())
        assert table.dtypes.astype(str).to_dict() == measured.BLAST_RADIUS_DTYPES
