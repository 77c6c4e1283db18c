"""The client: it presents, answers one challenge, and takes only the token it asked for."""

from __future__ import annotations

import pytest

from labsim.http_message import Ending, Outcome, Request, Response
from labsim.roles.client import TokenRefused, obtain_token, present
from labsim.roles.client_authentication import basic
from tests.exchange import token_request
from tests.wiring import BINDINGS, CRM, ORDERS, RECORD, TOKEN_ENDPOINT, Lab

DPOP = BINDINGS["dpop"]


def test_a_token_set_says_what_was_given(lab: Lab) -> None:
    tokens = lab.token("dpop", scope="orders.read")
    assert (tokens.binding, tokens.resource, tokens.scope) == ("dpop", ORDERS, "orders.read")
    assert (tokens.expires, tokens.refresh_token) == (lab.clock() + 600, None)


def test_a_refresh_brings_the_next_refresh_token(lab: Lab) -> None:
    lab.grant("first")
    tokens = lab.token(grant_type="refresh_token", refresh_token="first", resource=CRM)
    assert tokens.resource == CRM
    assert tokens.refresh_token not in (None, "first")


@pytest.mark.parametrize("client", ["free", "keyed"])
def test_a_demand_for_a_nonce_is_answered_with_everything_made_anew(lab: Lab, client: str) -> None:
    lab.ask_for_nonces()
    built: list[Request] = []

    def build() -> Request:
        built.append(token_request(lab, client))
        return built[-1]

    outcome = present(build, DPOP, lab.presentation(), lab.send)
    assert (outcome.ending, len(built)) == (Ending.SERVED, 2)
    assert (built[0] == built[1]) == (client == "free"), "an assertion is not used twice"


def test_nothing_is_tried_again_without_a_challenge(lab: Lab) -> None:
    sent: list[Request] = []

    def gone(request: Request) -> Outcome:
        sent.append(request)
        return Outcome(Ending.UNREACHABLE, request, None, "nobody is there")

    outcome = present(lambda: Request("GET", RECORD), DPOP, lab.presentation("t"), gone)
    assert (outcome.ending, len(sent)) == (Ending.UNREACHABLE, 1)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome(Ending.UNREACHABLE, detail="nobody is there"), "nobody is there"),
        (Outcome(Ending.REFUSED_BY_TLS), "the token endpoint did not answer"),
        (
            Outcome(Ending.REJECTED, None, Response.of_json(400, {"error": "invalid_grant"})),
            "the token endpoint answered 400 invalid_grant",
        ),
        (
            Outcome(Ending.REJECTED, None, Response(502, (), b"<html>")),
            "the token endpoint answered 502",
        ),
        (
            Outcome(Ending.REJECTED, None, Response.of_json(400, [])),
            "the token endpoint answered 400",
        ),
        (Outcome(Ending.SERVED, None, Response(204)), "the token endpoint answered 204"),
    ],
)
def test_a_refusal_says_how_it_ended(lab: Lab, outcome: Outcome, why: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        obtain_token(
            TOKEN_ENDPOINT, {}, basic("a", "b"), DPOP, lab.presentation(), lambda _request: outcome
        )
    assert (str(refused.value), refused.value.outcome) == (why, outcome)
