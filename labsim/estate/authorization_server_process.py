"""The authorization server as a process: the role, its clients and stores, and who tells whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from labsim.binding import Binding
from labsim.certificates import (
    REAL_LIFETIME,
    KeyPair,
    as_der,
    certificate_thumbprint,
    certified,
    key_pair,
    renewed,
)
from labsim.checks import StorageUnavailable, without
from labsim.errors import LabError
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.events import EventLog
from labsim.estate.issued_tokens import SqliteIssuedTokens, SqliteRevocationList
from labsim.estate.limits import Limits
from labsim.estate.names import CA_FILE, CLIENT_CA_FILE, CLIENT_CA_KEY_FILE, CLOCK_FILE
from labsim.estate.private_file import read_json
from labsim.estate.process import Process
from labsim.estate.replay_memory import SqliteReplayMemory
from labsim.estate.revocation_courier import RevocationCourier
from labsim.estate.serving import BINDINGS, event_log, listen, new_id, nonces
from labsim.estate.storage import SqliteGrants
from labsim.estate.weakening import PRESETS, announced
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.preset import weakened_authorization_server
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.decision import Event
from labsim.roles.grants import Grant, token_hash
from labsim.roles.issued_tokens import Ended
from labsim.roles.registration import registered
from labsim.roles.revocation import revoke_all_of
from labsim.roles.revocation_notice import notice_request
from labsim.roles.tls_client_authentication import TLS_METHODS, CertificateTrust
from labsim.roles.token_exchange import EXCHANGE_CHECKS

GRANT_SECONDS = 365 * 86400.0
"""Lab seconds that a provisioned refresh token lives."""
NOTICE_SECONDS = 2.0
"""How long a resource server may take to confirm a revocation; whoever revokes waits as long."""

_BINDINGS = tuple(BINDINGS.values())


class RegisteredClients:
    """Hold the registered clients of a run by id (see `roles.client_authentication.Clients`)."""

    def __init__(self, metadata: Sequence[Mapping[str, Any]], resources: Mapping[str, str]) -> None:
        verbs = ("read", "write")
        self._scopes = scopes = frozenset(f"{n}.{v}" for n in resources.values() for v in verbs)
        served = {name: uri for uri, name in resources.items()}
        found = [registered(entry, scopes, tuple(BINDINGS.values())) for entry in metadata]
        self._clients = {
            client.client_id: replace(client, audience=served.get(client.client_id, ""))
            for client in found
        }

    def __len__(self) -> int:
        """Return how many clients are registered."""
        return len(self._clients)

    def client(self, client_id: str) -> RegisteredClient | None:
        """Return the client with this id, or None."""
        return self._clients.get(client_id)

    def change(self, metadata: Mapping[str, Any]) -> None:
        """Take a client's changed metadata; which binding it must use stays as it was."""
        before = self._clients[metadata["client_id"]]
        changed = registered(metadata, self._scopes, tuple(BINDINGS.values()))
        self._clients[before.client_id] = replace(
            changed, audience=before.audience, requires=before.requires
        )

    def require(self, client_id: str, binding: str) -> None:
        """Ask for a binding in each of a client's tokens from now on."""
        client = self._clients[client_id]
        # Said of bearer as well where a certificate is shown anyway: it would bind the token.
        asked = BINDINGS[binding].confirmation is not None or client.method in TLS_METHODS
        self._clients[client_id] = replace(client, requires=binding if asked else None)


class Issuer:
    """Hold the role as it is now, and do what its operator asks for."""

    def __init__(self, process: Process) -> None:
        self._folder = process.folder
        self._resources: Mapping[str, str] = process.config["resources"]
        self.clock, self.log = Clock(process.run_folder / CLOCK_FILE), event_log(process)
        self.clients = RegisteredClients(read_json(self._folder / "clients.json"), self._resources)
        key = SigningKey.from_jwk(read_json(self._folder / "key.json"))
        self._courier = _courier(process, key, self.clock, self.log)
        self._withdrawn = SqliteRevocationList(self._folder / "revoked_certificates.sqlite")
        self._preset, self._called = "", ""
        self._as_it_is = _role(
            process, key, self.clients, self._courier, self.clock, self._withdrawn
        )
        self._role = self._as_it_is

    def _good(self, **changed: Any) -> None:
        """Change the role, whose mistake, if it makes one, stays."""
        self._as_it_is = replace(self._as_it_is, **changed)
        self.weaken(self._preset, self._called)

    def weaken(self, preset: str, called: str) -> None:
        """Make a preset's mistake from now on, by whatever name; empty: none."""
        self._preset, self._called, self._role = preset, called, self._as_it_is
        if preset:
            self._role = weakened_authorization_server(PRESETS[preset], self._role, called)

    def handle(self, request: Request) -> tuple[Response, Event | None]:
        """Let the role answer."""
        return self._role.handle(request)

    def require_nonce(self, on: bool) -> None:
        """Ask for a nonce in each proof from now on, or for none."""
        self._good(nonces=nonces(on))

    def exchange_without(self, checks: list[str]) -> None:
        """Leave these checks out of every token exchange from now on: a careless server."""
        known = [check.name for check in EXCHANGE_CHECKS]
        for name in checks:
            if name not in known:
                raise LabError.unknown("check of a token exchange", name, known)
        careless = without(EXCHANGE_CHECKS, frozenset(checks))
        self._good(exchange_checks=careless)

    def confirm_more(self, on: bool) -> None:
        """Say one thing more than the key in each token's `cnf`, as RFC 7800 section 3.1 allows."""
        self._good(bindings=tuple(map(_saying_more, _BINDINGS) if on else _BINDINGS))

    def certify(self, client_id: str, jwk: dict[str, str]) -> str:
        """Issue a certificate for a client's key, as PEM; each has a thumbprint of its own."""
        return certified(self._authority(), client_id, jwk)

    def renew(self, certificate: str) -> str:
        """Issue another certificate (PEM) for the key and the names of this one."""
        return renewed(self._authority(), certificate)

    def _authority(self) -> KeyPair:
        return key_pair((self._folder / CLIENT_CA_KEY_FILE).read_bytes())

    def grant(self, client_id: str, subject: str = "") -> str:
        """Provision a refresh token, as if its owner, the subject, had consented."""
        client = self.clients.client(client_id)
        if client is None:
            raise LabError(f"There is no client {client_id!r} to provision a grant for.")
        token, family = f"{new_id()}{new_id()}", new_id()
        until = self.clock() + GRANT_SECONDS
        granted = Grant(client_id, subject or client_id, client.scopes, family, until)
        self._role.grants.put(token_hash(token), granted)
        return token

    def revoke(self, client_id: str) -> list[dict[str, Any]]:
        """End all that a client has; return resource, tokens and told for each concerned."""
        at = self.clock()
        ended = revoke_all_of(self._role, client_id)
        self.log.append({**_by_hand(at, "revoked", ended), "client_id": client_id})
        concerned = [each.audience for each in ended if each.expires > at]
        return [
            {"resource": name, "tokens": concerned.count(uri), "told": self._courier.has_told(uri)}
            for uri, name in self._resources.items()
            if uri in concerned
        ]

    def withdraw(self, certificate: str) -> list[str]:
        """Revoke a client's certificate (PEM), here and at the resource servers; who was told."""
        at, thumbprint = self.clock(), certificate_thumbprint(as_der(certificate.encode()))
        until = at + REAL_LIFETIME.total_seconds()
        self._withdrawn.add({thumbprint: until}, at)
        news = [Ended(thumbprint, audience, until) for audience in self._resources]
        self.log.append(_by_hand(at, "certificate_revoked", news[:1]))
        self._courier.tell(news)
        return [name for uri, name in self._resources.items() if self._courier.has_told(uri)]


def run(process: Process) -> None:
    """Run the authorization server; config: issuer, resources (URI to name), token_seconds."""
    issuer = Issuer(process)
    # Every client keeps a connection for a while, at either of the two endpoints.
    room = Limits(connections=Limits().connections + 2 * len(issuer.clients))
    listen(process, issuer.handle, issuer.clock, issuer.log, process.folder, limits=room)
    process.serve(
        {
            "require_nonce": issuer.require_nonce,
            "confirm_more": issuer.confirm_more,
            "weaken": announced(issuer.weaken, process.name, issuer.clock, issuer.log),
            "require": issuer.clients.require,
            "change": issuer.clients.change,
            "exchange_without": issuer.exchange_without,
            "grant": issuer.grant,
            "revoke": issuer.revoke,
            "certify": issuer.certify,
            "renew": issuer.renew,
            "withdraw": issuer.withdraw,
        }
    )


def _role(
    process: Process,
    key: SigningKey,
    clients: RegisteredClients,
    courier: RevocationCourier,
    clock: Clock,
    revoked: SqliteRevocationList,
) -> AuthorizationServer:
    folder, config = process.folder, process.config
    return AuthorizationServer(
        issuer=config["issuer"],
        key=key,
        bindings=_BINDINGS,
        clients=clients,
        grants=SqliteGrants(folder / "grants.sqlite"),
        issued_tokens=SqliteIssuedTokens(folder / "issued_tokens.sqlite"),
        memory=SqliteReplayMemory(folder / "replay_memory.sqlite"),
        resources=config["resources"],
        clock=clock,
        new_id=new_id,
        token_seconds=config["token_seconds"],
        nonces=nonces(config["require_nonce"]),
        mtls_alias=config["mtls_alias"],
        trust=CertificateTrust(
            as_der((process.run_folder / CLIENT_CA_FILE).read_bytes()), revoked.holds
        ),
        tell=courier.tell,
    )


def _saying_more(binding: Binding) -> Binding:
    def bind(proof: Any) -> dict[str, Any]:
        bound = binding.bind(proof)
        return bound and {**bound, "key-type": "runtime"}

    return replace(binding, bind=bind)


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
