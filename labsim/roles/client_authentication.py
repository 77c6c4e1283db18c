"""How a client shows the authorization server who it is: both sides of each method.

`client_secret_basic` (RFC 6749 section 2.3.1) and `private_key_jwt` (RFC 7523 as its successor
draft-ietf-oauth-rfc7523bis tightens it: the audience is the issuer and nothing else). A public
client has nothing to show: it says its name (`none`, RFC 7591 section 2). The methods by
certificate are in `tls_client_authentication`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlencode

from labsim.binding import Holder
from labsim.checks import Check, Checks, run_checks
from labsim.http_message import Request
from labsim.jose import CompactJws, Malformed, is_number, parse_compact, sign_compact
from labsim.keys import PublicKey
from labsim.rejection import Reason, Rejected
from labsim.roles.form import Form
from labsim.roles.tls_client_authentication import (
    NO_CERTIFICATES,
    NOTHING_REGISTERED,
    TLS_METHODS,
    CertificateEvidence,
    CertificateTrust,
    RegisteredCertificate,
    authenticate_by_certificate,
)

BASIC = "client_secret_basic"
PRIVATE_KEY_JWT = "private_key_jwt"
NONE = "none"
CONFIDENTIAL_METHODS = (BASIC, PRIVATE_KEY_JWT, *TLS_METHODS)
METHODS = (*CONFIDENTIAL_METHODS, NONE)
ASSERTION_ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "RS256")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = 300.0
"""Lab seconds by which an assertion's `exp` may lie ahead."""
_SOURCE = "RFC 7523 section 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """Hold what the authorization server knows of a client (RFC 7591 section 2).

    `secret_hash` is SHA-256; `scopes` are those it may have; `requires` names the binding that its
    tokens must have (RFC 9449 section 5.2), None if it may choose. `audience` is the resource
    that the client itself serves, empty for a client that is no resource server.
    """

    client_id: str
    method: str = BASIC
    secret_hash: bytes = b""
    keys: tuple[PublicKey, ...] = ()
    grant_types: frozenset[str] = frozenset({"client_credentials"})
    scopes: frozenset[str] = frozenset()
    requires: str | None = None
    audience: str = ""
    certificate: RegisteredCertificate = NOTHING_REGISTERED


def secret_hash(secret: str) -> bytes:
    """Hash a client secret; secrets here are 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


class Clients(Protocol):
    """Know the registered clients."""

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return the client with this id, or None."""


# The client's side: each puts its authentication on a token request.

type Authentication = Callable[[Request], Request]


def basic(client_id: str, secret: str) -> Authentication:
    """Authenticate by secret: id and secret form-encoded, then Basic (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    value = f"Basic {base64.b64encode(pair).decode()}"
    return lambda request: request.adding("Authorization", value)


def public(client_id: str) -> Authentication:
    """Say who is asking, and prove nothing: a public client (RFC 6749 section 2.1)."""

    def named(request: Request) -> Request:
        body = request.body + urlencode({"client_id": client_id}).join(["&", ""]).encode()
        return Request(request.method, request.url, request.fields, body)

    return named


def private_key_jwt(
    client_id: str,
    holder: Holder,
    issuer: str,
    now: Callable[[], float],
    new_id: Callable[[], str],
) -> Authentication:
    """Authenticate by an assertion that the client's own key signs; a new one for every request."""

    def authenticate(request: Request) -> Request:
        claims = {"iss": client_id, "sub": client_id, "aud": issuer, "jti": new_id()}
        claims |= {"iat": int(now()), "exp": int(now()) + 60}  # type: ignore[dict-item]
        header = {"typ": "JWT", "alg": holder.algorithm}
        pairs = parse_qsl(request.body.decode())
        pairs += [("client_assertion_type", ASSERTION_TYPE)]
        pairs += [("client_assertion", sign_compact(header, claims, holder))]
        return Request(request.method, request.url, request.fields, urlencode(pairs).encode())

    return authenticate


# The server's side.


@dataclass(frozen=True, slots=True)
class AssertionEvidence:
    """What an assertion is judged by."""

    client: RegisteredClient
    issuer: str
    now: float


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Hold who the client is, and what must be spent once all else is good (an assertion's jti)."""

    client: RegisteredClient
    spend: tuple[tuple[str, str], float] | None = field(default=None)


def authenticate_client(
    request: Request,
    form: Form,
    clients: Clients,
    issuer: str,
    now: float,
    trust: CertificateTrust = NO_CERTIFICATES,
    assertion_checks: Checks | None = None,
) -> Authenticated:
    """Find out which client this is; raises Rejected (`invalid_client`, `invalid_request`)."""
    header, assertion = request.values("Authorization"), form.value("client_assertion")
    in_body = form.value("client_secret")
    if len(header) + (assertion is not None) + (in_body is not None) > 1:
        raise Rejected(
            Reason.REQUEST_MALFORMED,
            "client_authenticates_one_way",
            "RFC 6749 section 2.3",
        )
    if header:
        return _by_secret(header[0], form, clients)
    if assertion is not None:
        return _by_assertion(assertion, form, clients, issuer, now, assertion_checks)
    named = form.value("client_id")
    if in_body is None and named is not None:
        client = clients.client(named)
        if client is None or client.method not in TLS_METHODS:
            return Authenticated(_registered(named, form, clients, NONE))
        evidence = CertificateEvidence(client.certificate, trust, now)
        authenticate_by_certificate(request, client.method, evidence)
        return Authenticated(client)
    raise _unauthenticated("client_authenticates", "RFC 6749 section 3.2.1")


def authenticate_confidential_client(
    request: Request,
    form: Form,
    clients: Clients,
    issuer: str,
    now: float,
    trust: CertificateTrust = NO_CERTIFICATES,
) -> Authenticated:
    """Find out which client this is, where a name alone does not do; raises Rejected."""
    who = authenticate_client(request, form, clients, issuer, now, trust)
    if who.client.method == NONE:
        raise _unauthenticated("caller_is_no_public_client", "RFC 7662 section 2.1")
    return who


def _unauthenticated(check: str, source: str, detail: str = "") -> Rejected:
    return Rejected(Reason.CLIENT_CREDENTIAL_INVALID, check, source, detail)


def _registered(
    client_id: str | None, form: Form, clients: Clients, method: str
) -> RegisteredClient:
    named = form.value("client_id")
    client = clients.client(client_id) if client_id is not None else None
    if client is None or (named is not None and named != client_id):
        raise Rejected(Reason.CLIENT_UNKNOWN, "client_is_registered", "RFC 6749 section 5.2")
    if client.method != method:
        raise _unauthenticated("method_is_the_registered_one", "RFC 7591 section 2", method)
    return client


def _by_secret(value: str, form: Form, clients: Clients) -> Authenticated:
    scheme, _, encoded = value.strip(" \t").partition(" ")
    try:
        text = base64.b64decode(encoded.strip(" "), validate=True).decode("ascii")
        client_id, colon, secret = text.partition(":")
        client_id, secret = (unquote_plus(part, errors="strict") for part in (client_id, secret))
    except ValueError:
        colon = client_id = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise _unauthenticated("basic_credentials_are_well_formed", "RFC 7617 section 2")
    client = _registered(client_id, form, clients, BASIC)
    if not hmac.compare_digest(secret_hash(secret), client.secret_hash):
        raise _unauthenticated("secret_is_the_clients", "RFC 6749 section 2.3.1")
    return Authenticated(client)


def signature_is_by_a_registered_key(jws: CompactJws, evidence: AssertionEvidence) -> bool:
    """Take the key from the registration; the header's own jwk, jku or x5u are not read."""
    return any(
        jws.header.get("alg") in key.algorithms and key.verifies(jws.signature, jws.signing_input)
        for key in evidence.client.keys
    )


def no_critical_extension(jws: CompactJws, _evidence: AssertionEvidence) -> bool:
    """`crit` lists what must be understood; this verifier understands no extension."""
    return "crit" not in jws.header


def assertion_is_no_other_jwt(jws: CompactJws, _evidence: AssertionEvidence) -> bool:
    """Refuse an access token or a proof that the same key signed."""
    typ = jws.header.get("typ", "JWT")
    return isinstance(typ, str) and typ.lower() in ("jwt", "client-authentication+jwt")


def issuer_and_subject_are_the_client(jws: CompactJws, evidence: AssertionEvidence) -> bool:
    """Both name the client itself."""
    return all(jws.payload.get(name) == evidence.client.client_id for name in ("iss", "sub"))


def audience_is_the_issuer_only(jws: CompactJws, evidence: AssertionEvidence) -> bool:
    """One string: with more audiences, another server could use the assertion here."""
    return bool(jws.payload.get("aud") == evidence.issuer)


def expiry_is_near(jws: CompactJws, evidence: AssertionEvidence) -> bool:
    """`exp` is there, has not passed, and lies no further ahead than the bound."""
    end: Any = jws.payload.get("exp")
    return is_number(end) and evidence.now < end <= evidence.now + LONGEST_ASSERTION


def assertion_is_already_valid(jws: CompactJws, evidence: AssertionEvidence) -> bool:
    """Ask that the time of `nbf` and `iat`, where they stand, has come (10 s for clocks)."""
    starts: list[Any] = [jws.payload.get(name, 0) for name in ("nbf", "iat")]
    return all(is_number(start) and start <= evidence.now + 10 for start in starts)


def jti_is_usable(jws: CompactJws, _evidence: AssertionEvidence) -> bool:
    """Ask for a short text, so that it can be remembered."""
    jti = jws.payload.get("jti")
    return isinstance(jti, str) and 0 < len(jti) <= 256


ASSERTION_CHECKS: Checks = tuple(
    Check(test, Reason.CLIENT_CREDENTIAL_INVALID, source)
    for test, source in (
        (assertion_is_no_other_jwt, "RFC 8725 section 3.11"),
        (no_critical_extension, "RFC 7515 section 4.1.11"),
        (signature_is_by_a_registered_key, f"{_SOURCE} item 9"),
        (issuer_and_subject_are_the_client, f"{_SOURCE} items 1 and 2"),
        (audience_is_the_issuer_only, "draft-ietf-oauth-rfc7523bis section 4"),
        (expiry_is_near, f"{_SOURCE} item 4"),
        (assertion_is_already_valid, f"{_SOURCE} items 5 and 6"),
        (jti_is_usable, f"{_SOURCE} item 7"),
    )
)


def _by_assertion(
    assertion: str, form: Form, clients: Clients, issuer: str, now: float, checks: Checks | None
) -> Authenticated:
    if form.value("client_assertion_type") != ASSERTION_TYPE:
        raise _unauthenticated("assertion_type_is_jwt_bearer", "RFC 7523 section 2.2")
    try:
        jws = parse_compact(assertion)
    except Malformed as error:
        raise _unauthenticated("assertion_is_a_jwt", _SOURCE, str(error)) from None
    sub, jti, end = (jws.payload.get(name, "") for name in ("sub", "jti", "exp"))
    client = _registered(sub if isinstance(sub, str) else None, form, clients, PRIVATE_KEY_JWT)
    chosen = ASSERTION_CHECKS if checks is None else checks
    run_checks(chosen, jws, AssertionEvidence(client, issuer, now))
    until = float(end) if is_number(end) else now + LONGEST_ASSERTION
    return Authenticated(client, ((f"assertion {client.client_id}", str(jti)), until))
