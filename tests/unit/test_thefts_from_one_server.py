"""A theft whose victims call one resource server only: nothing was tried at another one."""

from __future__ import annotations

import pandas as pd
import pytest

from labsim.blast import measured
from labsim.charts import findings, matrix
from labsim.charts.words import Look
from labsim.stories.tables import matrix_text
from tests.unit import synthetic_attempts as run

LONELY = "log_line"


def measured_run(lonely: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = [
        row
        for row in run.rows()
        if not (lonely and row["theft"] == LONELY and row["relation"] == "other_resource")
    ]
    return measured.attempts_frame(rows), pd.DataFrame(run.holder_rows())


def test_both_grids_have_the_same_columns() -> None:
    grids = findings.both(*measured_run(lonely=True))
    same, other = grids[findings.SAME], grids[findings.OTHER]
    assert same.columns == other.columns
    for row in other.rows:
        for column, cell in zip(other.columns, row.cells, strict=True):
            assert (cell.look is Look.NOT_MEASURED) == (column.theft == LONELY)


@pytest.mark.parametrize("lonely", [True, False])
def test_no_other_server_is_spoken_of_where_none_was_tried(lonely: bool) -> None:
    text = matrix_text(*measured_run(lonely), width=72)
    (block,) = [part for part in text.split("\nStolen by ") if "log line" in part]
    assert ("At another server" in block) != lonely
    assert "At another server" in text


def test_the_picture_is_drawn_and_says_nothing_of_another_server_there() -> None:
    assert matrix.picture(*measured_run(lonely=True)).title
