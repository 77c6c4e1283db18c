"""The client's certificate behind a proxy that ends TLS: the Client-Cert header (RFC 9440).

The header counts only on a connection that the trusted proxy itself has opened, by its own
certificate. From anybody else it is a header like any other, and so is Forwarded.
"""

from __future__ import annotations

from dataclasses import replace

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.rejection import Reason, Rejected
from labsim.roles.forwarded_address import at_the_clients_url
from labsim.structured_fields import item_byte_sequence

FIELD = "Client-Cert"
# What a proxy must not let through: the field, its chain, and the spellings that some servers and
# vendors take for the same thing.
FORGEABLE = (
    FIELD,
    "Client-Cert-Chain",
    "Client_Cert",
    "X-SSL-Client-Cert",
    "X-Forwarded-Client-Cert",
)


def as_the_client_sent_it(request: Request, trusted_proxy: str) -> Request:
    """Return the request with the certificate that the proxy's client showed, or with none.

    It has the URL that this client asked for as well (see `forwarded_address`). `trusted_proxy` is
    the thumbprint of the proxy's own certificate, empty if there is none. Raises Rejected for a
    header that is not exactly one byte sequence (RFC 9440 section 2.2).
    """
    shown = request.peer_certificate
    if not trusted_proxy or shown is None or certificate_thumbprint(shown) != trusted_proxy:
        return request
    values = request.values(FIELD)
    if len(values) > 1 or request.values("Client_Cert"):
        raise _malformed("it stands there more than once")
    try:
        certificate = item_byte_sequence(values[0]) if values else None
    except Malformed as error:
        raise _malformed(str(error)) from None
    return at_the_clients_url(replace(request, peer_certificate=certificate))


def _malformed(detail: str) -> Rejected:
    return Rejected(
        Reason.REQUEST_MALFORMED, "client_cert_is_one_byte_sequence", "RFC 9440 section 2.2", detail
    )
