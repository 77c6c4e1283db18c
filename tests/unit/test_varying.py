"""From one variant to another: each process hears of what concerns it, and of nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.estate.names import AUTHORIZATION_SERVER
from labsim.estate.variants import VARIANTS
from labsim.estate.varying import change

SERVERS = {"orders": "https://127.0.0.1:1", "crm": "https://127.0.0.1:2"}


class Child:
    """A process that writes down what it is told."""

    def __init__(self, name: str, told: list[tuple[Any, ...]]) -> None:
        self.name, self.told = name, told

    def call(self, operation: str, **arguments: Any) -> None:
        self.told.append((self.name, operation, *arguments.values()))


class Estate:
    """An estate of two resource servers, a client and its signer; no process runs."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.ended: list[str] = []
        self.weakening = None
        self.urls, self.reached_at = dict(SERVERS), {"orders": "elsewhere"}
        self.run_folder = Path()
        self.plan = SimpleNamespace(clients={"app": None})

    def process(self, name: str) -> Child:
        return Child(name, self.told)

    def started_clients(self) -> list[Child]:
        return [Child("app", self.told)]

    def signers(self) -> list[Child]:
        return [Child("app.signer", self.told)]

    def end(self, name: str) -> None:
        self.ended.append(name)


def told(before: str, wanted: str) -> list[tuple[Any, ...]]:
    estate: Any = Estate()
    change(estate, VARIANTS[before], VARIANTS[wanted])
    return list(estate.told)


@pytest.mark.parametrize("name", VARIANTS)
def test_nobody_hears_of_a_change_to_the_same_variant(name: str) -> None:
    assert told(name, name) == []


@pytest.mark.parametrize(
    ("wanted", "operation", "on", "whom"),
    [
        ("nonce", "require_nonce", True, [AUTHORIZATION_SERVER, "orders", "crm"]),
        ("minimal", "remember", False, ["orders", "crm"]),
        ("introspection", "introspect", True, ["orders", "crm"]),
        ("stamping_signer", "stamp", True, ["app.signer"]),
    ],
)
def test_there_and_back_again(wanted: str, operation: str, on: bool, whom: list[str]) -> None:
    assert told("base", wanted) == [(name, operation, on) for name in whom]
    assert told(wanted, "base") == [(name, operation, not on) for name in whom]


def test_from_one_to_another_undoes_the_first() -> None:
    assert told("stamping_signer", "minimal") == [
        ("orders", "remember", False),
        ("crm", "remember", False),
        ("app.signer", "stamp", False),
    ]


def test_replicas_end_and_the_attacker_is_sent_to_none() -> None:
    estate: Any = Estate()
    change(estate, VARIANTS["replicas_apart"], VARIANTS["base"])
    assert estate.ended == ["orders-replica", "crm-replica"]
    assert estate.told == [("attacker", "route", {})]


def test_a_proxy_ends_and_clients_call_the_servers_themselves() -> None:
    estate: Any = Estate()
    change(estate, VARIANTS["proxy_strips"], VARIANTS["base"])
    assert estate.ended == ["terminator"]
    assert estate.reached_at == SERVERS
    urls = {name: f"{url}/records" for name, url in SERVERS.items()}
    assert estate.told == [
        ("orders", "trust_proxy", ""),
        ("crm", "trust_proxy", ""),
        ("app", "call_at", urls),
    ]
