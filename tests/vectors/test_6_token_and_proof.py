"""Section 6 of the catalogue, what is no change of one request: challenge, migration, two keys."""

from __future__ import annotations

from dataclasses import replace

from labsim.http_message import Request
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    RS,
    assert_refused,
    assert_served,
    good_request,
    token_request,
)
from tests.wiring import BINDINGS, RECORD, Lab


def test_a_challenge_says_what_to_do_and_nothing_more(lab: Lab) -> None:
    """DB-22: scheme, error code, algorithms and metadata; no reason, no check, no line break."""
    response = assert_refused(
        lab,
        good_request(lab, RS).without("DPoP"),
        status=401,
        error="invalid_dpop_proof",
        reason=Reason.PROOF_MISSING,
        check="proof_is_there",
    )
    where = 'resource_metadata="https://orders.test/.well-known/oauth-protected-resource"'
    assert sorted(response.values("WWW-Authenticate")) == [
        f"Bearer {where}",
        f'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519 EdDSA", {where}',
        f"HTTPSig {where}",
    ]
    assert response.json() == {"error": "invalid_dpop_proof"}


def test_a_server_that_knows_only_bearer_is_the_hazard_of_a_migration(lab: Lab) -> None:
    """DB-24: here a bound token is refused, since policy refuses a `cnf` that is not understood."""
    lab.orders = replace(lab.orders, bindings=(BINDINGS["bearer"],))
    bound, free = lab.token().access_token, lab.token("bearer").access_token
    plain = Request("GET", RECORD)
    assert_served(lab, plain.adding("Authorization", f"Bearer {free}"))
    assert_refused(
        lab,
        plain.adding("Authorization", f"Bearer {bound}"),
        status=401,
        error="invalid_token",
        reason=Reason.BINDING_UNSUPPORTED,
        check="one_accepted_binding_is_named",
    )


def test_a_token_request_needs_one_key_only(lab: Lab) -> None:
    """MT-23 for any two bindings: two keys at once are refused, never silently one picked."""
    other = replace(BINDINGS["dpop"], name="other", confirmation="other")
    lab.authorization_server = replace(
        lab.authorization_server, bindings=(*BINDINGS.values(), other)
    )
    assert_refused(
        lab,
        good_request(lab, AS),
        status=400,
        error="invalid_request",
        reason=Reason.REQUEST_MALFORMED,
        check="one_key_is_introduced",
    )
    assert_served(lab, token_request(lab, "free"))
