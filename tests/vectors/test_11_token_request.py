"""Section 11 and beside it: the token request's form, what it asks for, and which key it brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.form import FORM
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
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, TOKEN_ENDPOINT, Lab

type Edit = Callable[[Request], Request]


def body(edit: Callable[[bytes], bytes]) -> Edit:
    return lambda request: replace(request, body=edit(request.body))


def adding(text: str) -> Edit:
    return body(lambda raw: raw + text.encode("latin-1"))


def of_type(value: str | None) -> Edit:
    def edit(request: Request) -> Request:
        request = request.without("Content-Type")
        return request if value is None else request.adding("Content-Type", value)

    return edit


def asking(**parameters: str) -> Edit:
    """Ask for other things than the good request does."""
    asked = {"grant_type": "client_credentials", "resource": ORDERS, **parameters}
    return body(lambda _: "&".join(f"{name}={value}" for name, value in asked.items()).encode())


FORM_ERROR = (Reason.REQUEST_MALFORMED, "invalid_request")
TARGET = (Reason.TARGET_INVALID, "invalid_target")
SCOPE = (Reason.SCOPE_INVALID, "invalid_scope")
UNSUPPORTED = (Reason.GRANT_UNSUPPORTED, "unsupported_grant_type", "grant_type_is_supported")
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

ROWS: dict[str, tuple[Edit, Reason, str, str]] = {
    "TR-02 JSON": (of_type("application/json"), *FORM_ERROR, "content_is_a_form"),
    "TR-02b no content type": (of_type(None), *FORM_ERROR, "content_is_a_form"),
    "TR-02c a longer content type": (of_type(f"{FORM}x"), *FORM_ERROR, "content_is_a_form"),
    "TR-02d two content types": (
        lambda r: r.adding("Content-Type", "application/json"),
        *FORM_ERROR,
        "content_is_a_form",
    ),
    "TR-03 in the query": (
        lambda r: r.at(f"{TOKEN_ENDPOINT}?scope=orders.read"),
        *FORM_ERROR,
        "parameters_are_in_the_body",
    ),
    "TR-04 a parameter twice": (
        adding("&grant_type=client_credentials"),
        *FORM_ERROR,
        "parameters_stand_once",
    ),
    "TR-04b twice, once empty": (adding("&scope=&scope="), *FORM_ERROR, "parameters_stand_once"),
    "TR-05 not UTF-8": (adding("&scope=%ff"), *FORM_ERROR, "form_is_well_formed"),
    "TR-05b not ASCII": (adding("&scope=\u00e9"), *FORM_ERROR, "form_is_well_formed"),
    "TR-05c no equals sign": (adding("&scope"), *FORM_ERROR, "form_is_well_formed"),
    "TR-05d seventy parameters": (adding("&a=1" * 70), *FORM_ERROR, "form_is_well_formed"),
    "TR-06 no grant type": (
        asking(grant_type=""),
        *FORM_ERROR,
        "required_parameters_are_there",
    ),
    "TR-06b refresh without a token": (
        asking(grant_type="refresh_token"),
        *FORM_ERROR,
        "required_parameters_are_there",
    ),
    "TR-07 an unknown grant type": (asking(grant_type="password"), *UNSUPPORTED),
    "TR-07b in capitals": (asking(grant_type="CLIENT_CREDENTIALS"), *UNSUPPORTED),
    "CR-20 a JWT bearer grant": (asking(grant_type=JWT_BEARER), *UNSUPPORTED),
    "CR-20b a device grant": (asking(grant_type=DEVICE), *UNSUPPORTED),
    "TR-08 an unknown resource": (
        asking(resource="https://thief.test"),
        *TARGET,
        "resource_is_known",
    ),
    "TR-08b a resource with a slash": (asking(resource=f"{ORDERS}/"), *TARGET, "resource_is_known"),
    "TR-09 two resources": (asking(scope=f"&resource={CRM}"), *TARGET, "one_resource_is_asked_for"),
    "TR-10 none, and scopes of two": (asking(resource=""), *TARGET, "resource_is_named"),
    "TR-10b none, and scopes of nobody": (
        asking(resource="", scope="vault.read"),
        *TARGET,
        "resource_is_named",
    ),
    "TR-11 a scope too many": (
        asking(scope="orders.read orders.admin".replace(" ", "+")),
        *SCOPE,
        "scopes_are_granted",
    ),
    "TR-11b a scope of another server": (asking(scope="crm.read"), *SCOPE, "scopes_are_granted"),
    "TR-11c a scope that is none": (asking(scope="%22"), *SCOPE, "scopes_are_granted"),
    "TR-11d a write that was not granted": (
        asking(resource=CRM, scope="crm.write"),
        *SCOPE,
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


def test_a_client_that_must_use_dpop_gets_nothing_without_a_proof(lab: Lab) -> None:
    """CR-01."""
    assert_served(lab, good_request(lab, AS))
    refusal = {"reason": Reason.PROOF_MISSING, "check": "proof_is_there"}
    assert_refused(lab, token_request(lab), status=400, error="invalid_dpop_proof", **refusal)


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
