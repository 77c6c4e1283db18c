"""Section 11 and beside it: token requests for one of several resources, and which key they bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    DPOP,
    answer,
    assert_refused,
    assert_served,
    good_request,
    token_request,
)
from tests.jws import Jws
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, Lab

type Edit = Callable[[Request], Request]


def body(edit: Callable[[bytes], bytes]) -> Edit:
    return lambda request: replace(request, body=edit(request.body))


def asking(**parameters: str) -> Edit:
    """Ask for other things than the good request does."""
    asked = {"grant_type": "client_credentials", "resource": ORDERS, **parameters}
    return body(lambda _: "&".join(f"{name}={value}" for name, value in asked.items()).encode())


TARGET = (Reason.TARGET_INVALID, "invalid_target")
ROWS: dict[str, tuple[Edit, Reason, str, str]] = {
    "TR-06b refresh without a token": (
        asking(grant_type="refresh_token"),
        Reason.REQUEST_MALFORMED,
        "invalid_request",
        "required_parameters_are_there",
    ),
    "TR-09 two known resources": (
        asking(scope=f"&resource={CRM}"),
        *TARGET,
        "one_resource_is_asked_for",
    ),
    "TR-10 none, and scopes of two": (asking(resource=""), *TARGET, "resource_is_named"),
    "TR-10b none, and scopes of nobody": (
        asking(resource="", scope="vault.read"),
        *TARGET,
        "resource_is_named",
    ),
    "TR-11d a write that was not granted": (
        asking(resource=CRM, scope="crm.write"),
        Reason.SCOPE_INVALID,
        "invalid_scope",
        "scopes_are_granted",
    ),
}


@pytest.mark.parametrize(("edit", "reason", "error", "check"), ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("client", ["free", "app"])
def test_a_bad_token_request_is_refused(
    lab: Lab, edit: Edit, reason: Reason, error: str, check: str, client: str
) -> None:
    def prepared(request: Request) -> Request:
        return DPOP.attach(request, lab.presentation()) if client == "app" else request

    def good() -> Request:
        return prepared(token_request(lab, client))

    assert_served(lab, good())
    bad = edit(token_request(lab, client))
    # The proof is made for the bad request, so that it is only the request that is bad.
    refused = assert_refused(
        lab, prepared(bad), status=400, error=error, reason=reason, check=check
    )
    assert refused.values("Cache-Control") == ["no-store"]
    assert_served(lab, good())


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "post"])
def test_an_endpoint_that_is_posted_to_says_so(lab: Lab, path: str, method: str) -> None:
    """TR-01 (RFC 6749 section 3.2, RFC 9110 section 15.5.6)."""
    good = token_request(lab, "free")
    assert_served(lab, good)
    bad = replace(good.at(f"{ISSUER}{path}"), method=method)
    refusal = {"reason": Reason.METHOD_NOT_ALLOWED, "check": "method_is_post"}
    refused = assert_refused(lab, bad, status=405, error="invalid_request", **refusal)
    assert refused.value("Allow") == "POST"


def granted(lab: Lab, **parameters: str) -> dict[str, Any]:
    response = assert_served(lab, token_request(lab, "free", **parameters))
    return dict(Jws.of(response.json()["access_token"], lab.issuer_key).claims)


@pytest.mark.parametrize(
    ("asked", "audience", "scope"),
    [
        ({}, ORDERS, "orders.read orders.write"),
        ({"scope": "orders.read"}, ORDERS, "orders.read"),
        ({"scope": "orders.read", "resource": ""}, ORDERS, "orders.read"),
        ({"scope": "orders.write orders.read", "resource": ""}, ORDERS, "orders.read orders.write"),
        ({"resource": CRM}, CRM, "crm.read"),
        ({"scope": ""}, ORDERS, "orders.read orders.write"),
    ],
)
def test_a_token_is_for_one_resource_with_no_more_scope_than_asked_for(
    lab: Lab, asked: dict[str, str], audience: str, scope: str
) -> None:
    claims = granted(lab, **asked)
    assert (claims["aud"], claims["scope"]) == (audience, scope)


def test_a_client_without_scopes_at_a_resource_gets_no_token_for_it(lab: Lab) -> None:
    lab.clients["free"] = replace(lab.clients["free"], scopes=frozenset({"crm.read"}))
    refusal = {"reason": Reason.TARGET_INVALID, "check": "client_may_use_the_resource"}
    bad = token_request(lab, "free")
    assert_refused(lab, bad, status=400, error="invalid_target", **refusal)
    assert granted(lab, resource=CRM)["scope"] == "crm.read"


def test_a_grant_that_the_client_did_not_register_is_refused(lab: Lab) -> None:
    refusal = {"reason": Reason.CLIENT_NOT_ALLOWED, "check": "grant_type_is_registered"}
    bad = token_request(lab, "keyed", grant_type="refresh_token", refresh_token="r")
    assert_refused(lab, bad, status=400, error="unauthorized_client", **refusal)


def test_a_client_that_must_use_another_binding_gets_no_dpop_token(lab: Lab) -> None:
    lab.clients["app"] = replace(lab.clients["app"], requires="mtls")
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "binding_is_the_registered_one"}
    bad = good_request(lab, AS, client="app")
    assert_refused(lab, bad, status=400, error="invalid_request", **refusal)
    missing = {"reason": Reason.PROOF_MISSING, "check": "certificate_is_shown"}
    assert_refused(lab, token_request(lab), status=400, error="invalid_request", **missing)


def test_a_server_that_issues_only_bound_tokens_refuses_a_request_without_a_key(lab: Lab) -> None:
    lab.authorization_server = replace(lab.authorization_server, bindings=(BINDINGS["dpop"],))
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "binding_is_the_registered_one"}
    assert_refused(lab, token_request(lab, "free"), status=400, error="invalid_request", **refusal)
    assert_served(lab, good_request(lab, AS, client="free"))


def test_the_token_is_bound_to_the_key_that_was_proven(lab: Lab) -> None:
    """CR-20: whoever asks with a proof gets a bound token, whether it must or may."""
    for client in ("app", "free", "keyed"):
        for holder in (lab.holder, lab.thief):
            request = DPOP.attach(token_request(lab, client), lab.presentation(None, holder))
            body = answer(lab, request).json()
            assert body["token_type"] == "DPoP"
            claims = Jws.of(body["access_token"], lab.issuer_key).claims
            assert claims["cnf"] == DPOP.bind(DPOP.parse(request))
