"""Certificates all the way, and none of them in the token.

Mutual TLS then proves who has connected, not whose token it is. A token that leaks, or that comes
through an edge which ends TLS and tells nobody, is a bearer token.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labsim.preset import Preset, Role, Scene
from labsim.roles.authorization_server import AuthorizationServer


def nothing(_proof: Any) -> dict[str, Any]:
    """Bind the token to nothing."""
    return {}


def part(server: AuthorizationServer) -> AuthorizationServer:
    """Take the certificate at the token endpoint, and leave it out of the token."""
    bindings = (
        replace(each, bind=nothing) if each.asks_client_certificate else each
        for each in server.bindings
    )
    return replace(server, bindings=tuple(bindings))


PRESET = Preset(
    name="mtls_without_cnf",
    title="mutual TLS everywhere, and tokens that name no certificate",
    report="marcjazz/authkestra issue 224",
    missed="TLS checked certificates on every connection, and no token had cnf.x5t#S256.",
    fix="Stamp cnf.x5t#S256 at the token endpoint, and refuse there if no certificate arrives.",
    row="MT-01/02",
    source="RFC 8705 section 3.1",
    role=Role.AUTHORIZATION_SERVER,
    scene=Scene(binding="mtls", theft="log_line", replay="token_as_is"),
    stopped_by="certificate_is_shown",
    part=part,
)
