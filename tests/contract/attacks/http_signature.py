"""HTTP signatures: its checks, and for each the one change of a good request that it alone stops.

The good requests have a body, so that each check there is can be shown at work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from labsim.http_message import Request
from tests.exchange import AS, token_request
from tests.signatures import GONE, resigned, with_signature
from tests.wiring import BINDINGS, RECORD, Lab

type Attack = Callable[[Lab, Request], Request]

HTTP_SIGNATURE = BINDINGS["http_signature"]


def good(lab: Lab, actor: str) -> Request:
    """Make the request that every attack is a change of."""
    if actor == AS:
        return HTTP_SIGNATURE.attach(token_request(lab, "signing"), lab.presentation(None))
    token = lab.token("http_signature", "signing").access_token
    request = Request("GET", RECORD, body=b'{"a": 1}')
    return HTTP_SIGNATURE.attach(request, lab.presentation(token))


def uncovered(*names: str) -> Attack:
    """Sign again and leave these components out."""
    return lambda lab, request: resigned(lab, request, without=names)


def parameters(**changes: Any) -> Attack:
    """Sign again with other parameters."""
    return lambda lab, request: resigned(lab, request, parameters=changes)


def fields(change: Callable[[str, str], tuple[str | None, str | None]]) -> Attack:
    """Change the two fields as they stand; None is left out."""
    return lambda _lab, request: with_signature(request, change)


def signed_by_the_thief(lab: Lab, request: Request) -> Request:
    return resigned(lab, request, key=lab.thief)


def another_body(lab: Lab, request: Request) -> Request:
    """Change the body and keep digest and signature. At the token endpoint: ask for more."""
    request = resigned(lab, request)
    return replace(
        request, body=request.body + (b"&x=1" if b"grant_type" in request.body else b" ")
    )


def sent_again(_lab: Lab, request: Request) -> Request:
    """Change nothing: the good request was served already."""
    return request


ATTACKS: Mapping[str, Attack] = {
    "method_is_covered": uncovered("@method"),
    "target_is_covered": uncovered("@target-uri"),
    "authorization_is_covered": uncovered("authorization"),
    "body_is_covered": uncovered("content-digest"),
    "digest_is_the_bodys": another_body,
    "created_is_recent": parameters(created=lambda created: created - 3600),
    "signature_is_not_expired": parameters(expires=1),
    "tag_is_for_a_token_request": parameters(tag="httpsig-oauth"),
    "key_comes_by_value": parameters(keyid="mine"),
    "signature_is_by_the_brought_key": signed_by_the_thief,
    "tag_is_for_a_presentation": parameters(tag="httpsig-oauth-token-request"),
    "request_names_no_key": parameters(keyid="mine"),
    "signature_is_by_the_bound_key": signed_by_the_thief,
    "nonce_is_new": sent_again,
}
MALFORMED: Mapping[str, tuple[Attack, ...]] = {
    "signature_is_there": (
        fields(lambda _input, signature: (None, signature)),
        fields(lambda input_, _signature: (input_, None)),
    ),
    "fields_are_structured": (
        fields(lambda _input, signature: ("sig=(", signature)),
        fields(lambda input_, signature: (f"{input_}, {input_}", signature)),
        fields(lambda input_, _signature: (input_, "sig=text")),
    ),
    "one_signature_has_the_tag": (
        parameters(tag=GONE),
        parameters(tag="another"),
        fields(lambda i, s: (f"{i}, b{i}", f"{s}, b{s}")),
    ),
    "label_has_its_signature": (fields(lambda input_, s: (input_, s.replace("sig=", "other="))),),
    "created_and_nonce_are_there": (
        parameters(created=GONE),
        parameters(created="now"),
        parameters(nonce=GONE),
        parameters(nonce=1),
    ),
    "nonce_is_usable": (parameters(nonce=""), parameters(nonce="n" * 257)),
    "covered_components_are_there": (
        fields(lambda i, s: (i.replace('"@method"', '"@method" "@method"'), s)),
        fields(lambda i, s: (i.replace('"@method"', '"@status"'), s)),
        fields(lambda i, s: (i.replace('"@method"', '"x-absent"'), s)),
        fields(lambda i, s: (i.replace('"@method"', '"@method";req'), s)),
        fields(lambda i, s: (i.replace('"authorization"', '"Authorization"'), s)),
    ),
    "brought_key_is_usable": (
        parameters(alg="hmac-sha256", pub=b"secret"),
        parameters(alg="ed25519", pub=b"short"),
        parameters(alg="ecdsa-p256-sha256", pub=b"\x04" + bytes(64)),
    ),
}
