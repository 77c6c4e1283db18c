"""Section 11 and beside it: who the client is, at the token endpoint (RFC 6749, RFC 7523)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.client_authentication import basic, secret_hash
from labsim.roles.form import form_request
from tests.exchange import assert_refused, assert_served, token_request
from tests.jws import Change, Jws
from tests.wiring import ORDERS, SECRET, TOKEN_ENDPOINT, Lab

NOW = 1_800_000_000
INVALID, UNKNOWN = Reason.CLIENT_CREDENTIAL_INVALID, Reason.CLIENT_UNKNOWN
ASKED = {"grant_type": "client_credentials", "resource": ORDERS}


def bare(**more: str) -> Request:
    return form_request(TOKEN_ENDPOINT, {**ASKED, **more})


def test_a_client_that_is_not_who_it_says_is_told_no_more(lab: Lab) -> None:
    """CA-02: what comes with the refusal."""
    bad = basic("free", "wrong")(bare())
    refusal = {"reason": INVALID, "check": "secret_is_the_clients"}
    response = assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assert response.values("WWW-Authenticate") == ['Basic realm="labsim"']
    assert response.values("Cache-Control") == ["no-store"]
    assert response.json() == {"error": "invalid_client"}


def test_a_secret_is_no_way_in_for_a_client_with_a_key(lab: Lab) -> None:
    """CA-05, and CA-08 for a secret beside an assertion."""
    refusal = {"reason": INVALID, "check": "method_is_the_registered_one"}
    bad = basic("keyed", SECRET)(bare())
    assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assertion = dict(parse_qsl(token_request(lab, "keyed").body.decode()))
    both = basic("free", SECRET)(form_request(TOKEN_ENDPOINT, assertion))
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "client_authenticates_one_way"}
    assert_refused(lab, both, status=400, error="invalid_request", **refusal)


@pytest.mark.parametrize("secret", [SECRET, "a:b", "a+b", "a%2Bb", "a b", "\u00fc", ":", "%"])
def test_a_secret_may_hold_any_character(lab: Lab, secret: str) -> None:
    """CA-09: form-encoded before it becomes Basic (RFC 6749 section 2.3.1)."""
    lab.clients["free"] = replace(lab.clients["free"], secret_hash=secret_hash(secret))
    assert_served(lab, basic("free", secret)(bare()))
    assert_served(lab, basic("free", secret)(bare(client_id="free")))


EXPIRY = "expiry_is_near"


def with_assertion(lab: Lab, change: Change, **parameters: str) -> Request:
    good = token_request(lab, "keyed", **parameters)
    form = dict(parse_qsl(good.body.decode()))
    form["client_assertion"] = Jws.of(form["client_assertion"], lab.client_key).text(change)
    return replace(good, body=urlencode(form).encode())


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"exp": NOW + 300}, ""),
        ({"exp": NOW + 301}, EXPIRY),
        ({"nbf": NOW + 10}, ""),
        ({"nbf": NOW + 11}, "assertion_is_already_valid"),
        ({"sub": "free"}, "method_is_the_registered_one"),
    ],
)
def test_an_assertion_at_an_edge(lab: Lab, claims: dict[str, Any], check: str) -> None:
    """CJ-04d, CJ-06, CJ-07: on a clock that stands, and for a client with a secret."""
    request = with_assertion(lab, Change(claims=claims))
    if check:
        refusal = {"reason": INVALID, "check": check}
        assert_refused(lab, request, status=401, error="invalid_client", **refusal)
    else:
        assert_served(lab, request)
    assert_served(lab, with_assertion(lab, Change(), client_id="keyed"))


def test_an_assertion_opens_the_door_once(lab: Lab) -> None:
    """CJ-13, and what is spent is remembered until the assertion expires."""
    request = token_request(lab, "keyed")
    assert_served(lab, request)
    for seconds in (0, 30, 29):
        lab.clock.advance(seconds)
        refusal = {"reason": INVALID, "check": "assertion_is_unused"}
        assert_refused(lab, request, status=401, error="invalid_client", **refusal)
        assert_served(lab, token_request(lab, "keyed"))
    lab.clock.advance(1)
    assert_refused(lab, request, status=401, error="invalid_client", reason=INVALID, check=EXPIRY)


def test_one_clients_jti_is_not_anothers(lab: Lab) -> None:
    """CJ-15: the memory is kept by client."""
    lab.clients["twin"] = replace(lab.clients["keyed"], client_id="twin")
    for client in ("keyed", "twin"):
        claims = {"jti": "same", "iss": client, "sub": client}
        assert_served(lab, with_assertion(lab, Change(claims=claims)))
