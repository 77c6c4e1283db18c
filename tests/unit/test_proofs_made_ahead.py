"""The replay that waits: proofs of the holder's, made for later (RFC 9449 sections 11.2 and 11.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.attempt import Attempt, Target
from labsim.binding import Presentation
from labsim.http_message import Request
from labsim.loot import Loot
from labsim.replays.proofs_made_ahead import REPLAY
from labsim.thefts.container_code import AHEAD_SECONDS, STEP_SECONDS
from tests.wiring import (
    BINDINGS,
    CRM,
    ISSUER,
    NONCES,
    ORDERS,
    RECORD,
    RECORDS,
    TOKEN_ENDPOINT,
    Lab,
)  # fmt: skip

HERE = Target("orders", RECORDS, RECORD, ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
TOO_OLD = {"dpop": "iat_is_recent", "http_signature": "created_is_recent"}
"""The bindings with proofs, and the check that refuses a proof whose time is over or to come."""


def made_ahead(lab: Lab, binding: str, nonce: str | None = None, stamps: bool = False) -> Loot:
    """Have proofs made for the life of a token; a signer that stamps the time ignores which."""
    token = lab.token(binding).access_token
    ahead = []
    for after in range(0, AHEAD_SECONDS, STEP_SECONDS):
        at = lab.clock() + after
        shown = Presentation(token, lab.holder, lab.clock() if stamps else at, lab.new_id, nonce)
        ahead.append((at, BINDINGS[binding].attach(Request("GET", RECORDS), shown)))
    return Loot(found_at="here", resource=ORDERS, url=RECORDS, token=token, ahead=tuple(ahead))


def tried(lab: Lab, loot: Loot, target: Target = HERE) -> Attempt:
    return lab.attacker().replay(REPLAY, loot, target)


@pytest.mark.parametrize("after", [0, 40, 130, 299, 550])
@pytest.mark.parametrize("binding", TOO_OLD)
def test_one_is_good_at_any_time_of_the_tokens_life(lab: Lab, binding: str, after: int) -> None:
    loot = made_ahead(lab, binding)
    lab.clock.advance(after)
    attempt = tried(lab, loot)
    assert (attempt.outcome, attempt.records) == ("served", ("o-1", "o-2"))
    assert tried(lab, loot).outcome == "rejected"
    assert "is_new" in (lab.event or {})["check"]


@pytest.mark.parametrize("binding", TOO_OLD)
def test_none_is_good_once_the_token_has_ended(lab: Lab, binding: str) -> None:
    loot = made_ahead(lab, binding)
    lab.clock.advance(AHEAD_SECONDS - STEP_SECONDS)
    assert tried(lab, loot).outcome == "rejected"
    assert (lab.event or {})["reason"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize("binding", TOO_OLD)
def test_a_signer_that_stamps_the_time_leaves_proofs_of_that_moment_only(
    lab: Lab, binding: str
) -> None:
    loot = made_ahead(lab, binding, stamps=True)
    assert tried(lab, loot).outcome == "served"
    lab.clock.advance(130)
    assert tried(lab, loot).outcome == "rejected"
    assert (lab.event or {})["check"] == TOO_OLD[binding]


def test_a_servers_nonce_cuts_them_to_the_nonces_life(lab: Lab) -> None:
    lab.ask_for_nonces()
    loot = made_ahead(lab, "dpop", NONCES.issue(lab.clock()))
    assert tried(lab, loot).outcome == "served"
    lab.clock.advance(550)
    assert tried(lab, loot).outcome == "rejected"
    assert (lab.event or {})["check"] == "nonce_is_the_servers"


@pytest.mark.parametrize("binding", TOO_OLD)
def test_a_proof_is_for_its_own_server(lab: Lab, binding: str) -> None:
    there = replace(HERE, url=f"{CRM}/records", resource=CRM)
    attempt = tried(lab, made_ahead(lab, binding), there)
    assert (attempt.outcome, attempt.relation) == ("rejected", "other_resource")


@pytest.mark.parametrize("binding", BINDINGS)
def test_without_them_it_is_not_possible(lab: Lab, binding: str) -> None:
    bare = Loot(found_at="here", resource=ORDERS, token=lab.token(binding).access_token)
    attempt = tried(lab, bare)
    assert (attempt.outcome, attempt.why) == ("not_possible", "this loot holds no proofs_ahead")
