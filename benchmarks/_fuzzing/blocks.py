"""Run a block of mutated requests: what was answered, counted, and whatever should not have been.

A block depends on its seed, its binding and its number and on nothing else, so that any of them can
be run again, alone, and a long run can be taken up where it ended.
"""

from __future__ import annotations

import json
import traceback
import warnings
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.utils import CryptographyDeprecationWarning

from benchmarks._fuzzing import explained, explained_asking, wire
from benchmarks._fuzzing.mutations import MUTATIONS
from benchmarks._fuzzing.reading import Unexplained
from benchmarks._fuzzing.world import Good, NotHere, World
from labsim.estate.http1 import HttpRefusal, encode
from labsim.http_message import Request, Response
from labsim.rejection import Reason
from tests.wiring import ORDERS

SIZE = 5000
"""Mutated requests of one block."""
CONTROL_EVERY = 50
"""After so many mutants a good request is sent, which must be served."""
_WEIGHTS = [weight for weight, _ in MUTATIONS]
_MUTATIONS = [mutation for _, mutation in MUTATIONS]
_NO_EVENT = (200, 404, 405)


@dataclass
class Tally:
    """Count what became of requests: outcomes, served mutants by kind, and what is a finding."""

    requests: int = 0
    controls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    mutations: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def add(self, other: dict[str, Any]) -> None:
        """Add what `to_json` returned of another."""
        self.requests += other["requests"]
        self.controls += other["controls"]
        for name in ("outcomes", "kinds", "mutations"):
            getattr(self, name).update(other[name])
        self.findings += other["findings"]


def run_block(
    binding: str, seed: int, number: int, size: int = SIZE, without: Collection[str] = ()
) -> Tally:
    """Send so many mutated requests to the roles and return what became of them.

    With checks left out of the binding, `without` them, there should be findings.
    """
    rng = Random(f"{seed} {binding} {number}")
    world = World(binding, rng, number, without)
    block = _Block(world)
    with warnings.catch_warnings():
        # Of certificates that a later release will not read at all.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for count in range(size):
            if count % CONTROL_EVERY == 0:
                block.control(world.good())
            block.mutant(world.good())
    return block.tally


class _Block:
    def __init__(self, world: World) -> None:
        self.world = world
        self.tally = Tally()

    def control(self, good: Good) -> None:
        """Send a good request as it is."""
        self.tally.controls += 1
        found = self._sent(good, good.request, ["control"])
        if found != "served":
            self._finding(good, good.request, ["control"], f"a good request was answered {found}")

    def mutant(self, good: Good) -> None:
        """Send a good request after one change or more."""
        rng, request, names = self.world.rng, good.request, []
        for _ in range(rng.choices((1, 2, 3), (15, 4, 1))[0]):
            for mutation in rng.choices(_MUTATIONS, _WEIGHTS, k=30):
                try:
                    request = mutation(self.world, good, request)
                except NotHere:
                    continue
                names.append(mutation.__name__)
                if request != good.request:
                    break
        self.tally.requests += 1
        self.tally.mutations.update(names)
        if rng.random() < 0.15:
            self._over_the_wire(good, request, [*names, "wire"])
        else:
            self.tally.outcomes[f"{good.kind}: {self._sent(good, request, names)}"] += 1

    def _over_the_wire(self, good: Good, request: Request, names: list[str]) -> None:
        self.tally.mutations["wire"] += 1
        try:
            pieces = list(wire.sent(self.world.rng, request))
        except ValueError:
            self.tally.outcomes["wire: cannot be written as octets"] += 1
            return
        try:
            arrived = list(wire.received(iter(pieces), request.peer_certificate))
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            self._finding(good, request, names, traceback.format_exc(), b"".join(pieces))
            return
        if not arrived:
            self.tally.outcomes["wire: nothing arrived"] += 1
        for each in arrived:
            if isinstance(each, HttpRefusal):
                self.tally.outcomes[f"wire: {each.status}"] += 1
            else:
                self.tally.outcomes[f"{good.kind}: {self._sent(good, each, names)}"] += 1

    def _sent(self, good: Good, request: Request, names: list[str]) -> str:
        """Send a request to its role; return how it was decided, and note what is not right."""
        lab = self.world.lab
        role: Any = (
            lab.orders if request.url.lower().startswith(ORDERS) else lab.authorization_server
        )
        try:
            response, event = role.handle(request)
            encode(response, request.method, is_kept=True)
            json.dumps(event)
            outcome = self._outcome(response, event)
            if outcome == "served":
                self.tally.kinds.update(self._explained(good, request, response, event))
        except Unexplained as why:
            self._finding(good, request, names, f"served, although: {why}")
            outcome = "served, unexplained"
        except Exception:  # noqa: BLE001 (whatever it is, it is a finding)
            self._finding(good, request, names, traceback.format_exc())
            outcome = "raised"
        lab.told.clear()
        return outcome

    def _outcome(self, response: Response, event: dict[str, Any] | None) -> str:
        if event is None:
            if response.status not in _NO_EVENT:
                raise ValueError(f"{response.status} without an event")
            return "served" if response.status == 200 else f"{response.status} without an event"
        if event["decision"] == "served":
            if response.status >= 500:
                raise ValueError(f"served with {response.status}")
            return "served"
        if event["reason"] not in Reason.__members__ or not event["check"] or not event["source"]:
            raise ValueError(f"a refusal without reason, check or source: {event}")
        if response.status >= 500 or event["reason"] == "UNAVAILABLE":
            raise ValueError(f"refused with {response.status}: {event}")
        return str(event["reason"])

    def _explained(
        self, good: Good, request: Request, response: Response, event: dict[str, Any] | None
    ) -> set[str]:
        if event is None:
            return {"a document"}
        if event["role"] == "authorization_server":
            found = explained_asking.at_authorization_server(self.world, good, request, response)
        elif request.path == "/revocations":
            found = explained_asking.notice(self.world, request)
        else:
            found = explained.at_resource_server(self.world, good, request)
        if not found and request != good.request:
            raise Unexplained("what is different about it is of no kind that is known")
        return found or {"nothing that was changed was left"}

    def _finding(
        self, good: Good, request: Request, names: list[str], why: str, octets: bytes = b""
    ) -> None:
        shown = request.to_json() if not octets else {"octets": octets.decode("latin-1")}
        before = good.request.to_json()
        found = {"kind": good.kind, "mutations": names, "why": why, "request": shown}
        self.tally.findings.append({**found, "good": before})
