"""The authorization server and the resource servers as processes: a role, a listener, an event log.

What each decides is its role's business (`labsim.roles`); here it gets a socket and stores.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from labsim.binding import Binding, Nonces
from labsim.certificates import as_der, certificate_thumbprint, certified, key_pair
from labsim.checks import StorageUnavailable
from labsim.credentials import VerifiedTokens
from labsim.errors import LabError
from labsim.estate.clock import Clock
from labsim.estate.events import EventLog
from labsim.estate.issuer_keys import FetchedKeys
from labsim.estate.listener import Listener
from labsim.estate.names import (
    CA_FILE,
    CLIENT_CA_FILE,
    CLIENT_CA_KEY_FILE,
    CLOCK_FILE,
    EVENTS_FOLDER,
)
from labsim.estate.private_file import read_json
from labsim.estate.process import Process
from labsim.estate.replay_memory import SqliteReplayMemory
from labsim.estate.storage import SqliteGrants
from labsim.estate.tls import server_context
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.nonces import RollingNonces
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.decision import Event
from labsim.roles.grants import Grant, token_hash
from labsim.roles.registration import registered
from labsim.roles.resource_server import ResourceServer
from labsim.rooms import rooms

type Handle = Callable[[Request], tuple[Response, Event | None]]

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
GRANT_SECONDS = 365 * 86400.0
"""Lab seconds that a provisioned refresh token lives."""
MOST_ADDED_RECORDS = 1000


class MemoryRecords:
    """Hold a resource server's records in its process (see `roles.records_api.Records`)."""

    def __init__(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        self._name = name
        self._records = {str(record["id"]): record for record in records}
        self._room = len(records) + MOST_ADDED_RECORDS
        self._lock = threading.Lock()

    def all(self) -> Sequence[Mapping[str, Any]]:
        """Return every record."""
        return list(self._records.values())

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        """Return the record with this id, or None."""
        return self._records.get(record_id)

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Keep a record and return it with its id; None if there is no room for more."""
        with self._lock:
            if len(self._records) >= self._room:
                return None
            added = {"id": f"{self._name}-{len(self._records) + 1:04d}", **record}
            self._records[added["id"]] = added
            return added


class RegisteredClients:
    """Hold the registered clients of a run by id (see `roles.client_authentication.Clients`)."""

    def __init__(self, metadata: Sequence[Mapping[str, Any]], scopes: frozenset[str]) -> None:
        found = [registered(entry, scopes, tuple(BINDINGS.values())) for entry in metadata]
        self._clients = {client.client_id: client for client in found}

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return the client with this id, or None."""
        return self._clients.get(client_id)

    def require(self, client_id: str, binding: str) -> None:
        """Ask for a binding in each of a client's tokens from now on."""
        bound = BINDINGS[binding].confirmation is not None
        client = replace(self._clients[client_id], requires=binding if bound else None)
        self._clients[client_id] = client


def new_id() -> str:
    """Return an identifier that was never used before: 128 random bits."""
    return secrets.token_urlsafe(16)


def _nonces(asked_for: bool) -> Nonces | None:
    return RollingNonces(secrets.token_bytes(32)) if asked_for else None


def _listen(
    process: Process, decide: Handle, clock: Clock, folder: Path, port: int | None = None
) -> None:
    """Answer requests with `decide`; what cannot be written down is not served.

    Certificate and key lie in `folder`; `port` is the one that clients know, if it is another.
    """
    log = EventLog(process.run_folder / EVENTS_FOLDER / f"{process.name}.jsonl")

    def handle(request: Request) -> Response:
        response, event = decide(request)
        if event is None:
            return response
        try:
            log.append(event)
        except StorageUnavailable:
            return Response.of_json(503, {"error": "temporarily_unavailable"})
        return response

    def refused(kind: str, reason: str) -> None:
        event = {
            "time": clock(),
            "role": "listener",
            "name": process.name,
            "decision": "refused_by_tls" if kind == "tls" else "refused",
            "reason": kind,
            "detail": reason,
        }
        with suppress(StorageUnavailable):  # it was refused already; there is nobody left to tell
            log.append(event)

    certificate, key = (str(folder / f"tls_{part}.pem") for part in ("certificate", "key"))
    asking = server_context(certificate, key, str(process.run_folder / CLIENT_CA_FILE))
    # The last socket asks for a certificate: at a resource server it is the only one, as that
    # cannot depend on a token that is still to come (RFC 8705 section 3).
    contexts = [*(server_context(certificate, key) for _ in process.sockets[1:]), asking]
    for socket, context in zip(process.sockets, contexts, strict=True):
        Listener(socket, context, handle, refused, port=port).start()


def resource_server(process: Process) -> None:
    """Run one resource server, or a second replica of one.

    Config: `name`, `url`, `issuer`, `require_nonce`, `memory` (the name of the process in whose
    folder the replay memory lies).
    """
    run, config = process.run_folder, process.config
    clock, folder = Clock(run / CLOCK_FILE), run / config["name"]
    memory = SqliteReplayMemory(run / config["memory"] / "replay_memory.sqlite")
    role = ResourceServer(
        name=config["name"],
        resource=config["url"],
        issuer=config["issuer"],
        issuer_keys=FetchedKeys(config["issuer"], run / CA_FILE, clock),
        bindings=tuple(BINDINGS.values()),
        records=MemoryRecords(config["name"], read_json(folder / "records.json")),
        clock=clock,
        new_id=new_id,
        memory=memory,
        nonces=_nonces(config["require_nonce"]),
        verified=VerifiedTokens(),
    )
    current = [role]

    def require_nonce(on: bool) -> None:
        current[0] = replace(current[0], nonces=_nonces(on))

    def remember(on: bool) -> None:
        """Keep a replay memory, or none: the strict and the minimal profile."""
        current[0] = replace(current[0], memory=memory if on else None)

    def trust_proxy(certificate: str) -> None:
        """Believe what a proxy with this certificate (PEM) says of its clients; empty: nobody."""
        thumbprint = certificate and certificate_thumbprint(as_der(certificate.encode()))
        current[0] = replace(current[0], trusted_proxy=thumbprint)

    port = int(config["url"].rpartition(":")[2])
    _listen(process, lambda request: current[0].handle(request), clock, folder, port)
    process.serve(
        {"require_nonce": require_nonce, "remember": remember, "trust_proxy": trust_proxy}
    )


def authorization_server(process: Process) -> None:
    """Run the authorization server; config: issuer, resources (URI to name), token_seconds."""
    run, config = process.run_folder, process.config
    clock = Clock(run / CLOCK_FILE)
    names = config["resources"].values()
    scopes = frozenset(f"{name}.{verb}" for name in names for verb in ("read", "write"))
    clients = RegisteredClients(read_json(process.folder / "clients.json"), scopes)
    grants = SqliteGrants(process.folder / "grants.sqlite")
    role = AuthorizationServer(
        issuer=config["issuer"],
        key=SigningKey.from_jwk(read_json(process.folder / "key.json")),
        bindings=tuple(BINDINGS.values()),
        clients=clients,
        grants=grants,
        memory=SqliteReplayMemory(process.folder / "replay_memory.sqlite"),
        resources=config["resources"],
        clock=clock,
        new_id=new_id,
        token_seconds=config["token_seconds"],
        nonces=_nonces(config["require_nonce"]),
        mtls_alias=config["mtls_alias"],
    )
    current = [role]

    def require_nonce(on: bool) -> None:
        current[0] = replace(current[0], nonces=_nonces(on))

    def certify(client_id: str, jwk: dict[str, str]) -> str:
        """Issue a certificate for a client's key, as PEM; each has a thumbprint of its own."""
        return certified(
            key_pair((process.folder / CLIENT_CA_KEY_FILE).read_bytes()), client_id, jwk
        )

    def grant(client_id: str) -> str:
        """Provision a refresh token, as if its owner had consented."""
        client = clients.client(client_id)
        if client is None:
            raise LabError(f"There is no client {client_id!r} to provision a grant for.")
        token, family = f"{new_id()}{new_id()}", new_id()
        expires = clock() + GRANT_SECONDS
        grants.put(token_hash(token), Grant(client_id, client_id, client.scopes, family, expires))
        return token

    _listen(process, lambda request: current[0].handle(request), clock, process.folder)
    process.serve(
        {
            "require_nonce": require_nonce,
            "grant": grant,
            "require": clients.require,
            "certify": certify,
        }
    )
