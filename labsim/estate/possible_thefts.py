"""Which thefts can happen to a client of an estate: what each asks of the client and of the rest.

An estate file whose story names another is refused as it is loaded, and whoever asks for one later
is told the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from labsim.loot import Theft
from labsim.rooms import rooms

if TYPE_CHECKING:
    from labsim.estate.plan import Client, Resource

type Refusal = tuple[str, str]
"""Why a theft cannot happen, and what to do about it."""
type _Asked = Callable[[str, Client, Mapping[str, Client], Mapping[str, Resource]], Refusal | None]

THEFTS: Final[Mapping[str, Theft]] = rooms("labsim.thefts", "THEFT")
_USUAL = "collab"
_WORDS = ("ticket", "chat")


def why_not(
    client: Client, clients: Mapping[str, Client], resources: Mapping[str, Resource], theft: str
) -> Refusal | None:
    """Return why a theft cannot happen to a client of these, with what to do; None if it can."""
    asked = _ASKED.get(THEFTS[theft].gives)
    return asked(theft, client, clients, resources) if asked else None


def ticket_service(resources: Mapping[str, Resource]) -> str | None:
    """Return the resource server that holds tickets or chats, by its name or title; or None."""
    if _USUAL in resources:
        return _USUAL
    for name, resource in resources.items():
        if any(word in f"{name} {resource.title}".lower() for word in _WORDS):
            return name
    return None


def _tickets(
    theft: str, _client: Client, _: Mapping[str, Client], resources: Mapping[str, Resource]
) -> Refusal | None:
    if ticket_service(resources) is not None:
        return None
    why = f"{theft} needs tickets or chats, and no resource server of this estate holds any"
    return why, "Call one collab in the estate file, or say ticket or chat in its title."


def _grant(
    theft: str, client: Client, clients: Mapping[str, Client], _: Mapping[str, Resource]
) -> Refusal | None:
    if client.grant == "refresh_token":
        return None
    live = [each.name for each in clients.values() if each.grant == "refresh_token"]
    why = f"{theft} needs a client that lives from refresh tokens, and {client.name} does not"
    return why, f"Take one of: {', '.join(live) or 'none in this estate'}."


def _agent(
    theft: str, client: Client, clients: Mapping[str, Client], _: Mapping[str, Resource]
) -> Refusal | None:
    if client.kind == "agent":
        return None
    agents = [each.name for each in clients.values() if each.kind == "agent"]
    why = f"{theft} needs an agent, and {client.name} is a program, which obeys no text"
    return why, f"Take one of: {', '.join(agents) or 'none in this estate'}."


# By what a theft gives; every other one can happen to any client.
_ASKED: Final[Mapping[str, _Asked]] = {"inbox": _agent, "store": _grant, "tickets": _tickets}
