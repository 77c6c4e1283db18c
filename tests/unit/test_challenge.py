"""How a resource server says no."""

from __future__ import annotations

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.challenge import challenge, error_code
from labsim.roles.resource_server import Credential
from tests.wiring import BINDINGS, RECORD, Lab

WHERE = 'resource_metadata="https://orders.test/.well-known/oauth-protected-resource"'
REQUEST = Request("GET", RECORD)
DPOP = BINDINGS["dpop"]


def challenges(lab: Lab, reason: Reason, scheme: str | None) -> list[str]:
    credential = Credential(scheme, "t") if scheme else None
    rejection = Rejected(reason, "a_check", "a source", "a detail")
    response = challenge(lab.orders, rejection, credential, DPOP, lab.clock(), REQUEST)
    assert response.status == reason.status
    for secret in (b"a_check", b"a source", b"a detail"):
        assert secret not in response.wire()
    return response.values("WWW-Authenticate")


def test_a_request_without_credentials_gets_no_error_code(lab: Lab) -> None:
    """RFC 6750 section 3.1."""
    assert sorted(challenges(lab, Reason.NO_CREDENTIALS, None)) == [
        f"Bearer {WHERE}",
        f'DPoP algs="ES256 Ed25519 EdDSA", {WHERE}',
        f"HTTPSig {WHERE}",
    ]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "DPoP", "DPOP"])
def test_the_error_stands_on_the_scheme_that_was_used_and_that_one_first(
    lab: Lab, scheme: str
) -> None:
    """RFC 9449 section 7.2."""
    first, *others = challenges(lab, Reason.TOKEN_EXPIRED, scheme)
    assert first.lower().startswith(f'{scheme.lower()} error="invalid_token"')
    assert len(others) == 2
    assert not any("error=" in other for other in others)


def test_where_no_scheme_can_be_told_the_error_stands_on_each(lab: Lab) -> None:
    found = challenges(lab, Reason.CREDENTIALS_MALFORMED, None)
    assert len(found) == 3
    assert all(' error="invalid_request", ' in value for value in found)


def test_a_missing_scope_is_named(lab: Lab) -> None:
    assert all(
        'scope="orders.read"' in v for v in challenges(lab, Reason.SCOPE_INSUFFICIENT, "DPoP")
    )


def test_a_store_that_is_gone_is_no_challenge(lab: Lab) -> None:
    assert challenges(lab, Reason.UNAVAILABLE, "DPoP") == []


def test_two_bindings_of_one_scheme_share_one_challenge(lab: Lab) -> None:
    """Bearer and mutual TLS (RFC 8705 defines no scheme of its own)."""
    assert len(BINDINGS) == 4
    assert len(challenges(lab, Reason.NO_CREDENTIALS, None)) == 3


@pytest.mark.parametrize(
    ("reason", "binding", "code"),
    [
        (Reason.PROOF_REPLAYED, DPOP, "invalid_dpop_proof"),
        (Reason.NONCE_REQUIRED, DPOP, "use_dpop_nonce"),
        (Reason.PROOF_REPLAYED, BINDINGS["bearer"], "invalid_token"),
        (Reason.BINDING_MISMATCH, DPOP, "invalid_token"),
        (Reason.TOKEN_EXPIRED, None, "invalid_token"),
        (Reason.PROOF_MALFORMED, None, None),
    ],
)
def test_a_bad_proof_is_named_by_its_binding(
    reason: Reason, binding: object, code: str | None
) -> None:
    rejected = Rejected(reason, "c", "s")
    assert error_code(rejected, binding, token_request=False) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("binding", "code"),
    [("dpop", "invalid_dpop_proof"), ("mtls", "invalid_request"), ("bearer", "invalid_request")],
)
def test_the_token_endpoint_knows_no_invalid_token(binding: str, code: str) -> None:
    """RFC 6749 section 5.2."""
    rejected = Rejected(Reason.PROOF_MALFORMED, "c", "s")
    assert error_code(rejected, BINDINGS[binding], token_request=True) == code
