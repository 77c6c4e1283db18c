"""Boxes of the estate map, as text has them: what differs in its name only is one box in a big one.

An estate of two hundred clients would fill pages. Up to `MANY` boxes on a side, each client and
each resource server has one of its own; then those share one that are alike, first in whom they
call as well, then whomever they call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labsim.charts import words

if TYPE_CHECKING:
    from labsim.charts.estate_map import EstateMap
    from labsim.estate.plan import Client, Resource

MANY: Final = 30


@dataclass(frozen=True, slots=True)
class ClientBox:
    """Hold clients that share a box: alike in binding, custody and kind, and in how robbed."""

    clients: tuple[Client, ...]

    @property
    def first(self) -> Client:
        """Return the client that stands for all."""
        return self.clients[0]

    @property
    def title(self) -> str:
        """Return the client's title, or how many there are."""
        kind = words.plain(self.first.kind)
        return self.first.title if len(self.clients) == 1 else f"{len(self.clients)} {kind}s"

    def calls(self, box: ResourceBox) -> bool:
        """Tell whether any of these clients calls any of those resource servers."""
        names = {each.name for each in box.resources}
        return any(names.intersection(client.calls) for client in self.clients)


@dataclass(frozen=True, slots=True)
class ResourceBox:
    """Hold resource servers that share a box: of one zone, and all or none served the attacker."""

    resources: tuple[Resource, ...]

    @property
    def title(self) -> str:
        """Return the server's title, or how many there are and where."""
        first, many = self.resources[0], len(self.resources)
        return first.title if many == 1 else f"{many} resource servers, {words.plain(first.zone)}"

    @property
    def called(self) -> str:
        """Return what a client is said to call that has a line to this box."""
        return self.title if len(self.resources) == 1 else f"some of {self.title}"

    def served(self, shown: EstateMap) -> int | None:
        """Return how many records they served the attacker together; None if that is not known."""
        counts = [shown.served[each.name] for each in self.resources if each.name in shown.served]
        return None if None in counts else sum(count or 0 for count in counts)

    def fell(self, shown: EstateMap) -> bool:
        """Tell whether they served the attacker anything."""
        return self.resources[0].name in shown.served and self.served(shown) != 0

    def told(self, shown: EstateMap) -> str:
        """Return what the attacker was served there, in words; empty if that was not looked at."""
        if self.resources[0].name not in shown.served:
            return ""
        count, of = self.served(shown), sum(len(each.records) for each in self.resources)
        served = "served the attacker"
        return served if count is None else f"{served} {count} of {of} records"


def client_boxes(shown: EstateMap) -> list[ClientBox]:
    """Return the boxes of the clients, in the plan's order of the first in each."""

    def alike(client: Client) -> Hashable:
        loss = shown.loss(client) if client.name in shown.stolen else ""
        return client.kind, shown.held(client), loss

    ways: list[Callable[[Client], Hashable]] = [
        lambda client: client.name,
        lambda client: (alike(client), client.calls),
        alike,
    ]
    return [ClientBox(each) for each in _gathered(shown.clients, ways)]


def resource_boxes(shown: EstateMap) -> list[ResourceBox]:
    """Return the boxes of the resource servers, in the plan's order of the first in each."""

    def alike(resource: Resource) -> Hashable:
        told = resource.name in shown.served
        return resource.zone, told, told and shown.served[resource.name] != 0

    ways: list[Callable[[Resource], Hashable]] = [lambda resource: resource.name, alike]
    return [ResourceBox(each) for each in _gathered(shown.resources, ways)]


def _gathered[Kind](
    each: Iterable[Kind], ways: Iterable[Callable[[Kind], Hashable]]
) -> list[tuple[Kind, ...]]:
    """Group by the first way that needs no more than MANY boxes, or else by the last."""
    known = list(each)
    groups: dict[Hashable, list[Kind]] = {}
    for way in ways:
        groups = {}
        for one in known:
            groups.setdefault(way(one), []).append(one)
        if len(groups) <= MANY:
            break
    return [tuple(group) for group in groups.values()]
