"""Which records a thief comes to read, from the plan alone: the second opinion on what is measured.

Nothing is sent and no attacker's code is used. What a theft yields and opens is in `first_loot`;
here is what follows: a record that was read may hold another client's identifier and secret (the
placeholders of `labsim.estate.records`), whose credential then opens what that client calls, and
so on until nothing is new.

It is the base configuration: replay memories on, no nonces, every server enforces. What an
interceptor reads in passing, in the answers to its victim, is no replay and not counted here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from labsim.blast.first_loot import (
    CUSTODIES,
    YIELDS,
    first_loot,
    gets_new_tokens,
    makes_sense,
    opened,
    readable,
)
from labsim.errors import LabError
from labsim.estate.plan import Client, Plan

PREDICTIONS_DTYPES: Final = {
    "client": "string",
    "theft": "string",
    "binding": "string",
    "custody": "string",
    "records": "int64",
    "of": "int64",
    "resources": "int64",
    "credentials": "int64",
    "hops": "int64",
}
_NAMED: Final = re.compile(r"\{client_(id|secret):([A-Za-z0-9._-]+)\}")
_SECRET: Final = "client_secret_basic"
_FOUND: Final = frozenset({"client_credential"})


class Led(NamedTuple):
    """Name one step of a campaign: a record that was read, and the client whose secret it held."""

    record: str
    client: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """Hold what a thief comes to: ids of records read, resources they lay at, clients that fell.

    `credentials` are the clients whose credential the thief has, the robbed one's if the theft
    took it and those found in records, whether or not they opened anything more. `path` says
    which record gave which, in the order found (each client once, by the first record); `hops`
    is how many of them had to be found one after the other, 0 where no record led on.
    """

    records: frozenset[str]
    resources: frozenset[str]
    credentials: frozenset[str]
    hops: int
    path: tuple[Led, ...]


class Predictor:
    """Predict for one plan, many times; each resource's records are searched once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._leads: dict[str, tuple[Led, ...]] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._followed: dict[tuple[tuple[str, ...], frozenset[str], str], Predicted] = {}

    def of(self, client: str, theft: str, binding: str, custody: str) -> Predicted:
        """Predict one theft; raises LabError as `first_loot` does, and for an unknown client.

        And for a theft from tickets or chats where no resource server has any.
        """
        robbed = self.plan.client(client)
        loot = first_loot(robbed, theft, binding, custody)
        if YIELDS[theft].needs == "tickets" and not has_tickets(self.plan):
            raise LabError(
                f"The theft {theft} needs tickets or chats, and no resource server has any.",
                todo="Choose another theft.",
            )
        fallen = {client} if "client_credential" in loot.kinds else ()
        refreshes = client if "refresh_token" in loot.kinds else ""
        return self.followed(opened(robbed, loot, binding), fallen, refreshes)

    def followed(
        self, first: Iterable[str], fallen: Iterable[str] = (), refreshes: str = ""
    ) -> Predicted:
        """Predict what follows once the resources `first` are open and `fallen` have fallen.

        `refreshes` is the client of whom the thief has a refresh token, if of any: that waits for
        the client's credential.
        """
        key = tuple(dict.fromkeys(first)), frozenset(fallen), refreshes
        if key not in self._followed:
            self._followed[key] = self._follow(*key)
        return self._followed[key]

    def leads(self, resource: str) -> tuple[Led, ...]:
        """Return which records of a resource hold both halves of which client's credential."""
        if resource not in self._leads:
            records = self.plan.resource(resource).records
            found = (Led(r.id, name) for r in records for name in _whole(r.text))
            self._leads[resource] = tuple(led for led in found if self._has_secret(led.client))
        return self._leads[resource]

    def _has_secret(self, client: str) -> bool:
        known = self.plan.clients.get(client)
        return known is not None and known.authentication == _SECRET

    def _follow(self, first: tuple[str, ...], fallen: frozenset[str], refreshes: str) -> Predicted:
        credentials, path, hops = set(fallen), list[Led](), 0
        read, level = dict.fromkeys(first), first
        while level:
            found = []
            for led in (led for resource in level for led in self.leads(resource)):
                if led.client not in credentials:
                    credentials.add(led.client)
                    found.append(led)
            hops += bool(found)
            path += found
            level = tuple(dict.fromkeys(self._opened_by(found, read, refreshes)))
            read |= dict.fromkeys(level)
        records = frozenset(one for resource in read for one in self._records(resource))
        return Predicted(records, frozenset(read), frozenset(credentials), hops, tuple(path))

    def _opened_by(self, found: list[Led], read: dict[str, None], refreshes: str) -> Iterator[str]:
        for led in found:
            client = self.plan.client(led.client)
            for resource in opened_by_credential(client, led.client == refreshes):
                if resource not in read:
                    yield resource

    def _records(self, resource: str) -> tuple[str, ...]:
        if resource not in self._ids:
            self._ids[resource] = tuple(r.id for r in self.plan.resource(resource).records)
        return self._ids[resource]


def opened_by_credential(client: Client, refreshes: bool = False) -> tuple[str, ...]:
    """Return what a client's credential opens that is found in a record.

    Alone, or with a refresh token of this client's that the thief has had all along.
    """
    kinds = _FOUND | {"refresh_token"} if refreshes else _FOUND
    return readable(client) if gets_new_tokens(client, kinds) else ()


def has_tickets(plan: Plan) -> bool:
    """Tell whether tickets or chats lie anywhere: at `collab`, or where a name or title says so."""
    told = [f"{name} {resource.title}".lower() for name, resource in plan.resources.items()]
    return "collab" in plan.resources or any("ticket" in t or "chat" in t for t in told)


def _whole(text: str) -> list[str]:
    """Return the clients of whom a text has both identifier and secret."""
    if "{client_secret:" not in text:
        return []
    found = _NAMED.findall(text)
    named = {name for half, name in found if half == "id"}
    return [name for half, name in dict.fromkeys(found) if half == "secret" and name in named]


def predicted(plan: Plan, client: str, theft: str, binding: str, custody: str) -> Predicted:
    """Predict what a thief comes to who robs `client` by `theft`, under `binding` and `custody`.

    `custody` is `none` for bearer and `file`, `memory` or `signer` for any other binding; what the
    plan says of the client's own binding and custody is not looked at. Raises LabError for a name
    that does not exist, and for a theft that makes no sense for this client.
    """
    return Predictor(plan).of(client, theft, binding, custody)


def predictions(plan: Plan, clients: Iterable[str] | None = None) -> pd.DataFrame:
    """Predict every foothold (client and theft), binding and custody; one row each.

    `clients` are the clients to rob, all if None; thefts that make no sense for a client are left
    out. Columns: client, theft, binding, custody (string); all others int64: `records`, distinct
    records the thief comes to read; `of`, records in the whole estate; `resources`, resource
    servers they lie at; `credentials`, clients whose credential fell; `hops`, credentials found
    in records one after the other.
    """
    predictor = Predictor(plan)
    of = sum(len(resource.records) for resource in plan.resources.values())
    rows = []
    for foothold in footholds(plan, clients):
        for binding, custodies in CUSTODIES.items():
            for custody in custodies:
                found = predictor.of(*foothold, binding, custody)
                rows.append((*foothold, binding, custody, *_counts(found, of)))
    return pd.DataFrame(rows, columns=list(PREDICTIONS_DTYPES)).astype(PREDICTIONS_DTYPES)


def footholds(plan: Plan, clients: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield every client with every theft that makes sense for it, and can happen in this plan."""
    tickets = has_tickets(plan)
    possible = [theft for theft, row in YIELDS.items() if tickets or row.needs != "tickets"]
    for name in plan.clients if clients is None else clients:
        client = plan.client(name)
        yield from ((name, theft) for theft in possible if makes_sense(client, theft))


def _counts(found: Predicted, of: int) -> tuple[Any, ...]:
    return len(found.records), of, len(found.resources), len(found.credentials), found.hops
