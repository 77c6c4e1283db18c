"""The lab as a notebook holds it: start it, use it, steal, replay, look, stop.

with labsim.start() as lab:
    haul = lab.attacker.steal("support-agent", by="log_line")
    lab.attacker.replay(haul)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, Self

from labsim import arguments, tally, used
from labsim.errors import LabError
from labsim.estate import client_certificates, summary
from labsim.estate.calls import resources_for
from labsim.estate.clock import Clock
from labsim.estate.custody import CUSTODIES
from labsim.estate.events import HeardEvents
from labsim.estate.plan import Plan
from labsim.estate.running import Estate
from labsim.rooms import names
from labsim.whole_import import whole

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.charts.estate_map import EstateMap
    from labsim.preset import Preset
    from labsim.thief import AttackerHandle

BINDINGS = names("labsim.bindings")


class Lab:
    """Hold a running estate and what has happened in it. `labsim.start()` makes one."""

    def __init__(
        self, plan: Plan, clients: Sequence[Mapping[str, Any]], new_estate: Callable[[], Estate]
    ) -> None:
        from labsim.thief import AttackerHandle

        self.plan = plan
        self._clients, self._new_estate = clients, new_estate
        self._estate = new_estate()
        self.attacker: AttackerHandle = AttackerHandle(self)

    def begin(self) -> None:
        """Start every process, fresh; raises LabError if one cannot start."""
        self._estate = self._new_estate()
        self._estate.start()
        self._clock = Clock(self._estate.clock_file)
        self._heard = HeardEvents(self._estate.events_folder)
        self.worked: list[tally.Worked] = []
        self._bound: dict[str, tuple[str, str]] = {
            c.name: (c.binding, c.custody) for c in self.plan.clients.values()
        }
        self.attacker.forget()

    # Start and stop.

    def stop(self) -> None:
        """Stop every process and remove the run folder. Stopping twice does no harm."""
        if self.runs:
            self.events()
        self._estate.stop()

    def reset(self) -> None:
        """Stop, and start again with fresh keys, tokens and records; attempts are forgotten."""
        self.stop()
        self.begin()

    def __enter__(self) -> Self:
        """Return the lab itself: it runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def clients_from_outside(self) -> Sequence[Mapping[str, Any]]:
        """Return the metadata of the clients that were registered from outside, completed."""
        return self._clients

    @property
    def runs(self) -> bool:
        """Tell whether the estate runs."""
        return self._estate.alive

    @property
    def run_folder(self) -> Path:
        """Return the folder of this run; only its owner can enter it."""
        return self._estate.run_folder

    @property
    def estate(self) -> Estate:
        """Return the running estate: processes, addresses, files."""
        return self._estate

    def summary(self) -> str:
        """Say in a few lines what runs and where, and what is weakened."""
        return summary.summary(self._estate)

    def __repr__(self) -> str:
        """Say whether the lab runs, and what is weakened."""
        weak = f", {self._estate.weakening}" if self._estate.weakening else ""
        return f"<labsim.Lab {'in ' + str(self.run_folder) if self.runs else 'stopped'}{weak}>"

    # Use.

    def work(self, client: str, *resources: str, doing: str = "read") -> DataFrame:
        """Let a client fetch records, of every resource server it calls or of those named.

        `doing` may also be `query` (only the internal records) or `write` (add one). Columns:
        resource (str), outcome (str), status (int), records (list of ids), request_id (str), why
        (str), sent and answer (str, bytes on the wire as latin-1).
        """
        whole("pandas")
        import pandas as pd

        return pd.DataFrame(self.work_rows(client, *resources, doing=doing))

    def work_rows(self, client: str, *resources: str, doing: str = "read") -> list[dict[str, Any]]:
        """Let a client fetch records; the same as `work`, as plain rows."""
        wanted = resources_for(self.plan.client(client), doing, resources)
        rows: list[dict[str, Any]] = self._estate.process(client).call(
            "work", resources=wanted, doing=doing
        )
        self.worked += tally.worked(self, client, rows)
        return rows

    def restore_records(self) -> None:
        """Let every resource server forget the records that were added since the start."""
        for name in self.plan.resources:
            self._estate.process(name).call("restore")

    def bind(self, client: str, binding: str, custody: str = "file") -> None:
        """Give a client another binding: a fresh key, and new tokens from its next request on.

        `custody` says where the key lies: `file`, beside the token, `memory`, or `signer`.
        Raises LabError for a name that does not exist; it lists those that do.
        """
        self.plan.client(client)
        if binding not in BINDINGS:
            raise LabError.unknown("binding", binding, BINDINGS)
        if custody not in CUSTODIES:
            raise LabError.unknown("custody", custody, CUSTODIES)
        self.attacker.release()
        self._estate.bind(client, binding, custody)
        self._bound[client] = (binding, custody)

    def binding(self, client: str) -> str:
        """Return the name of a client's binding."""
        self.plan.client(client)
        return self._bound[client][0]

    def custody(self, client: str) -> str:
        """Return where a client's key lies: file, memory, signer, or none for a bearer client."""
        binding, custody = self._bound[self.plan.client(client).name]
        return "none" if binding == "bearer" else custody

    def require_nonce(self, on: bool = True) -> None:
        """Let every server ask for a nonce in each proof (RFC 9449 sections 8 and 9)."""
        self._estate.vary("nonce" if on else "base")

    def vary(self, variant: str) -> None:
        """Change what the servers do: base, nonce, minimal, replicas_shared and so on.

        See `labsim.estate.variants`. Raises LabError for a name that does not exist; it lists those
        that do.
        """
        self.attacker.release()
        self._estate.vary(variant)

    def enforce(self, *names: str) -> None:
        """Let only these resource servers enforce bindings, as halfway through a rollout.

        The others look at no `cnf` and take any good token as a bearer token; their attempts have
        the verifier `not_enforcing`. Without a name nobody enforces; `reset` lets all do so again.
        Raises LabError for a resource server that does not exist.
        """
        self._estate.enforce(names)

    def weakened(self, role: str, *, preset: str) -> AbstractContextManager[Preset]:
        """Let a role make a real mistake until the `with` ends: docs/museum.md; or LabError."""
        from labsim.estate.weakening import weakened

        return weakened(self._estate, role, preset)

    def introspect(self, on: bool = True) -> None:
        """Let every resource server ask the authorization server about each token (RFC 7662).

        An answer is believed for 30 lab seconds, so that a revocation takes as long to arrive.
        """
        self._estate.vary("introspection" if on else "base")

    def revoke(self, client: str) -> DataFrame:
        """End every token that a client has, as an operator does after a theft.

        The client itself is not locked out: with its own credential it gets new tokens. A
        delegated grant ends, and `bind` gives a new one. Columns: resource (str), tokens (int),
        told (bool, whether that resource server has confirmed that it knows).
        Raises LabError for a client that does not exist.
        """
        import pandas as pd

        return pd.DataFrame(self._estate.revoke(client), columns=["resource", "tokens", "told"])

    def evict(self, client: str) -> None:
        """Throw a stranger's code out of a client's process: its foothold ends, what it took stays.

        Raises LabError for a client that does not exist.
        """
        self.plan.client(client)
        self._estate.process(client).call("evict")

    def rotate(self, client: str, to: str = "") -> None:
        """Give a client a new credential (a secret, say): the old one is worth nothing any more.

        Its tokens live on until they end or are revoked. `to` names another kind of credential, as
        `authentication` in a plan. Raises LabError for a client or a kind that does not exist.
        """
        self.plan.client(client)
        self._estate.rotate(client, to)

    def renew_certificate(self, client: str) -> None:
        """Give a client a new certificate for its old key; its tokens stay bound to the old one.

        Raises LabError for a client without a certificate.
        """
        client_certificates.renew_certificate(self._estate, client)

    def revoke_certificate(self, client: str) -> list[str]:
        """Revoke a client's certificate; return the resource servers that have heard of it.

        Raises LabError for a client without a certificate.
        """
        return client_certificates.revoke_certificate(self._estate, client)

    @property
    def variant(self) -> str:
        """Return the name of the variant that the estate is in: what differs from `base`."""
        return self._estate.variant.name

    def advance(self, *bare: Never, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let lab time pass, at once and for every process; raises LabError for a step back."""
        self._estate.process("attacker")  # a stopped lab has no clock
        try:
            self._clock.advance(
                arguments.lab_seconds(bare, days=days, hours=hours, seconds=seconds)
            )
        except ValueError as error:
            raise LabError(f"Lab time was not advanced: {error}.") from None

    @property
    def now(self) -> float:
        """Return the lab's time, in seconds since 1970."""
        return self._clock()

    # Look.

    def events(self) -> list[dict[str, Any]]:
        """Return every event that the servers have written in this run, in the order of reading."""
        return self._heard.all() if self.runs else self._heard.events

    def event(self, request_id: str) -> dict[str, Any]:
        """Return the server's own event for an answer's Request-Id; empty if there is none.

        Raises LabError for what is no text.
        """
        request_id = arguments.request_id(request_id)
        if request_id not in self._heard.by_request:
            self.events()
        return self._heard.by_request.get(request_id, {}) if request_id else {}

    def attempts(self) -> DataFrame:
        """Return every attempt of this run as a table (columns: see `blast.measured`).

        One row is one replay of what was stolen. A campaign goes on from what it was served, so
        that its attempts have columns of their own: `lab.attacker.campaign(haul).attempts`.
        """
        return self.attacker.attempts()

    def map(self, everything: bool = False) -> EstateMap:
        """Draw who calls whom, with which binding, and what was stolen and served: what is used.

        Before anything was used, and with `everything`, the whole estate.
        """
        return used.estate_map(self, everything)

    def my_matrix(self, notebook: str = "") -> tally.Drawn:
        """Add this run's rows to those of earlier notebooks, and draw all; see `labsim.tally`."""
        return tally.matrix(self, notebook)

    def my_bars(self, notebook: str = "") -> tally.Drawn:
        """Add this run's bars to those of earlier notebooks, and draw all; see `labsim.tally`."""
        return tally.bars(self, notebook)
