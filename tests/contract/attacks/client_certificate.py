"""A client certificate's checks, and for each the one change that it alone stops, by method."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from labsim.certificates import KeyPair, certificate_authority, certificate_thumbprint
from labsim.roles.tls_client_authentication import SELF_SIGNED, TLS_CLIENT_AUTH
from tests.own_certificates import FOR_ITSELF, registration, self_signed
from tests.wiring import BEGINNING, CLIENT_AUTHORITY, Lab

NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
LATER = NOW + datetime.timedelta(days=2)
SUBJECT = "own"


@dataclass(frozen=True)
class Client:
    """A client that authenticates in one way, with a key of its own."""

    method: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def authority(self) -> KeyPair | None:
        """Return who signs its certificates, None where it does."""
        return CLIENT_AUTHORITY if self.method == TLS_CLIENT_AUTH else None

    def certificate(self, **other: Any) -> bytes:
        good = {"subject": SUBJECT, "at": NOW, "key": self.key, "by": self.authority}
        return self_signed(FOR_ITSELF, **{**good, **other}).der

    @property
    def metadata(self) -> dict[str, Any]:
        if self.method == SELF_SIGNED:
            return registration("own", [self_signed(FOR_ITSELF, at=NOW, key=self.key)])
        method = {"token_endpoint_auth_method": self.method}
        return {"client_id": "own", **method, "tls_client_auth_subject_dn": f"CN={SUBJECT}"}


type Attack = Callable[[Lab, Client], bytes]


def revoked(lab: Lab, client: Client) -> bytes:
    der = client.certificate()
    lab.revoked_keys.add(certificate_thumbprint(der))
    return der


_ALWAYS: Mapping[str, Attack] = {
    "certificate_is_in_its_time": lambda _, client: client.certificate(at=LATER),
    "certificate_is_not_revoked": revoked,
}
ATTACKS: Mapping[str, Mapping[str, Attack]] = {
    TLS_CLIENT_AUTH: {
        "certificate_is_by_the_client_authority": lambda _, client: client.certificate(
            by=certificate_authority("client CA", NOW)
        ),
        "subject_is_the_registered_one": lambda _, client: client.certificate(subject="thief"),
        **_ALWAYS,
    },
    SELF_SIGNED: {
        "key_is_a_registered_one": lambda _, client: client.certificate(
            key=ec.generate_private_key(ec.SECP256R1())
        ),
        **_ALWAYS,
    },
}
