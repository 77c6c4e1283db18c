"""Section 9 of the catalogue: mutual TLS, as far as the roles decide it.

Elsewhere, since there a connection, a proxy or a client's registration decides: MT-07 to MT-09 in
test_9_tls_client_authentication.py and test_9_self_signed_and_revoked.py, MT-12 to MT-15 in
test_9_certificate_header.py, MT-18 to MT-20 (live TLS) in tests/estate/test_mutual_tls.py, MT-22
with introspection, MT-25 in tests/estate/test_strangers_with_certificates.py. MT-17 has no row:
there are no authorization codes here.
"""

from __future__ import annotations

import datetime
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives import serialization

from labsim.certificates import (
    certificate_authority,
    certificate_thumbprint,
    client_certificate,
)
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    BOTH,
    RS,
    STATUS,
    assert_challenged,
    assert_refused,
    assert_served,
    token_request,
)
from tests.wiring import BEGINNING, BINDINGS, RECORD, Lab, certified

MTLS, SIGNED = BINDINGS["mtls"], BINDINGS["http_signature"]
DER = serialization.Encoding.DER
NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
URI, LIFETIME = "spiffe://lab.test/holder", 300.0
ERROR = {AS: "invalid_request", RS: "invalid_token"}

type Make = Callable[[Lab, Request], Request]


def good(lab: Lab, actor: str, holder: SigningKey | None = None) -> Request:
    """Make a request over a connection that showed the holder's certificate."""
    if actor == AS:
        return MTLS.attach(token_request(lab, "mutual"), lab.presentation(None, holder))
    token = lab.token("mtls", "mutual", holder).access_token
    return MTLS.attach(Request("GET", RECORD), lab.presentation(token, holder))


def shown(der: Callable[[Lab], bytes | None]) -> Make:
    return lambda lab, request: replace(request, peer_certificate=der(lab))


def reissued(lab: Lab) -> bytes:
    """Certify the holder's key again, with the same names: a rotation."""
    return certified(lab.holder, "holder").certificate or b""


def look_alike(_lab: Lab) -> bytes:
    """Certify the thief's key with the holder's names, by an authority of the same name."""
    authority = certificate_authority("client CA", NOW)
    key = SigningKey.generate().private.public_key()
    return client_certificate(authority, key, URI, "holder", NOW).public_bytes(DER)


def short_lived(lab: Lab, ahead: float = 0.0) -> SigningKey:
    return certified(SigningKey.generate(), "holder", lab.clock() + ahead, LIFETIME)


def self_signed(_lab: Lab) -> SigningKey:
    pair = certificate_authority("holder", NOW)
    leaf = client_certificate(pair, pair.key.public_key(), URI, "holder", NOW)
    return SigningKey(pair.key).certified(leaf.public_bytes(DER))


def of_version(number: int) -> Callable[[Lab], bytes]:
    """Return the holder's certificate with another version number (RFC 5280 section 4.1.2.1)."""
    field = bytes.fromhex("a0030201")
    return lambda lab: (lab.holder.certificate or b"").replace(
        field + b"\2", field + bytes([number])
    )


def pem(lab: Lab) -> bytes:
    lines = b64encode(lab.holder.certificate or b"")
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"


def public_half(lab: Lab) -> bytes:
    subject_public_key_info = serialization.PublicFormat.SubjectPublicKeyInfo
    return lab.holder.private.public_key().public_bytes(DER, subject_public_key_info)


def in_a_field(_lab: Lab, request: Request) -> Request:
    """Say it in Client-Cert (RFC 9440), where no proxy of ours has set it."""
    value = f":{b64encode(request.peer_certificate or b'').decode()}:"
    return replace(request, peer_certificate=None).adding("Client-Cert", value)


def after_its_revocation(lab: Lab, request: Request) -> Request:
    lab.revoked_keys.add(certificate_thumbprint(request.peer_certificate or b""))
    return request


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way in which a connection is not the sender's: what is made of the good request."""

    id: str
    what: str
    source: str
    make: Make
    check: str
    reason: Reason
    actors: tuple[str, ...] = BOTH


def about(check: str, reason: Reason, actors: tuple[str, ...] = BOTH) -> Callable[..., Row]:
    def make(id: str, what: str, source: str, change: Make) -> Row:
        return Row(
            id=id, what=what, source=source, make=change, check=check, reason=reason, actors=actors
        )

    return make


missing = about("certificate_is_shown", Reason.PROOF_MISSING)
unreadable = about("certificate_can_be_read", Reason.PROOF_MALFORMED)
mismatched = about("certificate_is_the_bound_one", Reason.BINDING_MISMATCH, (RS,))
untimely = about("certificate_is_in_its_time", Reason.PROOF_OUTSIDE_WINDOW)
revoked = about("certificate_is_not_revoked", Reason.PROOF_KEY_REVOKED)

ROWS = (
    missing("MT-01/02", "no certificate", "8705 3", shown(lambda _: None)),
    missing("MT-02b", "a certificate in a field only", "9440 2.4", in_a_field),
    mismatched("MT-03", "another client's", "8705 3", shown(lambda lab: lab.thief.certificate)),
    mismatched("MT-05", "same key and subject, re-issued", "8705 6.3", shown(reissued)),
    mismatched("MT-06", "same subject, another key, look-alike CA", "8705 7.4", shown(look_alike)),
    unreadable("MT-14", "PEM", "8705 3.1", shown(pem)),
    unreadable("MT-21a", "the public key alone", "5280 4.1", shown(public_half)),
    unreadable("MT-X1", "nothing", "5280 4.1", shown(lambda _: b"")),
    unreadable("MT-X2", "cut", "5280 4.1", shown(lambda lab: (lab.holder.certificate or b"")[:-1])),
    unreadable(
        "MT-X3",
        "an octet behind",
        "5280 4.1",
        shown(lambda lab: (lab.holder.certificate or b"") + b"\0"),
    ),
    unreadable("MT-X4", "version 2", "5280 4.1.2.1", shown(of_version(1))),
    unreadable("MT-X5", "a version that there is not", "5280 4.1.2.1", shown(of_version(9))),
    untimely(
        "MT-10", "expired", "8705 7.5", shown(lambda lab: short_lived(lab, -LIFETIME).certificate)
    ),
    untimely(
        "MT-10b", "of tomorrow", "8705 7.5", shown(lambda lab: short_lived(lab, 86400).certificate)
    ),
    revoked("MT-10c", "revoked", "8705 7.5", after_its_revocation),
)
CASES = [
    pytest.param(row, actor, id=f"{row.id} {actor} {row.what}")
    for row in ROWS
    for actor in row.actors
]


@pytest.mark.parametrize(("row", "actor"), CASES)
def test_a_connection_that_is_not_the_senders_is_refused(lab: Lab, row: Row, actor: str) -> None:
    assert_served(lab, good(lab, actor))
    bad = row.make(lab, good(lab, actor))
    refusal = {"error": ERROR[actor], "reason": row.reason, "check": row.check}
    response = assert_refused(lab, bad, status=STATUS[actor], **refusal)
    if actor == RS:
        assert_challenged(response, "Bearer", "invalid_token")
    lab.revoked_keys.clear()
    assert_served(lab, good(lab, actor))


@pytest.mark.parametrize("actor", BOTH)
def test_a_certificate_nobody_vouches_for_is_as_good_as_its_key(lab: Lab, actor: str) -> None:
    """MT-11: RFC 8705 sections 4 and 6.2; the thumbprint is compared, no chain is built."""
    assert_served(lab, good(lab, actor, self_signed(lab)))
    other = shown(lambda lab: self_signed(lab).certificate)(lab, good(lab, RS, self_signed(lab)))
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_refused(lab, other, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("actor", BOTH)
def test_a_certificate_is_good_to_its_last_second(lab: Lab, actor: str) -> None:
    """MT-10: its end is judged on the lab's clock, and is its first bad second."""
    holder = short_lived(lab)
    request = good(lab, actor, holder)
    lab.clock.advance(LIFETIME - 1)
    assert_served(lab, request)
    lab.clock.advance(1)
    refusal = {"reason": Reason.PROOF_OUTSIDE_WINDOW, "check": "certificate_is_in_its_time"}
    assert_refused(lab, request, status=STATUS[actor], error=ERROR[actor], **refusal)


def test_after_a_rotation_the_client_gets_a_new_token(lab: Lab) -> None:
    """MT-05: an outage until it does, and the old pair stays good for as long as its token."""
    old, renewed = lab.holder, certified(lab.holder, "holder")
    request = good(lab, RS, old)
    assert_served(lab, good(lab, RS, renewed))
    assert_served(lab, request)


def test_each_request_of_a_connection_is_compared(lab: Lab) -> None:
    """MT-20: the same connection brings its own token, another client's, and its own again."""
    own, other = good(lab, RS), good(lab, RS, lab.thief)
    mixed = replace(other, peer_certificate=own.peer_certificate)
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_served(lab, own)
    assert_refused(lab, mixed, status=401, error="invalid_token", **refusal)
    assert_served(lab, own)
    assert_served(lab, other)
