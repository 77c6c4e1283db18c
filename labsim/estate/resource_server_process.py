"""A resource server as a process: the role, its records and stores, and how it is varied."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labsim.binding import ReplayMemory
from labsim.certificates import as_der, certificate_thumbprint
from labsim.credentials import VerifiedTokens
from labsim.estate.asked_issuer import AskedIssuer
from labsim.estate.captured import Captured
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.issued_tokens import SqliteRevocationList
from labsim.estate.issuer_keys import FetchedKeys
from labsim.estate.names import CA_FILE, CAPTURED_FILE, CLOCK_FILE
from labsim.estate.private_file import read_json
from labsim.estate.process import Process
from labsim.estate.replay_memory import InProcessReplayMemory, SqliteReplayMemory
from labsim.estate.serving import BINDINGS, event_log, listen, new_id, nonces
from labsim.estate.weakening import PRESETS, announced
from labsim.http_message import Request, Response
from labsim.preset import weakened_resource_server
from labsim.roles.client_authentication import basic
from labsim.roles.decision import Event
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.resource_server import ResourceServer

MOST_ADDED_RECORDS = 1000


class MemoryRecords:
    """Hold a resource server's records in its process (see `roles.records_api.Records`)."""

    def __init__(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        self._name = name
        self._first = {str(record["id"]): record for record in records}
        self._records = dict(self._first)
        self._room = len(records) + MOST_ADDED_RECORDS
        self._filed: list[str] = []
        self._lock = threading.Lock()

    def all(self) -> Sequence[Mapping[str, Any]]:
        """Return every record."""
        return list(self._records.values())

    def one(self, record_id: str) -> Mapping[str, Any] | None:
        """Return the record with this id, or None."""
        return self._records.get(record_id)

    def restore(self) -> None:
        """Forget every record that was added."""
        with self._lock:
            self._records = dict(self._first)

    def add(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Keep a record and return it with its id; None if there is no room for more."""
        with self._lock:
            if len(self._records) >= self._room:
                return None
            added = {"id": f"{self._name}-{len(self._records) + 1:04d}", **record}
            self._records[added["id"]] = added
            return added

    def file(self, title: str, text: str) -> str:
        """Keep a text that somebody of the estate has put in, and return its id."""
        with self._lock:
            self._filed.append(f"{self._name}-filed-{len(self._filed) + 1}")
            self._records[self._filed[-1]] = {"id": self._filed[-1], "title": title, "text": text}
            return self._filed[-1]

    def unfile(self) -> None:
        """Drop all that was filed."""
        with self._lock:
            for record_id in self._filed:
                del self._records[record_id]
            self._filed = []


def _replay_memory(process: Process) -> ReplayMemory:
    run, config = process.run_folder, process.config
    kind = config["replay_memory"]
    if kind == "in_process":
        return InProcessReplayMemory()
    if kind == "sqlite":
        return SqliteReplayMemory(run / config["memory"] / "replay_memory.sqlite")
    from labsim.estate.redis_memory import RedisReplayMemory, connected  # an extra

    return RedisReplayMemory(connected(kind), f"{run.name}:{config['memory']}")


class Varied:
    """Hold the role that serves just now; each operation puts a changed one in its place."""

    def __init__(self, process: Process, clock: Clock) -> None:
        self._run, self._config = process.run_folder, process.config
        self.folder = self._run / self._config["name"]
        self._own_folder = process.folder  # another one for a second replica
        self._kept: Captured | None = None
        self._keeps = False
        self._memory = _replay_memory(process)
        self.records = MemoryRecords(self._config["name"], read_json(self.folder / "records.json"))
        revoked = SqliteRevocationList(self.folder / "revocations.sqlite")
        self._preset, self._called = "", ""
        self._as_it_is = ResourceServer(
            name=self._config["name"],
            resource=self._config["url"],
            issuer=self._config["issuer"],
            issuer_keys=FetchedKeys(self._config["issuer"], self._run / CA_FILE, clock),
            bindings=tuple(BINDINGS.values()),
            records=self.records,
            clock=clock,
            new_id=new_id,
            memory=self._memory,
            nonces=nonces(self._config["require_nonce"]),
            revocations=revoked,
            is_key_revoked=revoked.holds,
            verified=VerifiedTokens(),
            enforces=self._config["enforces"],
        )
        self.role = self._as_it_is

    def _good(self, **changed: Any) -> None:
        """Change the role, whose mistake, if it makes one, stays."""
        self._as_it_is = replace(self._as_it_is, **changed)
        self.weaken(self._preset, self._called)

    def weaken(self, preset: str, called: str) -> None:
        """Make a preset's mistake from now on, by whatever name; empty: none."""
        self._preset, self._called, self.role = preset, called, self._as_it_is
        if preset:
            self.role = weakened_resource_server(PRESETS[preset], self.role, called)

    def handle(self, request: Request) -> tuple[Response, Event | None]:
        """Let the role answer, and keep the exchange if this server is a compromised one."""
        response, event = self.role.handle(request)
        if self._keeps and self._kept is not None:
            self._kept.append(request, response)
        return response, event

    def keep(self, on: bool) -> None:
        """Write whole requests to a file from now on, which is emptied first; or stop."""
        if on:
            self._kept = self._kept or Captured(self._own_folder / CAPTURED_FILE)
            self._kept.forget()
        self._keeps = on

    def require_nonce(self, on: bool) -> None:
        """Ask for a nonce in each proof, or stop asking."""
        self._good(nonces=nonces(on))

    def remember(self, on: bool) -> None:
        """Keep a replay memory, or none: the strict and the minimal profile."""
        self._good(memory=self._memory if on else None)

    def trust_proxy(self, certificate: str) -> None:
        """Believe what a proxy with this certificate (PEM) says of its clients; empty: nobody."""
        thumbprint = certificate and certificate_thumbprint(as_der(certificate.encode()))
        self._good(trusted_proxy=thumbprint)

    def allow(self, addresses: list[str] | None) -> None:
        """Take requests from these addresses only, or from anywhere."""
        allowed = None if addresses is None else frozenset(addresses)
        self._good(allowed_addresses=allowed)

    def enforce(self, on: bool) -> None:
        """Ask of each token what its binding asks, or take any good token as a bearer token."""
        self._good(enforces=on)

    def introspect(self, on: bool) -> None:
        """Ask the authorization server about each token, or read tokens again."""
        own = read_json(self.folder / "client.json")
        authenticate = basic(own["client_id"], own["secret"])
        dial = Dialler(str(self._run / CA_FILE))
        asking = AskedIssuer(self._config["issuer"], dial, authenticate)
        self._good(introspected=IntrospectedTokens(asking) if on else None)


def run(process: Process) -> None:
    """Run one resource server, or a second replica of one.

    Config: `name`, `url`, `issuer`, `require_nonce`, `enforces`, `memory` (the name of the process
    whose replay memory it is) and `replay_memory` (its kind: sqlite, in_process, or the URL of a
    Redis server).
    """
    clock = Clock(process.run_folder / CLOCK_FILE)
    varied = Varied(process, clock)
    port = int(process.config["url"].rpartition(":")[2])
    log = event_log(process)
    listen(process, varied.handle, clock, log, varied.folder, port)
    process.serve(
        {
            "require_nonce": varied.require_nonce,
            "remember": varied.remember,
            "trust_proxy": varied.trust_proxy,
            "introspect": varied.introspect,
            "enforce": varied.enforce,
            "allow": varied.allow,
            "restore": varied.records.restore,
            "keep": varied.keep,
            "weaken": announced(varied.weaken, process.name, clock, log),
            "file": varied.records.file,
            "unfile": varied.records.unfile,
        }
    )
