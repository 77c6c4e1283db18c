"""The authorization server and the resource servers as processes: a role, a listener, an event log.

What each decides is its role's business (`labsim.roles`); here it gets a socket and stores.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from labsim.binding import Binding, Nonces
from labsim.checks import StorageUnavailable
from labsim.credentials import VerifiedTokens
from labsim.errors import LabError
from labsim.estate.asked_issuer import AskedIssuer
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.events import EventLog
from labsim.estate.issued_tokens import SqliteIssuedTokens, SqliteRevocationList
from labsim.estate.issuer_keys import FetchedKeys
from labsim.estate.listener import Listener
from labsim.estate.names import CA_FILE, CLOCK_FILE, EVENTS_FOLDER
from labsim.estate.private_file import read_json
from labsim.estate.process import Operation, Process
from labsim.estate.revocation_courier import RevocationCourier
from labsim.estate.storage import SqliteGrants, SqliteReplayMemory
from labsim.estate.tls import server_context
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.nonces import RollingNonces
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client_authentication import RegisteredClient, basic
from labsim.roles.decision import Event
from labsim.roles.grants import Grant, token_hash
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.issued_tokens import Ended
from labsim.roles.registration import registered
from labsim.roles.resource_server import ResourceServer
from labsim.roles.revocation import revoke_all_of
from labsim.roles.revocation_notice import notice_request
from labsim.rooms import rooms

type Handle = Callable[[Request], tuple[Response, Event | None]]

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")
GRANT_SECONDS = 365 * 86400.0
"""Lab seconds that a provisioned refresh token lives."""
MOST_ADDED_RECORDS = 1000
NOTICE_SECONDS = 2.0
"""How long a resource server may take to confirm a revocation; whoever revokes waits as long."""


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

    def __init__(self, metadata: Sequence[Mapping[str, Any]], resources: Mapping[str, str]) -> None:
        scopes = frozenset(f"{n}.{verb}" for n in resources.values() for verb in ("read", "write"))
        served = {name: uri for uri, name in resources.items()}
        found = [registered(entry, scopes, tuple(BINDINGS.values())) for entry in metadata]
        self._clients = {
            client.client_id: replace(client, audience=served.get(client.client_id, ""))
            for client in found
        }

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


def _event_log(process: Process) -> EventLog:
    return EventLog(process.run_folder / EVENTS_FOLDER / f"{process.name}.jsonl")


def _listen(process: Process, decide: Handle, clock: Clock, log: EventLog) -> None:
    """Answer requests with `decide`; what cannot be written down is not served."""

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

    context = server_context(
        str(process.folder / "tls_certificate.pem"), str(process.folder / "tls_key.pem")
    )
    Listener(process.sockets[0], context, handle, refused).start()


def resource_server(process: Process) -> None:
    """Run one resource server; config: `url`, `issuer`, `require_nonce`."""
    run, config = process.run_folder, process.config
    clock = Clock(run / CLOCK_FILE)
    role = ResourceServer(
        name=process.name,
        resource=config["url"],
        issuer=config["issuer"],
        issuer_keys=FetchedKeys(config["issuer"], run / CA_FILE, clock),
        bindings=tuple(BINDINGS.values()),
        records=MemoryRecords(process.name, read_json(process.folder / "records.json")),
        clock=clock,
        new_id=new_id,
        memory=SqliteReplayMemory(process.folder / "replay_memory.sqlite"),
        nonces=_nonces(config["require_nonce"]),
        revocations=SqliteRevocationList(process.folder / "revocations.sqlite"),
        verified=VerifiedTokens(),
    )
    current = [role]

    def require_nonce(on: bool) -> None:
        current[0] = replace(current[0], nonces=_nonces(on))

    def introspect(on: bool) -> None:
        """Ask the authorization server about each token, or read tokens again."""
        own = read_json(process.folder / "client.json")
        authenticate = basic(own["client_id"], own["secret"])
        asking = AskedIssuer(config["issuer"], Dialler(str(run / CA_FILE)), authenticate)
        current[0] = replace(current[0], introspected=IntrospectedTokens(asking) if on else None)

    _listen(process, lambda request: current[0].handle(request), clock, _event_log(process))
    process.serve({"require_nonce": require_nonce, "introspect": introspect})


def authorization_server(process: Process) -> None:
    """Run the authorization server; config: issuer, resources (URI to name), token_seconds."""
    clock, log = Clock(process.run_folder / CLOCK_FILE), _event_log(process)
    resources = process.config["resources"]
    clients = RegisteredClients(read_json(process.folder / "clients.json"), resources)
    key = SigningKey.from_jwk(read_json(process.folder / "key.json"))
    courier = _courier(process, key, clock, log)
    current = [_issuer(process, key, clients, courier, clock)]

    def require_nonce(on: bool) -> None:
        current[0] = replace(current[0], nonces=_nonces(on))

    def grant(client_id: str) -> str:
        """Provision a refresh token, as if its owner had consented."""
        client = clients.client(client_id)
        if client is None:
            raise LabError(f"There is no client {client_id!r} to provision a grant for.")
        token, family = f"{new_id()}{new_id()}", new_id()
        granted = Grant(client_id, client_id, client.scopes, family, clock() + GRANT_SECONDS)
        current[0].grants.put(token_hash(token), granted)
        return token

    def revoke(client_id: str) -> list[dict[str, Any]]:
        """End all that a client has; return resource, tokens and told for each concerned."""
        at = clock()
        ended = revoke_all_of(current[0], client_id)
        log.append({**_by_hand(at, "revoked", ended), "client_id": client_id})
        concerned = [each.audience for each in ended if each.expires > at]
        return [
            {"resource": name, "tokens": concerned.count(uri), "told": courier.has_told(uri)}
            for uri, name in resources.items()
            if uri in concerned
        ]

    _listen(process, lambda request: current[0].handle(request), clock, log)
    operations: dict[str, Operation] = {"require_nonce": require_nonce, "require": clients.require}
    process.serve(operations | {"grant": grant, "revoke": revoke})


def _issuer(
    process: Process,
    key: SigningKey,
    clients: RegisteredClients,
    courier: RevocationCourier,
    clock: Clock,
) -> AuthorizationServer:
    folder, config = process.folder, process.config
    return AuthorizationServer(
        issuer=config["issuer"],
        key=key,
        bindings=tuple(BINDINGS.values()),
        clients=clients,
        grants=SqliteGrants(folder / "grants.sqlite"),
        issued_tokens=SqliteIssuedTokens(folder / "issued_tokens.sqlite"),
        memory=SqliteReplayMemory(folder / "replay_memory.sqlite"),
        resources=config["resources"],
        clock=clock,
        new_id=new_id,
        token_seconds=config["token_seconds"],
        nonces=_nonces(config["require_nonce"]),
        tell=courier.tell,
    )


def _courier(process: Process, key: SigningKey, clock: Clock, log: EventLog) -> RevocationCourier:
    def make_notice(audience: str, ended: Sequence[Ended]) -> Request:
        return notice_request(process.config["issuer"], key, audience, ended, clock(), new_id())

    def missed(audience: str, ended: Sequence[Ended], why: str) -> None:
        with suppress(StorageUnavailable):
            log.append({**_by_hand(clock(), "not_told", ended), "url": audience, "detail": why})

    dial = Dialler(str(process.run_folder / CA_FILE), seconds=NOTICE_SECONDS)
    return RevocationCourier(dial, make_notice, clock, missed)


def _by_hand(now: float, decision: str, ended: Sequence[Ended]) -> Event:
    """Return an event of the authorization server that no request caused."""
    common = {"role": "authorization_server", "name": "as", "time": now}
    return {**common, "decision": decision, "revoked": [each.jti for each in ended]}
