"""Client metadata (RFC 7591 section 2) to what the authorization server knows."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.keys import SigningKey, public_key
from labsim.roles.client_authentication import secret_hash
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.registration import registered
from labsim.roles.tls_client_authentication import NOTHING_REGISTERED
from tests.own_certificates import FOR_ITSELF, registration, self_signed
from tests.wiring import BINDINGS

SCOPES = frozenset({"a.read", "b.read"})
KEY = SigningKey.generate().public_jwk
BASIC = {"client_id": "c", "client_secret": "s"}
KEYED = {"client_id": "c", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY]}}
PUBLIC = {"client_id": "c", "token_endpoint_auth_method": "none"}


CERTIFICATE = "tls_client_certificate_bound_access_tokens"
SIGNATURE = "httpsig_key_binding_method"


NAMED = {
    "client_id": "c",
    "token_endpoint_auth_method": "tls_client_auth",
    "tls_client_auth_san_dns": "c.test",
}
OWN = registration("c", [self_signed(FOR_ITSELF)])


def made(metadata: dict[str, Any]) -> Any:
    return registered(metadata, SCOPES, tuple(BINDINGS.values()))


def test_a_client_with_a_secret() -> None:
    client = made({**BASIC, "client_name": "ignored", "redirect_uris": []})
    assert (client.client_id, client.secret_hash, client.keys) == ("c", secret_hash("s"), ())
    assert (client.scopes, client.requires) == (SCOPES, None)
    assert client.grant_types == {"client_credentials", "refresh_token"}


def test_a_client_with_a_key() -> None:
    client = made({**KEYED, "client_secret": "not looked at"})
    assert client.keys == (public_key(KEY),)
    assert client.secret_hash == b""


def test_a_public_client_has_no_secret_and_only_what_it_is_granted() -> None:
    client = made({**PUBLIC, "client_secret": "not looked at", "jwks": {"keys": [KEY]}})
    assert (client.secret_hash, client.keys, client.audience) == (b"", (), "")
    assert client.grant_types == {"refresh_token"}


def test_a_token_exchange_is_registered_by_name_only() -> None:
    assert made({**BASIC, "grant_types": [TOKEN_EXCHANGE]}).grant_types == {TOKEN_EXCHANGE}


def test_a_client_says_what_it_may_and_what_it_must() -> None:
    client = made(
        {
            **BASIC,
            "scope": "b.read",
            "grant_types": ["client_credentials", "authorization_code"],
            "dpop_bound_access_tokens": True,
        }
    )
    assert (client.scopes, client.requires) == ({"b.read"}, "dpop")
    assert client.grant_types == {"client_credentials"}
    assert made({**BASIC, "dpop_bound_access_tokens": False}).requires is None


@pytest.mark.parametrize("metadata", [NAMED, OWN])
def test_a_client_with_a_certificate(metadata: dict[str, Any]) -> None:
    for more in ({}, {CERTIFICATE: True}, {CERTIFICATE: False, "client_secret": "not looked at"}):
        client = made({**metadata, **more})
        assert client.certificate != NOTHING_REGISTERED
        assert (client.secret_hash, client.keys) == (b"", ())
        assert client.requires == ("mtls" if more.get(CERTIFICATE) else None)
    assert made(BASIC).certificate == NOTHING_REGISTERED


@pytest.mark.parametrize("metadata", [NAMED, OWN])
@pytest.mark.parametrize(
    ("more", "binding"),
    [({"dpop_bound_access_tokens": True}, "dpop"), ({SIGNATURE: "runtime"}, "http_signature")],
)
def test_a_client_with_a_certificate_may_have_its_tokens_bound_to_another_key(
    metadata: dict[str, Any], more: dict[str, Any], binding: str
) -> None:
    """RFC 8705: sections 2 and 3 are two uses of a certificate, and each may be had alone."""
    assert made({**metadata, **more}).requires == binding


@pytest.mark.parametrize(
    ("metadata", "binding"),
    [
        ({}, None),
        ({"dpop_bound_access_tokens": True}, "dpop"),
        ({CERTIFICATE: True}, "mtls"),
        ({SIGNATURE: "runtime"}, "http_signature"),
        ({CERTIFICATE: False, SIGNATURE: None}, None),
        ({CERTIFICATE: False, SIGNATURE: "runtime"}, "http_signature"),
        ({CERTIFICATE: True, "dpop_bound_access_tokens": False}, "mtls"),
    ],
)
def test_a_client_asks_for_its_binding(metadata: dict[str, Any], binding: str | None) -> None:
    """RFC 8705 section 3.4, RFC 9449 section 5.2, the profile's own member for signatures."""
    assert made({**BASIC, **metadata}).requires == binding


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({}, "client_id"),
        ({**BASIC, "client_id": ""}, "client_id"),
        ({**BASIC, "client_id": 1}, "client_id"),
        ({**BASIC, "client_id": "a\nb"}, "client_id"),
        ({"client_id": "c"}, "client_secret"),
        ({**BASIC, "client_secret": 1}, "client_secret"),
        ({**BASIC, "token_endpoint_auth_method": "magic"}, "token_endpoint_auth_method"),
        ({**PUBLIC, "grant_types": ["client_credentials"]}, "grant_types"),
        ({**PUBLIC, "grant_types": [TOKEN_EXCHANGE]}, "grant_types"),
        ({**BASIC, "token_endpoint_auth_method": ["x"]}, "token_endpoint_auth_method"),
        ({**KEYED, "jwks": None}, "jwks"),
        ({**KEYED, "jwks": {"keys": []}}, "jwks"),
        ({**KEYED, "jwks": {"keys": "x"}}, "jwks"),
        ({**KEYED, "jwks": {"keys": [1]}}, "jwks"),
        ({**KEYED, "jwks": {"keys": [{**KEY, "crv": "P-384"}]}}, "jwks"),
        ({**BASIC, "grant_types": "client_credentials"}, "grant_types"),
        ({**BASIC, "grant_types": ["password"]}, "grant_types"),
        ({**BASIC, "grant_types": [1]}, "grant_types"),
        ({**BASIC, "scope": "c.read"}, "scope"),
        ({**BASIC, "scope": ["a.read"]}, "scope"),
        ({**BASIC, "scope": ""}, "scope"),
        ({**BASIC, "dpop_bound_access_tokens": "true"}, "dpop_bound_access_tokens"),
        ({**BASIC, "dpop_bound_access_tokens": 1}, "dpop_bound_access_tokens must be true"),
        ({**BASIC, CERTIFICATE: "true"}, f"{CERTIFICATE} must be true"),
        ({**BASIC, CERTIFICATE: 1}, f"{CERTIFICATE} must be true"),
        ({**BASIC, SIGNATURE: "preregistered"}, f'{SIGNATURE} must be "runtime"'),
        ({**BASIC, SIGNATURE: "Runtime"}, f'{SIGNATURE} must be "runtime"'),
        ({**BASIC, SIGNATURE: True}, f'{SIGNATURE} must be "runtime"'),
        ({**BASIC, SIGNATURE: ["runtime"]}, f'{SIGNATURE} must be "runtime"'),
        ({**BASIC, CERTIFICATE: True, SIGNATURE: "runtime"}, "mtls|http_signature"),
        ({**BASIC, CERTIFICATE: True, "dpop_bound_access_tokens": True}, "one binding"),
        ({**NAMED, "tls_client_auth_san_ip": "::1"}, "exactly one of"),
        ({**NAMED, "tls_client_auth_san_dns": ""}, "tls_client_auth_san_dns"),
        ({**OWN, "jwks": {"keys": [KEY]}}, "x5c"),
    ],
)
def test_metadata_that_cannot_be_used_is_named(metadata: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        made(metadata)
