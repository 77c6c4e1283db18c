"""Certificates that a client makes for itself: a good one, and ones that could sign others."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labsim.certificates import KeyPair

FOR_ITSELF = x509.BasicConstraints(ca=False, path_length=None)
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
SIGNS_CERTIFICATES = x509.KeyUsage(
    **dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    ),
    key_cert_sign=True,
)
# Netscape's certificate type with its bits for clients and for authorities of TLS.
NETSCAPE_AUTHORITY = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.16.840.1.113730.1.1"), bytes.fromhex("03020087")
)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def self_signed(
    *extensions: x509.ExtensionType,
    subject: str = "own",
    at: datetime.datetime | None = None,
    days: float = 1,
    key: ec.EllipticCurvePrivateKey | None = None,
    by: KeyPair | None = None,
) -> KeyPair:
    """Make a certificate with exactly these extensions, signed with its own key or `by` another."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    start = (at or now()) - datetime.timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(by.certificate.subject if by else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return KeyPair(builder.sign(by.key if by else key, hashes.SHA256()), key)


def of_version_1() -> KeyPair:
    """Make a certificate of version 1, which has no extensions to say what it is for."""
    pair = self_signed()
    parts = _parts(_content(pair.certificate.tbs_certificate_bytes))
    # Without its first part, the version, it is of version 1 (RFC 5280 section 4.1.2.1).
    signed = _sequence(b"".join(parts[1:]))
    signature = pair.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    algorithm = _parts(_content(pair.der))[1]
    bits = b"\x03" + _length(len(signature) + 1) + b"\0" + signature
    whole = x509.load_der_x509_certificate(_sequence(signed + algorithm + bits))
    return KeyPair(whole, pair.key)


def key_set(*pairs: KeyPair) -> dict[str, Any]:
    """Return a client's `jwks` with `x5c` (RFC 7517 section 4.7), and no other members."""
    keys = [{"kty": "EC", "x5c": [base64.b64encode(pair.der).decode()]} for pair in pairs]
    return {"keys": keys}


def registration(client_id: str, pairs: Sequence[KeyPair]) -> dict[str, Any]:
    """Return the metadata of a client that authenticates with its own certificate."""
    return {
        "client_id": client_id,
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": key_set(*pairs),
    }


def _length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(octets)]) + octets


def _sequence(content: bytes) -> bytes:
    return b"\x30" + _length(len(content)) + content


def _header(der: bytes) -> tuple[int, int]:
    """Return where an element's content begins and ends."""
    if der[1] < 128:
        return 2, 2 + der[1]
    start = 2 + (der[1] & 0x7F)
    return start, start + int.from_bytes(der[2:start])


def _content(der: bytes) -> bytes:
    start, end = _header(der)
    return der[start:end]


def _parts(content: bytes) -> list[bytes]:
    parts = []
    while content:
        _, end = _header(content)
        parts.append(content[:end])
        content = content[end:]
    return parts
