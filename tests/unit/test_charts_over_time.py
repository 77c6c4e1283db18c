"""The curves over lab time: what they say comes from the rows, and nothing overlaps."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from labsim.blast.first_loot import CUSTODIES, YIELDS
from labsim.blast.means import Case, Countermeasures
from labsim.blast.over_time import OVER_TIME_DTYPES, over_time
from labsim.blast.predicted import Predictor, footholds
from labsim.charts import curves, palette, style
from labsim.charts import over_time as chart
from labsim.errors import LabError
from tests.unit.small_plans import shop
from tests.unit.test_charts import assert_readable, texts

HOUR = 3600.0
PAIRS = [(binding, custody) for binding, kept in CUSTODIES.items() for custody in kept]
EVERY = Countermeasures(revoke_at=20, rotate_at=30, rotate_found_at=30, evict_at=25)
MARKS = {"tokens revoked": 20.0, "foothold ended": 25.0, "credentials replaced": 30.0}


def frame(thefts: list[str], who: str = "web", **how: Any) -> pd.DataFrame:
    cases = [Case(who, theft, *pair) for theft in thefts for pair in PAIRS]
    measures = how.pop("measures", Countermeasures())
    return over_time(Predictor(shop()), cases, measures, **({"until": 2 * HOUR} | how))


def test_the_title_has_the_numbers_and_changes_with_them() -> None:
    assert curves.title(curves.panels(frame(["log_line"]))) == (
        "Records exposed within 2 h: 10 with bearer and 0 with DPoP, mTLS and HTTP signature after "
        "log line. At the end 1 of 10 thieves can still read."
    )
    slow = frame(["log_line"], until=60, seconds_per_record=20)
    assert "within 1 min: 3 with bearer and 0 with DPoP" in chart.picture(slow).title
    stopped = frame(["log_line"], measures=Countermeasures(revoke_at=1, rotate_found_at=0))
    assert "At the end no thief can read any more." in chart.picture(stopped).title


def test_all_alike_and_nothing_at_all_are_said_so() -> None:
    alike = chart.picture(frame(["container_files"]))
    assert alike.title == (
        "Records exposed within 2 h: 10 with every binding after container files. "
        "At the end every thief can still read."
    )
    bound = frame(["log_line"])
    bound = bound[bound["binding"] != "bearer"]
    none = chart.picture(bound)
    assert none.title == (
        "No record was exposed within 2 h of the theft, with DPoP, mTLS or HTTP signature."
    )
    assert_readable(none.figure)
    alone = chart.picture(bound[bound["binding"] == "mtls"])
    assert alone.title == "No record was exposed within 2 h of the theft, with mTLS."


def test_many_thefts_are_counted_where_the_title_has_no_room_for_them() -> None:
    thefts = [theft for _, theft in footholds(shop(), ["partner"])]
    picture = chart.picture(frame(thefts, "partner"))
    assert picture.title == (
        "Within 2 h records were exposed by 11 of 12 thefts with bearer and 4 of 12 thefts with "
        "DPoP, mTLS and HTTP signature. At the end 33 of 120 thieves can still read."
    )  # three thefts with the credential, and three signers that an agent is made to use
    assert len(style.titled(picture.title, picture.figure.get_figwidth())[1]) <= 2


def test_thefts_that_come_to_the_same_share_a_panel_and_curves_a_name() -> None:
    panels = curves.panels(frame(["wiretap", "log_line", "container_files", "prompt_injection"]))
    assert [panel.name for panel in panels] == [
        "wiretap and log line",
        "container files",
        "prompt injection",
    ]
    assert [group.name for group in panels[0].groups] == [
        "Bearer",
        "DPoP, mTLS and HTTP signature",
    ]
    assert {group.name: group.told for group in panels[2].groups} == {
        "Bearer": "10 exposed, 7 still within reach",
        "DPoP, mTLS and HTTP signature (key in a signer)": "10 exposed, 10 still within reach",
        "DPoP, mTLS and HTTP signature (key in a file or in memory)": (
            "0 exposed, never within reach"
        ),
    }


def test_a_client_is_named_where_there_are_several_and_a_way_to_authenticate_too() -> None:
    both = pd.concat([frame(["log_line"]), frame(["log_line"], "payer")])
    assert [panel.name for panel in curves.panels(both)] == ["log line, web", "log line, payer"]
    cases = [
        Case("web", "container_files", "dpop", "file", "kept_apart"),
        Case("web", "container_files", "mtls", "file", "kept_apart"),
        Case("web", "container_files", "mtls", "file", "tls_client_auth"),
    ]
    mine = over_time(Predictor(shop()), cases, Countermeasures(rotate_found_at=0), until=2 * HOUR)
    (panel,) = curves.panels(mine)
    assert {group.name: group.told for group in panel.groups} == {
        "mTLS (authenticates by the same certificate)": "5 exposed, 5 still within reach",
        "DPoP and mTLS (credential kept apart)": "5 exposed, out after 1 h",
    }


def test_a_curve_s_value_between_two_steps_is_what_is_drawn() -> None:
    curve = curves.Curve("dpop", "file", "", ((0, 5, 0), (10, 2, 4), (20, 0, 4)))
    assert curve.points("exposed") == [(0, 0), (10, 4), (20, 4)]
    assert curve.points("within_reach") == [(0, 5), (10, 5), (10, 2), (20, 2), (20, 0)]
    assert [curve.at("exposed", moment) for moment in (0, 5, 10, 15, 20)] == [0, 2, 4, 4, 4]
    assert [curve.at("within_reach", moment) for moment in (0, 9, 10, 20)] == [5, 5, 2, 0]
    assert curve.out_at == 20


def test_the_moments_that_count_are_marked_and_named() -> None:
    slow = frame(["log_line"], until=60, seconds_per_record=2, measures=EVERY)
    picture = chart.picture(slow, MARKS | {"long after": 900.0})
    drawn = " ".join(text for text, _ in texts(picture.figure))
    assert "a: tokens revoked, at 20 s. b: foothold ended, at 25 s. c: credentials" in drawn
    assert "Marked: tokens revoked at 20 s, foothold ended at 25 s and credentials" in picture.alt
    assert "long after" not in drawn + picture.alt
    assert_readable(picture.figure)
    crowd = chart.picture(slow, {f"moment {n}": 30 + n / 10 for n in range(12)})
    assert_readable(crowd.figure)
    assert "abcdefghijkl" in [text for text, _ in texts(crowd.figure)]


@pytest.mark.parametrize("most", [0, 1, 120, 1_000_000])
def test_nothing_overlaps_with_every_theft_binding_and_custody(most: int) -> None:
    rows = [
        ("web", theft, binding, custody, "client_secret_basic", seconds, reach, exposed)
        for number, theft in enumerate(YIELDS)
        for place, (binding, custody) in enumerate([*PAIRS, ("a_binding_with_a_long_name", "file")])
        for seconds, reach, exposed in (
            (0.0, most, 0),
            (60.0 * (place + 1), most // (number + 1), most // (place + 1)),
            (86400.0, 0, most // (place + 1)),
        )
    ]
    columns = list(OVER_TIME_DTYPES)
    picture = chart.picture(pd.DataFrame(rows, columns=columns).astype(OVER_TIME_DTYPES), MARKS)
    assert_readable(picture.figure)


def test_a_binding_has_its_colour_and_marker_here_too() -> None:
    picture = chart.picture(frame(["log_line"]))
    lines = [line for line in picture.figure.axes[0].lines if line.get_marker() != "None"]
    marks = {(line.get_color(), line.get_marker()) for line in lines}
    bindings = ("bearer", "dpop", "mtls", "http_signature")
    assert marks == {(palette.mark(name).colour, palette.mark(name).marker) for name in bindings}


def test_the_picture_is_said_in_words_and_always_the_same() -> None:
    first, second = (chart.picture(frame(["log_line"]), MARKS) for _ in range(2))
    assert first.svg == second.svg
    root = ElementTree.fromstring(first.svg)
    assert root.findtext("{http://www.w3.org/2000/svg}desc") == first.alt
    assert first.alt.startswith(first.title)
    assert "After log line: Bearer: 10 exposed, 7 still within reach; DPoP" in first.alt
    assert f"var(--ink,{palette.LIGHT['ink']})" in first.themed_svg


def test_nothing_to_draw_is_said_and_not_drawn() -> None:
    with pytest.raises(LabError, match="no curves to show"):
        chart.picture(pd.DataFrame(columns=list(OVER_TIME_DTYPES)))
