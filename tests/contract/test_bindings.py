"""What is true of every binding, whichever there are: run over all rooms."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.binding import Binding
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from tests.exchange import answer, assert_refused, assert_served
from tests.hostile import FIELD_TEXT, compact_jws, damaged, fields
from tests.wiring import BINDINGS, RECORD, Lab

BOUND = [binding for binding in BINDINGS.values() if binding.confirmation is not None]
each = pytest.mark.parametrize("binding", BINDINGS.values(), ids=lambda binding: binding.name)
each_bound = pytest.mark.parametrize("binding", BOUND, ids=lambda binding: binding.name)
each_pair = pytest.mark.parametrize(
    ("binding", "other"),
    [pytest.param(*p, id=f"{p[0].name} {p[1].name}") for p in permutations(BINDINGS.values(), 2)],
)


def presented(lab: Lab, binding: Binding, token: str, holder: Any = None) -> Request:
    return binding.attach(Request("GET", RECORD), lab.presentation(token, holder))


@each
def test_the_holder_is_served(lab: Lab, binding: Binding) -> None:
    token = lab.token(binding.name)
    assert token.binding == binding.name
    for _ in range(2):
        assert_served(lab, presented(lab, binding, token.access_token))
        assert lab.event is not None
        assert lab.event["binding"] == binding.name


@each_bound
def test_a_thief_with_a_key_of_its_own_is_refused(lab: Lab, binding: Binding) -> None:
    token = lab.token(binding.name).access_token
    assert_served(lab, presented(lab, binding, token))
    assert_refused(
        lab,
        presented(lab, binding, token, lab.thief),
        status=401,
        error="invalid_token",
        reason=Reason.BINDING_MISMATCH,
        check=binding.binding_checks[-1].name,
    )
    assert_served(lab, presented(lab, binding, token))


@each_bound
def test_a_thief_with_the_token_alone_is_refused(lab: Lab, binding: Binding) -> None:
    token = lab.token(binding.name).access_token
    request = Request("GET", RECORD, (("Authorization", f"{binding.scheme} {token}"),))
    assert answer(lab, request).status == 401
    assert lab.event is not None
    assert lab.event["reason"] == Reason.PROOF_MISSING.name
    assert_served(lab, presented(lab, binding, token))


@each
def test_the_token_says_what_it_is_bound_to(lab: Lab, binding: Binding) -> None:
    from labsim.attacker import token_claims

    cnf = token_claims(lab.token(binding.name).access_token).get("cnf", {})
    assert list(cnf) == ([binding.confirmation] if binding.confirmation else [])


@each_pair
def test_the_request_cannot_choose_the_binding(lab: Lab, binding: Binding, other: Binding) -> None:
    """A token of one binding, presented in every way as the other's tokens are."""
    token = lab.token(binding.name).access_token
    for holder in (lab.holder, lab.thief):
        response = answer(lab, presented(lab, other, token, holder))
        assert lab.event is not None
        assert lab.event["binding"] in ("", binding.name)
        assert response.status == 401 or lab.event["binding"] == binding.name
    assert_served(lab, presented(lab, binding, token))


@each
def test_two_bindings_for_the_same_token_are_an_error_at_the_start(
    lab: Lab, binding: Binding
) -> None:
    twin = replace(binding, name="twin")
    with pytest.raises(ValueError, match="two bindings for the same token"):
        replace(lab.orders, bindings=(*BINDINGS.values(), twin))
    replace(lab.orders, bindings=(*BINDINGS.values(), replace(twin, confirmation="another")))


@each
def test_a_check_that_is_not_there_cannot_be_taken_out(binding: Binding) -> None:
    with pytest.raises(KeyError, match=f"{binding.name} has no check jti_is_nwe"):
        binding.without("jti_is_nwe")


@each
def test_what_was_taken_out_is_missing_and_the_rest_is_not(binding: Binding) -> None:
    names = [check.name for check in binding.checks]
    for name in names:
        assert [check.name for check in binding.without(name).checks] == [
            n for n in names if n != name
        ]
    assert [check.name for check in binding.checks] == names
    assert binding.without(*names).checks == ()


def refusal_of(binding: Binding, request: Request) -> Reason | None:
    try:
        binding.parse(request)
    except Rejected as rejection:
        return rejection.reason
    return None


@each
@given(data=st.data())
def test_whatever_stands_in_its_fields_parse_returns_a_proof_or_rejects(
    binding: Binding, data: st.DataObject
) -> None:
    lab = Lab()
    good = presented(lab, binding, "a.b.c")
    names = [name for name, _ in good.fields] or ["Authorization"]
    values = st.one_of(compact_jws(), *(damaged(value) for _, value in good.fields))
    lines = data.draw(fields(*names, values=values))
    refused = refusal_of(binding, Request("GET", RECORD, lines))
    assert refused in (None, Reason.PROOF_MISSING, Reason.PROOF_MALFORMED)


@each
@given(data=st.data())
def test_whatever_stands_beside_a_good_token_it_is_judged_by_its_own_binding(
    binding: Binding, data: st.DataObject
) -> None:
    lab = Lab()
    good = presented(lab, binding, lab.token(binding.name).access_token)
    lines = data.draw(fields(*(name for name, _ in good.fields), values=FIELD_TEXT))
    for request in (
        replace(good, fields=good.fields + lines),
        replace(good, fields=lines + good.fields),
    ):
        assert answer(lab, request).status in (200, 400, 401)
        assert lab.event is not None
        assert lab.event["binding"] in ("", binding.name)
