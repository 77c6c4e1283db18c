"""One audience, and no more scope than asked for."""

from __future__ import annotations

import pytest

from labsim.rejection import Reason, Rejected
from labsim.roles.form import Form
from labsim.roles.narrowing import chosen_audience, chosen_scopes

A, B = "https://a.test", "https://b.test"
RESOURCES = {A: "a", B: "b"}
ALLOWED = frozenset({"a.read", "a.write", "b.read"})


@pytest.mark.parametrize(
    ("scope", "resources", "allowed", "audience"),
    [
        (None, (A,), ALLOWED, A),
        ("b.read", (A,), ALLOWED, A),  # that the scope does not fit is said later
        ("b.read", (), ALLOWED, B),
        ("a.read a.write", (), ALLOWED, A),
        (None, (), frozenset({"b.read"}), B),
    ],
)
def test_the_resource_decides_and_else_the_scopes(
    scope: str | None, resources: tuple[str, ...], allowed: frozenset[str], audience: str
) -> None:
    form = Form({"scope": scope} if scope else {}, resources)
    assert chosen_audience(form, allowed, RESOURCES) == audience


@pytest.mark.parametrize(
    ("scope", "resources", "check"),
    [
        (None, (A, B), "one_resource_is_asked_for"),
        (None, (A, A), "one_resource_is_asked_for"),
        (None, ("https://c.test",), "resource_is_known"),
        (None, (), "resource_is_named"),
        ("a.read b.read", (), "resource_is_named"),
        ("c.read", (), "resource_is_named"),
        ("a", (B, B), "one_resource_is_asked_for"),
    ],
)
def test_no_audience_is_guessed(scope: str | None, resources: tuple[str, ...], check: str) -> None:
    form = Form({"scope": scope} if scope else {}, resources)
    with pytest.raises(Rejected) as refused:
        chosen_audience(form, ALLOWED, RESOURCES)
    assert (refused.value.reason, refused.value.check) == (Reason.TARGET_INVALID, check)


def test_without_a_scope_a_client_gets_all_it_has_at_the_resource() -> None:
    assert chosen_scopes(Form({}), ALLOWED, "a") == {"a.read", "a.write"}
    assert chosen_scopes(Form({"scope": "a.read"}), ALLOWED, "a") == {"a.read"}


@pytest.mark.parametrize("scope", ["a.delete", "b.read", "a.read b.read", "a.read  a.write", '"'])
def test_no_scope_is_given_that_was_not_granted(scope: str) -> None:
    with pytest.raises(Rejected) as refused:
        chosen_scopes(Form({"scope": scope}), ALLOWED, "a")
    assert refused.value.reason is Reason.SCOPE_INVALID


def test_a_name_that_begins_like_another_is_another() -> None:
    with pytest.raises(Rejected) as refused:
        chosen_scopes(Form({}), frozenset({"ab.read"}), "a")
    assert refused.value.check == "client_may_use_the_resource"
