"""Section 11 of the catalogue: what a client must do, and what DPoP does not stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsim.http_message import Outcome, Request, Response
from labsim.rejection import Reason
from labsim.roles.client import TokenRefused, obtain_token, present
from tests.exchange import (
    BOTH,
    DPOP,
    RS,
    STATUS,
    answer,
    assert_refused,
    assert_served,
    good_request,
)
from tests.wiring import BINDINGS, ORDERS, RECORD, TOKEN_ENDPOINT, Lab


def ask(lab: Lab, token_response: Response) -> Any:
    """Ask for a DPoP token and be answered with this."""
    return obtain_token(
        TOKEN_ENDPOINT,
        {"grant_type": "client_credentials"},
        lab.authentication("free"),
        DPOP,
        lab.presentation(),
        lambda request: Outcome.answered(request, token_response),
    )


GOOD = {"access_token": "t", "token_type": "DPoP", "expires_in": 60}


@pytest.mark.parametrize("kind", ["DPoP", "dpop", "DPOP"])
def test_the_client_compares_the_token_type_without_case(lab: Lab, kind: str) -> None:
    """PC-01."""
    tokens = ask(lab, Response.of_json(200, {**GOOD, "token_type": kind}))
    assert (tokens.access_token, tokens.expires) == ("t", lab.clock() + 60)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "", None, ["DPoP"]])
def test_the_client_throws_a_token_of_another_type_away(lab: Lab, kind: Any) -> None:
    """CL-04 and DB-23: it would be used as if it were bound."""
    with pytest.raises(TokenRefused, match="asked for a DPoP token"):
        ask(lab, Response.of_json(200, {**GOOD, "token_type": kind}))


NO_TOKEN_RESPONSES = {
    "no JSON": Response(200, (), b"<html>"),
    "an array": Response.of_json(200, [GOOD]),
    "null": Response.of_json(200, None),
    "no lifetime": Response.of_json(200, {**GOOD, "expires_in": None}),
    "a lifetime in words": Response.of_json(200, {**GOOD, "expires_in": "soon"}),
    "no token": Response.of_json(200, {"token_type": "DPoP", "expires_in": 60}),
}


@pytest.mark.parametrize("body", NO_TOKEN_RESPONSES.values(), ids=NO_TOKEN_RESPONSES)
def test_the_client_takes_nothing_else_for_a_token_response(lab: Lab, body: Response) -> None:
    with pytest.raises(TokenRefused, match="no token response"):
        ask(lab, body)


def test_a_client_makes_a_new_proof_for_every_attempt(lab: Lab) -> None:
    """CL-05."""
    token = lab.token().access_token
    sent: list[str | None] = []

    def sending(request: Request) -> Outcome:
        sent.append(request.value("DPoP"))
        return lab.send(request)

    for _ in range(2):
        present(lambda: Request("GET", RECORD), DPOP, lab.presentation(token), sending)
    lab.ask_for_nonces()
    present(lambda: Request("GET", RECORD), DPOP, lab.presentation(token), sending)
    assert len(set(sent)) == len(sent) == 4


def test_dpop_signs_no_body(lab: Lab) -> None:
    """CL-07: what an interceptor holds back it can change, as long as the proof is not spent."""
    token = lab.token().access_token
    good = Request("POST", f"{ORDERS}/records", (), b'{"title":"pay Alice"}')
    good = DPOP.attach(good, lab.presentation(token))
    response = answer(lab, replace(good, body=b'{"title":"pay Mallory"}'))
    assert (response.status, response.json()["title"]) == (201, "pay Mallory")
    assert answer(lab, good).status == 401


def test_dpop_signs_no_query(lab: Lab) -> None:
    """CL-07: neither does `htu` say what was asked for."""
    good = good_request(lab, RS, url=f"{RECORD}?account=1")
    assert_served(lab, good.at(f"{RECORD}?account=2"))


@pytest.mark.parametrize("actor", BOTH)
def test_a_proof_made_ahead_works_inside_its_window(lab: Lab, actor: str) -> None:
    """CL-08: whoever could sign a minute ago needs the key no more."""
    early = good_request(lab, actor)
    lab.clock.advance(59)
    assert_served(lab, early)


@pytest.mark.parametrize("actor", BOTH)
def test_a_nonce_makes_a_proof_made_ahead_useless(lab: Lab, actor: str) -> None:
    """CL-08: nobody knows the nonce of the time to come."""
    early = good_request(lab, actor)
    lab.clock.advance(59)
    lab.ask_for_nonces()
    refusal = {"reason": Reason.NONCE_REQUIRED, "check": "nonce_is_the_servers"}
    assert_refused(lab, early, status=STATUS[actor], error="use_dpop_nonce", **refusal)


def test_whoever_may_use_the_key_is_the_holder(lab: Lab) -> None:
    """CL-06: a foothold signs in place; no server can tell."""
    token = lab.token(holder=lab.thief).access_token
    assert_served(lab, DPOP.attach(Request("GET", RECORD), lab.presentation(token, lab.thief)))


def test_a_bearer_token_is_anyones(lab: Lab) -> None:
    """MX-04: the same theft, where nothing is bound."""
    token = lab.token("bearer").access_token
    for _ in range(2):
        presentation = lab.presentation(token, lab.thief)
        assert_served(lab, BINDINGS["bearer"].attach(Request("GET", RECORD), presentation))
