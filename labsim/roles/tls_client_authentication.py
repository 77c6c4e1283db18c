"""A client authenticates by the certificate of its connection (RFC 8705 section 2).

`tls_client_auth`: a certificate by the lab's client authority, whose subject, or one subject
alternative name, is the registered one. `self_signed_tls_client_auth`: the key is a registered one,
and who signed the certificate does not matter. Both prove the key by TLS itself.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from labsim.certificates import certificate_thumbprint
from labsim.checks import Check, Checks, run_checks
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected

TLS_CLIENT_AUTH = "tls_client_auth"
SELF_SIGNED = "self_signed_tls_client_auth"
TLS_METHODS = (TLS_CLIENT_AUTH, SELF_SIGNED)
_IN_HEXADECIMAL = re.compile(r"(?:^|(?<!\\)[,+])[^=,+]*=#")
# Netscape's certificate types, by which OpenSSL still knows an authority where nothing newer is.
_NETSCAPE_TYPES = x509.ObjectIdentifier("2.16.840.1.113730.1.1")


# The client's side.


def by_certificate(client_id: str, certificate: bytes) -> Callable[[Request], Request]:
    """Authenticate by the certificate (DER) of the connection; the request only says who asks."""

    def authenticate(request: Request) -> Request:
        body = request.body + b"&" + urlencode({"client_id": client_id}).encode()
        return replace(request, body=body, peer_certificate=certificate)

    return authenticate


# The server's side.


@dataclass(frozen=True, slots=True)
class RegisteredCertificate:
    """Hold what a client registered of its certificate (RFC 8705 section 2.1.2 and 2.2).

    `name` is one of SUBJECT_MEMBERS and `value` its text, for `tls_client_auth`; `keys` are public
    keys (DER, SubjectPublicKeyInfo), for `self_signed_tls_client_auth`.
    """

    name: str = ""
    value: str = ""
    keys: frozenset[bytes] = frozenset()


NOTHING_REGISTERED = RegisteredCertificate()
"""What a client has that authenticates in another way."""


@dataclass(frozen=True, slots=True)
class CertificateTrust:
    """Hold whom a server believes: the client authority's certificate (DER) and what is revoked."""

    authority: bytes
    is_revoked: Callable[[str], bool] = lambda _thumbprint: False


NO_CERTIFICATES = CertificateTrust(b"")
"""Believe no authority at all."""


@dataclass(frozen=True, slots=True)
class CertificateEvidence:
    """What a client's certificate is judged by."""

    registered: RegisteredCertificate
    trust: CertificateTrust
    now: float


@lru_cache(maxsize=1024)
def _read(der: bytes) -> x509.Certificate:
    """Read a certificate, and all of it now, so that nothing fails later; raises ValueError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        for part in ("subject", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
            getattr(certificate, part)
        certificate.public_key()
    # Beside what it documents, cryptography raises KeyError and others for a damaged certificate.
    except Exception as error:  # noqa: BLE001
        raise ValueError(f"it cannot be read: {error}") from None
    return certificate


# One subject member each: the certificate's values of that kind, and how a registered one is read.


def _subject(certificate: x509.Certificate) -> list[x509.Name]:
    return [certificate.subject]


def _distinguished_name(text: str) -> x509.Name:
    """Read RFC 4514, but for a value in hexadecimal, whose DER `cryptography` takes for text."""
    if _IN_HEXADECIMAL.search(text):
        raise ValueError("a value in hexadecimal (#...) is not offered; write the value itself")
    return x509.Name.from_rfc4514_string(text)


def _san(kind: type[x509.GeneralName]) -> Callable[[x509.Certificate], list[Any]]:
    def values(certificate: x509.Certificate) -> list[Any]:
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return []
        return list(found.value.get_values_for_type(kind))  # type: ignore[arg-type]

    return values


SUBJECT_MEMBERS: Mapping[
    str, tuple[Callable[[x509.Certificate], list[Any]], Callable[[str], Any]]
] = {
    "tls_client_auth_subject_dn": (_subject, _distinguished_name),
    "tls_client_auth_san_dns": (_san(x509.DNSName), lambda text: x509.DNSName(text).value),
    "tls_client_auth_san_uri": (
        _san(x509.UniformResourceIdentifier),
        lambda text: x509.UniformResourceIdentifier(text).value,
    ),
    "tls_client_auth_san_ip": (_san(x509.IPAddress), ipaddress.ip_address),
    "tls_client_auth_san_email": (_san(x509.RFC822Name), lambda text: x509.RFC822Name(text).value),
}
"""Client metadata members (RFC 8705 section 2.1.2), of which a client registers exactly one.

Names are compared as they are written, IP addresses as addresses.
"""


def key_octets(certificate: x509.Certificate) -> bytes:
    """Return a certificate's public key as DER (SubjectPublicKeyInfo)."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


# The checks, one sentence each.


def certificate_is_by_the_client_authority(der: bytes, evidence: CertificateEvidence) -> bool:
    """TLS lets self-signed certificates of other clients in as well: a chain is asked for here."""
    try:
        _read(der).verify_directly_issued_by(_read(evidence.trust.authority))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def subject_is_the_registered_one(der: bytes, evidence: CertificateEvidence) -> bool:
    """Of the registered kind and no other, and whole: a name that only contains it is another."""
    registered = evidence.registered
    if registered.name not in SUBJECT_MEMBERS:
        return False
    values, read = SUBJECT_MEMBERS[registered.name]
    return read(registered.value) in values(_read(der))


def key_is_a_registered_one(der: bytes, evidence: CertificateEvidence) -> bool:
    """Compare the key; a listener lets in the registered certificates of it and no others."""
    return key_octets(_read(der)) in evidence.registered.keys


def certificate_is_in_its_time(der: bytes, evidence: CertificateEvidence) -> bool:
    """On the lab's clock, which OpenSSL does not see."""
    certificate = _read(der)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return start.timestamp() <= evidence.now < end.timestamp()


def certificate_is_not_revoked(der: bytes, evidence: CertificateEvidence) -> bool:
    """As far as this server has been told."""
    return not evidence.trust.is_revoked(certificate_thumbprint(der))


_WRONG = Reason.CLIENT_CREDENTIAL_INVALID
_ALWAYS = (
    Check(certificate_is_in_its_time, _WRONG, "RFC 8705 section 7.5"),
    Check(certificate_is_not_revoked, _WRONG, "RFC 8705 section 7.5"),
)
CERTIFICATE_CHECKS: Mapping[str, Checks] = {
    TLS_CLIENT_AUTH: (
        Check(certificate_is_by_the_client_authority, _WRONG, "RFC 8705 section 2.1"),
        Check(subject_is_the_registered_one, _WRONG, "RFC 8705 section 2.1.2"),
        *_ALWAYS,
    ),
    SELF_SIGNED: (
        Check(key_is_a_registered_one, _WRONG, "RFC 8705 section 2.2"),
        *_ALWAYS,
    ),
}
"""By method, in order."""


def authenticate_by_certificate(
    request: Request, method: str, evidence: CertificateEvidence
) -> None:
    """Check the connection's certificate against what the client registered; raises Rejected."""
    der = request.peer_certificate
    if der is None:
        raise Rejected(_WRONG, "client_shows_a_certificate", "RFC 8705 section 2")
    try:
        _read(der)
    except ValueError as error:
        raise Rejected(
            _WRONG, "client_shows_a_certificate", "RFC 8705 section 2", str(error)
        ) from None
    run_checks(CERTIFICATE_CHECKS[method], der, evidence)


# Registration.


def registered_certificate(metadata: Mapping[str, Any], method: str) -> RegisteredCertificate:
    """Read what a client registers of its certificate; raises ValueError that names the member."""
    if method == SELF_SIGNED:
        certificates = self_signed_certificates(metadata)
        return RegisteredCertificate(keys=frozenset(map(key_octets, certificates)))
    named = [member for member in SUBJECT_MEMBERS if member in metadata]
    if len(named) != 1:
        raise ValueError(f"exactly one of {', '.join(SUBJECT_MEMBERS)} must be there, for {method}")
    member, value = named[0], metadata[named[0]]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{member} must be a text that is not empty")
    try:
        SUBJECT_MEMBERS[member][1](value)
    except ValueError as error:
        raise ValueError(f"{member} cannot be read: {error}") from None
    return RegisteredCertificate(member, value)


def self_signed_certificates(metadata: Mapping[str, Any]) -> list[x509.Certificate]:
    """Return the certificates in `jwks` (`x5c`, RFC 7517 section 4.7); raises ValueError.

    One that may sign others is refused: a listener that trusts it would let in whatever it signs.
    """
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys:
        raise ValueError(f'jwks must be an object with "keys", a list of JWKs, for {SELF_SIGNED}')
    found = []
    for key in keys:
        chain = key.get("x5c") if isinstance(key, dict) else None
        if not isinstance(chain, list) or len(chain) != 1 or not isinstance(chain[0], str):
            raise ValueError("jwks: each key needs x5c with its one self-signed certificate")
        try:
            certificate = _read(base64.b64decode(chain[0], validate=True))
        except ValueError as error:
            raise ValueError(f"jwks: x5c holds no certificate: {error}") from None
        if _may_sign_others(certificate):
            raise ValueError(
                "jwks: x5c holds a certificate that may sign others (CA:TRUE); make one that may "
                "not: openssl req -x509 -addext basicConstraints=critical,CA:FALSE"
            )
        found.append(certificate)
    return found


def _may_sign_others(certificate: x509.Certificate) -> bool:
    """Tell whether OpenSSL could take it for an authority: by its extensions, or its version."""
    if certificate.version is not x509.Version.v3:
        return True
    for extension in certificate.extensions:
        value = extension.value
        if extension.oid == _NETSCAPE_TYPES:
            return True
        if isinstance(value, x509.BasicConstraints) and value.ca:
            return True
        if isinstance(value, x509.KeyUsage) and value.key_cert_sign:
            return True
    return False
