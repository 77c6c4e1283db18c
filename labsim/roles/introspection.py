"""Introspection (RFC 7662): a resource server asks what a token is, and whether it is still good.

Who may not know is told that it is inactive, as of a token that never was; so that the endpoint is
no help in finding out about other people's tokens (section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labsim.checks import StorageUnavailable
from labsim.http_message import Request, Response
from labsim.rejection import Rejected
from labsim.roles.client_authentication import RegisteredClient, authenticate_confidential_client
from labsim.roles.decision import Event
from labsim.roles.form import read_form
from labsim.roles.grants import token_hash
from labsim.roles.token_verification import audiences, own_claims

if TYPE_CHECKING:
    from labsim.roles.authorization_server import AuthorizationServer

INTROSPECTION_PATH = "/introspect"
INACTIVE: Mapping[str, Any] = {"active": False}
# RFC 7662 section 2.2, RFC 9449 section 6.2, RFC 8693 sections 4.1 and 4.4.
_TOLD = ("iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "cnf", "act", "may_act")


def introspect(server: AuthorizationServer, request: Request) -> tuple[Response, Event]:
    """Decide one introspection request; whatever is wrong with the token is no error."""
    now = server.clock()
    client: RegisteredClient | None = None
    try:
        form = read_form(request)
        who = authenticate_confidential_client(
            request, form, server.clients, server.issuer, now, server.trust
        )
        client = who.client
        token = form.required("token")
        server.spend_assertion(who, now)
        answer = about_access_token(server, client, token, now)
        if answer is INACTIVE:
            answer = about_refresh_token(server, client, token, now)
    except Rejected as rejection:
        response = server.refusal(rejection, None, now)
        return server.recorded(request, response, now, client, None, {}, rejection)
    response = Response.of_json(200, answer, server.fields(None, now))
    return server.recorded(request, response, now, client, None, answer, None)


def about_access_token(
    server: AuthorizationServer, client: RegisteredClient, token: str, now: float
) -> Mapping[str, Any]:
    """Say what an access token is, to the client it was issued to or the one that it is for."""
    try:
        claims = own_claims(server, token, now)
    except StorageUnavailable:
        raise
    except Rejected:
        return INACTIVE
    is_for_it = bool(client.audience) and client.audience in audiences(claims)
    if not is_for_it and claims.get("client_id") != client.client_id:
        return INACTIVE
    told = {name: claims[name] for name in _TOLD if name in claims}
    return {"active": True, **told, "token_type": token_type(server, claims)}


def about_refresh_token(
    server: AuthorizationServer, client: RegisteredClient, token: str, now: float
) -> Mapping[str, Any]:
    """Say what a refresh token is, to its own client; asking spends nothing and ends nothing."""
    grant, used = server.grants.find(token_hash(token)) or (None, True)
    if grant is None or used or grant.client_id != client.client_id or now >= grant.expires:
        return INACTIVE
    told: dict[str, Any] = {"active": True, "iss": server.issuer, "sub": grant.subject}
    told |= {"client_id": grant.client_id, "exp": int(grant.expires)}
    bound = {"cnf": dict(grant.confirmation)} if grant.confirmation else {}
    return {**told, **bound, "scope": " ".join(sorted(grant.scopes))}


def token_type(server: AuthorizationServer, claims: Mapping[str, Any]) -> str:
    """Return the scheme of a token's binding (RFC 9449 section 6.2): never `Bearer` for DPoP."""
    cnf = claims.get("cnf")
    named = cnf if isinstance(cnf, dict) else {None: True}
    return next((b.scheme for b in server.bindings if b.confirmation in named), "Bearer")
