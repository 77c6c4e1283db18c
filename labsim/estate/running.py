"""A running estate: every process of a plan, started, found and stopped.

Ports are the system's choice. The listening sockets are made first, so that every process knows
every address when it is forked, and all of them start at once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError
from labsim.estate import client_binding, varying
from labsim.estate.client_config import client_config
from labsim.estate.descriptors import make_room
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CA_FILE,
    CLIENTS_ADDRESS,
    CLOCK_FILE,
    COLLECTION,
    EVENTS_FOLDER,
    INTERCEPTOR,
)
from labsim.estate.parents import ENTRIES, FIRST, Parents
from labsim.estate.plan import Plan
from labsim.estate.processes import Child, listening_socket
from labsim.estate.replay_memory import known_kind
from labsim.estate.softhsm import SOFTWARE, module_of
from labsim.estate.variants import Variant, variant
from labsim.estate.varying import origin

if TYPE_CHECKING:
    from labsim.estate.weakening import Weakening

MOST_EARLY = 32
"""In an estate of more clients, each is started when something is first asked of it."""


class Estate:
    """Hold the processes of one run; `urls` and `issuer` are their addresses.

    `reached_at` is where clients reach the resource servers: elsewhere where a proxy stands.
    `enforcing` are the resource servers that enforce bindings: all, unless `enforce` says which.
    `weakening` is the mistake that one role makes just now. `clients` are registrations from
    outside (RFC 7591 metadata). Not started until `start`. It stops by itself when nothing was done
    with it for `idle_seconds`. `parents` fork its processes, of one estate at a time.
    """

    def __init__(
        self,
        plan: Plan,
        clients: Sequence[Mapping[str, Any]] = (),
        require_nonce: bool = False,
        idle_seconds: float | None = None,
        replay_memory: str = "sqlite",
        signer: str = SOFTWARE,
        parents: Parents = FIRST,
    ) -> None:
        self.plan = plan
        self._parents = parents
        self.variant: Variant = variant("nonce" if require_nonce else "base")
        self._idle_seconds = idle_seconds
        self._replay_memory = known_kind(replay_memory)
        self.module = module_of(signer)
        self.issuer = ""
        self.mtls_alias = ""
        self.urls: dict[str, str] = {}
        self.reached_at: dict[str, str] = {}
        self.enforcing = frozenset(plan.resources)
        self.run_folder = Path()
        self._clients = [dict(client) for client in clients]
        self._children: dict[str, Child] = {}
        self._starting = threading.RLock()
        self.attackers_ports: dict[str, int] = {}
        self.weakening: Weakening | None = None

    def start(self) -> None:
        """Start everything and wait until all is ready.

        Raises LabError, and leaves nothing behind, if something cannot start.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        make_room(len(self.plan.resources) + len(self.plan.clients))
        self._parents.estate.begin()
        servers = [AUTHORIZATION_SERVER, *self.plan.resources]
        sockets = {name: listening_socket() for name in servers}
        alias = listening_socket()
        self.mtls_alias = origin(alias)
        origins = {name: origin(sock) for name, sock in sockets.items()}
        self.issuer = origins.pop(AUTHORIZATION_SERVER)
        self.urls, self.reached_at = origins, dict(origins)
        self.run_folder = self._parents.estate.open_run_folder(self._idle_seconds)
        self._parents.estate.run(
            ENTRIES["provision"],
            folder=str(self.run_folder),
            plan=self.plan.to_json(),
            urls={name: url + COLLECTION for name, url in origins.items()},
            clients=self._clients,
        )
        self._fork_servers(sockets, alias)
        self._fork_attacker()
        early = list(self.plan.clients) if len(self.plan.clients) <= MOST_EARLY else []
        for client in early:
            self._fork_client(client)
        for client in early:  # while the resource servers are still starting
            self._children[AUTHORIZATION_SERVER].wait_ready()
            self.bind(client)
        for child in self._children.values():
            child.wait_ready()
        self._parents.tapping.begin()

    def _fork_servers(self, sockets: Mapping[str, socket.socket], alias: socket.socket) -> None:
        config = {"issuer": self.issuer, "require_nonce": self.variant.nonces}
        resources = {url: name for name, url in self.urls.items()}
        more = {
            "resources": resources,
            "token_seconds": self.plan.token_seconds,
            "mtls_alias": self.mtls_alias,
        }
        both = [sockets[AUTHORIZATION_SERVER], alias]
        self.fork(AUTHORIZATION_SERVER, "authorization_server", {**config, **more}, both)
        for name in self.urls:
            own = self.resource_server_config(name, memory=name)
            self.fork(name, "resource_server", {**config, **own}, [sockets[name]])

    def resource_server_config(self, name: str, memory: str) -> dict[str, Any]:
        """Return the config of a resource server whose proofs the memory of this name keeps."""
        kind = {"replay_memory": self._replay_memory, "memory": memory}
        enforces = name in self.enforcing
        return {"name": name, "url": self.urls[name], "enforces": enforces, **kind}

    def fork(
        self,
        name: str,
        entry: str,
        config: dict[str, Any],
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Fork a process of the estate by the name of its entry; one of its name is replaced."""
        self._children[name] = self._parents.estate.fork(name, ENTRIES[entry], config, sockets)

    def _fork_attacker(self) -> None:
        self.fork(ATTACKER, "attacker", {"token_endpoint": f"{self.issuer}/token"})

    def _fork_client(self, name: str) -> None:
        where = self.issuer, self.mtls_alias, self.urls, self.reached_at
        self.fork(name, "workload", client_config(self.plan.client(name), *where))

    def stop(self) -> None:
        """End every process and remove the run folder; the preloaded parents stay for the next."""
        self._parents.tapping.end_run()
        self._parents.estate.end_run()
        self._children.clear()

    @property
    def alive(self) -> bool:
        """Tell whether the estate was started and not stopped, nor stopped itself."""
        return any(child.alive for child in self._children.values())

    @property
    def ca_file(self) -> Path:
        """Return the lab's certificate authority, as PEM."""
        return self.run_folder / CA_FILE

    @property
    def clock_file(self) -> Path:
        """Return the file that the clock's offset is shared in."""
        return self.run_folder / CLOCK_FILE

    @property
    def events_folder(self) -> Path:
        """Return the folder in which each server writes its events."""
        return self.run_folder / EVENTS_FOLDER

    def ended(self) -> list[str]:
        """Return the names of processes that have ended although nobody stopped the estate."""
        return [name for name, child in self._children.items() if not child.alive]

    def end(self, name: str) -> None:
        """Kill a process, if there is one of this name, and forget it."""
        old = self._children.pop(name, None)
        if old is not None:
            old.kill()

    def signers(self) -> list[Child]:
        """Return the processes that hold a client's key for it."""
        suffix = client_binding.SIGNER_SUFFIX
        return [child for name, child in self._children.items() if name.endswith(suffix)]

    def started_clients(self) -> list[Child]:
        """Return the processes of the clients that have been started; others learn all at start."""
        return [self._children[name] for name in self.plan.clients if name in self._children]

    def servers(self, resource: str) -> list[Child]:
        """Return a resource server and its second replica, if there is one."""
        replica = self._children.get(f"{resource}-replica")
        return [self.process(resource), *([replica] if replica else [])]

    def has(self, name: str) -> bool:
        """Tell whether there is a process of this name, and it runs."""
        return name in self._children and self._children[name].alive

    def process(self, name: str) -> Child:
        """Return a process by name, a client's as the plan has it; LabError that lists them."""
        if not self._children:
            raise LabError("The lab is stopped.", todo="Call lab.reset() to start it again.")
        with self._starting:
            if name in self.plan.clients and name not in self._children:
                self.bind(name)
        if name not in self._children:
            raise LabError.unknown("process", name, {**self._children, **self.plan.clients})
        return self._children[name]

    @property
    def clients_address(self) -> str:
        """Return the address from which clients send; empty where it does not matter."""
        return CLIENTS_ADDRESS if self.variant.allow_list else ""

    def bind(self, client: str, binding: str = "", custody: str = "") -> None:
        """Bind a client's tokens in another way from now on, at both ends; or as the plan says."""
        planned = self.plan.client(client)
        self.process(AUTHORIZATION_SERVER)  # a stopped lab has none, and must fork nothing
        with self._starting:
            if client not in self._children:
                self._fork_client(client)
        client_binding.bind(self, planned, binding or planned.binding, custody or planned.custody)

    def rotate(self, client: str, to: str = "") -> None:
        """Give a client a new credential in the old one's place, at both ends; of the kind `to`."""
        asked = {"plan": self.plan.to_json(), "client": client, "to": to}
        server, folder = self.process(AUTHORIZATION_SERVER), str(self.run_folder)
        changed = self._parents.estate.run(ENTRIES["rotate"], folder=folder, **asked)
        server.call("change", metadata=changed)
        self.process(client).call("rotated")

    def vary(self, name: str) -> None:
        """Change to another variant of the estate (see `estate.variants`); no client changes.

        Raises LabError for a name that does not exist; it lists those that do.
        """
        wanted = variant(name)
        varying.change(self, self.variant, wanted)
        self.variant = wanted

    def enforce(self, names: Collection[str]) -> None:
        """Let these resource servers enforce bindings, and the others take any good token."""
        for name in names:
            self.plan.resource(name)
        for server in self.urls:
            for child in self.servers(server):
                child.call("enforce", on=server in names)
        self.enforcing = frozenset(names)

    def verifier(self, name: str) -> str:
        """Return how a resource server judges: `full`, `not_enforcing`, or a preset's name."""
        full = "full" if name in self.enforcing else "not_enforcing"
        return self.weakening.called if self.weakening and self.weakening.at(name) else full

    def revive_attacker(self) -> None:
        """Fork the attacker anew after its death; what it had stolen lies in its folder."""
        self._fork_attacker()
        self.process(ATTACKER).wait_ready()
        self.process(ATTACKER).call("route", ports=self.attackers_ports)

    def revoke(self, client: str) -> list[dict[str, Any]]:
        """End all tokens of a client at the authorization server, which tells whom it concerns."""
        self.plan.client(client)
        server = self.process(AUTHORIZATION_SERVER)
        rows: list[dict[str, Any]] = server.call("revoke", client_id=client)
        return rows

    def interceptor(self) -> str:
        """Return the interceptor's proxy address; start it if it does not run."""
        if not self.has(INTERCEPTOR):
            if self._parents.tapping.run_folder is None:
                self._parents.tapping.join_run(self._parents.estate)
            config = {"ca_file": str(self.ca_file)}
            tap = self._parents.tapping.fork(INTERCEPTOR, ENTRIES["interceptor"], config)
            tap.wait_ready()
            tap.call("send_from", address=self.clients_address)
            self._children[INTERCEPTOR] = tap
        return str(self.process(INTERCEPTOR).call("address")["proxy"])
