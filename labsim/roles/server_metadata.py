"""What the authorization server says of itself: metadata (RFC 8414) and public keys (RFC 7517)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labsim.keys import thumbprint
from labsim.roles.client_authentication import (
    ASSERTION_ALGORITHMS,
    CONFIDENTIAL_METHODS,
    METHODS,
)
from labsim.roles.grants import SUPPORTED
from labsim.roles.introspection import INTROSPECTION_PATH
from labsim.roles.revocation import REVOCATION_PATH

if TYPE_CHECKING:
    from labsim.roles.authorization_server import AuthorizationServer

METADATA_PATHS = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
)
JWKS_PATH = "/jwks"
TOKEN_PATH = "/token"
_ENDPOINTS = {
    "token": (TOKEN_PATH, METHODS),
    "introspection": (INTROSPECTION_PATH, CONFIDENTIAL_METHODS),
    "revocation": (REVOCATION_PATH, METHODS),
}


def server_metadata(server: AuthorizationServer) -> dict[str, Any]:
    """Return the authorization server metadata (RFC 8414 section 2, RFC 9728 section 4)."""
    found: dict[str, Any] = {
        "issuer": server.issuer,
        "jwks_uri": f"{server.issuer}{JWKS_PATH}",
        "response_types_supported": [],
        "grant_types_supported": list(SUPPORTED),
        "scopes_supported": [
            f"{name}.{verb}" for name in server.resources.values() for verb in ("read", "write")
        ],
        "protected_resources": list(server.resources),
    }
    for name, (path, methods) in _ENDPOINTS.items():
        found |= {
            f"{name}_endpoint": f"{server.issuer}{path}",
            f"{name}_endpoint_auth_methods_supported": list(methods),
            f"{name}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        }
    for binding in server.bindings:
        found |= binding.metadata
    if server.mtls_alias:
        found["mtls_endpoint_aliases"] = {
            f"{name}_endpoint": f"{server.mtls_alias}{path}"
            for name, (path, _methods) in _ENDPOINTS.items()
        }
    return found


def key_set(server: AuthorizationServer) -> dict[str, Any]:
    """Return the public keys that tokens are verified with (RFC 7517 section 5)."""
    jwk, algorithm = server.key.public_jwk, server.key.algorithm
    return {"keys": [{**jwk, "kid": thumbprint(jwk), "use": "sig", "alg": algorithm}]}
