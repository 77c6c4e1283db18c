"""Mutual TLS (RFC 8705): the connection itself is the proof, by the certificate that it showed.

As a difference from bearer: the client opens the connection with a certificate and its key, the
authorization server puts the certificate's thumbprint into the token, the resource server compares.
Nothing is added to the request; the scheme is still Bearer. The binding is to one certificate: the
same key with a new certificate is another sender (section 6.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cryptography import x509

from labsim.binding import Binding, Evidence, Presentation
from labsim.certificates import certificate_thumbprint
from labsim.checks import Check
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """Hold what the connection showed: the thumbprint, and the time for which it was issued.

    The times are seconds since 1970. That its key was there is TLS's business, and done by then.
    """

    thumbprint: str
    not_before: float
    not_after: float


# The client's face.


def attach(request: Request, presentation: Presentation) -> Request:
    """Put the token on the request (RFC 6750 section 2.1) and say which certificate to show."""
    holder = presentation.holder
    if holder is None or holder.certificate is None:
        raise ValueError("mutual TLS needs a holder of a key with a certificate")
    if presentation.token is not None:
        request = request.adding("Authorization", f"Bearer {presentation.token}")
    return replace(request, peer_certificate=holder.certificate)


# The authorization server's face.


def introduced(request: Request) -> bool:
    """Tell whether the token request came over a connection that showed a certificate."""
    return request.peer_certificate is not None


def bind(proof: ShownCertificate) -> dict[str, Any]:
    """Bind the token to the certificate by its thumbprint (RFC 8705 section 3.1)."""
    return {"x5t#S256": proof.thumbprint}


# Both servers' face.


def parse(request: Request) -> ShownCertificate:
    """Read the connection's certificate; raises Rejected."""
    if request.peer_certificate is None:
        raise Rejected(Reason.PROOF_MISSING, "certificate_is_shown", "RFC 8705 section 3")
    try:
        return _read(request.peer_certificate)
    except (ValueError, x509.InvalidVersion) as error:
        raise Rejected(
            Reason.PROOF_MALFORMED, "certificate_can_be_read", "RFC 5280 section 4.1", str(error)
        ) from None


@lru_cache(maxsize=1024)
def _read(der: bytes) -> ShownCertificate:
    # Cached: a connection shows one certificate and carries many requests.
    certificate = x509.load_der_x509_certificate(der)
    return ShownCertificate(
        certificate_thumbprint(der),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
    )


# The checks, one sentence each.


def certificate_is_in_its_time(proof: ShownCertificate, evidence: Evidence) -> bool:
    """On the lab's clock, which OpenSSL does not see. Policy: RFC 8705 leaves it open."""
    return proof.not_before <= evidence.now < proof.not_after


def certificate_is_not_revoked(proof: ShownCertificate, evidence: Evidence) -> bool:
    """As far as this server has been told."""
    return not evidence.is_revoked(proof.thumbprint)


def certificate_is_the_bound_one(proof: ShownCertificate, evidence: Evidence) -> bool:
    """Compare thumbprints; the chain behind one proves nothing here (section 6.2)."""
    return bool(evidence.confirmation.get("x5t#S256") == proof.thumbprint)


BINDING = Binding(
    name="mtls",
    source="RFC 8705",
    scheme="Bearer",
    confirmation="x5t#S256",
    proof_error="invalid_token",
    registered_by=("tls_client_certificate_bound_access_tokens", True),
    asks_client_certificate=True,
    metadata={"tls_client_certificate_bound_access_tokens": True},
    attach=attach,
    introduced=introduced,
    bind=bind,
    parse=parse,
    proof_checks=(
        Check(certificate_is_in_its_time, Reason.PROOF_OUTSIDE_WINDOW, "RFC 8705 section 7.5"),
        Check(certificate_is_not_revoked, Reason.PROOF_KEY_REVOKED, "RFC 8705 section 7.5"),
    ),
    binding_checks=(
        Check(certificate_is_the_bound_one, Reason.BINDING_MISMATCH, "RFC 8705 section 3"),
    ),
)
