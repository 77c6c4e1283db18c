"""Make what an estate needs before its processes start: certificates, keys, credentials, records.

Runs in the preloaded parent, before the forks. Everything is fresh for each run and lies in files
of mode 0600 in the folder of the process that it belongs to; the certificate authority's own key
is dropped when its leaves are signed.
"""

from __future__ import annotations

import datetime
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

from labsim.certificates import (
    KeyPair,
    certificate_authority,
    client_leaf,
    client_uri,
    key_pair,
    server_leaf,
)
from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.clock import Clock
from labsim.estate.contractor import registered_contractor
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CA_FILE,
    CERTIFICATE_FILE,
    CLIENT_CA_FILE,
    CLIENT_CA_KEY_FILE,
    CLIENT_TRUST_FILE,
    CLOCK_FILE,
    CREDENTIAL_FILE,
    EVENTS_FOLDER,
    INTERCEPTOR,
    KEY_FILE,
    OUTSIDE_CLIENTS,
    TERMINATOR,
)
from labsim.estate.outside_clients import certificate_files, given_certificate, own_certificates
from labsim.estate.plan import Authentication, Client, Plan
from labsim.estate.private_file import (
    new_private,
    new_private_json,
    read_json,
    write_private_json,
)
from labsim.estate.records import filled
from labsim.estate.warm_up import lay_out_stores, shake_hands
from labsim.keys import SigningKey
from labsim.roles.client_authentication import BASIC, PRIVATE_KEY_JWT
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.tls_client_authentication import TLS_CLIENT_AUTH

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def make(
    folder: str, plan: dict[str, Any], urls: dict[str, str], clients: list[dict[str, Any]]
) -> None:
    """Fill a run folder; `urls` are the resource servers' by name, `clients` those from outside.

    Raises LabError if there is no room, or a record asks for a credential that does not exist.
    """
    run = Path(folder)
    try:
        _make(run, Plan.from_json(plan), urls, clients)
    except OSError as error:
        raise LabError(
            f"The run folder {run} cannot be filled: {error.strerror}.",
            "The estate was not started.",
            f"Make room there ({_free(run)} MiB are free), or set TMPDIR to a folder with room.",
        ) from error


def rotate(folder: str, plan: dict[str, Any], client: str, to: str = "") -> dict[str, Any]:
    """Put a new credential into a client's folder; return its metadata with that (RFC 7591).

    It is of the kind `to`, or of the one that the client has. LabError for a kind that does not
    exist, and where a certificate follows a certificate: the old one would be good as well.
    """
    run, now = Path(folder), datetime.datetime.now(datetime.UTC)
    has = str(read_json(run / client / CREDENTIAL_FILE)["method"])
    kinds = {kind: kind for kind in get_args(Authentication)}
    if (to or has) not in kinds:
        raise LabError.unknown("client authentication", to, kinds)
    changed = replace(Plan.from_json(plan).client(client), authentication=kinds[to or has])
    if has == changed.authentication == TLS_CLIENT_AUTH:
        raise LabError(
            f"{client} authenticates by the name in its certificate, which a new one has too.",
            "Nothing was changed.",
            f'Revoke the old one: lab.revoke_certificate("{client}").',
        )
    authority = key_pair((run / AUTHORIZATION_SERVER / CLIENT_CA_KEY_FILE).read_bytes())
    new = _credential(changed, authority, now)
    write_private_json(run / client / CREDENTIAL_FILE, new)
    return _registration(changed, new)


def _free(run: Path) -> int:
    return shutil.disk_usage(run).free // 2**20


def _make(
    run: Path, plan: Plan, urls: Mapping[str, str], clients: Sequence[Mapping[str, Any]]
) -> None:
    names = [
        AUTHORIZATION_SERVER,
        INTERCEPTOR,
        TERMINATOR,
        ATTACKER,
        EVENTS_FOLDER,
        OUTSIDE_CLIENTS,
    ]
    for name in [*names, *plan.resources, *plan.clients]:
        run_folder.make_inner(run / name)
    Clock.made(run / CLOCK_FILE)
    now = datetime.datetime.now(datetime.UTC)
    _certificates(run, [AUTHORIZATION_SERVER, TERMINATOR, ATTACKER, *plan.resources], now)
    authority = _client_certificates(run, clients, now)
    own = run / AUTHORIZATION_SERVER
    shake_hands(str(run / CA_FILE), str(own / "tls_certificate.pem"), str(own / "tls_key.pem"))
    lay_out_stores()
    credentials = {c.name: _credential(c, authority, now) for c in plan.clients.values()}
    for name, credential in credentials.items():
        new_private_json(run / name / CREDENTIAL_FILE, credential)
    registrations = [_registration(plan.client(n), c) for n, c in credentials.items()]
    registrations += [_resource_server(run, name) for name in plan.resources]
    registrations.append(_attacker(run, plan))
    registrations += registered_contractor(run, plan, urls)
    server = run / AUTHORIZATION_SERVER
    new_private_json(server / "clients.json", [*registrations, *clients])
    new_private_json(server / "key.json", SigningKey.generate().private_jwk)
    values = {f"url:{name}": url for name, url in urls.items()}
    for name, credential in credentials.items():
        values[f"client_id:{name}"] = credential["client_id"]
        if "secret" in credential:
            values[f"client_secret:{name}"] = credential["secret"]
    for resource in plan.resources.values():
        records = [asdict(record) for record in filled(resource, values).records]
        new_private_json(run / resource.name / "records.json", records)


def _certificates(run: Path, servers: Sequence[str], now: datetime.datetime) -> None:
    authority = certificate_authority("labsim CA", now)
    new_private(run / CA_FILE, authority.certificate_pem)
    for name in servers:
        leaf = server_leaf(authority, LOOPBACK_NAMES, now)
        new_private(run / name / "tls_certificate.pem", leaf.certificate_pem)
        new_private(run / name / "tls_key.pem", leaf.key_pem)
    tapping = certificate_authority("labsim interceptor CA", now)
    new_private(run / INTERCEPTOR / "mitmproxy-ca.pem", tapping.key_pem + tapping.certificate_pem)
    new_private(run / INTERCEPTOR / CA_FILE, tapping.certificate_pem)


def _client_certificates(
    run: Path, clients: Sequence[Mapping[str, Any]], now: datetime.datetime
) -> KeyPair:
    """Make and return the authority for clients' certificates; the authorization server keeps it.

    Listeners let in what it has signed, and the certificates that clients from outside have
    registered as their own. The attacker has one as well, as anybody who runs some workload in an
    estate has: listeners accept it, so that only the binding can refuse it.
    """
    authority = certificate_authority("labsim client CA", now)
    new_private(run / CLIENT_CA_FILE, authority.certificate_pem)
    trusted = [authority.certificate_pem, *own_certificates(clients)]  # the authority comes first
    new_private(run / CLIENT_TRUST_FILE, b"".join(trusted))
    own = authority.key_pem + authority.certificate_pem
    new_private(run / AUTHORIZATION_SERVER / CLIENT_CA_KEY_FILE, own)
    for name in (ATTACKER, TERMINATOR):
        leaf = client_leaf(authority, client_uri(name), name, now)
        new_private(run / name / CERTIFICATE_FILE, leaf.certificate_pem)
        new_private_json(run / name / KEY_FILE, SigningKey(leaf.key).private_jwk)
    for number, client in enumerate(clients, 1):
        given = given_certificate(authority, client, now)
        if given is not None:
            certificate_file, key_file = certificate_files(run, number)
            new_private(certificate_file, given.certificate_pem)
            new_private(key_file, given.key_pem)
    return authority


def _credential(client: Client, authority: KeyPair, now: datetime.datetime) -> dict[str, Any]:
    """Make what a client authenticates with: the file that lies in its folder."""
    common = {"client_id": client.name, "method": client.authentication}
    if client.authentication == TLS_CLIENT_AUTH:
        leaf = client_leaf(authority, client_uri(client.name), client.name, now)
        certificate = leaf.certificate_pem.decode()
        return {
            **common,
            "certificate": certificate,
            "private_jwk": SigningKey(leaf.key).private_jwk,
        }
    if client.authentication == PRIVATE_KEY_JWT:
        return {**common, "private_jwk": SigningKey.generate().private_jwk}
    return {**common, "secret": secrets.token_urlsafe(32)}


def _resource_server(run: Path, name: str) -> dict[str, Any]:
    """Make a resource server a client too, which may introspect and exchange; return its metadata.

    It may exchange for any scope: what bounds it is the grant behind the token it was sent.
    """
    secret = secrets.token_urlsafe(32)
    new_private_json(run / name / CREDENTIAL_FILE, {"client_id": name, "secret": secret})
    return {"client_id": name, "client_secret": secret, "grant_types": [TOKEN_EXCHANGE]}


def _attacker(run: Path, plan: Plan) -> dict[str, Any]:
    """Make the attacker a client too, as anybody who runs some workload in an estate is one.

    It may exchange what it was sent, like a resource server, and has a right to read everywhere:
    what keeps it from a token that it found is the exchange's own checks.
    """
    secret = secrets.token_urlsafe(32)
    credential = {"client_id": ATTACKER, "method": BASIC, "secret": secret}
    new_private_json(run / ATTACKER / CREDENTIAL_FILE, credential)
    return {
        "client_id": ATTACKER,
        "client_secret": secret,
        "grant_types": [TOKEN_EXCHANGE],
        "scope": " ".join(resource.scopes[0] for resource in plan.resources.values()),
    }


def _registration(client: Client, credential: Mapping[str, Any]) -> dict[str, Any]:
    """Return a client's metadata as the authorization server keeps it (RFC 7591 section 2)."""
    found: dict[str, Any] = {
        "client_id": client.name,
        "token_endpoint_auth_method": client.authentication,
        "grant_types": [client.grant],
        "scope": " ".join(client.scopes),
    }
    if client.authentication == BASIC:
        return {**found, "client_secret": credential["secret"]}
    if client.authentication == TLS_CLIENT_AUTH:
        # By its name and not by one certificate: each that is issued to it later counts as well.
        return {**found, "tls_client_auth_san_uri": client_uri(client.name)}
    public = {k: v for k, v in credential["private_jwk"].items() if k != "d"}
    return {**found, "jwks": {"keys": [public]}}
