"""How a resource server learns of a revocation: the authorization server tells it, signed.

The notice is a security event token (RFC 8417), pushed by POST (RFC 8935). The event in it is the
lab's own: a list of `jti` and `exp`, kept until the tokens would have expired anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from labsim.checks import Check
from labsim.credentials import (
    CredentialKind,
    TokenEvidence,
    audience_is_this_resource,
    issuer_is_ours,
    no_critical_extension,
    signature_is_by_the_issuer,
)
from labsim.http_message import Request, Response
from labsim.jose import CompactJws, is_number, sign_token
from labsim.keys import SigningKey, thumbprint
from labsim.rejection import Reason, Rejected
from labsim.roles.decision import Event, decision_event
from labsim.roles.issued_tokens import Ended

if TYPE_CHECKING:
    from labsim.roles.resource_server import ResourceServer

NOTICE_PATH = "/revocations"
NOTICE_TYPE = "application/secevent+jwt"
TOKENS_REVOKED = "urn:labsim:event:tokens-revoked"
WINDOW = 60.0
"""Lab seconds that a notice is good for. A second one with the same content changes nothing, so
that its `jti` need not be remembered."""


class RevocationList(Protocol):
    """Hold the tokens that this server was told of; bounded."""

    def add(self, jtis: dict[str, float], now: float) -> None:
        """Keep each `jti` until its time; raises StorageUnavailable."""

    def holds(self, jti: str) -> bool:
        """Tell whether a token was revoked; raises StorageUnavailable."""


# The authorization server's side.


def notice_request(
    issuer: str, key: SigningKey, audience: str, ended: Sequence[Ended], now: float, jti: str
) -> Request:
    """Make the request that tells one resource server which of its tokens are good no more."""
    tokens = [{"jti": each.jti, "exp": each.expires} for each in ended]
    claims = {"iss": issuer, "aud": audience, "iat": now, "jti": jti}
    header = {"typ": "secevent+jwt", "kid": thumbprint(key.public_jwk)}
    events = {"events": {TOKENS_REVOKED: {"tokens": tokens}}}
    notice = sign_token(header, {**claims, **events}, key.private, key.algorithm)
    fields = (("Content-Type", NOTICE_TYPE), ("Accept", "application/json"))
    return Request("POST", f"{audience}{NOTICE_PATH}", fields, notice.encode())


# The resource server's side.


def typ_is_security_event(jws: CompactJws, _evidence: TokenEvidence) -> bool:
    """Refuse an access token, which is signed with the same key (RFC 8417 section 2.3)."""
    return bool(jws.header.get("typ") == "secevent+jwt")


def notice_is_recent(jws: CompactJws, evidence: TokenEvidence) -> bool:
    """Judge by `iat`: such a token SHOULD NOT have an `exp` (RFC 8417 section 2.2)."""
    made: Any = jws.payload.get("iat", evidence.now)
    return is_number(made) and abs(evidence.now - made) <= WINDOW


def notice_says_which_tokens(jws: CompactJws, _evidence: TokenEvidence) -> bool:
    """Ask for all that names a notice, and the one event that this server understands, whole."""
    claims, tokens = jws.payload, _listed(jws.payload)
    named = isinstance(claims.get("iss"), str) and isinstance(claims.get("aud"), str | list)
    once = isinstance(claims.get("jti"), str) and is_number(claims.get("iat"))
    return named and once and bool(tokens) and len(_read(tokens)) == len(tokens)


REVOCATION_NOTICE = CredentialKind(
    name="revocation_notice",
    typ="secevent+jwt",
    checks=(
        Check(typ_is_security_event, Reason.TOKEN_TYPE_WRONG, "RFC 8417 section 2.3"),
        Check(no_critical_extension, Reason.TOKEN_MALFORMED, "RFC 7515 section 4.1.11"),
        Check(signature_is_by_the_issuer, Reason.TOKEN_SIGNATURE_INVALID, "RFC 8935 section 2.1"),
        Check(issuer_is_ours, Reason.TOKEN_ISSUER_UNKNOWN, "RFC 8935 section 2.4"),
        Check(audience_is_this_resource, Reason.TOKEN_AUDIENCE_MISMATCH, "RFC 8935 section 2.4"),
        Check(notice_is_recent, Reason.TOKEN_EXPIRED, "RFC 8417 section 2.2"),
        Check(notice_says_which_tokens, Reason.TOKEN_CLAIM_MISSING, "RFC 8417 section 2.2"),
    ),
)

# RFC 8935 section 2.4.
_ERRORS = {
    Reason.TOKEN_SIGNATURE_INVALID: "invalid_key",
    Reason.TOKEN_ISSUER_UNKNOWN: "invalid_issuer",
    Reason.TOKEN_AUDIENCE_MISMATCH: "invalid_audience",
}


def receive_notice(
    server: ResourceServer, held: RevocationList, request: Request
) -> tuple[Response, Event]:
    """Decide one notice: keep what it says and answer 202, or refuse (RFC 8935 sections 2.2, 2.3).

    The event says which tokens were learned of, and how long after they were revoked (`delay`).
    """
    now = server.clock()
    learned: dict[str, float] = {}
    delay = None
    try:
        claims = notice_claims(server, request, now)
        learned = _read(_listed(claims))
        held.add(learned, now)
        delay = now - float(claims.get("iat", now))
        rejection, response = None, Response(202)
    except Rejected as refused:
        learned, rejection, response = {}, refused, _refusal(refused)
    event = decision_event(
        "resource_server",
        server.name,
        now,
        request,
        rejection,
        request_id=server.new_id(),
        status=response.status,
        revoked=sorted(learned),
        delay=delay,
    )
    return response.adding("Request-Id", event["request_id"]), event


def notice_claims(server: ResourceServer, request: Request, now: float) -> Mapping[str, Any]:
    """Return the claims of a notice that is good; raises Rejected."""
    if request.method != "POST":
        raise Rejected(Reason.METHOD_NOT_ALLOWED, "notice_is_posted", "RFC 8935 section 2.1")
    kinds = request.media_types
    if kinds != [NOTICE_TYPE]:
        detail = ", ".join(kinds)
        raise Rejected(
            Reason.CREDENTIALS_MALFORMED, "notice_is_pushed", "RFC 8935 section 2.1", detail
        )
    notice = request.body.decode("latin-1")
    return REVOCATION_NOTICE.verify(notice, server.token_evidence(now))


def _refusal(rejection: Rejected) -> Response:
    if rejection.reason is Reason.UNAVAILABLE:
        return Response.of_json(503, {}, (("Retry-After", "1"),))
    if rejection.reason is Reason.METHOD_NOT_ALLOWED:
        return Response.of_json(405, {}, (("Allow", "POST"),))
    error = _ERRORS.get(rejection.reason, "invalid_request")
    return Response.of_json(400, {"err": error, "description": "the notice was not accepted"})


def _listed(claims: Mapping[str, Any]) -> list[Any]:
    events = claims.get("events")
    event = events.get(TOKENS_REVOKED) if isinstance(events, dict) else None
    tokens = event.get("tokens") if isinstance(event, dict) else None
    return tokens if isinstance(tokens, list) else []


def _read(tokens: list[Any]) -> dict[str, float]:
    """Return `jti` to `exp` of each entry that has both."""
    entries = [entry for entry in tokens if isinstance(entry, dict)]
    return {
        entry["jti"]: float(entry["exp"])
        for entry in entries
        if isinstance(entry.get("jti"), str) and is_number(entry.get("exp"))
    }
