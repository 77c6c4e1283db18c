"""Bearer: what is missing in it is the lesson."""

from __future__ import annotations

from labsim.bindings.bearer import BINDING
from labsim.http_message import Request
from tests.wiring import Lab

REQUEST = Request("GET", "https://a.test/")


def test_the_token_is_all_that_is_attached(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation("t"))
    assert attached.fields == (("Authorization", "Bearer t"),)


def test_the_token_endpoint_is_shown_nothing(lab: Lab) -> None:
    assert BINDING.attach(REQUEST, lab.presentation(None)) == REQUEST


def test_no_key_is_introduced_and_none_is_bound() -> None:
    assert not BINDING.introduced(REQUEST.adding("DPoP", "x"))
    assert BINDING.bind(BINDING.parse(REQUEST)) == {}
    assert BINDING.checks == ()
