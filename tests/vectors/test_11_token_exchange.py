"""Section 11 of the catalogue: token exchange (RFC 8693), and what may not come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.issued_tokens import Issued
from labsim.roles.token_exchange import ACCESS_TOKEN_TYPE
from tests.exchange import DPOP, answer, assert_refused, assert_served, token_request
from tests.jws import Change, Jws
from tests.wiring import BINDINGS, CRM, ORDERS, Lab, MemoryIssuedTokens

NARROW = {"scope": "orders.read"}
"""What the subject's client asks for, so that there is something wider to ask for."""


def subject_token(lab: Lab, binding: str = "bearer", client: str = "free", **more: str) -> str:
    """Get the token that a client of `orders` sends it."""
    return lab.token(binding, client, **{**NARROW, **more}).access_token


def exchange(
    lab: Lab,
    token: str,
    caller: str = "orders",
    key: SigningKey | None = None,
    **parameters: str,
) -> Request:
    """Ask for a token for `crm`, bound to the caller's own key, in exchange for one."""
    asked = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "resource": CRM}
    asked |= {"subject_token_type": ACCESS_TOKEN_TYPE, **parameters}
    request = token_request(lab, caller, **asked)
    return DPOP.attach(request, lab.presentation(None, key or lab.thief))


def claims_of(lab: Lab, response: Any) -> dict[str, Any]:
    return dict(Jws.of(response.json()["access_token"], lab.issuer_key).claims)


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_resource_server_gets_a_token_of_its_own_for_the_next(lab: Lab, binding: str) -> None:
    """CR-19, the control: bound to the caller's key and to nobody else's."""
    response = assert_served(lab, exchange(lab, subject_token(lab, binding)))
    body, claims = response.json(), claims_of(lab, response)
    assert (body["token_type"], body["issued_token_type"]) == ("DPoP", ACCESS_TOKEN_TYPE)
    assert "refresh_token" not in body
    assert claims["cnf"] == DPOP.bind(DPOP.parse(exchange(lab, "", key=lab.thief)))
    told = {n: claims[n] for n in ("sub", "client_id", "aud", "scope", "act")}
    assert told == {
        "sub": "free",
        "client_id": "orders",
        "aud": CRM,
        "scope": "crm.read",
        "act": {"sub": "orders"},
    }
    used = Request("GET", f"{CRM}/records")
    token = body["access_token"]
    assert_served(lab, DPOP.attach(used, lab.presentation(token, lab.thief)))
    assert answer(lab, DPOP.attach(used, lab.presentation(token, lab.holder))).status == 401


def test_each_actor_stands_before_the_one_that_it_acts_for(lab: Lab) -> None:
    """RFC 8693 section 4.1: the latest outermost."""
    first = assert_served(lab, exchange(lab, subject_token(lab))).json()["access_token"]
    second = exchange(lab, first, caller="crm", scope="crm.read")
    claims = claims_of(lab, assert_served(lab, second))
    assert claims["act"] == {"sub": "crm", "act": {"sub": "orders"}}
    assert claims["sub"] == "free"


def test_the_new_token_ends_with_the_one_that_it_came_from(lab: Lab) -> None:
    token = subject_token(lab)
    end = Jws.of(token, lab.issuer_key).claims["exp"]
    lab.clock.advance(500)
    response = assert_served(lab, exchange(lab, token))
    assert claims_of(lab, response)["exp"] == end
    assert response.json()["expires_in"] == 100


def forged(lab: Lab, **claims: Any) -> str:
    """Sign a subject token with the issuer's key, with other claims."""
    return Jws.of(subject_token(lab), lab.issuer_key).text(Change(claims=claims))


@pytest.mark.parametrize("may_act", [{"sub": "crm"}, {"sub": "crm", "iss": "https://as.test"}])
def test_a_token_may_name_who_may_act(lab: Lab, may_act: dict[str, str]) -> None:
    """RFC 8693 section 4.4: `crm` is no audience of a token for `orders`."""
    assert_served(lab, exchange(lab, forged(lab, may_act=may_act), caller="crm"))


NOT_ITS_OWN = (Reason.REQUEST_MALFORMED, "invalid_request", "caller_may_use_the_subject_token")
SCOPE = (Reason.SCOPE_INVALID, "invalid_scope", "scope_is_no_wider")
TARGET = (Reason.TARGET_INVALID, "invalid_target", "audience_is_within_reach")
type Attack = Callable[[Lab], Request]

ROWS: dict[str, tuple[Attack, Reason, str, str]] = {
    "CR-19c its namesake elsewhere may act": (
        lambda lab: exchange(
            lab, forged(lab, may_act={"sub": "crm", "iss": "https://else.test"}), caller="crm"
        ),
        *NOT_ITS_OWN,
    ),
    "CR-19f to write where the token reads": (
        lambda lab: exchange(lab, subject_token(lab), resource=ORDERS, scope="orders.write"),
        *SCOPE,
    ),
    "CR-19g to write where the grant reads": (
        lambda lab: exchange(
            lab, subject_token(lab, scope="orders.read orders.write"), scope="crm.write"
        ),
        *SCOPE,
    ),
    "CR-19h where the grant does not reach": (
        lambda lab: exchange(lab, subject_token(lab, client="narrow"), scope="crm.read"),
        *TARGET,
    ),
}


@pytest.fixture
def exchanging(lab: Lab) -> Lab:
    """Register a client that reaches `orders` only, and let `orders` ask for more than others."""
    scopes = frozenset({"orders.read", "orders.write"})
    lab.clients["narrow"] = replace(lab.clients["free"], client_id="narrow", scopes=scopes)
    wide = scopes | {"crm.read", "crm.write"}
    lab.clients["orders"] = replace(lab.clients["orders"], scopes=wide)
    return lab


@pytest.mark.parametrize(("attack", "reason", "error", "check"), ROWS.values(), ids=ROWS)
def test_what_may_not_come_of_an_exchange_is_refused(
    exchanging: Lab, attack: Attack, reason: Reason, error: str, check: str
) -> None:
    lab = exchanging
    assert_served(lab, exchange(lab, subject_token(lab), scope="crm.read"))
    bad = attack(lab)
    assert_refused(lab, bad, status=400, error=error, reason=reason, check=check)


def test_what_is_not_asked_for_is_narrowed_in_silence(exchanging: Lab) -> None:
    """Without `scope`, the new token has what all three allow: the token, its grant, the caller."""
    lab = exchanging
    both = subject_token(lab, scope="orders.read orders.write")
    narrowed = claims_of(lab, assert_served(lab, exchange(lab, both)))
    assert narrowed["scope"] == "crm.read"
    at_home = assert_served(lab, exchange(lab, both, resource=ORDERS))
    assert claims_of(lab, at_home)["scope"] == "orders.read orders.write"
    refusal = {"reason": Reason.TARGET_INVALID, "check": "client_may_use_the_resource"}
    out_of_reach = exchange(lab, subject_token(lab, client="narrow"))
    assert_refused(lab, out_of_reach, status=400, error="invalid_target", **refusal)


def test_a_second_exchange_reaches_no_further_than_the_first_grant(exchanging: Lab) -> None:
    lab = exchanging
    token = subject_token(lab, client="narrow")
    first = assert_served(lab, exchange(lab, token, resource=ORDERS, scope="orders.read"))
    again = exchange(lab, first.json()["access_token"], scope="crm.read")
    refusal = {"reason": Reason.TARGET_INVALID, "check": "audience_is_within_reach"}
    assert_refused(lab, again, status=400, error="invalid_target", **refusal)


REQUEST_ROWS: dict[str, tuple[dict[str, str], str, str]] = {
    "TX-05b an actor's type alone": (
        {"actor_token_type": ACCESS_TOKEN_TYPE},
        "invalid_request",
        "actor_is_the_caller",
    ),
}


@pytest.mark.parametrize(("change", "error", "check"), REQUEST_ROWS.values(), ids=REQUEST_ROWS)
def test_a_bad_exchange_request_is_refused(
    lab: Lab, change: dict[str, str], error: str, check: str
) -> None:
    token = subject_token(lab)
    assert_served(lab, exchange(lab, token, requested_token_type=ACCESS_TOKEN_TYPE))
    reason = Reason.TARGET_INVALID if error == "invalid_target" else Reason.REQUEST_MALFORMED
    bad = exchange(lab, **{"token": token, **change})
    assert_refused(lab, bad, status=400, error=error, reason=reason, check=check)


def test_a_revoked_subject_token_is_refused(lab: Lab) -> None:
    token = subject_token(lab)
    assert_served(lab, exchange(lab, token))
    claims = Jws.of(token, lab.issuer_key).claims
    lab.issued_tokens.end(claims["jti"], claims["exp"])
    refusal = {"reason": Reason.TOKEN_REVOKED, "check": "token_is_not_revoked"}
    assert_refused(lab, exchange(lab, token), status=400, error="invalid_request", **refusal)


class SlowIssuedTokens(MemoryIssuedTokens):
    """Another request ends the subject token between this one's look and its own issuing."""

    def record(self, issued: Issued, now: float) -> bool:
        if issued.origin:
            self.end(issued.origin, issued.expires)
        return super().record(issued, now)


def test_a_subject_token_that_ends_meanwhile_is_exchanged_for_nothing() -> None:
    lab = Lab(issued=SlowIssuedTokens())
    refusal = {"reason": Reason.GRANT_INVALID, "check": "origin_has_not_ended"}
    bad = exchange(lab, subject_token(lab))
    assert_refused(lab, bad, status=400, error="invalid_grant", **refusal)


def test_a_client_that_did_not_register_it_may_not_exchange(lab: Lab) -> None:
    bad = exchange(lab, subject_token(lab), caller="free")
    refusal = {"reason": Reason.CLIENT_NOT_ALLOWED, "check": "grant_type_is_registered"}
    assert_refused(lab, bad, status=400, error="unauthorized_client", **refusal)


def test_a_stolen_token_is_no_use_without_the_callers_credential(lab: Lab) -> None:
    good = exchange(lab, subject_token(lab))
    bad = good.without("Authorization")
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "client_authenticates"}
    assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assert_served(lab, good)


def test_two_keys_in_one_exchange_are_refused(lab: Lab) -> None:
    other = replace(BINDINGS["dpop"], name="other", confirmation="other")
    both = (*BINDINGS.values(), other)
    good = exchange(lab, subject_token(lab))
    lab.authorization_server = replace(lab.authorization_server, bindings=both)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "one_key_is_introduced"}
    assert_refused(lab, good, status=400, error="invalid_request", **refusal)
