"""Section 7 of the catalogue: nonces that the server chooses (RFC 9449 sections 8 and 9)."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.binding import Presentation
from labsim.http_message import Outcome, Request, Response
from labsim.nonces import PERIOD, RollingNonces
from labsim.rejection import Reason
from labsim.roles.client import present
from tests.exchange import (
    AS,
    BOTH,
    DPOP,
    RS,
    STATUS,
    answer,
    assert_challenged,
    assert_refused,
    assert_served,
    good_request,
    token_request,
    with_proof,
)
from tests.jws import GONE, Change
from tests.wiring import NONCES, RECORD, Lab

each_server = pytest.mark.parametrize("actor", BOTH)
NOW = 1_800_000_000


def with_nonce(lab: Lab, actor: str, **claims: Any) -> Request:
    """Make a request with the server's nonce, and other claims as given."""
    good = good_request(lab, actor, nonce=NONCES.issue(lab.clock()))
    return with_proof(lab, good, Change(claims=claims))


REFUSED = {
    "DN-01, DN-06 no nonce": GONE,
    "DN-03b another server's nonce": RollingNonces(b"\1" * 32).issue(NOW),
    "DN-04 a stale nonce": NONCES.issue(NOW - 2 * PERIOD),
    "DN-04b a nonce of the time to come": NONCES.issue(NOW + PERIOD),
}


@each_server
@pytest.mark.parametrize("nonce", REFUSED.values(), ids=REFUSED)
def test_a_proof_without_the_servers_nonce_is_refused(lab: Lab, nonce: Any, actor: str) -> None:
    lab.ask_for_nonces()
    assert_served(lab, with_nonce(lab, actor))
    response = assert_refused(
        lab,
        with_nonce(lab, actor, nonce=nonce),
        status=STATUS[actor],
        error="use_dpop_nonce",
        reason=Reason.NONCE_REQUIRED,
        check="nonce_is_the_servers",
    )
    assert response.values("DPoP-Nonce") == [NONCES.issue(lab.clock())]
    if actor == RS:
        assert_challenged(response, "DPoP", "use_dpop_nonce")
    else:
        assert response.values("Cache-Control") == ["no-store"]
    assert_served(lab, with_nonce(lab, actor))


@each_server
def test_one_nonce_serves_many_proofs_until_it_is_stale(lab: Lab, actor: str) -> None:
    """DN-09; a nonce is good for its own period and the next."""
    lab.ask_for_nonces()
    first = NONCES.issue(lab.clock())
    for _ in range(3):
        assert_served(lab, good_request(lab, actor, nonce=first))
    lab.clock.advance(PERIOD)
    response = assert_served(lab, good_request(lab, actor, nonce=first))
    assert response.values("DPoP-Nonce") == [NONCES.issue(lab.clock())] != [first]
    lab.clock.advance(PERIOD)
    assert answer(lab, good_request(lab, actor, nonce=first)).status == STATUS[actor]


def test_a_demand_for_a_nonce_burns_neither_proof_nor_assertion(lab: Lab) -> None:
    """The second try brings a nonce; a client that keeps its assertion may do so."""
    lab.ask_for_nonces()
    asked = token_request(lab, "keyed")  # one assertion for both tries
    first = DPOP.attach(asked, lab.presentation())
    again = DPOP.retry(answer(lab, first), lab.presentation())
    assert again is not None
    assert_served(lab, DPOP.attach(asked, again))


@each_server
def test_the_client_answers_a_demand_for_a_nonce_once(lab: Lab, actor: str) -> None:
    lab.ask_for_nonces()
    token = None if actor == AS else lab.token().access_token
    request = token_request(lab, "free") if actor == AS else Request("GET", RECORD)
    outcome = present(lambda: request, DPOP, lab.presentation(token), lab.send)
    assert outcome.response is not None
    assert outcome.response.status == 200


@pytest.mark.parametrize("changing", [True, False], ids=["ever new", "always the same"])
def test_a_server_that_asks_for_ever_is_asked_twice(lab: Lab, changing: bool) -> None:
    """DN-10: one answer to one challenge, whatever comes then."""
    sent: list[Request] = []

    def never_content(request: Request) -> Outcome:
        sent.append(request)
        nonce = f"n{len(sent)}" if changing else "n"
        fields = (("DPoP-Nonce", nonce), ("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'))
        return Outcome.answered(request, Response(401, fields))

    had = Presentation("a.b.c", lab.holder, lab.clock(), lab.new_id)
    outcome = present(lambda: Request("GET", RECORD), DPOP, had, never_content)
    assert outcome.response is not None
    assert outcome.response.status == 401
    assert len(sent) == 2
    assert sent[0].value("DPoP") != sent[1].value("DPoP")


def test_a_bearer_token_needs_no_nonce(lab: Lab) -> None:
    lab.ask_for_nonces()
    token = lab.token("bearer").access_token
    response = assert_served(lab, Request("GET", RECORD, (("Authorization", f"Bearer {token}"),)))
    assert response.values("DPoP-Nonce") == []
