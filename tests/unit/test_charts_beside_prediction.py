"""Campaigns side by side as a picture: measured and computed, and a difference is never hidden."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from labsim.blast.first_loot import CUSTODIES, YIELDS
from labsim.blast.means import AUTHENTICATIONS
from labsim.charts import beside_prediction as chart
from labsim.charts import palette
from labsim.errors import LabError
from tests.unit.test_charts import assert_readable, texts


def case(measured: int, computed: int | None = None, **names: str) -> dict[str, Any]:
    usual = {"theft": "log_line", "binding": "dpop", "custody": "signer"}
    row: dict[str, Any] = usual | {"authentication": "client_secret_basic"} | names
    return row | {"measured": measured, "computed": measured if computed is None else computed} | {
        "of": 120
    }  # fmt: skip


def drawn(*rows: dict[str, Any]) -> Any:
    return chart.picture(pd.DataFrame(rows))


def test_the_title_says_how_far_and_whether_as_computed() -> None:
    assert drawn(case(0), case(110)).title == (
        "110 of 120 records exposed by 1 of 2 thefts and 0 by 1, each as computed."
    )
    assert drawn(case(7)).title == "7 of 120 records exposed by this theft, each as computed."
    assert drawn(*map(case, range(5))).title == (
        "0 to 4 of 120 records exposed by 5 thefts, each as computed."
    )
    assert "1 of 2 otherwise than computed" in drawn(case(0), case(24, 110)).title


def test_what_was_computed_otherwise_stands_beside_the_bar_and_in_the_alt_text() -> None:
    picture = drawn(case(24, 110))
    assert "24 of 120, computed 110" in [text for text, _ in texts(picture.figure)]
    assert "24 of 120, computed 110" in picture.alt
    assert "computed" not in drawn(case(24)).alt.partition("each as computed.")[2]


def test_each_combination_is_named_and_nothing_overlaps() -> None:
    rows = [
        case(number, theft=theft, binding=binding, custody=custody, authentication=way)
        for theft in YIELDS
        for binding, custodies in CUSTODIES.items()
        for number, (custody, way) in enumerate(zip(custodies, AUTHENTICATIONS, strict=False))
    ]
    picture = drawn(*rows)
    assert_readable(picture.figure)
    assert picture.alt.count(" of 120.") == len(rows)


def test_a_binding_keeps_its_colour() -> None:
    svg = drawn(case(10), case(20, binding="mtls")).svg
    ElementTree.fromstring(svg)
    for binding in ("dpop", "mtls"):
        assert palette.mark(binding).colour in svg


def test_without_a_campaign_there_is_no_picture() -> None:
    with pytest.raises(LabError, match="no campaign"):
        chart.picture(pd.DataFrame(columns=["theft", "measured"]))
