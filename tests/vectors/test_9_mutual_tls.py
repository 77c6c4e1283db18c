"""Section 9 of the catalogue: mutual TLS, as far as the roles decide it.

What one changed request decides is in labsim/catalogue/sections/mutual_tls.py, which also lists
where the rest is proven.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from labsim.certificates import (
    certificate_authority,
    certificate_thumbprint,
    client_certificate,
)
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    BOTH,
    RS,
    STATUS,
    assert_refused,
    assert_served,
    token_request,
)
from tests.wiring import BEGINNING, BINDINGS, RECORD, Lab, certified

MTLS, SIGNED = BINDINGS["mtls"], BINDINGS["http_signature"]
DER = serialization.Encoding.DER
NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
URI, LIFETIME = "spiffe://lab.test/holder", 300.0
ERROR = {AS: "invalid_request", RS: "invalid_token"}

type Make = Callable[[Lab, Request], Request]


def good(lab: Lab, actor: str, holder: SigningKey | None = None) -> Request:
    """Make a request over a connection that showed the holder's certificate."""
    if actor == AS:
        return MTLS.attach(token_request(lab, "mutual"), lab.presentation(None, holder))
    token = lab.token("mtls", "mutual", holder).access_token
    return MTLS.attach(Request("GET", RECORD), lab.presentation(token, holder))


def shown(der: Callable[[Lab], bytes | None]) -> Make:
    return lambda lab, request: replace(request, peer_certificate=der(lab))


def short_lived(lab: Lab, ahead: float = 0.0) -> SigningKey:
    return certified(SigningKey.generate(), "holder", lab.clock() + ahead, LIFETIME)


def self_signed(_lab: Lab) -> SigningKey:
    pair = certificate_authority("holder", NOW)
    leaf = client_certificate(pair, pair.key.public_key(), URI, "holder", NOW)
    return SigningKey(pair.key).certified(leaf.public_bytes(DER))


@pytest.mark.parametrize("actor", BOTH)
def test_a_revoked_certificate_is_refused(lab: Lab, actor: str) -> None:
    """MT-10c."""
    assert_served(lab, good(lab, actor))
    request = good(lab, actor)
    lab.revoked_keys.add(certificate_thumbprint(request.peer_certificate or b""))
    refusal = {"reason": Reason.PROOF_KEY_REVOKED, "check": "certificate_is_not_revoked"}
    assert_refused(lab, request, status=STATUS[actor], error=ERROR[actor], **refusal)
    lab.revoked_keys.clear()
    assert_served(lab, good(lab, actor))


@pytest.mark.parametrize("actor", BOTH)
def test_a_certificate_nobody_vouches_for_is_as_good_as_its_key(lab: Lab, actor: str) -> None:
    """MT-11: RFC 8705 sections 4 and 6.2; the thumbprint is compared, no chain is built."""
    assert_served(lab, good(lab, actor, self_signed(lab)))
    other = shown(lambda lab: self_signed(lab).certificate)(lab, good(lab, RS, self_signed(lab)))
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_refused(lab, other, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("actor", BOTH)
def test_a_certificate_is_good_to_its_last_second(lab: Lab, actor: str) -> None:
    """MT-10: its end is judged on the lab's clock, and is its first bad second."""
    holder = short_lived(lab)
    request = good(lab, actor, holder)
    lab.clock.advance(LIFETIME - 1)
    assert_served(lab, request)
    lab.clock.advance(1)
    refusal = {"reason": Reason.PROOF_OUTSIDE_WINDOW, "check": "certificate_is_in_its_time"}
    assert_refused(lab, request, status=STATUS[actor], error=ERROR[actor], **refusal)


def test_after_a_rotation_the_client_gets_a_new_token(lab: Lab) -> None:
    """MT-05: an outage until it does, and the old pair stays good for as long as its token."""
    old, renewed = lab.holder, certified(lab.holder, "holder")
    request = good(lab, RS, old)
    assert_served(lab, good(lab, RS, renewed))
    assert_served(lab, request)


def test_each_request_of_a_connection_is_compared(lab: Lab) -> None:
    """MT-20: the same connection brings its own token, another client's, and its own again."""
    own, other = good(lab, RS), good(lab, RS, lab.thief)
    mixed = replace(other, peer_certificate=own.peer_certificate)
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_served(lab, own)
    assert_refused(lab, mixed, status=401, error="invalid_token", **refusal)
    assert_served(lab, own)
    assert_served(lab, other)
