"""Section 9 of the catalogue: tokens bound to a certificate, at both servers.

What the connection shows is in test_9_mutual_tls.py, and what stands elsewhere is listed there.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.jose import b64url
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import DPOP, answer, assert_refused, assert_served, token_request
from tests.jws import Change, Jws
from tests.wiring import BINDINGS, RECORD, Lab, certified

MTLS, SIGNED = BINDINGS["mtls"], BINDINGS["http_signature"]

type Make = Callable[[Lab, Request], Request]


def good(lab: Lab) -> Request:
    """Present a token that is bound to the holder's certificate, over the right connection."""
    token = lab.token("mtls", "mutual").access_token
    return MTLS.attach(Request("GET", RECORD), lab.presentation(token))


def public_half(lab: Lab) -> bytes:
    return lab.holder.private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def pem(lab: Lab) -> bytes:
    lines = b64encode(lab.holder.certificate or b"")
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"


def sha1(lab: Lab) -> str:
    return b64url(hashlib.sha1(lab.holder.certificate or b"").digest())


def hexadecimal(lab: Lab) -> str:
    return hashlib.sha256(lab.holder.certificate or b"").hexdigest()


THUMBPRINTS: tuple[tuple[str, str, Callable[[Lab, str], Any]], ...] = (
    ("MT-21", "padded", lambda _, good: f"{good}="),
    ("MT-21b", "hexadecimal", lambda lab, _: hexadecimal(lab)),
    ("MT-21c", "hexadecimal with colons", lambda lab, _: bytes.fromhex(hexadecimal(lab)).hex(":")),
    ("MT-21d", "SHA-1", lambda lab, _: sha1(lab)),
    ("MT-21e", "of the public key", lambda lab, _: certificate_thumbprint(public_half(lab))),
    ("MT-21f", "of the PEM", lambda lab, _: certificate_thumbprint(pem(lab))),
    ("MT-21g", "base64 instead of base64url", lambda lab, _: b64encode(bytes.fromhex(hexadecimal(lab))).decode()),
    ("MT-21h", "in another case", lambda _, good: good.swapcase()),
    ("MT-21i", "cut", lambda _, good: good[:-1]),
    ("MT-21j", "with white space", lambda _, good: f" {good}"),
    ("MT-21k", "empty", lambda _, good: ""),
    ("MT-21l", "null", lambda _, good: None),
    ("MT-21m", "true", lambda _, good: True),
    ("MT-21n", "a number", lambda _, good: 1),
    ("MT-21o", "an array", lambda _, good: [good]),
    ("MT-21p", "an object", lambda _, good: {"x5t#S256": good}),
)  # fmt: skip


def bound_to(lab: Lab, request: Request, cnf: Any) -> Request:
    """Put a token into the request that says another `cnf`, signed by the issuer."""
    token = str(request.value("Authorization")).removeprefix("Bearer ")
    changed = Jws.of(token, lab.issuer_key).text(Change(claims={"cnf": cnf}))
    return request.without("Authorization").adding("Authorization", f"Bearer {changed}")


@pytest.mark.parametrize(
    "change", [pytest.param(change, id=f"{id} {what}") for id, what, change in THUMBPRINTS]
)
def test_a_thumbprint_of_another_shape_is_none(lab: Lab, change: Callable[[Lab, str], Any]) -> None:
    thumbprint = certificate_thumbprint(lab.holder.certificate or b"")
    assert_served(lab, bound_to(lab, good(lab), {"x5t#S256": thumbprint}))
    bad = bound_to(lab, good(lab), {"x5t#S256": change(lab, thumbprint)})
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    assert_served(lab, good(lab))


@pytest.mark.parametrize("member", ["x5t", "x5t#s256", "x5t#S1", "x5c", "X5T#S256"])
def test_another_members_thumbprint_binds_to_nothing_known(lab: Lab, member: str) -> None:
    """MT-21: a token that is bound in a way nobody here knows is no bearer token."""
    bad = bound_to(lab, good(lab), {member: sha1(lab)})
    refusal = {"reason": Reason.BINDING_UNSUPPORTED, "check": "one_accepted_binding_is_named"}
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)


def with_a_proof(lab: Lab, request: Request) -> Request:
    """Present the bound token as DPoP's are, with a fresh proof, over the right connection."""
    token = str(request.value("Authorization")).removeprefix("Bearer ")
    return DPOP.attach(request.without("Authorization"), lab.presentation(token))


def with_a_signature(lab: Lab, request: Request) -> Request:
    token = str(request.value("Authorization")).removeprefix("Bearer ")
    return SIGNED.attach(request.without("Authorization"), lab.presentation(token))


@pytest.mark.parametrize("make", [with_a_proof, with_a_signature])
@pytest.mark.parametrize("is_shown", [True, False], ids=["with certificate", "without"])
def test_a_bound_token_under_another_scheme_is_refused(
    lab: Lab, make: Make, is_shown: bool
) -> None:
    """MT-24."""
    request = good(lab)
    bad = make(lab, request if is_shown else replace(request, peer_certificate=None))
    refusal = {"reason": Reason.SCHEME_MISMATCH, "check": "scheme_is_the_bindings"}
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    assert_served(lab, request)


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


@pytest.mark.parametrize("other", [dpop_too, signature_too])
def test_another_key_does_not_stand_in_for_the_certificate(lab: Lab, other: Make) -> None:
    """MT-01: the client has registered certificate-bound tokens."""
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "binding_is_the_registered_one"}
    bad = other(lab, token_request(lab, "mutual"))
    assert_refused(lab, bad, status=400, error="invalid_request", **refusal)


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
