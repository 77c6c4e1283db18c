"""What is asked over a line: operations with typed members, requests and outcomes as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import LabError
from labsim.estate.dialler import _ANSWER_BYTES
from labsim.estate.json_lines import (
    LONGEST_LINE,
    Operation,
    Unusable,
    answered,
    outcome_from_json,
    outcome_to_json,
    request_from_json,
)
from labsim.http_message import Ending, Outcome, Request, Response


def double(number: int, word: str | None) -> dict[str, Any]:
    return {"twice": 2 * number, "word": word}


def fail(how: str) -> dict[str, Any]:
    raise LabError("It is broken.") if how == "lab" else Unusable("too odd")


OPERATIONS = {
    "double": Operation(double, {"number": int, "word": str | None}),
    "fail": Operation(fail, {"how": str}),
    "nothing": Operation(dict, {}),
}


def test_an_operation_is_done_with_its_members() -> None:
    asked = {"do": "double", "number": 4, "word": None}
    assert answered(OPERATIONS, asked) == {"twice": 8, "word": None}
    assert answered(OPERATIONS, {"do": "nothing"}) == {}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "there is double, fail, nothing"),
        ({"do": "triple"}, "there is double, fail, nothing"),
        ({"do": ["double"]}, "there is double, fail, nothing"),
        ({"do": None}, "there is double, fail, nothing"),
        ({"do": "double"}, "double takes number, word"),
        ({"do": "double", "number": 1}, "double takes number, word"),
        ({"do": "double", "number": 1, "word": "a", "self": 1}, "double takes number, word"),
        ({"do": "nothing", "more": 1}, "nothing takes nothing"),
        ({"do": "double", "number": "1", "word": "a"}, "number is of the wrong type"),
        ({"do": "double", "number": 1, "word": ["a"]}, "word is of the wrong type"),
        ({"do": "fail", "how": "lab"}, "It is broken."),
        ({"do": "fail", "how": "odd"}, "too odd"),
    ],
)
def test_what_cannot_be_done_is_refused_and_says_why(asked: dict[str, Any], why: str) -> None:
    assert answered(OPERATIONS, asked) == {"refused": why}


def test_a_mistake_of_the_lab_itself_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        answered(
            {"divide": Operation(lambda by: {"is": 1 / by}, {"by": int})}, {"do": "divide", "by": 0}
        )


REQUEST = Request("POST", "https://orders.test/records?a=%20", (("X", "\xe9"),), b"\x00\xff")


def test_a_request_survives_the_line() -> None:
    assert request_from_json(json.loads(json.dumps(REQUEST.to_json()))) == REQUEST


@pytest.mark.parametrize(
    "changed",
    [
        {"method": 5},
        {"method": None},
        {"url": ["https://orders.test"]},
        {"fields": {"X": "y"}},
        {"fields": "ab"},
        {"fields": [["X"]]},
        {"fields": [["X", 1]]},
        {"fields": [["X", "y", "z"]]},
        {"fields": ["XY"]},
        {"fields": None},
        {"body": None},
        {"body": "\u20ac"},
        {"body": "\ud800"},
        {"url": "https://orders.test/\u20ac"},
        {"fields": [["X", "\ud800"]]},
    ],
)
def test_what_is_no_request_is_unusable(changed: dict[str, Any]) -> None:
    with pytest.raises(Unusable, match="a request"):
        request_from_json({**REQUEST.to_json(), **changed})
    for member in changed:
        short = {name: value for name, value in REQUEST.to_json().items() if name != member}
        with pytest.raises(Unusable, match="a request"):
            request_from_json(short)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["method", "url", "fields", "body"]),
)
def test_any_json_is_a_request_or_unusable(value: Any, member: str) -> None:
    try:
        made = request_from_json({**REQUEST.to_json(), member: value})
    except Unusable:
        return
    assert isinstance(made.wire(), bytes)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.answered(REQUEST, Response(401, (("A", "\xff"), ("A", "b")), bytes(range(256)))),
        Outcome(Ending.UNREACHABLE, REQUEST, None, "Nobody listens there."),
        Outcome(Ending.NOT_POSSIBLE, detail="it cannot be sent"),
    ],
)
def test_an_outcome_survives_the_line(outcome: Outcome) -> None:
    assert outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome)))) == outcome


def test_the_largest_answer_that_a_dialler_takes_fits_into_a_line() -> None:
    largest = Outcome.answered(REQUEST, Response(200, (), b"\xff" * _ANSWER_BYTES))
    assert len(json.dumps(outcome_to_json(largest))) < LONGEST_LINE
