"""The time to the first alarm as a picture: who was noticed, when, and who never."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from labsim.blast.detection import ALARM_DTYPES
from labsim.blast.first_loot import CUSTODIES, YIELDS
from labsim.charts import alarms, palette, style
from labsim.charts import time_to_alarm as chart
from labsim.errors import LabError
from tests.unit.test_charts import assert_readable, texts

PAIRS = [(binding, custody) for binding, kept in CUSTODIES.items() for custody in kept]


def robbery(
    theft: str, binding: str, custody: str, seconds: float | None, reason: str = "PROOF_MISSING"
) -> dict[str, Any]:
    said = reason if seconds is not None else ""
    row = dict.fromkeys(ALARM_DTYPES, "") | {"refusals": 0, "client": "web"}
    return row | {
        "theft": theft,
        "binding": binding,
        "custody": custody,
        "seconds": seconds,
        "reason": said,
    }


def framed(*rows: dict[str, Any]) -> pd.DataFrame:
    types = {name: kind for name, kind in ALARM_DTYPES.items() if name in rows[0]}
    return pd.DataFrame(rows).astype(types)


def usual() -> pd.DataFrame:
    return framed(
        robbery("log_line", "bearer", "none", None),
        robbery("log_line", "bearer", "none", None),
        robbery("log_line", "dpop", "file", 12, "BINDING_MISMATCH"),
        robbery("log_line", "dpop", "memory", 30),
        robbery("log_line", "mtls", "file", 5),
        robbery("log_line", "mtls", "file", None),
        robbery("commit", "bearer", "none", None),
        robbery("commit", "dpop", "file", None),
        robbery("former_employee", "bearer", "none", None),
        robbery("former_employee", "dpop", "file", None),
    )


def test_the_title_counts_the_robberies_that_were_noticed() -> None:
    assert chart.picture(usual()).title == (
        "Robberies that raised an alarm: 0 of 4 with bearer, 2 of 4 with DPoP and 1 of 2 with "
        "mTLS, the latest 30 s after the theft."
    )


def test_none_and_all_are_said_so() -> None:
    none = framed(*(robbery("chat", *pair, None) for pair in PAIRS))
    assert chart.picture(none).title == (
        "None of 10 robberies raised an alarm, with bearer, DPoP, mTLS or HTTP signature."
    )
    every = framed(*(robbery("chat", *pair, 0.0) for pair in PAIRS))
    assert (
        chart.picture(every).title
        == "Each of 10 robberies raised an alarm, within 0 s of the theft."
    )
    for frame in (none, every):
        assert_readable(chart.picture(frame).figure)


def test_custodies_equally_noticed_share_a_row_and_silent_thefts_a_group() -> None:
    rows = alarms.rows(usual())
    assert [(row.thefts, row.binding, row.custodies, row.robberies) for row in rows] == [
        (("log_line",), "bearer", ("none",), 2),
        (("log_line",), "dpop", ("file", "memory"), 2),
        (("log_line",), "mtls", ("file",), 2),
        (("commit", "former_employee"), "bearer", ("none",), 2),
        (("commit", "former_employee"), "dpop", ("file",), 2),
    ]
    assert [alarms.told(row) for row in rows] == [
        "no alarm",
        "alarm after 12 s to 30 s",
        "alarm after 5 s, in 1 of 2",
        "no alarm",
        "no alarm",
    ]
    assert alarms.why(rows[1]) == "no proof and not the token's key"


def test_less_than_a_second_is_at_once_however_fast_the_machine() -> None:
    (row,) = alarms.rows(framed(robbery("wiretap", "mtls", "file", 0.0397)))
    assert alarms.told(row) == "alarm at once"
    pair = framed(*(robbery("wiretap", "mtls", "file", at) for at in (0.0397, 300)))
    assert [alarms.told(row) for row in alarms.rows(pair)] == ["alarm at once to 5 min"]


def test_custodies_that_are_noticed_otherwise_stand_apart() -> None:
    frame = framed(
        robbery("container_code", "dpop", "file", None),
        robbery("container_code", "dpop", "signer", 4),
    )
    assert [row.custodies for row in alarms.rows(frame)] == [("file",), ("signer",)]


@pytest.mark.parametrize(
    ("row", "alone", "saved", "said"),
    [
        (robbery("chat", "dpop", "file", 4), 50, 20, "acting on it saves 20 of 50 records"),
        (robbery("chat", "dpop", "file", 4), 0, 0, "no record is exposed by replay"),
        (robbery("chat", "bearer", "none", None), 50, 0, "nobody acts: 50 records exposed"),
    ],
)
def test_what_a_responder_saves_is_told_where_it_was_computed(
    row: dict[str, Any], alone: int, saved: int, said: str
) -> None:
    picture = chart.picture(
        framed(row | {"alone": alone, "exposed": alone - saved, "saved": saved})
    )
    assert said in [text for text, _ in texts(picture.figure)]
    assert said in picture.alt
    assert said not in chart.picture(framed(row)).alt


def test_each_robbery_has_a_marker_where_its_alarm_was_and_none_where_there_was_none() -> None:
    lines = chart.picture(usual()).figure.axes[0].lines
    for binding, many in (("bearer", 0), ("dpop", 2), ("mtls", 1)):
        mark = palette.mark(binding)
        drawn = [
            each for each in lines if each.get_marker() == mark.marker and each.get_zorder() == 3
        ]
        assert len(drawn) == many
        assert {each.get_color() for each in drawn} <= {mark.colour}


@pytest.mark.parametrize("longest", [0.001, 1.0, 900.0, 86400.0 * 90])
def test_nothing_overlaps_with_every_theft_binding_and_custody(longest: float) -> None:
    reasons = ["PROOF_MISSING", "BINDING_MISMATCH", "PROOF_REPLAYED", "SCHEME_MISMATCH"]
    pairs = [*PAIRS, ("a_binding_with_quite_a_long_name", "an_unusual_place")]
    rows = []
    for number, theft in enumerate(YIELDS):
        for place, (binding, custody) in enumerate(pairs):
            for n in range(3):
                late = longest * (place + n) / (len(pairs) + 2)
                at = late if (number + place + n) % 4 else None
                row = robbery(theft, binding, custody, at, reasons[(place + n) % 4])
                rows.append(row | {"alone": 1_000_000, "exposed": 1, "saved": 999_999})
    picture = chart.picture(framed(*rows))
    assert_readable(picture.figure)
    assert len(style.titled(picture.title, picture.figure.get_figwidth())[1]) <= 2


def test_the_picture_is_said_in_words_and_always_the_same() -> None:
    first, second = chart.picture(usual()), chart.picture(usual())
    assert first.svg == second.svg
    root = ElementTree.fromstring(first.svg)
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == first.alt
    assert "DPoP, key in a file or in memory: alarm after 12 s to 30 s (no proof and" in first.alt
    assert "After commit and former employee: bearer: no alarm" in first.alt


def test_nothing_to_draw_is_said_and_not_drawn() -> None:
    with pytest.raises(LabError, match="no alarms to show"):
        chart.picture(pd.DataFrame(columns=list(ALARM_DTYPES)))


def test_a_baseline_has_a_look_of_its_own_and_how_it_was_measured_is_said() -> None:
    frame = framed(
        robbery("log_line", "bearer", "none", None),
        robbery("log_line", "ip_allow_list", "none", 300, "ADDRESS_NOT_ALLOWED"),
    )
    picture = chart.picture(frame, "The thief waits for 5 min.")
    assert_readable(picture.figure)
    assert "1 of 1 with bearer behind an allow-list" in picture.title
    assert picture.alt.endswith("The thief waits for 5 min.")
    shown = [text for text, _ in texts(picture.figure)]
    assert "The thief waits for 5 min." in shown
    assert "address not allowed" in shown
    known = {palette.mark(name).marker for name in ("bearer", "dpop", "mtls", "http_signature")}
    assert palette.mark("ip_allow_list").marker not in known
