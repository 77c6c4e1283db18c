"""The shape of a preset: one mistake of a real system, to be made by one role of the estate.

A room in `weakened/` fills this shape in. What was wrong there is data where a check was missing
(`without`), and a small replaced part where a part was wrong (`part`). The scene says how the
mistake is used: who is robbed, and what is then tried. Nothing here runs in a real server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from labsim.attempt import Replay
from labsim.checks import without
from labsim.roles.authorization_server import AuthorizationServer
from labsim.roles.resource_server import ResourceServer
from labsim.rooms import rooms


class Role(StrEnum):
    """Name a kind of role that a preset can be for, in words."""

    RESOURCE_SERVER = "a resource server"
    AUTHORIZATION_SERVER = "the authorization server"
    PROXY = "the proxy that ends TLS"
    CLIENT = "a client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Say how the mistake is used: whose token, bound how, stolen and replayed how, against whom.

    `at` is the resource server; `doing` is what the client does while it is robbed; `after` are lab
    seconds between the theft and the replay. Where a server is too strict, no thief is needed, and
    `theft` and `replay` are empty; `renews` says that the client gets a new certificate first.
    """

    client: str = "storefront"
    at: str = "orders"
    binding: str
    custody: str = "file"
    theft: str = ""
    replay: str = ""
    variant: str = "base"
    doing: Literal["read", "write"] = "read"
    after: float = 0.0
    renews: bool = False


def unchanged(role: Any) -> Any:
    """Return a role as it is: nothing is replaced, checks are only left out."""
    return role


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Hold one public report as something that can be run.

    `report` is the project and the number of its issue or pull request; `row` is the id of the
    catalogue's row that the mistake lets through, and `source` the document section behind it.
    `stopped_by` is the check with which a good server refuses the attack. With `too_strict` it is
    the check by which the weakened one refuses its own holder. `own` is a replay that only this
    scene has.
    """

    name: str
    title: str
    report: str
    missed: str
    fix: str
    row: str
    source: str
    role: Role
    scene: Scene
    stopped_by: str
    without: tuple[str, ...] = ()
    part: Callable[[Any], Any] = unchanged
    own: Replay | None = None
    too_strict: bool = False

    def __str__(self) -> str:
        """Say what is wrong, and where that was reported."""
        return f"{self.name}: {self.title} ({self.report})"


def presets() -> Mapping[str, Preset]:
    """Return the presets that there are, by name."""
    return rooms("labsim.weakened", "PRESET")


def own_replays() -> Mapping[str, Replay]:
    """Return the replays that only a preset's scene has, by name."""
    own = (preset.own for preset in presets().values())
    return MappingProxyType({replay.name: replay for replay in own if replay is not None})


def weakened_resource_server(
    preset: Preset, server: ResourceServer, called: str = ""
) -> ResourceServer:
    """Return a resource server that makes the preset's mistake, and says so in its events."""
    whose = preset.scene.binding
    bindings = tuple(
        each.without(*preset.without) if each.name == whose else each for each in server.bindings
    )
    changed: ResourceServer = preset.part(replace(server, bindings=bindings))
    return replace(changed, weakened=called or preset.name)


def weakened_authorization_server(
    preset: Preset, server: AuthorizationServer, called: str = ""
) -> AuthorizationServer:
    """Return an authorization server that makes the preset's mistake, and says so."""
    kept = without(server.exchange_checks, frozenset(preset.without))
    changed: AuthorizationServer = preset.part(replace(server, exchange_checks=kept))
    return replace(changed, weakened=called or preset.name)
