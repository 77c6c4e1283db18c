"""The table of attempts, with each attempt behind its row; sealed ones stay so."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from labsim.attempts_table import AttemptsTable
from labsim.blast.measured import attempts_frame
from labsim.errors import LabError
from labsim.prediction import Prediction, Sealed
from labsim.seen_attempt import SeenAttempt

ROWS: list[dict[str, Any]] = [
    {"attempt": n, "replay": replay, "resource": resource, "records": 0, "seconds": 0,
     "outcome": "served", "status": 200, "error": "", "reason": "", "client": "c",
     "theft": "log_line", "custody": "none", "binding": "bearer", "loot": "token",
     "variant": "base", "check": ""}
    for n, replay, resource in [(5, "own_proof", "a"), (6, "token_as_is", "a"), (7, "own_proof", "b")]
]  # fmt: skip
EXCHANGE = {"request": "GET / HTTP/1.1\r\n\r\n", "response": "HTTP/1.1 200 OK", "event": {}}


def seen(number: int, sealed: bool = False) -> SeenAttempt:
    return SeenAttempt(ROWS[number - 5], EXCHANGE, sealed)


@pytest.fixture
def table() -> AttemptsTable:
    return AttemptsTable.of(attempts_frame(ROWS), seen)


@pytest.mark.parametrize(
    ("which", "number"), [(0, 5), (1, 6), (-1, 7), ("token_as_is", 6), ("own_proof", 7)]
)
def test_an_attempt_is_found_by_row_or_replay(
    table: AttemptsTable, which: int | str, number: int
) -> None:
    assert table.attempt(which).row["attempt"] == number


@pytest.mark.parametrize("which", [3, -4, "stolen_key", None, [0], {}])
def test_one_that_is_not_there_is_answered_with_those_that_are(
    table: AttemptsTable, which: Any
) -> None:
    with pytest.raises(LabError, match=r"own_proof|from 0 to 2"):
        table.attempt(which)


def test_an_empty_table_says_that_it_is_empty() -> None:
    with pytest.raises(LabError, match=r"no row 0.*there is none"):
        AttemptsTable.of(attempts_frame([]), seen).attempt()


def test_it_is_a_dataframe_and_what_is_selected_from_it_a_plain_one(table: AttemptsTable) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(table), attempts_frame(ROWS))
    for part in (table[["replay"]], table.head(1), table.copy(), table[table["replay"] == "x"]):
        assert type(part) is pd.DataFrame


def test_show_and_diagram_of_a_sealed_attempt_give_nothing_away() -> None:
    for looked in (seen(5, sealed=True).show(), seen(5, sealed=True).diagram()):
        assert isinstance(looked, Sealed)
    assert "served" not in repr(seen(5, sealed=True))
    assert "Attempt 5: own proof, at a" in repr(seen(5).show())
    assert "own key" in repr(seen(5).diagram())


def test_a_prediction_finds_them_too(table: AttemptsTable) -> None:
    assert Prediction(table, "served").attempt("own_proof").row["attempt"] == 7
    with pytest.raises(LabError, match="Nothing here went over a wire"):
        Prediction(attempts_frame(ROWS), "served").attempt(0)
