"""The resource server's way with a request, its metadata and its own record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.checks import StorageUnavailable
from labsim.http_message import Request
from labsim.roles.resource_server import METADATA_PATH, no_binding
from tests.exchange import RS, answer, assert_served, good_request
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, RECORDS, Lab, MemoryRevocations


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_metadata_says_what_the_server_enforces(lab: Lab, method: str) -> None:
    """RFC 9728 section 2."""
    found = answer(lab, Request(method, ORDERS + METADATA_PATH)).json()
    assert found == {
        "resource": ORDERS,
        "resource_name": "orders",
        "authorization_servers": [ISSUER],
        "scopes_supported": ["orders.read", "orders.write"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "Ed25519", "EdDSA"],
        "tls_client_certificate_bound_access_tokens": True,
    }
    assert lab.event is None


def test_the_metadata_is_only_read(lab: Lab) -> None:
    assert answer(lab, Request("POST", ORDERS + METADATA_PATH)).status == 401


def test_a_served_request_is_recorded_with_what_was_served(lab: Lab) -> None:
    token = lab.token().access_token
    request = BINDINGS["dpop"].attach(Request("GET", RECORDS), lab.presentation(token))
    response = assert_served(lab, request)
    event = lab.event or {}
    assert event["records"] == ["o-1", "o-2"]
    assert (event["role"], event["name"], event["path"]) == (
        "resource_server",
        "orders",
        "/records",
    )
    assert (event["scheme"], event["binding"], event["client_id"]) == ("DPoP", "dpop", "free")
    assert response.values("Request-Id") == [event["request_id"]]


def test_a_refused_request_is_recorded_with_why(lab: Lab) -> None:
    response = answer(lab, good_request(lab, RS).without("DPoP"))
    event = lab.event or {}
    assert (event["decision"], event["reason"], event["check"]) == (
        "rejected",
        "PROOF_MISSING",
        "proof_is_there",
    )
    assert event["source"].startswith("RFC 9449")
    assert event["records"] == []
    assert response.values("Request-Id") == [event["request_id"]]


def test_what_cannot_be_decided_is_not_served(lab: Lab) -> None:
    class Gone(MemoryRevocations):
        def holds(self, _jti: str) -> bool:
            raise StorageUnavailable("the list of revocations is gone")

    request = good_request(lab, RS)
    lab.orders = replace(lab.orders, revocations=Gone())
    response = answer(lab, request)
    assert (response.status, response.values("WWW-Authenticate")) == (503, [])
    assert response.values("Retry-After") == ["1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/records/none", 404),
        ("GET", "/", 404),
        ("POST", "/records/o-1", 405),
        ("PUT", "/records", 405),
        ("GET", "/records/o%2D1", 200),
        ("HEAD", "/records", 200),
    ],
)
def test_a_permission_comes_before_the_question_what_is_there(
    lab: Lab, method: str, path: str, status: int
) -> None:
    url = ORDERS + path
    assert answer(lab, Request(method, url)).status == 401
    token = lab.token("bearer").access_token
    allowed = Request(method, url, (("Authorization", f"Bearer {token}"),))
    assert answer(lab, allowed).status == status


def test_two_servers_do_not_share_what_is_theirs(lab: Lab) -> None:
    """A token for one resource server is no token for another, whatever it is bound to."""
    for name in ("bearer", "dpop"):
        token = lab.token(name).access_token
        other = Request("GET", "https://crm.test/records")
        response = answer(lab, BINDINGS[name].attach(other, lab.presentation(token)))
        assert response.status == 401
        assert (lab.event or {})["reason"] == "TOKEN_AUDIENCE_MISMATCH"
    assert answer(lab, Request("GET", RECORD)).status == 401


def not_enforcing(lab: Lab) -> None:
    lab.orders = replace(lab.orders, enforces=False)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_server_that_enforces_nothing_yet_takes_any_good_token_as_a_bearer_token(
    lab: Lab, binding: str
) -> None:
    token = lab.token(binding).access_token
    for scheme in ("Bearer", BINDINGS[binding].scheme):
        bare = Request("GET", RECORDS).adding("Authorization", f"{scheme} {token}")
        enforced = answer(lab, bare).status
        assert enforced == (200 if binding == "bearer" else 401)
        assert "enforces" not in (lab.event or {})
        not_enforcing(lab)
        assert_served(lab, bare)
        event = lab.event or {}
        assert (event["binding"], event["enforces"]) == ("bearer", False)
        lab.orders = replace(lab.orders, enforces=True)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_server_that_enforces_nothing_yet_serves_the_holder(lab: Lab, binding: str) -> None:
    not_enforcing(lab)
    token = lab.token(binding).access_token
    request = BINDINGS[binding].attach(Request("GET", RECORDS), lab.presentation(token))
    assert_served(lab, request)
    assert_served(lab, request)  # nor does it remember a proof that it does not look at


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_server_that_enforces_nothing_yet_still_reads_the_token(lab: Lab, binding: str) -> None:
    not_enforcing(lab)
    token = lab.token(binding, resource=CRM).access_token
    elsewhere = Request("GET", RECORDS).adding("Authorization", f"Bearer {token}")
    assert answer(lab, elsewhere).status == 401
    assert (lab.event or {})["reason"] == "TOKEN_AUDIENCE_MISMATCH"
    lab.clock.advance(601)
    token = lab.token(binding).access_token
    posted = Request("POST", RECORDS).adding("Authorization", f"Bearer {token}")
    assert answer(lab, posted).status == 400, "it may write; that was no record"
    lab.clock.advance(601)
    assert answer(lab, posted).status == 401
    assert (lab.event or {})["reason"] == "TOKEN_EXPIRED"


def test_the_metadata_promises_nothing_that_is_not_enforced(lab: Lab) -> None:
    not_enforcing(lab)
    found = answer(lab, Request("GET", ORDERS + METADATA_PATH)).json()
    assert not [name for name in found if name.startswith(("dpop", "tls_client"))]


def test_without_bearer_tokens_there_is_nothing_to_fall_back_to(lab: Lab) -> None:
    with pytest.raises(ValueError, match="bearer"):
        no_binding([b for b in BINDINGS.values() if b.confirmation is not None])
