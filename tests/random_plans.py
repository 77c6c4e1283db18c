"""Small random estates: the same plan for the same seed, and credentials in their records."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from labsim.estate.plan import (
    Authentication,
    Client,
    ClientKind,
    Custody,
    Grant,
    Plan,
    Record,
    Resource,
    Sensitivity,
)
from labsim.rooms import names

BINDINGS = names("labsim.bindings")
WORDINGS = (
    "The settings, as pasted: id {id}, secret {secret}. Nobody has answered yet.",
    "What the developer used: {id} with {secret}. Please do not pass on.",
    "Try it yourself: {id} and {secret}. I will delete this later.",
    "curl -u {id}:{secret} https://127.0.0.1/records",
    "TOKEN=$(get-token {id} {secret}); echo done",
    "{id} / {secret} - owner: left, not yet passed on.",
    'client_id = "{id}"; client_secret = "{secret}"',
)
"""How people paste a credential; `labsim.secret_scanning` says what a thief recognises."""
_NO_PAIRS = (
    "Two tins were dented on the way and go back; the rest was accepted.",
    "The secret is kept on paper, in the safe.",
    "Ask {id} for it.",
)


def secret(order: random.Random) -> str:
    """Make a client secret as `secrets.token_urlsafe(32)` does, the same for the same order."""
    return base64.urlsafe_b64encode(order.randbytes(32)).rstrip(b"=").decode()


def random_plan(seed: int, readable: bool = False) -> Plan:
    """Make an estate of 2 to 5 resource servers and 2 to 6 clients.

    What a plan from a file may be, this may be too: agents and programs, clients that live from a
    refresh token, that have no secret, that authenticate by certificate; servers without a caller,
    with tickets or without; records that hold several credentials, the same as another record, or
    one that leads nowhere. Only clients with a secret have theirs in a record, and each stands
    there as `WORDINGS` has it. Beyond that a program may only write where it calls, unless
    `readable`: no file may say that.
    """
    order = random.Random(f"plan {seed}")
    hosts = [f"r{number}" for number in range(order.randint(2, 5))]
    clients = {
        name: _client(order, name, hosts, readable)
        for name in (f"c{number}" for number in range(order.randint(2, 6)))
    }
    known = [c.name for c in clients.values() if c.authentication == "client_secret_basic"]
    resources = {name: _resource(order, name, known, list(clients)) for name in hosts}
    return Plan(
        name=f"random-{seed}",
        token_seconds=3600,
        resources=MappingProxyType(resources),
        clients=MappingProxyType(clients),
        stories=MappingProxyType({}),
        file=Path(f"random-{seed}.toml"),
    )


def _client(order: random.Random, name: str, hosts: list[str], readable: bool) -> Client:
    calls = order.sample(hosts, order.randint(1, min(3, len(hosts))))
    rights = [("read",), ("read", "write"), ("read", "write"), ("write",)]
    kind: ClientKind = order.choice(["workload", "workload", "agent"])
    if readable or kind == "agent":  # an agent obeys what it reads
        rights.remove(("write",))
    scopes = [f"{call}.{right}" for call in calls for right in order.choice(rights)]
    ways: list[Authentication] = ["client_secret_basic"] * 4
    ways += ["private_key_jwt", "tls_client_auth"]
    grants: list[Grant] = ["client_credentials"] * 4 + ["refresh_token"]
    return Client(
        name=name,
        title=f"Client {name}",
        kind=kind,
        stands_for="a client of a random estate",
        calls=tuple(calls),
        scopes=tuple(scopes),
        grant=order.choice(grants),
        authentication=order.choice(ways),
        binding=order.choice(BINDINGS),
        custody=order.choice(get_args(Custody)),
    )


def _resource(order: random.Random, name: str, known: list[str], clients: list[str]) -> Resource:
    records = tuple(
        Record(
            id=f"{name}-{number:04d}",
            sensitivity=order.choice(get_args(Sensitivity)),
            title=f"Record {number} of {name}",
            text=_text(order, known, clients),
        )
        for number in range(order.randint(1, 4))
    )
    title = order.choice([f"Resource {name}", f"Resource {name}", f"Tickets of {name}"])
    return Resource(name, title, "zone", "a random server", f"{name}.json", records)


def _text(order: random.Random, known: list[str], clients: list[str]) -> str:
    if not known or order.random() < 0.55:
        return order.choice(_NO_PAIRS).format(id=f"{{client_id:{order.choice(clients)}}}")
    pasted = order.choices(known, k=order.choice([1, 1, 1, 2]))
    return " ".join(
        order.choice(WORDINGS).format(
            id=f"{{client_id:{name}}}", secret=f"{{client_secret:{name}}}"
        )
        for name in pasted
    )
