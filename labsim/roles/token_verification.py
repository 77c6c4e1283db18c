"""The authorization server reads a token of its own again, to see whether it is still good.

As a resource server does (RFC 9068 section 4), but for the audience: the token is for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from labsim import checks
from labsim.credentials import ACCESS_TOKEN, TokenEvidence
from labsim.keys import PublicKey, SigningKey, public_key, thumbprint

if TYPE_CHECKING:
    from labsim.roles.authorization_server import AuthorizationServer

OWN_TOKEN = replace(
    ACCESS_TOKEN,
    checks=checks.without(ACCESS_TOKEN.checks, frozenset({"audience_is_this_resource"})),
)
"""What must be true of an access token for its issuer to act on it."""
GENUINE_TOKEN = replace(
    OWN_TOKEN,
    checks=checks.without(
        OWN_TOKEN.checks,
        frozenset({"token_is_not_expired", "token_is_already_valid", "token_is_not_revoked"}),
    ),
)
"""What must be true of an access token for it to be this issuer's, be it still good or not."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """Know one's own key (see `credentials.IssuerKeys`)."""

    signing: SigningKey

    def key(self, kid: str) -> PublicKey | None:
        """Return the key if `kid` names it."""
        jwk = self.signing.public_jwk
        return public_key(jwk) if kid == thumbprint(jwk) else None


def token_evidence(server: AuthorizationServer, now: float) -> TokenEvidence:
    """Gather what the server judges a token of its own by."""
    return TokenEvidence(
        now,
        server.issuer,
        audience="",
        keys=OwnKey(server.key),
        is_revoked=server.issued_tokens.is_ended,
    )


def own_claims(server: AuthorizationServer, token: str, now: float) -> Mapping[str, Any]:
    """Return the claims of a token that this server issued and that is good; raises Rejected."""
    return OWN_TOKEN.verify(token, token_evidence(server, now))


def audiences(claims: Mapping[str, Any]) -> list[Any]:
    """Return a token's audiences: the claim is one text or a list (RFC 7519 section 4.1.3)."""
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]
