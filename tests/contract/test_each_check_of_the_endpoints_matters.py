"""Each check of exchange, introspection and notice earns its place, as a binding's checks do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsim import checks
from labsim.checks import Check
from labsim.http_message import Request
from labsim.roles import (
    introspected_tokens,
    revocation_notice,
    tls_client_authentication,
    token_verification,
)
from labsim.roles.form import form_request
from labsim.roles.introspected_tokens import INTROSPECTION_CHECKS, IntrospectedTokens
from labsim.roles.issued_tokens import Ended
from labsim.roles.registration import registered
from labsim.roles.revocation_notice import REVOCATION_NOTICE, notice_request
from labsim.roles.tls_client_authentication import CERTIFICATE_CHECKS
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.roles.token_verification import OWN_TOKEN
from tests.contract.attacks import access_token, client_certificate, introspection_answer
from tests.contract.attacks import revocation_notice as notices
from tests.contract.attacks import token_exchange as exchanges
from tests.exchange import DPOP, answer, assert_refused, assert_served
from tests.jws import Change, Jws, changed
from tests.wiring import BINDINGS, ISSUER, ORDERS, RECORD, Lab


def without(subject: Any, check: Check) -> Any:
    return checks.without(subject, frozenset({check.name}))


@pytest.mark.parametrize("check", EXCHANGE_CHECKS, ids=lambda check: check.name)
def test_each_check_of_an_exchange_matters(lab: Lab, check: Check) -> None:
    def attack() -> Request:
        request = exchanges.ATTACKS[check.name](lab, exchanges.good(lab))
        if request.value("DPoP") is None:
            return request
        return DPOP.attach(request.without("DPoP"), lab.presentation())

    assert_served(lab, exchanges.good(lab))
    refusal = {"error": check.reason.error, "reason": check.reason, "check": check.name}
    assert_refused(lab, attack(), status=400, **refusal)
    weak = without(EXCHANGE_CHECKS, check)
    lab.authorization_server = replace(lab.authorization_server, exchange_checks=weak)
    assert_served(lab, exchanges.good(lab))
    assert_served(lab, attack())


# What the server that made a token verifies of it: all but the audience.
OWN_ATTACKS = {n: c for n, c in access_token.ATTACKS.items() if n != "audience_is_this_resource"}


@pytest.mark.parametrize("check", OWN_TOKEN.checks, ids=lambda check: check.name)
def test_each_check_of_a_servers_own_token_matters(
    lab: Lab, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown by introspection, where nothing but these stands between a token and `active`."""
    lab.issued_tokens.end("revoked", lab.clock() + 600)
    good = Jws.of(lab.token("bearer").access_token, lab.issuer_key)

    def is_active(change: Change) -> bool:
        asked = form_request(f"{ISSUER}/introspect", {"token": good.text(change)})
        return bool(assert_served(lab, lab.authentication("orders")(asked)).json()["active"])

    assert is_active(Change())
    assert not is_active(OWN_ATTACKS[check.name])
    weak = replace(OWN_TOKEN, checks=without(OWN_TOKEN.checks, check))
    monkeypatch.setattr(token_verification, "OWN_TOKEN", weak)
    assert is_active(OWN_ATTACKS[check.name])


def notice(lab: Lab, change: Change) -> Request:
    ended = [Ended("stolen", ORDERS, lab.clock() + 600)]
    good = notice_request(ISSUER, lab.issuer_key, ORDERS, ended, lab.clock(), lab.new_id())
    text = Jws.of(good.body.decode(), lab.issuer_key).text(change)
    return replace(good, body=text.encode())


@pytest.mark.parametrize("check", REVOCATION_NOTICE.checks, ids=lambda check: check.name)
def test_each_check_of_a_notice_matters(
    lab: Lab, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = notices.ATTACKS[check.name]
    assert answer(lab, notice(lab, Change())).status == 202
    lab.orders.revocations.clear()  # type: ignore[union-attr]
    assert answer(lab, notice(lab, change)).status == 400
    event = lab.event or {}
    assert (event["reason"], event["check"]) == (check.reason.name, check.name)
    assert lab.orders.revocations == {}
    weak = replace(REVOCATION_NOTICE, checks=without(REVOCATION_NOTICE.checks, check))
    monkeypatch.setattr(revocation_notice, "REVOCATION_NOTICE", weak)
    assert answer(lab, notice(lab, change)).status == 202
    assert list(lab.orders.revocations or ()) == ["stolen"]


@pytest.mark.parametrize("check", INTROSPECTION_CHECKS, ids=lambda check: check.name)
def test_each_check_of_an_answer_about_a_token_matters(
    lab: Lab, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = lab.token("bearer").access_token
    asked = form_request(f"{ISSUER}/introspect", {"token": token})
    said = assert_served(lab, lab.authentication("orders")(asked)).json()
    request = BINDINGS["bearer"].attach(Request("GET", RECORD), lab.presentation(token))

    def saying(what: dict[str, Any]) -> None:
        lab.orders = replace(lab.orders, introspected=IntrospectedTokens(lambda _token: what))

    saying(said)
    assert_served(lab, request)
    saying(changed(said, introspection_answer.ATTACKS[check.name]))
    refusal = {"error": "invalid_token", "reason": check.reason, "check": check.name}
    assert_refused(lab, request, status=401, **refusal)
    weak = without(INTROSPECTION_CHECKS, check)
    monkeypatch.setattr(introspected_tokens, "INTROSPECTION_CHECKS", weak)
    assert_served(lab, request)


CERTIFIED = [
    pytest.param(method, check, id=f"{method} {check.name}")
    for method, every in CERTIFICATE_CHECKS.items()
    for check in every
]


@pytest.mark.parametrize(("method", "check"), CERTIFIED)
def test_each_check_of_a_client_certificate_matters(
    lab: Lab, method: str, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown by introspection: at the token endpoint the binding has checks of its own besides."""
    client = client_certificate.Client(method)
    lab.clients["own"] = registered(client.metadata, frozenset(), tuple(BINDINGS.values()))
    asked = form_request(f"{ISSUER}/introspect", {"client_id": "own", "token": "any"})
    good = replace(asked, peer_certificate=client.certificate())
    assert_served(lab, good)
    attack = client_certificate.ATTACKS[method][check.name](lab, client)
    bad = replace(asked, peer_certificate=attack)
    refusal = {"error": "invalid_client", "reason": check.reason, "check": check.name}
    assert_refused(lab, bad, status=401, **refusal)
    weak = {**CERTIFICATE_CHECKS, method: without(CERTIFICATE_CHECKS[method], check)}
    monkeypatch.setattr(tls_client_authentication, "CERTIFICATE_CHECKS", weak)
    assert_served(lab, good)
    assert_served(lab, bad)


def test_every_check_has_its_attack() -> None:
    for method, every in CERTIFICATE_CHECKS.items():
        assert set(client_certificate.ATTACKS[method]) == {check.name for check in every}
    assert set(exchanges.ATTACKS) == {check.name for check in EXCHANGE_CHECKS}
    assert set(notices.ATTACKS) == {check.name for check in REVOCATION_NOTICE.checks}
    assert set(introspection_answer.ATTACKS) == {check.name for check in INTROSPECTION_CHECKS}
    assert set(OWN_ATTACKS) == {check.name for check in OWN_TOKEN.checks}
