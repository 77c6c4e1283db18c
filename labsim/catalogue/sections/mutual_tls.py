"""Section 9 of the catalogue: mutual TLS (RFC 8705), as far as one request decides it."""

from __future__ import annotations

import datetime
import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization

from labsim.catalogue.certificate_changes import STOLEN, certificate_of, pem, public_half
from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.presenting import refused
from labsim.catalogue.vector import Actor, Elsewhere, Force, Make, Needs, Section, Vector
from labsim.certificates import (
    KeyPair,
    certificate_authority,
    client_certificate,
    client_uri,
)
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.rooms import rooms

DER = serialization.Encoding.DER
DAY = 86400
BOTH, RS, AS = (Actor.AS, Actor.RS), (Actor.RS,), (Actor.AS,)
STATUS = {Actor.AS: 400, Actor.RS: 401}
ERROR = {Actor.AS: "invalid_request", Actor.RS: "invalid_token"}
FORGED = "whoever can write a header is whoever it likes"
UNTIMELY = "a key that was withdrawn, or has not been given out yet, still counts"

type Rows = tuple[Vector, ...]


def date(seconds: float) -> datetime.datetime:
    """Return the date of a time in seconds since 1970."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def certified(by: KeyPair, key: SigningKey, now: float, seconds: float = DAY) -> bytes:
    """Certify a key under the holder's name, for so many seconds from now on (DER)."""
    public: Any = key.private.public_key()
    lifetime = datetime.timedelta(seconds=seconds)
    made = client_certificate(by, public, client_uri("holder"), "holder", date(now), lifetime)
    return made.public_bytes(DER)


def shown(certificate: Callable[[GoodRequest], bytes | None]) -> Make:
    """Show another certificate in the handshake, or none."""
    return lambda good: replace(good.request, peer_certificate=certificate(good))


def reissued(good: GoodRequest) -> bytes:
    """Certify the holder's key again, with the same names: a rotation."""
    return certified(good.clients_authority, good.holder, good.now)


def timed(start: float) -> Callable[[GoodRequest], bytes]:
    """Certify the holder's key for a day that begins so many seconds from now."""
    return lambda good: certified(good.clients_authority, good.holder, good.now + start)


def look_alike(good: GoodRequest) -> bytes:
    """Certify the thief's key with the holder's names, by an authority of the same name."""
    authority = certificate_authority("client CA", date(good.now))
    return certified(authority, good.stranger, good.now)


def thiefs(good: GoodRequest) -> bytes:
    """Return the thief's own certificate."""
    if good.stranger.certificate is None:
        raise CannotBeMade("the thief has no certificate")
    return good.stranger.certificate


def of_version(number: int) -> Callable[[GoodRequest], bytes]:
    """Return the holder's certificate with another version number (RFC 5280 section 4.1.2.1)."""
    field = bytes.fromhex("a0030201")
    return lambda good: certificate_of(good).replace(field + b"\2", field + bytes([number]))


def in_a_field(name: str, form: Callable[[GoodRequest], str]) -> Make:
    """Say it in a header, where no proxy has set it, over a connection that shows nothing."""

    def make(good: GoodRequest) -> Request:
        return replace(good.request, peer_certificate=None).adding(name, form(good))

    return make


def byte_sequence(good: GoodRequest) -> str:
    """Write the certificate as RFC 9440 does."""
    return f":{b64encode(certificate_of(good)).decode()}:"


def one_line_pem(good: GoodRequest) -> str:
    """Write the certificate as vendors' headers do."""
    return pem(good).decode().strip().replace("\n", " ")


def by_hash(good: GoodRequest) -> str:
    """Name the certificate by its hash, as X-Forwarded-Client-Cert does."""
    return f"Hash={hashlib.sha256(certificate_of(good)).hexdigest()}"


def about(
    check: str,
    reason: Reason,
    gain: str,
    actors: tuple[Actor, ...] = BOTH,
    force: Force = Force.MUST,
    needs: Needs = Needs.NOTHING,
) -> Callable[..., Rows]:
    """Return a maker of rows that all fail for this reason, one vector for each server."""

    def make(id: str, what: str, source: str, make: Make, needs: Needs = needs) -> Rows:
        more: dict[str, Any] = {"check": check, "reason": reason, "gain": gain, "needs": needs}
        more |= {"force": force, "binding": "mtls"}
        return tuple(
            refused(id, what, source, make, actor=a, status=STATUS[a], error=ERROR[a], **more)
            for a in actors
        )

    return make


missing = about("certificate_is_shown", Reason.PROOF_MISSING, STOLEN)
forged = about("certificate_is_shown", Reason.PROOF_MISSING, FORGED)
unreadable = about(
    "certificate_can_be_read", Reason.PROOF_MALFORMED, STOLEN, needs=Needs.IN_PROCESS
)
mismatched = about("certificate_is_the_bound_one", Reason.BINDING_MISMATCH, STOLEN, RS)
untimely = about(
    "certificate_is_in_its_time",
    Reason.PROOF_OUTSIDE_WINDOW,
    UNTIMELY,
    force=Force.POLICY,
    needs=Needs.AUTHORITY,
)
SHOWN = (
    missing("MT-01/02", "no certificate", "8705 3", shown(lambda _: None)),
    forged("MT-12", "a certificate in Client-Cert only", "9440 2.4", in_a_field("Client-Cert", byte_sequence)),
    forged("MT-14", "in Client-Cert as PEM", "9440 2.2", in_a_field("Client-Cert", one_line_pem)),
    forged("MT-14b", "in Client_Cert", "9440 4", in_a_field("Client_Cert", byte_sequence)),
    forged("MT-15", "in X-SSL-Client-Cert", "9440 4", in_a_field("X-SSL-Client-Cert", one_line_pem)),
    forged("MT-15b", "in X-Forwarded-Client-Cert", "9440 4", in_a_field("X-Forwarded-Client-Cert", by_hash)),
    mismatched("MT-03", "another client's", "8705 3", shown(thiefs)),
    mismatched("MT-05", "same key and subject, re-issued", "8705 6.3", shown(reissued), Needs.AUTHORITY),
    mismatched("MT-06", "same subject, another key, look-alike CA", "8705 7.4", shown(look_alike)),
    unreadable("MT-14c", "PEM", "8705 3.1", shown(pem)),
    unreadable("MT-21q", "the public key alone", "5280 4.1", shown(public_half)),
    unreadable("MT-X1", "nothing", "5280 4.1", shown(lambda _: b"")),
    unreadable("MT-X2", "cut", "5280 4.1", shown(lambda good: certificate_of(good)[:-1])),
    unreadable("MT-X3", "an octet behind", "5280 4.1", shown(lambda good: certificate_of(good) + b"\0")),
    unreadable("MT-X4", "version 2", "5280 4.1.2.1", shown(of_version(1))),
    unreadable("MT-X5", "a version that there is not", "5280 4.1.2.1", shown(of_version(9))),
    untimely("MT-10", "expired", "8705 7.5", shown(timed(-2 * DAY))),
    untimely("MT-10b", "of tomorrow", "8705 7.5", shown(timed(DAY))),
)  # fmt: skip


def brought_too(binding: str) -> Make:
    """Introduce a key of another binding beside the certificate."""

    def make(good: GoodRequest) -> Request:
        room = rooms("labsim.bindings", "BINDING")[binding]
        made: Request = room.attach(good.request, good.presentation)
        return made

    return make


def brought_instead(binding: str) -> Make:
    """Introduce a key of another binding, and show no certificate."""
    return lambda good: replace(brought_too(binding)(good), peer_certificate=None)


TWO_KEYS = about("one_key_is_introduced", Reason.REQUEST_MALFORMED, "the sender picks the easier of two bindings", AS, Force.POLICY)  # fmt: skip
ANOTHER = about("binding_is_the_registered_one", Reason.REQUEST_MALFORMED, "a token that is bound in another way than its client has registered", AS)  # fmt: skip
ASKED = (
    TWO_KEYS("MT-23", "a proof as well", "8705 3", brought_too("dpop")),
    TWO_KEYS("MT-23b", "a signature as well", "8705 3", brought_too("http_signature")),
    TWO_KEYS("MT-23c", "an empty proof as well", "8705 3", lambda good: good.request.adding("DPoP", "")),
    TWO_KEYS("MT-23d", "half a signature as well", "8705 3", lambda good: good.request.adding("Signature", "")),
    ANOTHER("MT-01b", "a proof instead", "8705 3", brought_instead("dpop")),
    ANOTHER("MT-01c", "a signature instead", "8705 3", brought_instead("http_signature")),
)  # fmt: skip


def _in(file: str, id: str, what: str, source: str, why: str) -> Elsewhere:
    return Elsewhere(id=id, what=what, source=source, why=why, proven=f"tests/{file}.py")


ELSEWHERE = (
    _in("vectors/test_9_tls_client_authentication", "MT-07, MT-08", "tls_client_auth by a look-alike", "RFC 8705 section 7.5", "the client's registration decides"),
    _in("vectors/test_9_self_signed_and_revoked", "MT-09", "self_signed_tls_client_auth", "RFC 8705 section 2.2", "the client's registration decides"),
    _in("vectors/test_9_mutual_tls", "MT-10c", "a revoked certificate", "RFC 8705 section 7.5", "it takes a server that was told"),
    _in("vectors/test_9_mutual_tls", "MT-11", "a certificate that nobody vouches for", "RFC 8705 section 6.2", "it takes a token bound to another certificate"),
    _in("vectors/test_9_certificate_header", "MT-12 to MT-15", "the same headers behind a proxy", "RFC 9440 section 4", "a proxy decides"),
    _in("vectors/test_9_mutual_tls_tokens", "MT-16", "a refresh without the certificate", "RFC 8705 section 7.1", "it takes a refresh token"),
    _in("estate/test_mutual_tls", "MT-18 to MT-20", "one connection for two", "RFC 8705 section 3", "a connection decides, not a request"),
    _in("vectors/test_11_introspection", "MT-22", "a token that is introspected", "RFC 8705 section 3.2", "it takes a server that introspects"),
    _in("estate/test_strangers_with_certificates", "MT-25", "the plain endpoint where there is an alias", "RFC 8705 section 5", "it takes an authorization server with two addresses"),
    Elsewhere(id="MT-17", what="a code redeemed with another certificate", source="RFC 8705 section 7.1", why="there are no authorization codes here"),
)  # fmt: skip
SECTION = Section(
    name="mutual_tls",
    number=9,
    title="Mutual TLS: what the connection shows",
    vectors=(*(vector for row in (*SHOWN, *ASKED) for vector in row),),
    elsewhere=ELSEWHERE,
)
