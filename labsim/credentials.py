"""Kinds of credential: what a token is, apart from what it is bound to.

`ACCESS_TOKEN` is the JWT access token of RFC 9068. A binding names the kind that it ties to its
sender, so that a binding with another token (a WIMSE workload identity token, say) is one file too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from labsim.checks import Check, Checks, run_checks
from labsim.jose import (
    CompactJws,
    Malformed,
    is_number,
    parse_compact,
    token_is_signed_by,
)
from labsim.keys import PublicKey
from labsim.rejection import Reason, Rejected


class IssuerKeys(Protocol):
    """Know the authorization server's public keys."""

    def key(self, kid: str) -> PublicKey | None:
        """Return the key with this `kid`, or None; raises StorageUnavailable if none can be had."""


class VerifiedTokens:
    """Remember whose signature was good, so that a token is parsed and its signature verified once.

    Only that: expiry, audience and revocation are looked at for every request. Bounded; the
    oldest entry goes first.
    """

    def __init__(self, bound: int = 1024) -> None:
        self._seen: dict[str, CompactJws] = {}
        self._bound = bound

    def find(self, token: str) -> CompactJws | None:
        """Return this very token, taken apart, if it was verified before."""
        return self._seen.get(token)

    def add(self, jws: CompactJws) -> None:
        """Remember a token whose signature was good."""
        if len(self._seen) >= self._bound:
            self._seen.pop(next(iter(self._seen)), None)
        self._seen[jws.text] = jws


@dataclass(frozen=True, slots=True)
class TokenEvidence:
    """What a resource server knows besides the token. `audience` is its own resource URI."""

    now: float
    issuer: str
    audience: str
    keys: IssuerKeys
    is_revoked: Callable[[str], bool] = lambda _jti: False
    verified: VerifiedTokens | None = None


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """A kind of token: its name, its `typ`, and what must be true of one, in order."""

    name: str
    typ: str
    checks: Checks

    def verify(self, token: str, evidence: TokenEvidence) -> Mapping[str, Any]:
        """Return the token's claims once every check holds; raises Rejected."""
        try:
            known = evidence.verified.find(token) if evidence.verified else None
            jws = known or parse_compact(token)
        except Malformed as error:
            raise Rejected(
                Reason.TOKEN_MALFORMED,
                "token_is_a_jwt",
                "RFC 7519 section 7.2",
                str(error),
            ) from None
        run_checks(self.checks, jws, evidence)
        return jws.payload


def typ_is_access_token(jws: CompactJws, _evidence: TokenEvidence) -> bool:
    """Refuse an ID token, a proof or a client assertion, whoever signed it."""
    typ = jws.header.get("typ")
    return isinstance(typ, str) and typ.lower() in ("at+jwt", "application/at+jwt")


def no_critical_extension(jws: CompactJws, _evidence: TokenEvidence) -> bool:
    """`crit` lists what must be understood; this verifier understands no extension."""
    return "crit" not in jws.header


def signature_is_by_the_issuer(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """Look the key up by `kid` among the issuer's own; jwk, jku and x5u are not read."""
    if evidence.verified and evidence.verified.find(jws.text):
        return True
    kid, algorithm = jws.header.get("kid"), jws.header.get("alg")
    key = evidence.keys.key(kid) if isinstance(kid, str) else None
    if key is None or algorithm not in key.algorithms:
        return False
    good = token_is_signed_by(jws.text, key.key, key.algorithms)
    if good and evidence.verified:
        evidence.verified.add(jws)
    return good


def required_claims_are_there(jws: CompactJws, _evidence: TokenEvidence) -> bool:
    """iss, exp, aud, sub, client_id, iat, jti, each of its type."""
    claims = jws.payload
    texts = all(
        isinstance(claims.get(name), str) and claims[name]
        for name in ("iss", "sub", "client_id", "jti")
    )
    numbers = all(is_number(claims.get(name)) for name in ("exp", "iat"))
    return texts and numbers and isinstance(claims.get("aud"), str | list)


def issuer_is_ours(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """Compare as a string: a trailing slash is another issuer."""
    return bool(jws.payload.get("iss", evidence.issuer) == evidence.issuer)


def audience_is_this_resource(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """Refuse a token for another resource server: that is not the binding's merit."""
    audience = jws.payload.get("aud", evidence.audience)
    return evidence.audience in (audience if isinstance(audience, list) else [audience])


def token_is_not_expired(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """On the lab's clock, with no leeway. That `exp` is there is another check's business."""
    end: Any = jws.payload.get("exp")
    return not is_number(end) or evidence.now < float(end)


def token_is_already_valid(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """`nbf` is optional; where it stands it must be a time that has come."""
    start = jws.payload.get("nbf", 0)
    return is_number(start) and start <= evidence.now


def token_is_not_revoked(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """As far as this server has been told."""
    return not evidence.is_revoked(str(jws.payload.get("jti")))


ACCESS_TOKEN = CredentialKind(
    name="access_token",
    typ="at+jwt",
    checks=(
        Check(typ_is_access_token, Reason.TOKEN_TYPE_WRONG, "RFC 9068 section 4"),
        Check(no_critical_extension, Reason.TOKEN_MALFORMED, "RFC 7515 section 4.1.11"),
        Check(
            signature_is_by_the_issuer,
            Reason.TOKEN_SIGNATURE_INVALID,
            "RFC 9068 section 4",
        ),
        Check(
            required_claims_are_there,
            Reason.TOKEN_CLAIM_MISSING,
            "RFC 9068 section 2.2",
        ),
        Check(issuer_is_ours, Reason.TOKEN_ISSUER_UNKNOWN, "RFC 9068 section 4"),
        Check(
            audience_is_this_resource,
            Reason.TOKEN_AUDIENCE_MISMATCH,
            "RFC 9068 section 4",
        ),
        Check(token_is_not_expired, Reason.TOKEN_EXPIRED, "RFC 9068 section 4"),
        Check(token_is_already_valid, Reason.TOKEN_NOT_YET_VALID, "RFC 7519 section 4.1.5"),
        Check(token_is_not_revoked, Reason.TOKEN_REVOKED, "RFC 7009 section 2"),
    ),
)

# RFC 6749 section 3.3: scope-token is printable ASCII without the quote and the backslash.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")


def scopes_in(value: object) -> frozenset[str]:
    """Return the scope tokens of a `scope` claim or parameter; none of anything malformed."""
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        return frozenset()
    return frozenset(value.split(" "))
