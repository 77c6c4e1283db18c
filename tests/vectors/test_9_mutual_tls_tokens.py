"""Section 9 of the catalogue, what is no change of one request: other clients, and refreshes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import DPOP, answer, assert_refused, assert_served, token_request
from tests.jws import Jws
from tests.wiring import BINDINGS, RECORD, Lab, certified

MTLS, SIGNED = BINDINGS["mtls"], BINDINGS["http_signature"]

type Make = Callable[[Lab, Request], Request]


@pytest.mark.parametrize("binding", ["bearer", "dpop", "http_signature"])
def test_a_certificate_beside_another_bindings_token_does_no_harm(lab: Lab, binding: str) -> None:
    """A listener that asks for certificates gets them from clients of every binding."""
    token = lab.token(binding).access_token
    request = BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token))
    assert_served(lab, replace(request, peer_certificate=lab.thief.certificate))


def dpop_too(lab: Lab, request: Request) -> Request:
    return DPOP.attach(request, lab.presentation())


def signature_too(lab: Lab, request: Request) -> Request:
    return SIGNED.attach(request, lab.presentation())


@pytest.mark.parametrize("client", ["mutual", "app", "signing", "free"])
@pytest.mark.parametrize(
    "also",
    [
        pytest.param(dpop_too, id="a proof"),
        pytest.param(signature_too, id="a signature"),
        pytest.param(lambda _, request: request.adding("DPoP", ""), id="an empty proof"),
        pytest.param(lambda _, request: request.adding("Signature", ""), id="half a signature"),
    ],
)
def test_two_keys_in_one_token_request_are_refused(lab: Lab, client: str, also: Make) -> None:
    """MT-23: whichever the client has registered; the server does not pick one."""
    request = replace(token_request(lab, client), peer_certificate=lab.holder.certificate)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "one_key_is_introduced"}
    assert_refused(lab, also(lab, request), status=400, error="invalid_request", **refusal)
    if client in ("mutual", "free"):
        assert_served(lab, request)


@pytest.mark.parametrize("client", ["app", "signing"])
def test_a_certificate_does_not_stand_in_for_the_registered_key(lab: Lab, client: str) -> None:
    request = replace(token_request(lab, client), peer_certificate=lab.holder.certificate)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "binding_is_the_registered_one"}
    assert_refused(lab, request, status=400, error="invalid_request", **refusal)


def refresh(lab: Lab, client: str, token: str, holder: SigningKey | None) -> Request:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    request = token_request(lab, client, **form)
    return request if holder is None else MTLS.attach(request, lab.presentation(None, holder))


@pytest.mark.parametrize(
    ("client", "error", "reason", "check"),
    [
        ("mutual", "invalid_request", Reason.PROOF_MISSING, "certificate_is_shown"),
        ("free", "invalid_grant", Reason.GRANT_INVALID, "refresh_keeps_the_binding"),
    ],
)
def test_a_refresh_without_the_certificate_is_refused(
    lab: Lab, client: str, error: str, reason: Reason, check: str
) -> None:
    """MT-16: the next token would silently be a bearer token. Nothing is spent by it."""
    lab.grant("first", client, "mtls")
    bad = refresh(lab, client, "first", None)
    assert_refused(lab, bad, status=400, error=error, reason=reason, check=check)
    assert_served(lab, refresh(lab, client, "first", lab.holder))


def test_a_refresh_with_another_proof_is_refused(lab: Lab) -> None:
    """MT-16."""
    lab.grant("first", "free", "mtls")
    bad = dpop_too(lab, refresh(lab, "free", "first", None))
    refusal = {"reason": Reason.GRANT_INVALID, "check": "refresh_keeps_the_binding"}
    assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)
    assert_served(lab, refresh(lab, "free", "first", lab.holder))


def test_a_refresh_after_a_rotation_binds_to_the_new_certificate(lab: Lab) -> None:
    """MT-16, must accept: a confidential client's refresh token is tied to its authentication.

    RFC 8705 sections 6.3 and 7.1; for public clients, of which there are none here, section 4.
    """
    lab.grant("first", "mutual", "mtls")
    renewed = certified(lab.holder, "holder")
    response = answer(lab, refresh(lab, "mutual", "first", renewed))
    token = response.json()["access_token"]
    request = MTLS.attach(Request("GET", RECORD), lab.presentation(token, renewed))
    assert_served(lab, request)
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    old = replace(request, peer_certificate=lab.holder.certificate)
    assert_refused(lab, old, status=401, error="invalid_token", **refusal)


def test_the_token_says_bearer_and_the_thumbprint(lab: Lab) -> None:
    """RFC 8705 section 3: there is no scheme of its own."""
    request = MTLS.attach(token_request(lab, "mutual"), lab.presentation())
    answered = assert_served(lab, request).json()
    claims = Jws.of(answered["access_token"], lab.issuer_key).claims
    assert answered["token_type"] == "Bearer"
    assert claims["cnf"] == {"x5t#S256": certificate_thumbprint(lab.holder.certificate or b"")}
