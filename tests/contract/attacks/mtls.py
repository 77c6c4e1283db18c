"""Mutual TLS: its checks, and for each the one change of a good request that it alone stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.keys import SigningKey
from tests.exchange import AS, token_request
from tests.wiring import BINDINGS, RECORD, Lab, certified

type Attack = Callable[[Lab, Request], Request]

LIFETIME = 300.0
"""Lab seconds of the certificates here: less than those of a token."""
MTLS = BINDINGS["mtls"]


def good(lab: Lab, actor: str) -> Request:
    """Make the request that every attack is a change of, with a fresh certificate."""
    holder = certified(SigningKey.generate(), "holder", lab.clock(), LIFETIME)
    if actor == AS:
        return MTLS.attach(token_request(lab, "mutual"), lab.presentation(None, holder))
    token = lab.token("mtls", "mutual", holder).access_token
    return MTLS.attach(Request("GET", RECORD), lab.presentation(token, holder))


def shown(certificate: Callable[[Lab], bytes | None]) -> Attack:
    return lambda lab, request: replace(request, peer_certificate=certificate(lab))


def later(lab: Lab, request: Request) -> Request:
    """Let the certificate expire; the token is still good."""
    lab.clock.advance(LIFETIME + 1)
    return request


def after_its_revocation(lab: Lab, request: Request) -> Request:
    lab.revoked_keys.add(certificate_thumbprint(request.peer_certificate or b""))
    return request


ATTACKS: Mapping[str, Attack] = {
    "certificate_is_in_its_time": later,
    "certificate_is_not_revoked": after_its_revocation,
    "certificate_is_the_bound_one": shown(lambda lab: lab.thief.certificate),
}
MALFORMED: Mapping[str, tuple[Attack, ...]] = {
    "certificate_is_shown": (shown(lambda _: None),),
    "certificate_can_be_read": (shown(lambda _: b"no certificate"), shown(lambda _: b"")),
}
