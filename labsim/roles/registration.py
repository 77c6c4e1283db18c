"""Client metadata (RFC 7591 section 2) to what the authorization server knows of a client.

Members that are not known here are ignored, as section 2 asks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labsim.binding import Binding
from labsim.credentials import scopes_in
from labsim.jose import Malformed
from labsim.keys import PublicKey, public_key
from labsim.roles.client_authentication import (
    BASIC,
    METHODS,
    NONE,
    PRIVATE_KEY_JWT,
    RegisteredClient,
    secret_hash,
)
from labsim.roles.grants import CLIENT_CREDENTIALS, REFRESH_TOKEN, SUPPORTED
from labsim.roles.tls_client_authentication import (
    NOTHING_REGISTERED,
    TLS_METHODS,
    registered_certificate,
)


def registered(
    metadata: Mapping[str, Any], every_scope: frozenset[str], bindings: Sequence[Binding]
) -> RegisteredClient:
    """Make a registered client from its metadata; no `scope` means every scope.

    Raises ValueError that names the member and what is wrong with it.
    """
    client_id = metadata.get("client_id")
    if not isinstance(client_id, str) or not client_id or not client_id.isprintable():
        raise ValueError("client_id must be a text that is not empty")
    method = metadata.get("token_endpoint_auth_method", BASIC)
    if method not in METHODS:
        raise ValueError(f"token_endpoint_auth_method must be one of: {', '.join(METHODS)}")
    return RegisteredClient(
        client_id=client_id,
        method=method,
        secret_hash=_secret(metadata) if method == BASIC else b"",
        keys=_keys(metadata) if method == PRIVATE_KEY_JWT else (),
        grant_types=_grant_types(metadata, method),
        scopes=_scopes(metadata, every_scope),
        requires=_required_binding(metadata, bindings),
        certificate=(
            registered_certificate(metadata, method)
            if method in TLS_METHODS
            else NOTHING_REGISTERED
        ),
    )


def _secret(metadata: Mapping[str, Any]) -> bytes:
    secret = metadata.get("client_secret")
    try:
        if isinstance(secret, str) and secret:
            return secret_hash(secret)
    except UnicodeEncodeError:  # half a surrogate pair: a text in JSON, and none that can be sent
        pass
    raise ValueError(f"client_secret must be a text that is not empty, for {BASIC}")


def _keys(metadata: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(k, dict) for k in keys):
        raise ValueError(
            f'jwks must be an object with "keys", a list of JWKs, for {PRIVATE_KEY_JWT}'
        )
    try:
        return tuple(public_key(key) for key in keys)
    except Malformed as error:
        raise ValueError(f"jwks: {error}; P-256, Ed25519 and RSA keys can be used") from None


def _grant_types(metadata: Mapping[str, Any], method: str) -> frozenset[str]:
    # A public client cannot show that it is itself, so that it has only what it was granted.
    usable = (REFRESH_TOKEN,) if method == NONE else SUPPORTED
    asked = metadata.get("grant_types", [CLIENT_CREDENTIALS, REFRESH_TOKEN])
    if not isinstance(asked, list) or not all(isinstance(kind, str) for kind in asked):
        raise ValueError("grant_types must be a list of texts")
    found = frozenset(asked) & frozenset(usable)
    if not found:
        raise ValueError(f"grant_types must hold at least one of: {', '.join(usable)}")
    return found


def _scopes(metadata: Mapping[str, Any], every_scope: frozenset[str]) -> frozenset[str]:
    if metadata.get("scope") is None:
        return every_scope
    asked = scopes_in(metadata["scope"])
    if not asked or not asked <= every_scope:
        raise ValueError(f"scope must be some of: {' '.join(sorted(every_scope))}")
    return asked


def _required_binding(metadata: Mapping[str, Any], bindings: Sequence[Binding]) -> str | None:
    asked = []
    for binding in bindings:
        member, asks = binding.registered_by
        value = metadata.get(member)
        if value is None or value is False:
            continue
        if type(value) is not type(asks) or value != asks:
            raise ValueError(f"{member} must be {json.dumps(asks)} or left out")
        asked.append(binding.name)
    if len(asked) > 1:
        raise ValueError(f"a token has one binding, not {' and '.join(asked)}")
    return asked[0] if asked else None
