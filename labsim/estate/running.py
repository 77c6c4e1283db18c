"""A running estate: every process of a plan, started, found and stopped.

Ports are the system's choice. The listening sockets are made first, so that every process knows
every address when it is forked, and all of them start at once.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labsim.errors import LabError
from labsim.estate import varying
from labsim.estate.names import (
    ATTACKER,
    AUTHORIZATION_SERVER,
    CA_FILE,
    CLOCK_FILE,
    COLLECTION,
    EVENTS_FOLDER,
    INTERCEPTOR,
)
from labsim.estate.plan import Client, Plan
from labsim.estate.processes import Child, Preloaded, listening_socket
from labsim.estate.replay_memory import known_kind
from labsim.estate.softhsm import SOFTWARE, module_of, refuse_tls
from labsim.estate.variants import Variant, variant
from labsim.estate.varying import origin

ENTRIES = {
    "provision": "labsim.estate.provision:make",
    "authorization_server": "labsim.estate.authorization_server_process:run",
    "resource_server": "labsim.estate.resource_server_process:run",
    "workload": "labsim.estate.workloads:run",
    "attacker": "labsim.estate.attacker_process:run",
    "signer": "labsim.estate.signer:run",
    "terminator": "labsim.estate.terminator:run",
    "interceptor": "labsim.estate.interceptor:run",
}
_MODULES = sorted({entry.partition(":")[0] for entry in ENTRIES.values()})
# With a dot, which no name of a plan has.
_SIGNER = ".signer"
# The interceptor's parent is another one: mitmproxy would make every process heavier.
_ESTATE = Preloaded("labsim-estate", [m for m in _MODULES if m != "labsim.estate.interceptor"])
_TAPPING = Preloaded("labsim-interceptor", ["labsim.estate.interceptor"])


class Estate:
    """Hold the processes of one run; `urls` and `issuer` are their addresses.

    `reached_at` is where clients reach the resource servers: another place where a proxy stands in
    front of them.

    `clients` are registrations from outside (RFC 7591 metadata). Not started until `start`. It
    stops by itself when nothing was done with it for `idle_seconds`.
    """

    def __init__(
        self,
        plan: Plan,
        clients: Sequence[Mapping[str, Any]] = (),
        require_nonce: bool = False,
        idle_seconds: float | None = None,
        replay_memory: str = "sqlite",
        signer: str = SOFTWARE,
    ) -> None:
        self.plan = plan
        self.variant: Variant = variant("nonce" if require_nonce else "base")
        self._idle_seconds = idle_seconds
        self._replay_memory = known_kind(replay_memory)
        self._module = module_of(signer)
        self.issuer = ""
        self.mtls_alias = ""
        self.urls: dict[str, str] = {}
        self.reached_at: dict[str, str] = {}
        self.run_folder = Path()
        self._clients = [dict(client) for client in clients]
        self._children: dict[str, Child] = {}

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
        _ESTATE.begin()
        sockets = {
            name: listening_socket() for name in [AUTHORIZATION_SERVER, *self.plan.resources]
        }
        alias = listening_socket()
        self.mtls_alias = origin(alias)
        origins = {name: origin(sock) for name, sock in sockets.items()}
        self.issuer = origins.pop(AUTHORIZATION_SERVER)
        self.urls = origins
        self.reached_at = dict(origins)
        self.run_folder = _ESTATE.open_run_folder(self._idle_seconds)
        _ESTATE.run(
            ENTRIES["provision"],
            folder=str(self.run_folder),
            plan=self.plan.to_json(),
            urls={name: url + COLLECTION for name, url in origins.items()},
            clients=self._clients,
        )
        self._fork_servers(sockets, alias)
        self.fork(ATTACKER, "attacker", {})
        for client in self.plan.clients.values():
            self.fork(client.name, "workload", self._client_config(client))
        for child in self._children.values():
            child.wait_ready()
        for client in self.plan.clients.values():
            self.bind(client.name, client.binding, client.custody)
        _TAPPING.begin()

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
        return {"name": name, "url": self.urls[name], **kind}

    def fork(
        self,
        name: str,
        entry: str,
        config: dict[str, Any],
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Fork a process of the estate by the name of its entry; one of its name is replaced."""
        self._children[name] = _ESTATE.fork(name, ENTRIES[entry], config, sockets)

    def _client_config(self, client: Client) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/token",
            "mtls_token_endpoint": f"{self.mtls_alias}/token",
            "resources": {
                name: {"url": self.urls[name] + COLLECTION, "audience": self.urls[name]}
                for name in client.calls
            },
            "grant": client.grant,
        }

    def stop(self) -> None:
        """End every process and remove the run folder; the preloaded parents stay for the next."""
        _TAPPING.end_run()
        _ESTATE.end_run()
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
        return [child for name, child in self._children.items() if name.endswith(_SIGNER)]

    def process(self, name: str) -> Child:
        """Return a process by name; LabError that lists those there are."""
        if not self._children:
            raise LabError("The lab is stopped.", todo="Call lab.reset() to start it again.")
        if name not in self._children:
            raise LabError.unknown("process", name, self._children)
        return self._children[name]

    def bind(self, client: str, binding: str, custody: str) -> None:
        """Bind a client's tokens in another way from now on, at both ends."""
        server, workload = self.process(AUTHORIZATION_SERVER), self.process(client)
        if custody == "signer" and self._module:
            refuse_tls(binding)
        self.end(client + _SIGNER)
        signer = self._signer(client, binding) if custody == "signer" else None
        server.call("require", client_id=client, binding=binding)
        grant = None
        if self.plan.client(client).grant == "refresh_token":
            # A delegated grant, provisioned as if its owner had just consented.
            grant = server.call("grant", client_id=client)
        jwk = workload.call(
            "bind", binding=binding, custody=custody, refresh_token=grant, signer=signer
        )
        if jwk is not None:
            workload.call("certified", pem=server.call("certify", client_id=client, jwk=jwk))

    def _signer(self, client: str, binding: str) -> str | None:
        """Start a signer with a fresh key for a client; None for a bearer client, which has none."""
        if binding == "bearer":
            return None
        name = client + _SIGNER
        config = {"binding": binding, "stamps": self.variant.stamps, "module": self._module}
        self.fork(name, "signer", config)
        try:
            self._children[name].call("begin")
        except LabError:
            self.end(name)
            raise
        return name

    def vary(self, name: str) -> None:
        """Change to another variant of the estate (see `estate.variants`); no client changes.

        Raises LabError for a name that does not exist; it lists those that do.
        """
        wanted, before = variant(name), self.variant
        self.variant = wanted
        varying.change(self, before, wanted)

    def revoke(self, client: str) -> list[dict[str, Any]]:
        """End all tokens of a client at the authorization server, which tells whom it concerns."""
        self.plan.client(client)
        rows: list[dict[str, Any]] = self.process(AUTHORIZATION_SERVER).call(
            "revoke", client_id=client
        )
        return rows

    def interceptor(self) -> str:
        """Return the interceptor's proxy address; start it if it does not run."""
        tap = self._children.get(INTERCEPTOR)
        if tap is None or not tap.alive:
            if _TAPPING.run_folder is None:
                _TAPPING.join_run(_ESTATE)
            config = {"ca_file": str(self.ca_file)}
            tap = _TAPPING.fork(INTERCEPTOR, ENTRIES["interceptor"], config)
            tap.wait_ready()
            self._children[INTERCEPTOR] = tap
        return str(tap.call("address")["proxy"])
