"""What each verifier let out: computed from the attempts, drawn so that nothing overlaps."""

from __future__ import annotations

import pandas as pd
import pytest

from labsim.charts import verifiers
from labsim.errors import LabError
from labsim.preset import presets
from tests.unit.test_charts import assert_readable


def blast(**records: int) -> pd.DataFrame:
    rows = [
        {"verifier": name, "records": count, "of": 24, "served": int(count > 0), "attempts": 5}
        for name, count in records.items()
    ]
    return pd.DataFrame(rows, columns=["verifier", "records", "of", "served", "attempts"])


@pytest.mark.parametrize(
    ("frame", "title"),
    [
        (
            blast(case_A=12, case_C=0, full=0),
            "1 of 2 weakened servers let records out; with every check in place, no records came out.",
        ),
        (blast(not_enforcing=24), "1 of 1 weakened servers let records out."),
        (blast(full=3), "With every check in place, 3 records came out."),
        (blast(full=0), "With every check in place, no records came out."),
    ],
)
def test_the_title_says_what_was_found(frame: pd.DataFrame, title: str) -> None:
    assert verifiers.picture(frame).title == title


def test_the_alt_text_has_every_bar_with_its_figures() -> None:
    alt = verifiers.picture(blast(not_enforcing=24, no_replay_store=12, full=0)).alt
    assert "nothing is asked: 24 of 24, 1 of 5 attempts served" in alt
    assert "no replay store: 12 of 24" in alt
    assert "every check in place: 0 of 24 by replay, in 5 attempts" in alt


def test_nothing_overlaps_with_every_preset_in_it() -> None:
    shown = blast(**dict.fromkeys(presets(), 12), not_enforcing=24, full=0)
    picture = verifiers.picture(shown)
    assert_readable(picture.figure)
    assert "<svg" in picture.svg


def test_bars_are_as_long_as_their_counts() -> None:
    axes = verifiers.picture(blast(case_A=12, not_enforcing=24, full=0)).figure.axes[0]
    half, whole, none = (patch.get_width() for patch in axes.patches)  # type: ignore[attr-defined]
    assert (whole, none) == (pytest.approx(2 * half), 0)


def test_without_an_attempt_there_is_nothing_to_draw() -> None:
    with pytest.raises(LabError, match="Steal something"):
        verifiers.picture(blast())
