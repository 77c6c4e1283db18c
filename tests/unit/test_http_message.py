"""Requests and responses as values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Ending, Outcome, Request, Response
from tests.hostile import FIELD_TEXT

FIELDS = (("Accept", "a"), ("DPoP", "1"), ("dpop", "2"))
REQUEST = Request("GET", "https://a.test:8443/b/c?d=e", FIELDS)


def test_a_fields_name_has_no_case() -> None:
    assert REQUEST.values("DPOP") == ["1", "2"]
    assert REQUEST.value("DPOP") == "1"
    assert REQUEST.value("Cookie") is None
    response = Response(200, FIELDS)
    assert (response.values("DPOP"), response.value("DPOP")) == (["1", "2"], "1")
    assert response.value("Cookie") is None


def test_a_request_is_changed_by_a_copy() -> None:
    assert REQUEST.adding("A", "b").fields == (*FIELDS, ("A", "b"))
    assert REQUEST.without("DPoP", "Cookie").fields == FIELDS[:1]
    assert REQUEST.at("https://b.test/").url == "https://b.test/"
    assert Response(200).adding("A", "b").fields == (("A", "b"),)
    assert REQUEST.fields == FIELDS


@pytest.mark.parametrize(
    ("url", "authority", "path", "query", "target"),
    [
        ("https://a.test:8443/b/c?d=e", "a.test:8443", "/b/c", "d=e", "/b/c?d=e"),
        ("https://a.test", "a.test", "", "", "/"),
        ("https://a.test?d", "a.test", "", "d", "/?d"),
        ("https://a.test/b?", "a.test", "/b", "", "/b?"),
        ("https://a.test/b#c?d", "a.test", "/b", "", "/b"),
        ("https://a.test//b?c?d", "a.test", "//b", "c?d", "//b?c?d"),
        ("https://[::1]:1/b", "[::1]:1", "/b", "", "/b"),
        ("https://[", "[", "", "", "/"),
        ("", "", "", "", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, path: str, query: str, target: str) -> None:
    request = Request("GET", url)
    assert (request.authority, request.path, request.query) == (authority, path, query)
    assert request.target == target


@given(st.text(max_size=30))
def test_any_text_can_be_taken_apart(url: str) -> None:
    request = Request("GET", url)
    assert request.path in url
    assert request.query in url
    assert request.authority in url


def test_a_request_on_the_wire() -> None:
    assert REQUEST.wire() == (
        b"GET /b/c?d=e HTTP/1.1\r\nHost: a.test:8443\r\nAccept: a\r\nDPoP: 1\r\ndpop: 2\r\n\r\n"
    )
    posted = Request("POST", "https://a.test/", (("host", "x"), ("content-length", "9")), b"ab")
    assert posted.wire() == b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nab"
    assert b"Content-Length: 0" in Request("POST", "https://a.test/").wire()


def test_a_response_on_the_wire() -> None:
    assert (
        Response(401, (("A", "b"),), b"c").wire() == b"HTTP/1.1 401 Unauthorized\r\nA: b\r\n\r\nc"
    )
    assert Response(599).wire() == b"HTTP/1.1 599\r\n\r\n"


@given(method=FIELD_TEXT, name=FIELD_TEXT, value=FIELD_TEXT, body=st.binary(max_size=20))
def test_a_request_survives_json(method: str, name: str, value: str, body: bytes) -> None:
    request = Request(method, "https://a.test/", ((name, value),), body)
    assert Request.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_a_json_response_says_so() -> None:
    response = Response.of_json(400, {"error": "e"}, (("A", "b"),))
    assert response.fields == (("Content-Type", "application/json"), ("A", "b"))
    assert response.json() == {"error": "e"}
    with pytest.raises(ValueError, match="Expecting value"):
        Response(200, (), b"<html>").json()


@pytest.mark.parametrize(
    ("status", "ending"), [(200, "served"), (201, "served"), (400, "rejected"), (503, "rejected")]
)
def test_an_answer_is_served_or_rejected(status: int, ending: str) -> None:
    outcome = Outcome.answered(REQUEST, Response(status))
    assert outcome.ending is Ending(ending)
    assert (outcome.request, outcome.detail) == (REQUEST, "")
