"""The lab's certificate authority and the leaves it issues, made at run time and never kept.

A server leaf may only serve and a client leaf may only be a client: usages are distinct on purpose.
OpenSSL's clock does not move with the lab's, so certificates outlive any offset in real time;
their lab expiry is for authorization server and resource server to check on the lab's clock.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.jose import Malformed, b64url
from labsim.keys import public_key

REAL_LIFETIME = datetime.timedelta(days=3650)
"""How long a lab certificate is valid on the real clock."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Hold a certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """Return the certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Return the private key as PEM (PKCS #8, unencrypted): what a 0600 file holds."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def key_pair(pem: bytes) -> KeyPair:
    """Read a certificate and its P-256 key from PEM; raises ValueError."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # it is encrypted, or of another kind
        raise ValueError(f"the key cannot be used: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is no elliptic curve key")
    return KeyPair(x509.load_pem_x509_certificate(pem), key)


def as_der(pem: bytes) -> bytes:
    """Return a PEM certificate as DER; raises ValueError."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def as_pem(der: bytes) -> str:
    """Return a DER certificate as PEM; raises ValueError."""
    pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
    return pem.decode()


def certificate_thumbprint(der: bytes) -> str:
    """Return `x5t#S256`: base64url of the SHA-256 of the DER certificate (RFC 8705 section 3.1)."""
    return b64url(hashlib.sha256(der).digest())


def certificate_authority(name: str, now: datetime.datetime) -> KeyPair:
    """Make a certificate authority that signs leaves and nothing else (path length 0)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _begun(_common_name(name), _common_name(name), key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    # Python 3.13 checks X.509 strictly: an authority without keyUsage is refused.
    builder = builder.add_extension(_usage(sign_certificates=True), critical=True)
    return KeyPair(builder.sign(key, hashes.SHA256()), key)


def server_leaf(authority: KeyPair, hosts: Sequence[str], now: datetime.datetime) -> KeyPair:
    """Make a server's certificate for host names and IP addresses; it cannot be a client's."""
    names = [_general_name(host) for host in hosts]
    return _leaf(authority, hosts[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now)


def client_leaf(authority: KeyPair, uri: str, name: str, now: datetime.datetime) -> KeyPair:
    """Make a client's certificate with a SPIFFE-like URI name; it cannot be a server's."""
    key = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(client_certificate(authority, key.public_key(), uri, name, now), key)


def client_certificate(
    authority: KeyPair,
    key: ec.EllipticCurvePublicKey,
    uri: str,
    name: str,
    now: datetime.datetime,
    lifetime: datetime.timedelta = REAL_LIFETIME,
) -> x509.Certificate:
    """Certify a client's own key, as `client_leaf` does, each time with a new thumbprint."""
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return _certificate(authority, key, _common_name(name), names, usage, now, lifetime)


def client_leaf_for(
    authority: KeyPair,
    subject: x509.Name,
    names: Sequence[x509.GeneralName],
    now: datetime.datetime,
) -> KeyPair:
    """Make a client's certificate that says exactly this subject and these names, nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    certificate = _certificate(
        authority, key.public_key(), subject, names, usage, now, REAL_LIFETIME
    )
    return KeyPair(certificate, key)


def certified(authority: KeyPair, name: str, jwk: Mapping[str, str]) -> str:
    """Certify a client's public key (a JWK) under its name, now; return the certificate as PEM.

    Raises Malformed for a key that is no P-256 key.
    """
    key = public_key(jwk).key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Malformed("a certificate here is for a P-256 key")
    now = datetime.datetime.now(datetime.UTC)
    certificate = client_certificate(authority, key, client_uri(name), name, now)
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def renewed(authority: KeyPair, pem: str) -> str:
    """Certify a certificate's key again, now and with the same names: a rotation (PEM to PEM).

    The thumbprint is another one (RFC 8705 section 6.3). Raises ValueError for what is no
    certificate, Malformed for a key that is no P-256 key.
    """
    old = x509.load_pem_x509_certificate(pem.encode())
    try:
        key = old.public_key()
    except UnsupportedAlgorithm as error:
        raise ValueError(f"the certificate's key cannot be used: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Malformed("a certificate here is for a P-256 key")
    values = [extension.value for extension in old.extensions]
    names = [n for value in values if isinstance(value, x509.SubjectAlternativeName) for n in value]
    usage, now = ExtendedKeyUsageOID.CLIENT_AUTH, datetime.datetime.now(datetime.UTC)
    made = _certificate(authority, key, old.subject, names, usage, now, REAL_LIFETIME)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def client_uri(name: str) -> str:
    """Return a client's SPIFFE-like name, as its certificate says it."""
    return f"spiffe://lab.test/{name}"


def _leaf(
    authority: KeyPair,
    name: str,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    now: datetime.datetime,
) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(
        authority, key.public_key(), _common_name(name), names, usage, now, REAL_LIFETIME
    )
    return KeyPair(certificate, key)


def _certificate(
    authority: KeyPair,
    key: ec.EllipticCurvePublicKey,
    subject: x509.Name,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.Certificate:
    builder = _begun(subject, authority.certificate.subject, key, now, lifetime)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:  # RFC 5280 section 4.2.1.6: they are all there is where the subject is empty
        is_all = not list(subject)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=is_all)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
        critical=False,
    )
    return builder.sign(authority.key, hashes.SHA256())


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta = REAL_LIFETIME,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
