"""Good token requests of clients that authenticate by their certificate, in both ways."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.certificates import KeyPair, client_leaf_for
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.form import form_request
from labsim.roles.registration import registered
from tests.exchange import assert_refused
from tests.own_certificates import FOR_ITSELF, registration, self_signed
from tests.wiring import BEGINNING, BINDINGS, CLIENT_AUTHORITY, ORDERS, TOKEN_ENDPOINT, Lab

NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
SCOPES = frozenset({"orders.read", "orders.write"})
DN, DNS, URI, IP, EMAIL = (
    f"tls_client_auth_{kind}" for kind in ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")
)  # fmt: skip

type Names = Sequence[x509.GeneralName]


def dn(text: str) -> x509.Name:
    """Return a name as RFC 4514 writes it: what stands last in the certificate comes first."""
    return x509.Name.from_rfc4514_string(text)


def certificate(subject: x509.Name, names: Names = (), by: KeyPair = CLIENT_AUTHORITY) -> bytes:
    return client_leaf_for(by, subject, names, NOW).der


def add_client(lab: Lab, metadata: dict[str, Any]) -> str:
    """Register a client; from outside it would be done at the start of the lab."""
    client = registered(metadata, SCOPES, tuple(BINDINGS.values()))
    lab.clients[client.client_id] = client
    return client.client_id


def named(lab: Lab, member: str, value: str) -> str:
    return add_client(
        lab,
        {"client_id": "named", "token_endpoint_auth_method": "tls_client_auth", member: value},
    )


def asked(client: str, certificate: bytes | None, **parameters: str) -> Request:
    """Make a token request over a connection that showed this certificate."""
    form = {"grant_type": "client_credentials", "resource": ORDERS, "client_id": client}
    return replace(form_request(TOKEN_ENDPOINT, form | parameters), peer_certificate=certificate)


def assert_not_the_client(lab: Lab, request: Request, check: str) -> None:
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": check}
    response = assert_refused(lab, request, status=401, error="invalid_client", **refusal)
    assert response.json() == {"error": "invalid_client"}


METHODS = ("tls_client_auth", "self_signed_tls_client_auth")


@dataclass(frozen=True)
class Timed:
    """A client of one method, and its certificate of one day, made `days` from now."""

    method: str

    def client(self, lab: Lab, key: ec.EllipticCurvePrivateKey) -> str:
        if self.method == "tls_client_auth":
            return named(lab, DN, "CN=own")
        return add_client(lab, registration("own", [self_signed(FOR_ITSELF, at=NOW, key=key)]))

    def certificate(self, key: ec.EllipticCurvePrivateKey, days: float) -> bytes:
        at = NOW + datetime.timedelta(days=days)
        by = CLIENT_AUTHORITY if self.method == "tls_client_auth" else None
        return self_signed(FOR_ITSELF, at=at, key=key, by=by).der
