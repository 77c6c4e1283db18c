"""A bound token goes into an exchange, and an unbound one comes out."""

from __future__ import annotations

from labsim.preset import Preset, Role, Scene

PRESET = Preset(
    name="exchange_strips_binding",
    title="a bound token is traded for a bearer token",
    report="keycloak/keycloak issue 50963",
    missed="A bound subject token was exchanged with no proof of its key, for a token without cnf.",
    fix="Ask who the token was sent to, and bind the new token to the caller's own proven key.",
    row="CR-19",
    source="RFC 8693 sections 2.2.2 and 4.4",
    role=Role.AUTHORIZATION_SERVER,
    scene=Scene(binding="dpop", theft="log_line", replay="laundered_by_exchange"),
    stopped_by="caller_may_use_the_subject_token",
    without=("caller_may_use_the_subject_token", "new_token_is_bound"),
)
