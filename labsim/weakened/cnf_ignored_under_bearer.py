"""What the token says of its binding counts only if the request mentions it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labsim.binding import Binding
from labsim.preset import Preset, Role, Scene
from labsim.roles.resource_server import (
    Credential,
    ResourceServer,
    no_binding,
    select_binding,
)


def by_the_scheme(
    claims: Mapping[str, Any], credential: Credential, bindings: Sequence[Binding]
) -> Binding:
    """Look at `cnf` under every scheme but Bearer; raises Rejected."""
    if credential.scheme.lower() == "bearer":
        return no_binding(bindings)
    return select_binding(claims, credential, bindings)


def part(server: ResourceServer) -> ResourceServer:
    """Let the request choose its binding."""
    return replace(server, select=by_the_scheme)


PRESET = Preset(
    name="cnf_ignored_under_bearer",
    title="a bound token is a bearer token as soon as it is called one",
    report="giantswarm/mcp-oauth issue 383",
    missed="cnf was read only where the request came under the DPoP scheme.",
    fix="Read cnf first: the token says which binding it has, and the scheme has to be that one's.",
    row="DB-13",
    source="RFC 9449 section 7.2",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", theft="log_line", replay="downgraded_scheme"),
    stopped_by="scheme_is_the_bindings",
    part=part,
)
