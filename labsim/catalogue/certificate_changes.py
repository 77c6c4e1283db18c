"""What a row about mutual TLS makes of the holder's certificate."""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives import serialization

from labsim.catalogue.good_request import CannotBeMade, GoodRequest

STOLEN = "a stolen token works without the certificate's key: the binding binds nothing"


def certificate_of(good: GoodRequest) -> bytes:
    """Return the certificate that the good request shows (DER)."""
    if good.holder.certificate is None:
        raise CannotBeMade("the holder's key has no certificate")
    return good.holder.certificate


def pem(good: GoodRequest) -> bytes:
    """Write the certificate as PEM, all in one line."""
    lines = b64encode(certificate_of(good))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"


def public_half(good: GoodRequest) -> bytes:
    """Return the certificate's key alone."""
    subject_public_key_info = serialization.PublicFormat.SubjectPublicKeyInfo
    return good.holder.private.public_key().public_bytes(
        serialization.Encoding.DER, subject_public_key_info
    )
