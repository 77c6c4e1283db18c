"""Section 11 of the catalogue: a public client, and the key that its refresh token is bound to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import basic, public
from labsim.roles.form import form_request
from labsim.roles.grants import TOKEN_EXCHANGE, bound_to_its_key, token_hash
from tests.exchange import DPOP, assert_refused, assert_served, token_request
from tests.jws import Jws
from tests.wiring import ISSUER, ORDERS, SECRET, TOKEN_ENDPOINT, Lab


@pytest.fixture
def granted(lab: Lab) -> Lab:
    lab.grant("first", client="phone")
    return lab


def refresh(lab: Lab, token: str, key: SigningKey | None, client: str = "phone") -> Request:
    request = token_request(lab, client, grant_type="refresh_token", refresh_token=token)
    return request if key is None else DPOP.attach(request, lab.presentation(None, key))


def assert_invalid(lab: Lab, request: Request, check: str) -> None:
    refusal = {"reason": Reason.GRANT_INVALID, "check": check}
    assert_refused(lab, request, status=400, error="invalid_grant", **refusal)


def test_the_first_use_binds_the_refresh_token_to_the_key(granted: Lab) -> None:
    """RFC 9449 section 5; the access token is bound to the same key."""
    body = assert_served(granted, refresh(granted, "first", granted.holder)).json()
    claims = Jws.of(body["access_token"], granted.issuer_key).claims
    assert claims["cnf"] == DPOP.bind(DPOP.parse(refresh(granted, "first", granted.holder)))
    token = body["refresh_token"]
    for _ in range(2):
        token = assert_served(granted, refresh(granted, token, granted.holder)).json()[
            "refresh_token"
        ]


def test_another_key_is_refused_and_spends_nothing(granted: Lab) -> None:
    """CR-12."""
    body = assert_served(granted, refresh(granted, "first", granted.holder)).json()
    stolen = refresh(granted, body["refresh_token"], granted.thief)
    assert_invalid(granted, stolen, "key_is_the_refresh_tokens")
    assert_served(granted, refresh(granted, body["refresh_token"], granted.holder))


def test_a_confidential_clients_refresh_token_is_not_bound_to_a_key(granted: Lab) -> None:
    """CR-13, the control of CR-12: the same two requests, of a client that authenticates."""
    granted.grant("theirs", client="free")
    body = assert_served(granted, refresh(granted, "theirs", granted.holder, "free")).json()
    assert_served(granted, refresh(granted, body["refresh_token"], granted.thief, "free"))


def test_no_key_is_refused(granted: Lab) -> None:
    """CR-11: neither the first time, when there would be nothing to bind to, nor later."""
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "public_client_proves_a_key"}
    bare = refresh(granted, "first", None)
    assert_refused(granted, bare, status=400, error="invalid_request", **refusal)
    body = assert_served(granted, refresh(granted, "first", granted.holder)).json()
    later = refresh(granted, body["refresh_token"], None)
    assert_invalid(granted, later, "refresh_keeps_the_binding")
    assert_served(granted, refresh(granted, body["refresh_token"], granted.holder))


def test_any_binding_binds_a_refresh_token(granted: Lab) -> None:
    """The grant keeps what `bind` returned, whatever binding it was: no role knows DPoP."""
    grant, _used = granted.grants.find(token_hash("first")) or pytest.fail("no grant")
    for confirmation in ({"x5t#S256": "a"}, {"jwk": {"kty": "OKP"}, "alg": "Ed25519"}):
        bound = bound_to_its_key(grant, granted.clients["phone"], confirmation)
        assert bound_to_its_key(bound, granted.clients["phone"], dict(confirmation)) == bound
        with pytest.raises(Rejected, match="key_is_the_refresh_tokens"):
            bound_to_its_key(bound, granted.clients["phone"], {"jkt": "b"})


@pytest.mark.parametrize("kind", ["client_credentials", TOKEN_EXCHANGE])
def test_a_public_client_gets_nothing_by_its_name_alone(granted: Lab, kind: str) -> None:
    """RFC 6749 section 4.4, even where a careless registration has it."""
    kinds = frozenset({kind, "refresh_token"})
    granted.clients["phone"] = replace(granted.clients["phone"], grant_types=kinds)
    request = token_request(granted, "phone", grant_type=kind)
    bad = DPOP.attach(request, granted.presentation())
    refusal = {"reason": Reason.CLIENT_NOT_ALLOWED, "check": "public_client_has_a_grant"}
    assert_refused(granted, bad, status=400, error="unauthorized_client", **refusal)
    assert_served(granted, refresh(granted, "first", granted.holder))


def test_a_confidential_client_cannot_leave_its_secret_out(granted: Lab) -> None:
    asked = {"grant_type": "client_credentials", "resource": ORDERS}
    bare = form_request(TOKEN_ENDPOINT, asked)
    assert_served(granted, basic("free", SECRET)(bare))
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "method_is_the_registered_one"}
    named = public("free")(bare)
    assert_refused(granted, named, status=401, error="invalid_client", **refusal)


def test_a_public_client_has_no_secret_to_show(granted: Lab) -> None:
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "method_is_the_registered_one"}
    asked = {"grant_type": "refresh_token", "refresh_token": "first"}
    bad = basic("phone", "")(form_request(TOKEN_ENDPOINT, asked))
    assert_refused(granted, bad, status=401, error="invalid_client", **refusal)


def test_a_client_that_nobody_registered_is_unknown(granted: Lab) -> None:
    asked = {"grant_type": "refresh_token", "refresh_token": "first"}
    bad = public("nobody")(form_request(TOKEN_ENDPOINT, asked))
    refusal = {"reason": Reason.CLIENT_UNKNOWN, "check": "client_is_registered"}
    assert_refused(granted, bad, status=401, error="invalid_client", **refusal)


@pytest.mark.parametrize("path", ["/introspect"])
def test_a_name_is_no_authentication(granted: Lab, path: str) -> None:
    """IR-03: whoever introspects must show who it is (RFC 7662 section 2.1)."""
    asked = form_request(f"{ISSUER}{path}", {"token": "first"})
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "caller_is_no_public_client"}
    bad = public("phone")(asked)
    assert_refused(granted, bad, status=401, error="invalid_client", **refusal)
    assert_served(granted, basic("free", SECRET)(asked))
