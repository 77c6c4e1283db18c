"""Section 11 of the catalogue: introspection at both ends (RFC 7662), rows IR-01 to IR-04, IR-07."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from labsim.checks import StorageUnavailable
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.form import form_request
from labsim.roles.grants import token_hash
from labsim.roles.introspected_tokens import IntrospectedTokens
from labsim.roles.revocation_notice import notice_request
from tests.exchange import DPOP, answer, assert_refused, assert_served
from tests.jws import GONE, Change, Jws
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, Lab

INTROSPECT = f"{ISSUER}/introspect"
INACTIVE = {"active": False}


def asking(lab: Lab, token: str, caller: str = "orders", **more: str) -> Request:
    return lab.authentication(caller)(form_request(INTROSPECT, {"token": token, **more}))


def told(lab: Lab, token: str, caller: str = "orders", **more: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = assert_served(lab, asking(lab, token, caller, **more)).json()
    return found


@pytest.mark.parametrize(("binding", "kind"), [("bearer", "Bearer"), ("dpop", "DPoP")])
@pytest.mark.parametrize("caller", ["orders", "free"])
def test_an_active_token_is_told_with_its_key_and_its_type(
    lab: Lab, binding: str, kind: str, caller: str
) -> None:
    """IR-01: to the resource server that it is for, and to the client that it was issued to."""
    token = lab.token(binding).access_token
    claims = Jws.of(token, lab.issuer_key).claims
    found = told(lab, token, caller)
    assert found == {"active": True, "token_type": kind, **claims}
    assert ("cnf" in found) == (binding == "dpop")


def test_the_answer_is_kept_by_nobody(lab: Lab) -> None:
    response = answer(lab, asking(lab, lab.token().access_token))
    assert response.values("Cache-Control") == ["no-store"]
    assert response.values("Request-Id") == [(lab.event or {})["request_id"]]


@pytest.mark.parametrize("caller", ["crm", "app", "keyed"])
def test_a_foreign_caller_learns_nothing(lab: Lab, caller: str) -> None:
    """IR-03: neither another resource server nor another client."""
    token = lab.token().access_token
    assert told(lab, token, "orders")["active"] is True
    assert told(lab, token, caller) == INACTIVE == told(lab, "unheard of", caller)


def test_an_unauthenticated_caller_is_refused(lab: Lab) -> None:
    """IR-03."""
    good = asking(lab, lab.token().access_token)
    assert_served(lab, good)
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "client_authenticates"}
    bad = good.without("Authorization")
    response = assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assert response.json() == {"error": "invalid_client"}


INACTIVE_TOKENS: dict[str, Change] = {
    "expired": Change(claims={"exp": 1}),
    "not valid yet": Change(claims={"nbf": 4_000_000_000}),
    "of another issuer": Change(claims={"iss": "https://else.test"}),
    "by another key": Change(key=SigningKey.generate()),
    "IR-07 another kind of JWT": Change(header={"typ": "token-introspection+jwt"}),
    "without a subject": Change(claims={"sub": GONE}),
    "malformed": Change(text=lambda _: "not.a.token"),
    "half of one": Change(text=lambda t: t[:40]),
    "with a bad audience": Change(claims={"aud": [1, {}]}),
    "of nobody": Change(claims={"client_id": "nobody", "aud": CRM}),
}


@pytest.mark.parametrize("change", INACTIVE_TOKENS.values(), ids=INACTIVE_TOKENS)
def test_whatever_is_wrong_with_a_token_is_no_error(lab: Lab, change: Change) -> None:
    """RFC 7662 section 2.2: it is inactive, and not why."""
    good = Jws.of(lab.token().access_token, lab.issuer_key)
    assert told(lab, good.text(Change()))["active"] is True
    for caller in ("orders", "app"):
        assert told(lab, good.text(change), caller) == INACTIVE


def test_a_revoked_token_is_inactive(lab: Lab) -> None:
    token = lab.token().access_token
    assert told(lab, token)["active"] is True
    claims = Jws.of(token, lab.issuer_key).claims
    lab.issued_tokens.end(claims["jti"], claims["exp"])
    assert told(lab, token) == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "moon"])
def test_a_refresh_token_is_told_to_its_own_client_only(lab: Lab, hint: str) -> None:
    lab.grant("first")
    for _ in range(2):  # asking spends nothing
        found = told(lab, "first", "free", token_type_hint=hint)
        assert (found["active"], found["client_id"], found["sub"]) == (True, "free", "owner")
    assert told(lab, "first", "app") == told(lab, "first", "orders") == INACTIVE
    lab.clock.advance(86400)
    assert told(lab, "first", "free") == INACTIVE


def test_a_used_refresh_token_is_inactive_and_its_family_lives(lab: Lab) -> None:
    lab.grant("first")
    request = {"grant_type": "refresh_token", "refresh_token": "first", "resource": ORDERS}
    refresh = form_request(f"{ISSUER}/token", request)
    following = assert_served(lab, lab.authentication("free")(refresh)).json()["refresh_token"]
    assert told(lab, "first", "free") == INACTIVE
    assert told(lab, following, "free")["active"] is True


def test_a_bound_refresh_token_is_told_with_its_key(lab: Lab) -> None:
    lab.grant("first")
    grant, _ = lab.grants.find(token_hash("first")) or (None, False)
    assert grant is not None
    lab.grants.put(token_hash("bound"), replace(grant, confirmation={"jkt": "k"}))
    assert told(lab, "bound", "free")["cnf"] == {"jkt": "k"}
    assert "cnf" not in told(lab, "first", "free")


def test_an_assertion_is_spent_here_too(lab: Lab) -> None:
    request = asking(lab, "t", caller="keyed")
    assert_served(lab, request)
    refusal = {"reason": Reason.CLIENT_CREDENTIAL_INVALID, "check": "assertion_is_unused"}
    assert_refused(lab, request, status=401, error="invalid_client", **refusal)


# The resource server's side.


@pytest.fixture
def introspecting(lab: Lab) -> Lab:
    """Let `orders` ask about tokens instead of reading them; count the questions."""
    lab.asked = 0

    def ask(token: str) -> Mapping[str, Any]:
        lab.asked += 1
        event = lab.event
        found: Mapping[str, Any] = answer(lab, asking(lab, token)).json()
        lab.event = event
        return found

    lab.orders = replace(lab.orders, introspected=IntrospectedTokens(ask, seconds=30, bound=2))
    return lab


def presented(lab: Lab, token: str, binding: str = "dpop", key: Any = None) -> Request:
    return BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token, key))


def test_a_bound_token_is_served_to_its_holder_and_refused_to_a_thief(introspecting: Lab) -> None:
    """IR-02 and MT-22: `cnf` of the answer counts, and the scheme with it."""
    lab = introspecting
    token = lab.token().access_token
    assert_served(lab, presented(lab, token))
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "proof_key_is_the_bound_one"}
    own = presented(lab, token, key=lab.thief)
    assert_refused(lab, own, status=401, error="invalid_token", **refusal)
    refusal = {"reason": Reason.SCHEME_MISMATCH, "check": "scheme_is_the_bindings"}
    bearer = presented(lab, token, "bearer")
    assert_refused(lab, bearer, status=401, error="invalid_token", **refusal)


def test_an_answer_is_believed_until_its_time_and_no_longer(introspecting: Lab) -> None:
    """IR-04: for so long may a revoked token still be served, as the lab shows."""
    lab = introspecting
    token = lab.token("bearer").access_token
    request = presented(lab, token, "bearer")
    assert_served(lab, request)
    claims = Jws.of(token, lab.issuer_key).claims
    lab.issued_tokens.end(claims["jti"], claims["exp"])
    lab.clock.advance(29)
    assert_served(lab, request)
    assert lab.asked == 1
    lab.clock.advance(1)
    refusal = {"reason": Reason.TOKEN_INACTIVE, "check": "token_is_active"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)


def test_an_answer_does_not_outlive_its_token(introspecting: Lab) -> None:
    """IR-04: `exp` is looked at for every request."""
    lab = introspecting
    lab.authorization_server = replace(lab.authorization_server, token_seconds=5)
    request = presented(lab, lab.token("bearer").access_token, "bearer")
    assert_served(lab, request)
    lab.clock.advance(5)
    refusal = {"reason": Reason.TOKEN_EXPIRED, "check": "token_is_not_expired"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)
    assert lab.asked == 1


def test_so_many_answers_are_kept_and_no_more(introspecting: Lab) -> None:
    lab = introspecting
    requests = [presented(lab, lab.token("bearer").access_token, "bearer") for _ in range(3)]
    for request in requests:
        assert_served(lab, request)
    assert_served(lab, requests[2])
    assert lab.asked == 3
    assert_served(lab, requests[0])
    assert lab.asked == 4, "the oldest was forgotten first"


def test_an_inactive_answer_is_not_kept(introspecting: Lab) -> None:
    lab = introspecting
    for number in (1, 2):
        answer(lab, presented(lab, "made.up.token", "bearer"))
        assert lab.asked == number


def test_a_clock_that_was_set_back_asks_again(introspecting: Lab) -> None:
    lab = introspecting
    request = presented(lab, lab.token("bearer").access_token, "bearer")
    assert_served(lab, request)
    lab.clock.advance(-1)
    assert_served(lab, request)
    assert lab.asked == 2


def test_no_answer_is_no_permission(introspecting: Lab) -> None:
    lab = introspecting
    request = presented(lab, lab.token("bearer").access_token, "bearer")
    good = lab.orders

    def nobody(_token: str) -> Mapping[str, Any]:
        raise StorageUnavailable("introspection: nobody answers")

    lab.orders = replace(good, introspected=IntrospectedTokens(nobody))
    response = answer(lab, request)
    assert (response.status, (lab.event or {})["reason"]) == (503, "UNAVAILABLE")
    assert "nobody answers" in (lab.event or {})["detail"]
    lab.orders = good
    assert_served(lab, request)


@pytest.mark.parametrize("active", [False, None, "true", 1, GONE])
def test_active_is_true_or_it_is_not(lab: Lab, active: Any) -> None:
    token = lab.token("bearer").access_token
    said = {**told(lab, token), "active": active}
    if active is GONE:
        del said["active"]
    lab.orders = replace(lab.orders, introspected=IntrospectedTokens(lambda _: said))
    refusal = {"reason": Reason.TOKEN_INACTIVE, "check": "token_is_active"}
    bad = presented(lab, token, "bearer")
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)


def test_a_notice_is_no_access_token(lab: Lab) -> None:
    """IR-07: whatever else the issuer signs is refused by its `typ` (RFC 8725 section 3.11)."""
    token = Jws.of(lab.token("bearer").access_token, lab.issuer_key)
    assert_served(lab, presented(lab, token.text(Change()), "bearer"))
    refusal = {"reason": Reason.TOKEN_TYPE_WRONG, "check": "typ_is_access_token"}
    for kind in ("token-introspection+jwt", "secevent+jwt"):
        bad = presented(lab, token.text(Change(header={"typ": kind})), "bearer")
        assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    notice = notice_request(ISSUER, lab.issuer_key, ORDERS, [], lab.clock(), "n").body.decode()
    bad = DPOP.attach(Request("GET", RECORD), lab.presentation(notice))
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_form_that_is_none_is_refused(lab: Lab, path: str) -> None:
    """Malformed, doubled, contradictory: the same errors as at the token endpoint."""
    url = f"{ISSUER}{path}"
    good = lab.authentication("free")(form_request(url, {"token": "t"}))
    assert_served(lab, good)
    assertion = lab.authentication("keyed")(form_request(url, {"token": "t"}))
    both = {**dict(parse_qsl(assertion.body.decode()))}
    rows = {
        "content_is_a_form": good.without("Content-Type"),
        "parameters_are_in_the_body": good.at(f"{url}?token=t"),
        "form_is_well_formed": replace(good, body=b"token=%ff"),
        "parameters_stand_once": replace(good, body=b"token=t&token=u"),
        "required_parameters_are_there": replace(good, body=b"token="),
        "client_authenticates_one_way": replace(good, body=urlencode(both).encode()),
    }
    for check, bad in rows.items():
        refusal = {"reason": Reason.REQUEST_MALFORMED, "check": check}
        assert_refused(lab, bad, status=400, error="invalid_request", **refusal)
    assert_served(lab, good)
