"""The resource server's way with a request, its metadata and its own record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.checks import StorageUnavailable
from labsim.http_message import Request
from labsim.roles.resource_server import METADATA_PATH
from tests.exchange import RS, answer, assert_served, good_request
from tests.wiring import BINDINGS, ISSUER, ORDERS, RECORD, RECORDS, Lab, MemoryRevocations


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
