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
from tests.jws import GONE, Change, Jws
from tests.wiring import ORDERS, SECRET, TOKEN_ENDPOINT, Lab

NOW = 1_800_000_000
INVALID = Reason.CLIENT_CREDENTIAL_INVALID
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


def header(**changes: Any) -> Change:
    return Change(header=changes)


def with_assertion(lab: Lab, change: Change, **parameters: str) -> Request:
    good = token_request(lab, "keyed", **parameters)
    form = dict(parse_qsl(good.body.decode()))
    form["client_assertion"] = Jws.of(form["client_assertion"], lab.client_key).text(change)
    return replace(good, body=urlencode(form).encode())


GOOD = {
    "exp at the bound": Change(claims={"exp": NOW + 300}),
    "nbf within the slack": Change(claims={"nbf": NOW + 10}),
    "typ missing": header(typ=GONE),
    "typ of its own": header(typ="client-authentication+jwt"),
    "an unknown claim": Change(claims={"foo": 1}),
    "iat missing": Change(claims={"iat": GONE}),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_good_client_assertion_is_served(lab: Lab, change: Change) -> None:
    assert_served(lab, with_assertion(lab, change))
    assert_served(lab, with_assertion(lab, change, client_id="keyed"))


@pytest.mark.parametrize(
    ("claim", "ahead", "check"),
    [
        ("exp", 301, "expiry_is_near"),
        ("exp", -1, "expiry_is_near"),
        ("nbf", 11, "assertion_is_already_valid"),
        ("iat", 11, "assertion_is_already_valid"),
    ],
)
def test_a_second_beyond_an_edge_is_refused(lab: Lab, claim: str, ahead: int, check: str) -> None:
    """CJ-06 and CJ-07 at the edge itself, on a clock that stands."""
    bad = with_assertion(lab, Change(claims={claim: NOW + ahead}))
    assert_refused(lab, bad, status=401, error="invalid_client", reason=INVALID, check=check)


def test_another_assertion_type_is_refused(lab: Lab) -> None:
    """CJ-12: RFC 7523 section 2.2."""
    for kind in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", ""):
        good = dict(parse_qsl(token_request(lab, "keyed").body.decode()))
        bad = form_request(TOKEN_ENDPOINT, {**good, "client_assertion_type": kind})
        refusal = {"reason": INVALID, "check": "assertion_type_is_jwt_bearer"}
        assert_refused(lab, bad, status=401, error="invalid_client", **refusal)


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
    assert_refused(
        lab, request, status=401, error="invalid_client", reason=INVALID, check="expiry_is_near"
    )


def test_a_refused_request_does_not_spend_its_assertion(lab: Lab) -> None:
    """CJ-14: it is spent when all else is good, so that the client may mend the rest."""
    good = token_request(lab, "keyed")
    body = good.body.replace(b"client_credentials", b"password")
    refusal = {"reason": Reason.GRANT_UNSUPPORTED, "check": "grant_type_is_supported"}
    assert_refused(
        lab, replace(good, body=body), status=400, error="unsupported_grant_type", **refusal
    )
    assert_served(lab, good)


def test_one_clients_jti_is_not_anothers(lab: Lab) -> None:
    """CJ-15: the memory is kept by client."""
    lab.clients["twin"] = replace(lab.clients["keyed"], client_id="twin")
    for client in ("keyed", "twin"):
        claims = {"jti": "same", "iss": client, "sub": client}
        assert_served(lab, with_assertion(lab, Change(claims=claims)))
