"""Mutual TLS: the client's face, and what parse makes of the certificate that was shown."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import replace

import pytest
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import given
from hypothesis import strategies as st

from labsim.binding import Evidence
from labsim.bindings.mtls import BINDING, ShownCertificate, certificate_is_in_its_time
from labsim.certificates import REAL_LIFETIME, certificate_thumbprint, client_leaf
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason, Rejected
from tests.wiring import BEGINNING, CLIENT_AUTHORITY, HOLDER, Lab

REQUEST = Request("GET", "https://a.test/b")
DER = HOLDER.certificate or b""
NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)


def test_the_request_says_which_certificate_to_show(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation("t"))
    assert attached.fields == (("Authorization", "Bearer t"),)
    assert attached.peer_certificate == DER
    assert attached.wire() == REQUEST.adding("Authorization", "Bearer t").wire()


def test_a_token_request_shows_the_certificate_and_no_more(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation())
    assert attached == replace(REQUEST, peer_certificate=DER)


@pytest.mark.parametrize("holder", [None, SigningKey.generate()])
def test_there_is_nothing_to_show_without_a_certificate(
    lab: Lab, holder: SigningKey | None
) -> None:
    with pytest.raises(ValueError, match="key with a certificate"):
        BINDING.attach(REQUEST, replace(lab.presentation("t"), holder=holder))


def test_a_certificate_introduces_itself() -> None:
    assert not BINDING.introduced(REQUEST)
    assert BINDING.introduced(replace(REQUEST, peer_certificate=DER))
    assert BINDING.introduced(replace(REQUEST, peer_certificate=b""))


def test_a_certificate_is_its_thumbprint_and_its_time() -> None:
    pair = client_leaf(CLIENT_AUTHORITY, "spiffe://lab.test/a", "a", NOW)
    proof = BINDING.parse(replace(REQUEST, peer_certificate=pair.der))
    assert proof == ShownCertificate(
        certificate_thumbprint(pair.der), BEGINNING - 3600, (NOW + REAL_LIFETIME).timestamp()
    )
    assert BINDING.bind(proof) == {"x5t#S256": certificate_thumbprint(pair.der)}


def test_one_connections_certificate_is_read_once() -> None:
    request = replace(REQUEST, peer_certificate=DER)
    assert BINDING.parse(request) is BINDING.parse(request)


@pytest.mark.parametrize(
    ("now", "is_good"), [(9.5, False), (10, True), (19.5, True), (20, False), (1e12, False)]
)
def test_a_certificates_time_has_a_beginning_and_an_end(now: float, is_good: bool) -> None:
    proof = ShownCertificate("x", 10, 20)
    assert certificate_is_in_its_time(proof, Evidence(REQUEST, now)) is is_good


def refusal_of(der: bytes | None) -> Reason | None:
    """Return why a certificate cannot be read; with a warning, cryptography still reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            BINDING.parse(replace(REQUEST, peer_certificate=der))
        except Rejected as rejection:
            return rejection.reason
    return None


def test_without_a_certificate_the_proof_is_missing() -> None:
    assert refusal_of(None) is Reason.PROOF_MISSING
    assert refusal_of(DER) is None


@given(st.binary(max_size=200))
def test_any_octets_are_a_certificate_or_malformed(der: bytes) -> None:
    assert refusal_of(der) is Reason.PROOF_MALFORMED


@given(st.data())
def test_a_damaged_certificate_is_a_certificate_or_malformed(data: st.DataObject) -> None:
    """Whatever a TLS library lets through: its own idea of X.509 need not be this one's."""
    start = data.draw(st.integers(0, len(DER) - 1))
    piece = data.draw(st.binary(max_size=3))
    damaged = DER[:start] + piece + DER[start + len(piece) :]
    assert refusal_of(damaged) in (None, Reason.PROOF_MALFORMED)


@pytest.mark.parametrize("version", range(256))
def test_any_version_number_is_read_or_malformed(version: int) -> None:
    """RFC 5280 section 4.1.2.1: 2 stands for version 3, and the others for nothing here."""
    head = bytes.fromhex("a0030201")
    der = DER.replace(head + b"\2", head + bytes([version]), 1)
    assert refusal_of(der) is (None if version == 2 else Reason.PROOF_MALFORMED)
