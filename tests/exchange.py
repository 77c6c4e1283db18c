"""Good requests for both kinds of server, made by the client's own face, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labsim.attacker import wire_error
from labsim.http_message import Request, Response
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.form import form_request
from tests.jws import Change, Jws
from tests.wiring import BINDINGS, ORDERS, RECORD, TOKEN_ENDPOINT, Lab

DPOP = BINDINGS["dpop"]
AS, RS = "AS", "RS"
BOTH = (AS, RS)
STATUS = {AS: 400, RS: 401}

type Fields = Callable[[str], tuple[str, ...]]


def one_field(proof: str) -> tuple[str, ...]:
    return (proof,)


def token_request(lab: Lab, client: str = "app", **parameters: str) -> Request:
    """Make a token request that is good but for the proof it may need."""
    asked = {"grant_type": "client_credentials", "resource": ORDERS, **parameters}
    return lab.authentication(client)(form_request(TOKEN_ENDPOINT, asked))


def good_request(
    lab: Lab,
    actor: str,
    *,
    holder: SigningKey | None = None,
    nonce: str | None = None,
    client: str = "app",
    url: str = RECORD,
) -> Request:
    """Make a request with a good proof, to the authorization server or to a resource server."""
    holder = holder or lab.holder
    if actor == AS:
        return DPOP.attach(token_request(lab, client), lab.presentation(None, holder, nonce))
    token = lab.token(client=client, holder=holder).access_token
    return DPOP.attach(Request("GET", url), lab.presentation(token, holder, nonce))


def with_proof(
    lab: Lab,
    good: Request,
    change: Change,
    fields: Fields = one_field,
    key: SigningKey | None = None,
) -> Request:
    """Replace a good request's proof by the same proof with one change."""
    proof = Jws.of(str(good.value("DPoP")), key or lab.holder).text(change)
    request = good.without("DPoP")
    for value in fields(proof):
        request = request.adding("DPoP", value)
    return request


def answer(lab: Lab, request: Request) -> Response:
    """Send a request and return the answer; there is always one in process."""
    response = lab.send(request).response
    assert response is not None
    return response


def assert_served(lab: Lab, request: Request) -> Response:
    response = answer(lab, request)
    assert (response.status, lab.event and lab.event["check"]) == (200, "")
    return response


def assert_refused(
    lab: Lab, request: Request, *, status: int, error: str, reason: Reason, check: str
) -> Response:
    """Assert the three views of a refusal: status, error code, and the server's own event."""
    response = answer(lab, request)
    event: dict[str, Any] = lab.event or {}
    assert (event["reason"], event["check"]) == (reason.name, check)
    assert response.status == status
    assert wire_error(response) == error
    assert event["source"]
    return response


def assert_challenged(response: Response, scheme: str, error: str) -> None:
    """Assert that this scheme's challenge carries the error code (RFC 9449 section 7.1)."""
    challenges = response.values("WWW-Authenticate")
    expected = f'{scheme} error="{error}", ' if error else f"{scheme} "
    assert any(challenge.startswith(expected) for challenge in challenges), challenges
