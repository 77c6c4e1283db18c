"""Refresh tokens as grants: rotated at every use, and a family ends when one is used twice.

RFC 6749 section 6, RFC 9700 section 4.14.2. The store keeps hashes, never tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import NONE, RegisteredClient
from labsim.roles.form import Form

CLIENT_CREDENTIALS = "client_credentials"
REFRESH_TOKEN = "refresh_token"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SUPPORTED = (CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE)


@dataclass(frozen=True, slots=True)
class Grant:
    """Hold what a refresh token stands for.

    `resources` are audiences it may get tokens for; `binding` is the binding's name of the last
    token issued from it, so that a refresh cannot silently fall back to another one;
    `confirmation` is the `cnf` of the key that a public client's refresh token is bound to, None
    before its first use; `expires` is in lab seconds.
    """

    client_id: str
    subject: str
    scopes: frozenset[str]
    family: str
    expires: float
    binding: str | None = None
    confirmation: Mapping[str, Any] | None = None


class Grants(Protocol):
    """Store grants by the hash of their refresh token; raises StorageUnavailable."""

    def put(self, token_hash: str, grant: Grant) -> None:
        """Keep a new grant."""

    def find(self, token_hash: str) -> tuple[Grant, bool] | None:
        """Return the grant and whether its token was used before; None if there is none."""

    def rotate(self, spent_hash: str, new_hash: str, grant: Grant) -> bool:
        """Mark one token as used and keep the next, in one atomic step.

        Returns False, and changes nothing, if the first was used before or is gone.
        """

    def end_family(self, family: str) -> None:
        """Forget every grant of a family."""

    def end_all_of(self, client_id: str) -> None:
        """Forget every grant of a client."""


def token_hash(refresh_token: str) -> str:
    """Return the SHA-256 of a refresh token, hexadecimal; tokens are 256 random bits."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


def invalid(check: str, source: str) -> Rejected:
    """Make the rejection of a refresh token (`invalid_grant`)."""
    return Rejected(Reason.GRANT_INVALID, check, source)


def find_grant(grants: Grants, refresh_token: str, client_id: str, now: float) -> Grant:
    """Return the grant of a refresh token that this client may still use; raises Rejected.

    A token that was used before ends its whole family: either the client or a thief holds a copy,
    and the server cannot tell which (RFC 9700 section 4.14.2).
    """
    found = grants.find(token_hash(refresh_token))
    if found is None:
        raise invalid("refresh_token_is_known", "RFC 6749 section 6")
    grant, used = found
    if grant.client_id != client_id:
        raise invalid("refresh_token_is_this_clients", "RFC 6749 section 6")
    if used:
        grants.end_family(grant.family)
        raise invalid("refresh_token_is_unused", "RFC 9700 section 4.14.2")
    if now >= grant.expires:
        raise invalid("refresh_token_is_not_expired", "RFC 6749 section 6")
    return grant


def granted_kind(form: Form, client: RegisteredClient) -> str:
    """Return the grant type that a client asks by, if it may; raises Rejected.

    A public client has nothing that only it knows, so that all it may do is use a grant that
    somebody gave it (RFC 6749 section 4.4, RFC 8693 section 5).
    """
    kind = form.required("grant_type")
    if kind not in SUPPORTED:
        raise Rejected(Reason.GRANT_UNSUPPORTED, "grant_type_is_supported", "RFC 6749 section 5.2")
    if kind not in client.grant_types:
        raise Rejected(
            Reason.CLIENT_NOT_ALLOWED,
            "grant_type_is_registered",
            "RFC 6749 section 5.2",
        )
    if client.method == NONE and kind != REFRESH_TOKEN:
        raise Rejected(
            Reason.CLIENT_NOT_ALLOWED,
            "public_client_has_a_grant",
            "RFC 6749 section 4.4",
        )
    return kind


def grant_for(
    grants: Grants, form: Form, client: RegisteredClient, binding: str, now: float
) -> Grant:
    """Return what the client may have by itself, or by its refresh token; raises Rejected.

    A refresh that brings no key after a bound token was issued is refused: the next token would
    silently be a bearer token (RFC 9449 section 5).
    """
    if granted_kind(form, client) == CLIENT_CREDENTIALS:
        return Grant(client.client_id, client.client_id, client.scopes, "", now)
    grant = find_grant(grants, form.required("refresh_token"), client.client_id, now)
    if grant.binding not in (None, "bearer", binding):
        raise invalid("refresh_keeps_the_binding", "RFC 9449 section 5")
    return grant


def bound_to_its_key(
    grant: Grant, client: RegisteredClient, confirmation: Mapping[str, Any]
) -> Grant:
    """Return a public client's grant bound to the key of this request; raises Rejected.

    The first use binds it, and no other key can use it after that (RFC 9449 section 5, RFC 8705
    section 4). A confidential client's is tied to its authentication, and stays as it is.
    """
    if client.method != NONE:
        return grant
    if not confirmation:
        raise Rejected(Reason.REQUEST_MALFORMED, "public_client_proves_a_key", "RFC 9449 section 5")
    if grant.confirmation not in (None, confirmation):
        raise invalid("key_is_the_refresh_tokens", "RFC 9449 section 5")
    return replace(grant, confirmation=confirmation)


def rotate_grant(grants: Grants, spent: str, following: str, grant: Grant) -> None:
    """Spend one refresh token for the next; raises Rejected if another request was faster."""
    if not grants.rotate(token_hash(spent), token_hash(following), grant):
        grants.end_family(grant.family)
        raise invalid("refresh_token_is_unused", "RFC 9700 section 4.14.2")
