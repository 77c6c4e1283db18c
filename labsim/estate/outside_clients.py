"""Clients from outside: their metadata is completed and checked before anything starts.

What a client needs and does not bring, an id, a secret or a certificate, it is given.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.certificates import KeyPair, client_leaf_for, client_uri
from labsim.errors import LabError
from labsim.estate.names import CONTRACTOR, OUTSIDE_CLIENTS
from labsim.estate.plan import Plan
from labsim.roles.client_authentication import BASIC
from labsim.roles.registration import registered
from labsim.roles.tls_client_authentication import (
    SELF_SIGNED,
    SUBJECT_MEMBERS,
    TLS_CLIENT_AUTH,
    self_signed_certificates,
)
from labsim.rooms import rooms

_SAN: Mapping[str, Callable[[str], x509.GeneralName]] = {
    "tls_client_auth_san_dns": x509.DNSName,
    "tls_client_auth_san_uri": x509.UniformResourceIdentifier,
    "tls_client_auth_san_ip": lambda text: x509.IPAddress(ipaddress.ip_address(text)),
    "tls_client_auth_san_email": x509.RFC822Name,
}


def admitted(clients: Sequence[Mapping[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    """Return the clients' metadata, each with an id, and a secret if it needs one (RFC 7591).

    Raises LabError that names the client, the member and what is wrong with it.
    """
    bindings = tuple(rooms("labsim.bindings", "BINDING").values())
    scopes = frozenset(scope for each in plan.resources.values() for scope in each.scopes)
    if isinstance(clients, str | Mapping) or not isinstance(clients, Sequence):
        todo = "Write a list of RFC 7591 metadata, a dict for each client."
        raise LabError(f"{clients!r} is no list of clients.", "Nothing was started.", todo)
    found = [_completed(number, client) for number, client in enumerate(clients, 1)]
    taken = {*plan.clients, *plan.resources, CONTRACTOR}
    for number, client in enumerate(found, 1):
        try:
            client_id = registered(client, scopes, bindings).client_id
        except ValueError as error:
            raise _refused(number, client, f"{error}") from None
        if client_id in taken:
            raise _refused(number, client, "this client_id is taken")
        taken.add(client_id)
    return found


def own_certificates(clients: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Return the self-signed certificates that clients have registered, as PEM."""
    return [
        certificate.public_bytes(serialization.Encoding.PEM)
        for client in clients
        if _method(client) == SELF_SIGNED
        for certificate in self_signed_certificates(client)
    ]


def is_given_a_certificate(client: Mapping[str, Any]) -> bool:
    """Tell whether a client needs a certificate and brings none of its own."""
    asks = client.get("tls_client_certificate_bound_access_tokens") is True
    return _method(client) == TLS_CLIENT_AUTH or (asks and _method(client) != SELF_SIGNED)


def given_certificate(
    authority: KeyPair, client: Mapping[str, Any], now: datetime.datetime
) -> KeyPair | None:
    """Certify what a client has registered, subject or alternative name; None if it needs none."""
    if not is_given_a_certificate(client):
        return None
    nobody = x509.Name([])
    if _method(client) != TLS_CLIENT_AUTH:
        uri = client_uri(quote(client["client_id"], safe=""))
        return client_leaf_for(authority, nobody, [x509.UniformResourceIdentifier(uri)], now)
    (member,) = (member for member in SUBJECT_MEMBERS if member in client)
    if member in _SAN:
        return client_leaf_for(authority, nobody, [_SAN[member](client[member])], now)
    return client_leaf_for(authority, x509.Name.from_rfc4514_string(client[member]), [], now)


def certificate_files(run: Path, number: int) -> tuple[Path, Path]:
    """Return where the certificate and the key lie that the file's client `number` was given."""
    folder = run / OUTSIDE_CLIENTS
    return folder / f"{number}-certificate.pem", folder / f"{number}-key.pem"


def _method(client: Mapping[str, Any]) -> str:
    return str(client.get("token_endpoint_auth_method", BASIC))


def _completed(number: int, client: object) -> dict[str, Any]:
    if not isinstance(client, Mapping):
        raise _refused(number, {}, f"{client!r} is no table of metadata")
    done = dict(client)
    done.setdefault("client_id", f"client-{secrets.token_hex(8)}")
    if _method(done) == BASIC:
        done.setdefault("client_secret", secrets.token_urlsafe(32))
    return done


def _refused(number: int, client: Mapping[str, Any], why: str) -> LabError:
    return LabError(
        f"Client {number} of the file ({client.get('client_id')!r}) cannot be registered: {why}.",
        "Nothing was started.",
        "Mend that entry.",
    )
