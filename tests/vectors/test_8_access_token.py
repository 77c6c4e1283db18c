"""Section 8 of the catalogue, what is no change of one token: revocation, keys, permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsim.http_message import Request, Response
from labsim.keys import SigningKey, public_key
from labsim.rejection import Reason
from tests.exchange import answer, assert_challenged, assert_refused, assert_served
from tests.jws import Change, Jws
from tests.wiring import BINDINGS, ORDERS, RECORD, IssuerKeys, Lab

NOW = 1_800_000_000
THIEF = SigningKey.generate()


def issued_token(lab: Lab, binding: str) -> Jws:
    return Jws.of(lab.token(binding).access_token, lab.issuer_key)


def presented(lab: Lab, binding: str, token: str, **more: Any) -> Request:
    return BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token, **more))


def assert_good_token_served(lab: Lab, binding: str) -> None:
    token = issued_token(lab, binding).text(Change())
    assert_served(lab, presented(lab, binding, token))


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_token_is_good_to_its_last_second(lab: Lab, binding: str) -> None:
    """AT-11: on a clock that stands."""
    for ahead, is_served in ((1, True), (0, False)):
        token = issued_token(lab, binding).text(Change(claims={"exp": NOW + ahead}))
        if is_served:
            assert_served(lab, presented(lab, binding, token))
        else:
            refusal = {"reason": Reason.TOKEN_EXPIRED, "check": "token_is_not_expired"}
            bad = presented(lab, binding, token)
            assert_refused(lab, bad, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_revoked_token_is_refused(lab: Lab, binding: str) -> None:
    """AT-21."""
    token = issued_token(lab, binding)
    assert_served(lab, presented(lab, binding, token.text(Change())))
    lab.revoke_at(lab.orders, token.claims["jti"])
    refusal = {"reason": Reason.TOKEN_REVOKED, "check": "token_is_not_revoked"}
    bad = presented(lab, binding, token.text(Change()))
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    assert_good_token_served(lab, binding)


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_refusal_for_its_scope_says_which_scope(lab: Lab, binding: str) -> None:
    """AT-23."""
    token = issued_token(lab, binding).text(Change(claims={"scope": "orders.write"}))
    response = answer(lab, presented(lab, binding, token))
    assert_challenged(response, BINDINGS[binding].scheme, "insufficient_scope")
    assert all('scope="orders.read"' in value for value in response.values("WWW-Authenticate"))


def posted(lab: Lab, scope: str) -> Response:
    token = issued_token(lab, "dpop").text(Change(claims={"scope": scope}))
    request = Request("POST", f"{ORDERS}/records", (), b'{"title":"new"}')
    return answer(lab, BINDINGS["dpop"].attach(request, lab.presentation(token)))


def test_reading_is_no_permission_to_write(lab: Lab) -> None:
    """AT-23."""
    assert posted(lab, "orders.write").status == 201
    assert posted(lab, "orders.read").status == 403
    assert posted(lab, "orders.read orders.write").status == 201


def test_a_key_of_another_kind_under_the_same_kid_verifies_nothing(lab: Lab) -> None:
    """AT-25: the algorithm is the key's, never the header's."""
    kid = issued_token(lab, "bearer").header["kid"]
    other = public_key(SigningKey.generate("Ed25519").public_jwk)
    lab.orders = replace(lab.orders, issuer_keys=IssuerKeys({kid: other}))
    request = presented(lab, "bearer", issued_token(lab, "bearer").text(Change()))
    refusal = {"reason": Reason.TOKEN_SIGNATURE_INVALID, "check": "signature_is_by_the_issuer"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)
