"""Plans small enough that a person can say what falls, for tests of what is computed from a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labsim.estate.plan import Client, Plan, Record, Resource


def resource(name: str, *texts: str) -> Resource:
    """Make a resource server with a record for each text: its ids are NAME-1, NAME-2, ..."""
    records = tuple(
        Record(f"{name}-{number}", "internal", f"Record {number}", text)
        for number, text in enumerate(texts, 1)
    )
    title = {"mail": "Mail and chat"}.get(name, name.capitalize())
    return Resource(name, title, "zone", "a test", "", records)


def client(name: str, *calls: str, **more: Any) -> Client:
    """Make a client that may read what it calls; `more` are fields that shall differ."""
    values: dict[str, Any] = {
        "title": name.capitalize(),
        "kind": "workload",
        "stands_for": "a test",
        "calls": calls,
        "scopes": tuple(f"{each}.read" for each in calls),
        "grant": "client_credentials",
        "authentication": "client_secret_basic",
        "binding": "bearer",
        "custody": "file",
    }
    return Client(name=name, **(values | more))


def plan_of(
    resources: Sequence[Resource], clients: Sequence[Client], token_seconds: int = 3600
) -> Plan:
    """Make a plan of these and no stories."""
    return Plan(
        name="small",
        token_seconds=token_seconds,
        resources=_by_name(resources),
        clients=_by_name(clients),
        stories=MappingProxyType({}),
        file=Path("small.toml"),
    )


def _by_name[Named: (Resource, Client)](each: Sequence[Named]) -> Mapping[str, Named]:
    return MappingProxyType({one.name: one for one in each})


def secret_of(name: str) -> str:
    """Return a record's text that holds a client's whole credential."""
    return f"Use {{client_id:{name}}} with {{client_secret:{name}}}."


def shop() -> Plan:
    """Make four servers in a row: what lies at each leads to the client that calls the next.

    `web` calls orders and mail, `mailer` calls mail and payroll, `payer` calls vault; `partner`
    lives from a refresh token and calls orders; `signed` authenticates by a key and calls vault.
    The first and the partner are agents, and chats lie at mail, so that every theft can happen.
    """
    resources = (
        resource("orders", "a lamp", "a chair", "a bed"),
        resource("mail", "hello", secret_of("mailer")),
        resource("payroll", secret_of("payer"), "wages"),
        resource("vault", "gold", secret_of("partner"), secret_of("signed")),
    )
    clients = (
        client("web", "orders", "mail", kind="agent"),
        client("mailer", "mail", "payroll"),
        client("payer", "vault"),
        client("partner", "orders", grant="refresh_token", kind="agent"),
        client("signed", "vault", authentication="private_key_jwt"),
    )
    return plan_of(resources, clients)
