"""A client that calls one resource server, beside one that calls two: a theft with no other server."""

from __future__ import annotations

import pandas as pd

from labsim.blast import measured
from labsim.charts import findings, matrix
from labsim.charts.findings import OTHER, SAME
from labsim.stories.tables import matrix_text
from tests.unit import synthetic_attempts as run

ROWS = [
    row
    for row in run.rows()
    if not (row["theft"] == "log_line" and row["relation"] == "other_resource")
]
FRAME, HOLDER = measured.attempts_frame(ROWS), pd.DataFrame(run.holder_rows())


def test_both_grids_have_the_same_columns() -> None:
    grids = findings.both(FRAME, HOLDER)
    assert grids[SAME].columns == grids[OTHER].columns
    for number, column in enumerate(grids[SAME].columns):
        assert findings.is_measured(grids[SAME], [number])
        assert findings.is_measured(grids[OTHER], [number]) == (column.theft != "log_line")
    assert len(grids[OTHER].holder) == len(grids[OTHER].columns)


def test_what_was_not_tried_elsewhere_is_not_said_to_be_impossible() -> None:
    whole = matrix.picture(measured.attempts_frame(run.rows()), HOLDER)
    assert "not measured" not in matrix.picture(FRAME, HOLDER).alt
    drawn, drawn_whole = (
        [text.get_text() for text in picture.figure.axes[0].texts]
        for picture in (matrix.picture(FRAME, HOLDER), whole)
    )
    assert 0 < drawn.count(OTHER) <= drawn_whole.count(OTHER)
    text = matrix_text(FRAME, HOLDER)
    thefts = {row["theft"] for row in ROWS}
    assert text.count("At another server:") < len(thefts)
    assert "At another server:" in text
