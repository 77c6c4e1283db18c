"""The server verifies each proof and remembers none.

RFC 9449 section 11.1 says that a server can remember, not that it must: this is conformant, and the
lab's strict profile asks for more.
"""

from __future__ import annotations

from dataclasses import replace

from labsim.preset import Preset, Role, Scene
from labsim.roles.resource_server import ResourceServer


def part(server: ResourceServer) -> ResourceServer:
    """Take the memory away."""
    return replace(server, memory=None)


PRESET = Preset(
    name="no_replay_store",
    title="a proof is good as often as it is sent, within its window",
    report="wso2/product-is issue 23358",
    missed="jti was read and never remembered.",
    fix="Remember (key, jti) until the proof can no longer be accepted; refuse what was there.",
    row="DR-01",
    source="RFC 9449 section 11.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="wiretap", replay="request_as_is"),
    stopped_by="jti_is_new",
    part=part,
)
