"""A parser that knows one member of `cnf` and refuses a token for having two: too strict.

RFC 7800 section 3.1: members that are not understood are ignored. Nothing is let in by this, and
holders of good tokens are shut out as soon as their issuer says one thing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labsim.binding import Binding
from labsim.preset import Preset, Role, Scene
from labsim.rejection import Reason, Rejected
from labsim.roles.resource_server import Credential, ResourceServer, select_binding


def by_its_only_member(
    claims: Mapping[str, Any], credential: Credential, bindings: Sequence[Binding]
) -> Binding:
    """Select as a good server does, but refuse a `cnf` of several members; raises Rejected."""
    cnf = claims.get("cnf")
    if isinstance(cnf, dict) and len(cnf) > 1:
        raise Rejected(Reason.TOKEN_MALFORMED, "cnf_has_one_member", "RFC 7800 section 3.1")
    return select_binding(claims, credential, bindings)


def part(server: ResourceServer) -> ResourceServer:
    """Let the token choose its binding, if it says nothing else."""
    return replace(server, select=by_its_only_member)


PRESET = Preset(
    name="strict_cnf_parser",
    title="a good token is refused for a member of cnf that nobody has to understand",
    report="auth0/node-oauth2-jwt-bearer issue 258",
    missed="Members of cnf that are not understood must be ignored; they were counted.",
    fix="Look for the member that you know, and ignore the others.",
    row="AT-19b",
    source="RFC 7800 section 3.1",
    role=Role.RESOURCE_SERVER,
    scene=Scene(binding="dpop", variant="cnf_says_more"),
    stopped_by="cnf_has_one_member",
    part=part,
    too_strict=True,
)
