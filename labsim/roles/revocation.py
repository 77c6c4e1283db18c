"""Revocation (RFC 7009): a client says that a token of its own is to be good no more.

A refresh token ends with its family and with the access tokens that were issued from it; an access
token with those it was exchanged for. The resource servers are then told (see `revocation_notice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labsim.checks import StorageUnavailable
from labsim.credentials import signature_is_by_the_issuer
from labsim.http_message import Request, Response
from labsim.jose import parse_compact
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import RegisteredClient, authenticate_client
from labsim.roles.decision import Event
from labsim.roles.form import read_form
from labsim.roles.grants import token_hash
from labsim.roles.issued_tokens import Ended
from labsim.roles.token_verification import GENUINE_TOKEN, token_evidence

if TYPE_CHECKING:
    from labsim.roles.authorization_server import AuthorizationServer

REVOCATION_PATH = "/revoke"
UNSUPPORTED = "unsupported_token_type"


def revoke(server: AuthorizationServer, request: Request) -> tuple[Response, Event]:
    """Decide one revocation request; what is no token, or none any more, is answered 200.

    `token_type_hint` is not looked at: both kinds are told apart by themselves (section 2.1). No
    proof is asked for: whoever finds a token may as well end it, if it can be that client.
    """
    now = server.clock()
    client: RegisteredClient | None = None
    try:
        form = read_form(request)
        who = authenticate_client(request, form, server.clients, server.issuer, now, server.trust)
        client = who.client
        token = form.required("token")
        server.spend_assertion(who, now)
        ended = end_refresh_token(server, client, token)
        if ended is None:
            ended = end_access_token(server, client, token, now)
    except Rejected as rejection:
        unsupported = UNSUPPORTED if rejection.reason is Reason.TOKEN_TYPE_WRONG else None
        response = server.refusal(rejection, None, now, unsupported)
        return server.recorded(request, response, now, client, None, {}, rejection)
    server.tell(ended)
    response = Response.of_json(200, {}, server.fields(None, now))
    return server.recorded(request, response, now, client, None, {}, None, ended)


def end_refresh_token(
    server: AuthorizationServer, client: RegisteredClient, token: str
) -> Sequence[Ended] | None:
    """End a refresh token's whole family, used or not; None if it is none. Raises Rejected."""
    grant, _used = server.grants.find(token_hash(token)) or (None, False)
    if grant is None:
        return None
    if grant.client_id != client.client_id:
        raise _refused()
    # In this order: where the second step fails, the client repeats both. No token is issued from
    # the family after the first.
    ended = server.issued_tokens.end(grant.family, grant.expires)
    server.grants.end_family(grant.family)
    return ended


def end_access_token(
    server: AuthorizationServer, client: RegisteredClient, token: str, now: float
) -> Sequence[Ended]:
    """End an access token and what it was exchanged for; nothing if it is none of this server's.

    Raises Rejected for another client's token, and for something else that this server signed.
    """
    try:
        claims = GENUINE_TOKEN.verify(token, token_evidence(server, now))
    except StorageUnavailable:
        raise
    except Rejected as rejection:
        if rejection.reason is Reason.TOKEN_TYPE_WRONG and _is_signed_here(server, token, now):
            raise
        return []
    if claims["client_id"] != client.client_id:
        raise _refused()
    return server.issued_tokens.end(str(claims["jti"]), float(claims["exp"]))


def revoke_all_of(server: AuthorizationServer, client_id: str) -> Sequence[Ended]:
    """End every token and grant of a client, as an operator does after a theft.

    The client stays registered: with its own credential it gets new tokens, though no refresh
    token. Raises StorageUnavailable; then it may be repeated.
    """
    server.grants.end_all_of(client_id)  # first: a refresh in between then comes too late
    ended = server.issued_tokens.end_all_of(client_id)
    server.tell(ended)
    return ended


def _refused() -> Rejected:
    return Rejected(Reason.GRANT_INVALID, "token_is_this_clients", "RFC 7009 section 2.1")


def _is_signed_here(server: AuthorizationServer, token: str, now: float) -> bool:
    return signature_is_by_the_issuer(parse_compact(token), token_evidence(server, now))
