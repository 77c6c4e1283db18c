"""The estate as a picture: who calls whom, with which binding, and what has been stolen so far.

Two drawings of the same thing. JupyterLab draws the mermaid text itself; where nothing does, the
SVG shows it with a fixed place for each box.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labsim.charts import boxes, words
from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.charts.picture import Picture
    from labsim.estate.plan import Client, Plan, Resource


@dataclass(frozen=True, repr=False)
class EstateMap:
    """Hold what the map shows: a plan and what is in use; `estate_map` makes one."""

    plan: Plan
    clients: tuple[Client, ...]
    resources: tuple[Resource, ...]
    bindings: Mapping[str, str]
    custodies: Mapping[str, str]
    stolen: Mapping[str, tuple[str, ...]]
    served: Mapping[str, int | None]
    issuer: bool = True

    def binding(self, client: Client) -> str:
        """Return the binding that the client has now."""
        return self.bindings.get(client.name, client.binding)

    def held(self, client: Client) -> str:
        """Return the client's binding in words, with where its key lies if it has one."""
        binding = self.binding(client)
        said = words.capital(words.binding(binding))
        custody = self.custodies.get(client.name, client.custody)
        return said if binding == "bearer" else f"{said}, {words.custody(custody)}"

    def loss(self, client: Client) -> str:
        """Return how the client was robbed, in words."""
        thefts = [words.theft(theft) for theft in self.stolen[client.name]]
        return f"robbed by {', '.join(thefts)}" if thefts else "robbed"

    def fall(self, resource: Resource) -> str:
        """Return what the attacker was served there, in words."""
        count = self.served[resource.name]
        return (
            "served the attacker"
            if count is None
            else f"served the attacker {count} of {len(resource.records)} records"
        )

    @property
    def calls(self) -> list[tuple[Client, Resource]]:
        """Return who calls whom, of what is shown."""
        return [(c, r) for c in self.clients for r in self.resources if r.name in c.calls]

    @property
    def title(self) -> str:
        """Return the finding: how much of the estate the attacker has been served."""
        if not self.stolen:
            return "The estate: nothing has been stolen so far."
        robbed = f"{_of(len(self.stolen), len(self.clients), 'client')} robbed"
        fell = [count for count in self.served.values() if count != 0]
        where = _of(len(fell), len(self.resources), "resource server")
        if not fell:
            return f"{robbed}; no resource server served the attacker."
        if None in fell:
            return f"{robbed}; {where} served the attacker."
        records = sum(count for count in fell if count)
        total = sum(len(resource.records) for resource in self.resources)
        return f"{robbed}; {where} served the attacker {records} of {total} records."

    @property
    def alt(self) -> str:
        """Return the map in words."""
        parts = [self.title]
        servers = boxes.resource_boxes(self)
        for box in boxes.client_boxes(self):
            to = [server.called for server in servers if box.calls(server)]
            said = f"{box.title} ({self.held(box.first)})"
            call = "calls" if len(box.clients) == 1 else "call"
            said += f" {call} {words.listed(to)}" if to else ""
            robbed = f"; {self.loss(box.first)}" if box.first.name in self.stolen else ""
            parts.append(f"{said}{robbed}." if to or robbed else "")
        parts += [f"{each.title}: {each.told(self)}." for each in servers if each.told(self)]
        return " ".join(part for part in parts if part)

    @cached_property
    def picture(self) -> Picture:
        """Return the map drawn with fixed places."""
        from labsim.charts import estate_picture
        from labsim.charts.picture import Picture

        return Picture(estate_picture.draw(self), self.title, self.alt)

    @cached_property
    def mermaid(self) -> str:
        """Return the map as mermaid text, which JupyterLab draws in the page's own colours."""
        from labsim.charts import estate_mermaid

        return estate_mermaid.text(self)

    def __repr__(self) -> str:
        """Say it in words, for a terminal."""
        return self.alt

    def _repr_mimebundle_(self, **_how: Any) -> dict[str, str]:
        # No text/html: JupyterLab would prefer it to the mermaid drawing.
        return {
            "text/vnd.mermaid": self.mermaid,
            "image/svg+xml": self.picture.svg,
            "text/plain": self.alt,
        }


def _of(count: int, every: int, noun: str) -> str:
    return f"1 {noun}" if count == every == 1 else f"{count} of {every} {noun}s"


def estate_map(
    plan: Plan,
    *,
    bindings: Mapping[str, str] | None = None,
    custodies: Mapping[str, str] | None = None,
    stolen: Iterable[str] | Mapping[str, Iterable[str]] = (),
    served: Iterable[str] | Mapping[str, int] = (),
    only: Collection[str] | None = None,
    issuer: bool = True,
) -> EstateMap:
    """Make the map of a plan.

    `bindings` and `custodies` say what clients have now, where that is not what the plan says.
    `stolen` are the clients that were robbed, or for each of them the thefts; `served` are the
    resources that served the attacker, or for each the number of distinct records. `only` are the
    clients and resources to show; None shows all. `issuer` shows the authorization server too.
    """
    taken = stolen if isinstance(stolen, Mapping) else dict.fromkeys(stolen, ())
    fell = served if isinstance(served, Mapping) else dict.fromkeys(served)
    shown = {*plan.clients, *plan.resources} if only is None else {*only, *taken, *fell}
    for name in {*shown, *taken, *fell, *(bindings or ()), *(custodies or ())}:
        if name not in plan.clients and name not in plan.resources:
            raise LabError.unknown("client or resource", name, (*plan.clients, *plan.resources))
    return EstateMap(
        plan=plan,
        clients=tuple(client for client in plan.clients.values() if client.name in shown),
        resources=tuple(each for each in plan.resources.values() if each.name in shown),
        bindings=dict(bindings or {}),
        custodies=dict(custodies or {}),
        stolen={name: tuple(taken[name]) for name in plan.clients if name in taken},
        served={name: fell[name] for name in plan.resources if name in fell},
        issuer=issuer,
    )
