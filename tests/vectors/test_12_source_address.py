"""Section 12 of the catalogue: from where a request comes, where a server has a list of addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from tests.exchange import assert_refused, assert_served
from tests.wiring import BINDINGS, RECORD, Lab

CLIENTS = "127.0.0.2"


@pytest.fixture(autouse=True)
def listed(lab: Lab) -> None:
    lab.orders = replace(lab.orders, allowed_addresses=frozenset({CLIENTS}))


def sent_from(lab: Lab, binding: str, address: str) -> Request:
    token = lab.token(binding).access_token
    request = BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token))
    return replace(request, peer_address=address)


@pytest.mark.parametrize("binding", BINDINGS)
def test_sa_01_an_address_on_the_list_is_let_through(lab: Lab, binding: str) -> None:
    assert_served(lab, sent_from(lab, binding, CLIENTS))


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("address", ["127.0.0.3", "127.0.0.1", "127.0.0.22", "::1", ""])
def test_sa_02_any_other_is_refused_whatever_it_brings(
    lab: Lab, binding: str, address: str
) -> None:
    """Policy: a rule by addresses, of no document; it asks for no credentials."""
    check = {"reason": Reason.ADDRESS_NOT_ALLOWED, "check": "address_is_allowed"}
    response = assert_refused(lab, sent_from(lab, binding, address), status=403, error="", **check)
    assert not response.values("WWW-Authenticate")
    event = lab.event or {}
    assert (event["detail"], event["client_id"]) == (address, ""), "the token was not looked at"


def test_sa_03_an_address_in_a_header_is_nobodys(lab: Lab) -> None:
    request = sent_from(lab, "bearer", "127.0.0.3")
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        request = request.adding(name, f"for={CLIENTS}" if name == "Forwarded" else CLIENTS)
    check = {"reason": Reason.ADDRESS_NOT_ALLOWED, "check": "address_is_allowed"}
    assert_refused(lab, request, status=403, error="", **check)


def test_sa_04_without_a_list_all_may_come(lab: Lab) -> None:
    lab.orders = replace(lab.orders, allowed_addresses=None)
    assert_served(lab, sent_from(lab, "bearer", "127.0.0.3"))
