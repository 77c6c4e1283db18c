"""The authorization server's documents, its answers and its own record of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey, public_key, thumbprint
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.server_metadata import JWKS_PATH, METADATA_PATHS
from tests.exchange import AS, answer, assert_served, good_request, token_request
from tests.jws import Jws
from tests.wiring import CRM, ISSUER, ORDERS, RECORD, IssuerKeys, Lab


def test_the_metadata_says_what_the_server_does(lab: Lab) -> None:
    """RFC 8414 section 2, RFC 9449 section 5.1, RFC 9728 section 4."""
    found = [answer(lab, Request("GET", ISSUER + path)).json() for path in METADATA_PATHS]
    assert found[0] == found[1]
    assert found[0]["issuer"] == ISSUER
    assert found[0]["token_endpoint"] == f"{ISSUER}/token"
    assert found[0]["jwks_uri"] == ISSUER + JWKS_PATH
    assert found[0]["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519", "EdDSA"]
    assert found[0]["protected_resources"] == [ORDERS, CRM]
    assert TOKEN_EXCHANGE in found[0]["grant_types_supported"]
    confidential = ["client_secret_basic", "private_key_jwt"]
    confidential += ["tls_client_auth", "self_signed_tls_client_auth"]
    for name, path, methods in (
        ("token", "/token", [*confidential, "none"]),
        ("introspection", "/introspect", confidential),
        ("revocation", "/revoke", [*confidential, "none"]),
    ):
        assert found[0][f"{name}_endpoint"] == ISSUER + path
        assert found[0][f"{name}_endpoint_auth_methods_supported"] == methods
        assert "ES256" in found[0][f"{name}_endpoint_auth_signing_alg_values_supported"]
    assert lab.event is None


def test_where_a_certificate_is_asked_for_has_addresses_of_its_own(lab: Lab) -> None:
    """RFC 8705 section 5."""
    path = METADATA_PATHS[0]
    assert "mtls_endpoint_aliases" not in answer(lab, Request("GET", ISSUER + path)).json()
    lab.authorization_server = replace(lab.authorization_server, mtls_alias="https://mtls.test")
    assert answer(lab, Request("GET", ISSUER + path)).json()["mtls_endpoint_aliases"] == {
        "token_endpoint": "https://mtls.test/token",
        "introspection_endpoint": "https://mtls.test/introspect",
        "revocation_endpoint": "https://mtls.test/revoke",
    }


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_token_verifies_with_the_published_key(lab: Lab, algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    lab.authorization_server = replace(lab.authorization_server, key=key)
    (jwk,) = answer(lab, Request("GET", ISSUER + JWKS_PATH)).json()["keys"]
    assert "d" not in jwk
    assert jwk["kid"] == thumbprint(key.public_jwk)
    lab.orders = replace(lab.orders, issuer_keys=IssuerKeys({jwk["kid"]: public_key(jwk)}))
    token = lab.token("bearer").access_token
    assert_served(lab, Request("GET", RECORD, (("Authorization", f"Bearer {token}"),)))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/jwks/", 404),
        ("POST", "/jwks", 405),
        ("DELETE", METADATA_PATHS[0], 405),
        ("HEAD", "/jwks", 200),
        ("GET", "/token", 405),
        ("GET", "/introspect", 405),
        ("GET", "/revoke", 405),
    ],
)
def test_what_is_not_there_is_not_there(lab: Lab, method: str, path: str, status: int) -> None:
    response = answer(lab, Request(method, ISSUER + path))
    assert response.status == status
    wanted = "POST" if path in ("/token", "/introspect", "/revoke") else "GET, HEAD"
    assert response.value("Allow") == (wanted if status == 405 else None)


def test_a_token_says_for_whom_for_what_and_for_how_long(lab: Lab) -> None:
    """RFC 9068 section 2.2."""
    body = assert_served(lab, token_request(lab, "free", scope="orders.read")).json()
    token = Jws.of(body["access_token"], lab.issuer_key)
    now = lab.clock()
    assert (token.header["typ"], token.header["alg"]) == ("at+jwt", "ES256")
    assert {k: v for k, v in token.claims.items() if k != "jti"} == {
        "iss": ISSUER,
        "sub": "free",
        "client_id": "free",
        "aud": ORDERS,
        "scope": "orders.read",
        "iat": now,
        "exp": now + 600,
    }
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert "refresh_token" not in body


def test_a_token_response_is_kept_by_nobody(lab: Lab) -> None:
    response = assert_served(lab, token_request(lab, "free"))
    assert response.values("Cache-Control") == ["no-store"]
    assert response.values("DPoP-Nonce") == []


def test_every_decision_is_recorded_with_its_number(lab: Lab) -> None:
    served = assert_served(lab, good_request(lab, AS))
    event = lab.event or {}
    assert served.values("Request-Id") == [event["request_id"]]
    assert event["role"] == "authorization_server"
    assert (event["client_id"], event["binding"], event["audience"]) == ("app", "dpop", ORDERS)
    assert event["time"] == lab.clock()
    refused = answer(lab, token_request(lab))
    assert lab.event is not None
    assert refused.values("Request-Id") == [lab.event["request_id"]] != [event["request_id"]]
    assert (lab.event["decision"], lab.event["client_id"]) == ("rejected", "app")


def test_the_wire_says_nothing_of_the_reason(lab: Lab) -> None:
    response = answer(lab, token_request(lab))
    assert response.json() == {"error": "invalid_dpop_proof"}
    assert b"proof_is_there" not in response.wire()


def test_every_token_has_a_lifetime_of_its_servers(lab: Lab) -> None:
    lab.authorization_server = replace(lab.authorization_server, token_seconds=5)
    for binding in ("bearer", "dpop"):
        assert lab.token(binding).expires == lab.clock() + 5
