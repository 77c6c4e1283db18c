"""Each check earns its place: its attack is refused by it, and served once it is taken out.

A binding's attacks are in `attacks/<binding>.py`. A new binding needs that file and no change here.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from labsim import checks
from labsim.binding import Binding
from labsim.checks import Check
from labsim.credentials import ACCESS_TOKEN
from labsim.http_message import Request
from labsim.rejection import Rejected
from labsim.roles import client_authentication
from labsim.roles.challenge import error_code
from labsim.roles.client_authentication import ASSERTION_CHECKS
from tests.contract.attacks import access_token, client_assertion
from tests.exchange import AS, RS, assert_refused, assert_served, token_request
from tests.jws import Jws
from tests.refusals import refusals_in
from tests.wiring import BINDINGS, RECORD, Lab


def attacks_of(binding: Binding) -> Any:
    return import_module(f"tests.contract.attacks.{binding.name}")


def status_of(check: Check, actor: str) -> int:
    return 400 if actor == AS else check.reason.status


CASES = [
    pytest.param(binding, check, actor, id=f"{binding.name} {actor} {check.name}")
    for binding in BINDINGS.values()
    for check in binding.checks
    for actor in (RS, AS)
    if check not in (binding.introduction_checks if actor == RS else binding.binding_checks)
]
PARSING = [
    pytest.param(binding, check, actor, id=f"{binding.name} {actor} {check}")
    for binding in BINDINGS.values()
    if binding.checks
    for check in attacks_of(binding).MALFORMED
    for actor in (RS, AS)
]


def weaken(lab: Lab, binding: Binding, check: Check) -> None:
    weak = tuple(b.without(check.name) if b is binding else b for b in BINDINGS.values())
    lab.orders = replace(lab.orders, bindings=weak)
    lab.authorization_server = replace(lab.authorization_server, bindings=weak)


def signature_of(request: Request) -> list[str]:
    return request.values("Signature-Input") + request.values("Signature")


def differences(one: Request, other: Request) -> int:
    """Count what is not the same in two requests, each name of a field for itself.

    A signature's two fields are one proof in two places, and one that is only made afresh, for a
    new nonce, is no difference beside another.
    """
    names = {name.lower() for name, _ in one.fields + other.fields} - {"signature"}
    parts: list[tuple[object, object]] = [(one.method, other.method), (one.url, other.url)]
    parts += [(one.body, other.body), (one.peer_certificate, other.peer_certificate)]
    parts += [(one.values(name), other.values(name)) for name in names - {"signature-input"}]
    return sum(a != b for a, b in parts) or int(signature_of(one) != signature_of(other))


@pytest.mark.parametrize(("binding", "check", "actor"), CASES)
def test_the_attack_is_refused_by_its_own_check(
    lab: Lab, binding: Binding, check: Check, actor: str
) -> None:
    room = attacks_of(binding)
    control = room.good(lab, actor)
    assert_served(lab, control)
    attack = room.ATTACKS[check.name](lab, control)
    assert differences(control, attack) <= 1
    rejected = Rejected(check.reason, check.name, check.source)
    error = error_code(rejected, binding, token_request=actor == AS)
    refusal = {"error": error, "reason": check.reason, "check": check.name}
    assert_refused(lab, attack, status=status_of(check, actor), **refusal)
    assert_served(lab, room.good(lab, actor))


@pytest.mark.parametrize(("binding", "check", "actor"), CASES)
def test_without_its_check_the_attack_is_served(
    lab: Lab, binding: Binding, check: Check, actor: str
) -> None:
    room = attacks_of(binding)
    control = room.good(lab, actor)
    weaken(lab, binding, check)
    assert_served(lab, control)
    assert_served(lab, room.ATTACKS[check.name](lab, control))


@pytest.mark.parametrize(
    "binding", [b for b in BINDINGS.values() if b.checks], ids=lambda b: b.name
)
def test_every_check_has_its_attack(binding: Binding) -> None:
    assert set(attacks_of(binding).ATTACKS) == {check.name for check in binding.checks}


@pytest.mark.parametrize("binding", BINDINGS.values(), ids=lambda b: b.name)
def test_no_two_checks_of_a_binding_have_one_name(binding: Binding) -> None:
    names = [check.name for check in binding.checks]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("binding", "check", "actor"), PARSING)
def test_what_cannot_be_read_is_refused_row_by_row(
    lab: Lab, binding: Binding, check: str, actor: str
) -> None:
    room = attacks_of(binding)
    for attack in room.MALFORMED[check]:
        control = room.good(lab, actor)
        assert_served(lab, control)
        bad = attack(lab, control)
        assert differences(control, bad) == 1
        lab.send(bad)
        assert lab.event is not None
        assert (lab.event["check"], lab.event["status"]) == (check, 400 if actor == AS else 401)


@pytest.mark.parametrize(
    "binding", [b for b in BINDINGS.values() if b.checks], ids=lambda b: b.name
)
def test_every_refusal_of_parse_has_its_rows(binding: Binding) -> None:
    module = inspect.getmodule(binding.parse)
    assert module is not None
    assert set(attacks_of(binding).MALFORMED) == refusals_in(inspect.getsource(module))


def bearer_request(lab: Lab, change: Any = None) -> Request:
    token = lab.token("bearer").access_token
    if change is not None:
        token = Jws.of(token, lab.issuer_key).text(change)
    return BINDINGS["bearer"].attach(Request("GET", RECORD), lab.presentation(token))


@pytest.mark.parametrize("check", ACCESS_TOKEN.checks, ids=lambda check: check.name)
def test_each_check_of_a_token_matters(lab: Lab, check: Check) -> None:
    lab.revoke_at(lab.orders, "revoked")
    change = access_token.ATTACKS[check.name]
    assert_served(lab, bearer_request(lab))
    refusal = {"error": "invalid_token", "reason": check.reason, "check": check.name}
    assert_refused(lab, bearer_request(lab, change), status=401, **refusal)
    weak = replace(
        ACCESS_TOKEN, checks=checks.without(ACCESS_TOKEN.checks, frozenset({check.name}))
    )
    lab.orders = replace(lab.orders, credential=weak)
    assert_served(lab, bearer_request(lab, change))


def with_assertion(lab: Lab, change: Any) -> Request:
    request = token_request(lab, "keyed")
    form = dict(parse_qsl(request.body.decode()))
    form["client_assertion"] = Jws.of(form["client_assertion"], lab.client_key).text(change)
    return replace(request, body=urlencode(form).encode())


@pytest.mark.parametrize("check", ASSERTION_CHECKS, ids=lambda check: check.name)
def test_each_check_of_an_assertion_matters(
    lab: Lab, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = client_assertion.ATTACKS[check.name]
    assert_served(lab, token_request(lab, "keyed"))
    refusal = {"error": "invalid_client", "reason": check.reason, "check": check.name}
    assert_refused(lab, with_assertion(lab, change), status=401, **refusal)
    weak = checks.without(ASSERTION_CHECKS, frozenset({check.name}))
    monkeypatch.setattr(client_authentication, "ASSERTION_CHECKS", weak)
    assert_served(lab, with_assertion(lab, change))


def test_every_check_of_token_and_assertion_has_its_attack() -> None:
    assert set(access_token.ATTACKS) == {check.name for check in ACCESS_TOKEN.checks}
    assert set(client_assertion.ATTACKS) == {check.name for check in ASSERTION_CHECKS}
