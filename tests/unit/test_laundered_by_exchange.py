"""A stolen token traded for the thief's own, at careful and at careless authorization servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim import checks
from labsim.attacker import Attacker, token_claims
from labsim.attempt import Attempt, Target
from labsim.estate.variants import VARIANTS
from labsim.loot import Loot
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.rooms import rooms
from tests.wiring import (
    BINDINGS,
    CRM,
    ISSUER,
    ORDERS,
    RECORD,
    RECORDS,
    TOKEN_ENDPOINT,
    UNKNOWN,
    Lab,
)

LAUNDERED = rooms("labsim.replays", "REPLAY")["laundered_by_exchange"]
HERE = Target("orders", RECORDS, RECORD, ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
THERE = Target(
    "crm", f"{CRM}/records", f"{CRM}/records/o-1", CRM, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT
)
STRANGER = ("rejected", "caller_may_use_the_subject_token", "RFC 8693 sections 2.2.2 and 4.4")
OUT_OF_REACH = ("rejected", "audience_is_within_reach", "RFC 8693 section 2.2.2")
SERVED = ("served", "", "")
# Variant: how it ends where the token is for, where its owner may go too, and beyond.
ENDINGS = {
    "base": (STRANGER, STRANGER, STRANGER),
    "exchange_for_anyone": (SERVED, SERVED, OUT_OF_REACH),
    "exchange_unbinds": (SERVED, SERVED, OUT_OF_REACH),
    "exchange_widens": (SERVED, SERVED, SERVED),
}


def careless(lab: Lab, variant: str) -> None:
    left_out = frozenset(VARIANTS[variant].careless_exchange)
    weak = checks.without(EXCHANGE_CHECKS, left_out)
    lab.authorization_server = replace(lab.authorization_server, exchange_checks=weak)


def laundered(lab: Lab, binding: str, target: Target = HERE) -> Attempt:
    token = lab.token(binding).access_token
    loot = Loot(found_at="here", client="free", resource=ORDERS, token=token)
    return lab.attacker().replay(LAUNDERED, loot, target)


def ending(lab: Lab, attempt: Attempt) -> tuple[str, str, str]:
    event = lab.event or {}
    assert attempt.request_id == event["request_id"]
    return attempt.outcome, event["check"], event["source"]


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("variant", ENDINGS)
def test_how_far_a_laundered_token_goes(lab: Lab, variant: str, binding: str) -> None:
    careless(lab, variant)
    here, there, beyond = ENDINGS[variant]
    assert ending(lab, laundered(lab, binding)) == here
    assert ending(lab, laundered(lab, binding, THERE)) == there
    lab.clients["free"] = replace(lab.clients["free"], scopes=frozenset({"orders.read"}))
    assert ending(lab, laundered(lab, binding)) == here
    assert ending(lab, laundered(lab, binding, THERE)) == beyond


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("variant", ["exchange_for_anyone", "exchange_unbinds"])
def test_the_new_token_is_bound_to_the_thiefs_key_or_to_none(
    lab: Lab, variant: str, binding: str
) -> None:
    careless(lab, variant)
    sent = laundered(lab, binding).sent
    scheme, _, rest = sent.partition("Authorization: ")[2].partition(" ")
    claims = token_claims(rest.partition("\r\n")[0])
    assert (claims["client_id"], claims["act"]) == ("thief", {"sub": "thief"})
    if variant == "exchange_unbinds":
        assert (scheme, claims.get("cnf")) == ("Bearer", None)
    else:
        # For a bearer token there is no way of its own: any key of the thief's will do.
        wanted = BINDINGS["dpop" if binding == "bearer" else binding]
        assert (scheme, [*claims["cnf"]]) == (wanted.scheme, [wanted.confirmation])


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_client_that_the_token_was_sent_to_is_served(lab: Lab, binding: str) -> None:
    """The positive control: the server exchanges, for whoever may ask."""
    lab.clients["thief"] = replace(lab.clients["thief"], audience=ORDERS)
    assert ending(lab, laundered(lab, binding, THERE)) == SERVED


def test_a_token_that_is_over_is_traded_by_nobody(lab: Lab) -> None:
    careless(lab, "exchange_widens")
    loot = Loot(found_at="here", resource=ORDERS, token=lab.token("dpop").access_token)
    attacker = lab.attacker()
    assert attacker.replay(LAUNDERED, loot, HERE).outcome == "served"
    lab.clock.advance(601)
    attempt = attacker.replay(LAUNDERED, loot, HERE)
    assert ending(lab, attempt)[:2] == ("rejected", "token_is_not_expired")
    assert (attempt.status, attempt.error) == (400, "invalid_request")


def test_a_revoked_token_takes_the_laundered_one_with_it(lab: Lab) -> None:
    """RFC 8693 leaves it open: a laundered token must not outlive its origin here (policy)."""
    careless(lab, "exchange_unbinds")
    token = lab.token("dpop").access_token
    loot = Loot(found_at="here", resource=ORDERS, token=token)
    attacker = lab.attacker()
    new = attacker.exchange(loot, BINDINGS["dpop"], HERE)
    lab.told.extend(lab.issued_tokens.end(token_claims(token)["jti"], lab.clock() + 600))
    lab.pass_on()
    assert attacker.replay(LAUNDERED, loot, HERE).outcome == "rejected"
    kept = Loot(found_at="here", resource=ORDERS, token=new.token)  # type: ignore[union-attr]
    as_is = rooms("labsim.replays", "REPLAY")["token_as_is"]
    assert attacker.replay(as_is, kept, HERE).outcome == "rejected"
    assert (lab.event or {})["reason"] == "TOKEN_REVOKED"


def test_who_is_no_client_can_trade_nothing(lab: Lab) -> None:
    loot = Loot(found_at="here", resource=ORDERS, token=lab.token("dpop").access_token)
    stranger = Attacker(
        lab.send,
        lab.clock,
        lab.new_id,
        BINDINGS,
        lab.thief,
        UNKNOWN,
        lambda _key: None,
        lab.reach,
    )
    attempt = stranger.replay(LAUNDERED, loot, HERE)
    assert attempt.outcome == "not_possible"
    assert "no client" in attempt.why
