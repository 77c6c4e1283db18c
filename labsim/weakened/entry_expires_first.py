"""The memory forgets a proof while the proof is still good."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labsim.binding import ReplayMemory
from labsim.preset import Preset, Role, Scene
from labsim.roles.resource_server import ResourceServer

SKEW = 30.0
"""Lab seconds of the proof's acceptance that the memory was not told of."""


@dataclass(frozen=True, slots=True)
class ShortMemory:
    """Remember spent proofs, each for less long than it can be accepted."""

    kept: ReplayMemory

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        """Record `key` until `SKEW` before `until`, and say whether it is new."""
        return self.kept.is_first(key, until - SKEW, now)


def part(server: ResourceServer) -> ResourceServer:
    """Shorten the memory, where there is one."""
    return replace(server, memory=ShortMemory(server.memory)) if server.memory else server


PRESET = Preset(
    name="entry_expires_first",
    title="a proof is forgotten while it is still accepted",
    report="keycloak/keycloak issue 43505",
    missed="The proof was accepted for its lifetime and a clock skew, and kept for its lifetime.",
    fix="Keep the entry until the last moment at which the proof could be accepted.",
    row="DR-04",
    source="RFC 9449 section 11.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="wiretap", replay="request_as_is", after=SKEW + 15),
    stopped_by="jti_is_new",
    part=part,
)
