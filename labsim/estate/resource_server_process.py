"""A resource server as a process: the role, its records and stores, and how it is varied."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labsim.certificates import as_der, certificate_thumbprint
from labsim.credentials import VerifiedTokens
from labsim.estate.asked_issuer import AskedIssuer
from labsim.estate.clock import Clock
from labsim.estate.dialler import Dialler
from labsim.estate.issued_tokens import SqliteRevocationList
from labsim.estate.issuer_keys import FetchedKeys
from labsim.estate.names import CA_FILE, CLOCK_FILE
from labsim.estate.private_file import read_json
from labsim.estate.process import Process
from labsim.estate.replay_memory import SqliteReplayMemory
from labsim.estate.serving import BINDINGS, event_log, listen, new_id, nonces
from labsim.roles.client_authentication import basic
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.resource_server import ResourceServer

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


def run(process: Process) -> None:
    """Run one resource server, or a second replica of one.

    Config: `name`, `url`, `issuer`, `require_nonce`, `memory` (the name of the process in whose
    folder the replay memory lies).
    """
    run, config = process.run_folder, process.config
    clock, folder = Clock(run / CLOCK_FILE), run / config["name"]
    memory = SqliteReplayMemory(run / config["memory"] / "replay_memory.sqlite")
    revoked = SqliteRevocationList(folder / "revocations.sqlite")
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
        nonces=nonces(config["require_nonce"]),
        revocations=revoked,
        is_key_revoked=revoked.holds,
        verified=VerifiedTokens(),
    )
    current = [role]

    def require_nonce(on: bool) -> None:
        current[0] = replace(current[0], nonces=nonces(on))

    def remember(on: bool) -> None:
        """Keep a replay memory, or none: the strict and the minimal profile."""
        current[0] = replace(current[0], memory=memory if on else None)

    def trust_proxy(certificate: str) -> None:
        """Believe what a proxy with this certificate (PEM) says of its clients; empty: nobody."""
        thumbprint = certificate and certificate_thumbprint(as_der(certificate.encode()))
        current[0] = replace(current[0], trusted_proxy=thumbprint)

    def introspect(on: bool) -> None:
        """Ask the authorization server about each token, or read tokens again."""
        own = read_json(folder / "client.json")
        authenticate = basic(own["client_id"], own["secret"])
        asking = AskedIssuer(config["issuer"], Dialler(str(run / CA_FILE)), authenticate)
        current[0] = replace(current[0], introspected=IntrospectedTokens(asking) if on else None)

    port = int(config["url"].rpartition(":")[2])
    log = event_log(process)
    listen(process, lambda request: current[0].handle(request), clock, log, folder, port)
    process.serve(
        {
            "require_nonce": require_nonce,
            "remember": remember,
            "trust_proxy": trust_proxy,
            "introspect": introspect,
        }
    )
