"""A token exchange's checks, and for each the one change of a good request that it alone stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from labsim.http_message import Request
from labsim.roles.grants import TOKEN_EXCHANGE
from labsim.roles.token_exchange import ACCESS_TOKEN_TYPE
from tests.exchange import DPOP, token_request
from tests.jws import Change, Jws
from tests.wiring import CRM, Lab

type Attack = Callable[[Lab, Request], Request]


def good(lab: Lab) -> Request:
    """Make the request that every attack is a change of: `orders` calls on, for `free`."""
    scopes = frozenset({"orders.read", "orders.write", "crm.read", "crm.write"})
    lab.clients["orders"] = replace(lab.clients["orders"], scopes=scopes)
    token = lab.token("bearer", scope="orders.read orders.write").access_token
    asked = {"grant_type": TOKEN_EXCHANGE, "resource": CRM, "scope": "crm.read"}
    asked |= {"subject_token": token, "subject_token_type": ACCESS_TOKEN_TYPE}
    return DPOP.attach(token_request(lab, "orders", **asked), lab.presentation())


def asking(request: Request, **parameters: str) -> Request:
    form = {**dict(parse_qsl(request.body.decode())), **parameters}
    return replace(request, body=urlencode(form).encode())


def subject(lab: Lab, request: Request, change: Change) -> Request:
    """Offer the same token with this change, signed by the issuer all the same."""
    token = dict(parse_qsl(request.body.decode()))["subject_token"]
    return asking(request, subject_token=Jws.of(token, lab.issuer_key).text(change))


def of_another_server(lab: Lab, request: Request) -> Request:
    """Offer a token that was sent to `crm`, as `orders` has found it."""
    return subject(lab, request, Change(claims={"aud": CRM}))


def beyond_the_grant(lab: Lab, request: Request) -> Request:
    """Offer a token of a client that could not have gone to `crm` itself."""
    scopes = frozenset({"orders.read", "orders.write"})
    lab.clients["narrow"] = replace(lab.clients["free"], client_id="narrow", scopes=scopes)
    return asking(request, subject_token=lab.token("bearer", "narrow").access_token)


ATTACKS: Mapping[str, Attack] = {
    "caller_may_use_the_subject_token": of_another_server,
    "new_token_is_bound": lambda _lab, request: request.without("DPoP"),
    "audience_is_within_reach": beyond_the_grant,
    "scope_is_no_wider": lambda _lab, request: asking(request, scope="crm.write"),
}
