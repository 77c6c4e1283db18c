"""Incidents as a picture: the course that was predicted, and on it each try as it was measured."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from labsim.blast.incident import Incident, Tried, courses, followed
from labsim.blast.means import Case, Countermeasures
from labsim.blast.predicted import Predictor
from labsim.charts import incidents as chart
from labsim.charts import lanes, palette
from labsim.charts.picture import Picture
from labsim.errors import LabError
from tests.unit.small_plans import client, plan_of, resource
from tests.unit.test_charts import assert_readable, texts

BINDINGS = ("bearer", "dpop", "mtls", "http_signature")
ALONE = Incident(
    name="alone",
    title="Nothing is done",
    cases=tuple(
        Case("web", "log_line", binding, "none" if binding == "bearer" else "file")
        for binding in BINDINGS
    ),
    moments=(0, 1800, 3600),
)
COPIED = Incident(
    name="copied",
    title="The key is copied, and the certificate is never revoked however long anybody waits",
    cases=(
        Case("web", "container_files", "dpop", "file", "kept_apart"),
        Case("web", "container_files", "mtls", "file", "tls_client_auth"),
    ),
    moments=(0, 3590, 3600, 7200),
    measures=Countermeasures(),
)


def predictor() -> Predictor:
    resources = (resource("orders", "a", "b", "c"), resource("mail", "d", "e"))
    return Predictor(plan_of(resources, (client("web", "orders", "mail"),)))


def tries(incident: Incident, *counts: int) -> list[Tried]:
    return [
        Tried(moment, moment, 2, frozenset(f"r{n}" for n in range(count)))
        for moment, count in zip(incident.moments, counts, strict=True)
    ]


def measured(wrong: int = 5) -> Any:
    made = [(ALONE, ALONE.cases[0], tries(ALONE, 5, wrong, 0))]
    made += [(ALONE, case, tries(ALONE, 0, 0, 0)) for case in ALONE.cases[1:]]
    made.append((COPIED, COPIED.cases[0], tries(COPIED, 5, 5, 0, 0)))
    made.append((COPIED, COPIED.cases[1], tries(COPIED, 5, 5, 5, 5)))
    return followed(predictor(), made)


def drawn(frame: Any) -> Picture:
    both = (ALONE, COPIED)
    titles = {incident.name: incident.title for incident in both}
    return chart.picture(frame, courses(predictor(), both), titles)


def found(frame: Any) -> list[lanes.Lane]:
    return lanes.lanes(frame, courses(predictor(), (ALONE, COPIED)), {"alone": "Nothing is done"})


def test_the_title_says_who_is_still_served() -> None:
    assert drawn(measured()).title == (
        "Of 3 thieves that were served records, 1 still is 2 h after the theft: mTLS, whose key is "
        "the client's authentication too; the others were out by 1 h after the theft."
    )


def test_the_title_says_where_measured_and_predicted_differ() -> None:
    assert "In 1 try measured and predicted differ." in drawn(measured(wrong=4)).title
    assert "differ" not in drawn(measured()).title


def test_cases_that_came_to_the_same_share_a_lane() -> None:
    first, second, *rest = found(measured())
    assert (first.name, first.told) == ("Bearer, log line", "5 records, none from 1 h on")
    assert second.name == "DPoP, mTLS and HTTP signature, log line"
    assert second.told == "no record was ever served"
    assert second.bindings == BINDINGS[1:]
    assert [lane.told for lane in rest] == [
        "5 records, none from 1 h on",
        "5 records, served after 2 h still",
    ]
    assert rest[1].name.endswith("which also authenticates the client")
    assert first.corners == [(0, 5), (3600, 5), (3600, 0)]


def test_two_tries_at_nearly_one_moment_are_drawn_once_if_they_ended_alike() -> None:
    dpop, mtls = found(measured())[2:]
    assert [each.seconds for each in mtls.shown(60)] == [0, 3600, 7200]
    assert [each.seconds for each in dpop.shown(60)] == [0, 3590, 3600, 7200]


def test_nothing_overlaps_and_each_lane_says_how_it_ended() -> None:
    picture = drawn(measured())
    assert_readable(picture.figure)
    shown = " ".join(text for text, _ in texts(picture.figure))
    assert "predicted from the plan alone" in shown
    assert "no record was ever served" in shown
    for lane in found(measured()):
        assert lane.name in picture.alt
    ElementTree.fromstring(picture.svg)


def test_a_binding_has_its_marker_full_where_it_was_served() -> None:
    lines = drawn(measured()).figure.axes[0].get_lines()
    marks = {(line.get_marker(), line.get_markerfacecolor()) for line in lines}
    for binding in BINDINGS:
        mark = palette.mark(binding)
        assert (mark.marker, mark.colour) in marks
        assert (mark.marker, palette.LIGHT["paper"]) in marks or binding == "mtls"


def test_without_a_row_there_is_no_picture() -> None:
    with pytest.raises(LabError, match="no incidents"):
        chart.picture(measured().iloc[:0], courses(predictor(), [ALONE]), {})


def test_nobody_was_served_anything() -> None:
    frame = followed(predictor(), [(ALONE, ALONE.cases[1], tries(ALONE, 0, 0, 0))])
    assert drawn(frame).title == "None of 1 thieves was served a record."
