"""The token request's form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.form import FORM, Form, form_request, read_form

URL = "https://as.test/token"


def posted(body: str) -> Request:
    return Request("POST", URL, (("Content-Type", FORM),), body.encode())


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=5))
def test_what_a_client_posts_is_what_the_server_reads(parameters: dict[str, str]) -> None:
    form = read_form(form_request(URL, parameters))
    for name, value in parameters.items():
        assert form.value(name) == (value or None) or name == "resource"


def test_a_parameter_without_a_value_counts_as_left_out() -> None:
    form = read_form(posted("a=&b=1&resource="))
    assert (form.value("a"), form.value("b"), form.value("c")) == (None, "1", None)
    assert form.resources == ()


def test_only_resource_may_stand_more_than_once() -> None:
    form = read_form(posted("resource=https%3A%2F%2Fa&b=1&resource=https%3A%2F%2Fb"))
    assert form.resources == ("https://a", "https://b")
    assert form.value("resource") is None


def test_an_empty_body_is_an_empty_form() -> None:
    assert read_form(posted("")) == Form({}, ())


def test_a_required_parameter_is_named_when_it_is_missing() -> None:
    assert Form({"a": "1"}).required("a") == "1"
    with pytest.raises(Rejected) as refused:
        Form({"a": ""}).required("a")
    assert (refused.value.reason, refused.value.detail) == (Reason.REQUEST_MALFORMED, "a")


@pytest.mark.parametrize("body", ["a", "a&b=1", "a=%ff", "a=1&a=1", "&"])
def test_what_is_no_form_is_refused(body: str) -> None:
    with pytest.raises(Rejected):
        read_form(posted(body))


def test_a_semicolon_separates_nothing() -> None:
    assert read_form(posted("a=1;b=2")).value("a") == "1;b=2"
