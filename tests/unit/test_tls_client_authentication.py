"""What a client registers of its certificate, and that any certificate is judged, never a crash."""

from __future__ import annotations

import base64
import datetime
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import given
from hypothesis import strategies as st

from labsim.certificates import KeyPair, client_leaf_for
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from labsim.roles.tls_client_authentication import (
    NO_CERTIFICATES,
    SELF_SIGNED,
    SUBJECT_MEMBERS,
    TLS_CLIENT_AUTH,
    TLS_METHODS,
    CertificateEvidence,
    CertificateTrust,
    RegisteredCertificate,
    authenticate_by_certificate,
    key_octets,
    registered_certificate,
)
from tests.own_certificates import (
    AUTHORITY,
    FOR_ITSELF,
    NETSCAPE_AUTHORITY,
    SIGNS_CERTIFICATES,
    key_set,
    name,
    of_version_1,
    self_signed,
)
from tests.wiring import BEGINNING, CLIENT_AUTHORITY

NOW = datetime.datetime.fromtimestamp(BEGINNING, datetime.UTC)
OWN = self_signed(FOR_ITSELF, at=NOW)
NAMED = client_leaf_for(CLIENT_AUTHORITY, name("own"), [x509.DNSName("own.test")], NOW)
REGISTERED = {
    SELF_SIGNED: RegisteredCertificate(keys=frozenset({key_octets(OWN.certificate)})),
    TLS_CLIENT_AUTH: RegisteredCertificate("tls_client_auth_san_dns", "own.test"),
}
GOOD = {SELF_SIGNED: OWN.der, TLS_CLIENT_AUTH: NAMED.der}
TRUST = CertificateTrust(CLIENT_AUTHORITY.der)
VALUES = {
    "tls_client_auth_subject_dn": "CN=a,O=b",
    "tls_client_auth_san_dns": "a.test",
    "tls_client_auth_san_uri": "spiffe://a.test/a",
    "tls_client_auth_san_ip": "2001:db8::1",
    "tls_client_auth_san_email": "a@a.test",
}


def refusal_of(der: bytes | None, method: str, trust: CertificateTrust = TRUST) -> str:
    """Return the check that refuses a certificate, empty for none."""
    request = Request("POST", "https://as.test/token", peer_certificate=der)
    evidence = CertificateEvidence(REGISTERED[method], trust, BEGINNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            authenticate_by_certificate(request, method, evidence)
        except Rejected as rejection:
            wrong = rejection.reason is not Reason.CLIENT_CREDENTIAL_INVALID
            return "another reason" if wrong else rejection.check
    return ""


@pytest.mark.parametrize("method", TLS_METHODS)
def test_a_good_certificate_is_accepted_and_none_is_not(method: str) -> None:
    assert refusal_of(GOOD[method], method) == ""
    assert refusal_of(None, method) == "client_shows_a_certificate"


def test_a_server_that_believes_no_authority_believes_no_name() -> None:
    refused = "certificate_is_by_the_client_authority"
    assert refusal_of(NAMED.der, TLS_CLIENT_AUTH, NO_CERTIFICATES) == refused
    assert refusal_of(OWN.der, SELF_SIGNED, NO_CERTIFICATES) == ""


@given(method=st.sampled_from(TLS_METHODS), der=st.binary(max_size=200))
def test_any_octets_are_judged(method: str, der: bytes) -> None:
    assert refusal_of(der, method) == "client_shows_a_certificate"


@given(method=st.sampled_from(TLS_METHODS), data=st.data())
def test_a_damaged_certificate_is_judged(method: str, data: st.DataObject) -> None:
    """Whatever a TLS library lets through: its own idea of X.509 need not be this one's."""
    der = GOOD[method]
    start = data.draw(st.integers(0, len(der) - 1))
    piece = data.draw(st.binary(max_size=3))
    refusal_of(der[:start] + piece + der[start + len(piece) :], method)


@pytest.mark.parametrize(("member", "value"), VALUES.items())
def test_each_subject_member_is_registered_by_itself(member: str, value: str) -> None:
    found = registered_certificate({member: value}, TLS_CLIENT_AUTH)
    assert found == RegisteredCertificate(member, value)
    assert set(VALUES) == set(SUBJECT_MEMBERS)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "exactly one of"),
        (VALUES, "exactly one of"),
        ({"tls_client_auth_subject_dn": ""}, "not empty"),
        ({"tls_client_auth_subject_dn": ["CN=a"]}, "not empty"),
        ({"tls_client_auth_subject_dn": None}, "not empty"),
        ({"tls_client_auth_subject_dn": "CN=a,"}, "cannot be read"),
        ({"tls_client_auth_subject_dn": "CN = a"}, "cannot be read"),
        ({"tls_client_auth_subject_dn": "C=Germany"}, "cannot be read"),
        ({"tls_client_auth_subject_dn": "CN=#0c0161"}, "in hexadecimal"),
        ({"tls_client_auth_subject_dn": "O=b,CN=#61"}, "in hexadecimal"),
        ({"tls_client_auth_san_dns": "m\u00fcnchen.test"}, "cannot be read"),
        ({"tls_client_auth_san_uri": "spiffe://m\u00fcnchen.test"}, "cannot be read"),
        ({"tls_client_auth_san_ip": "192.0.2.256"}, "cannot be read"),
        ({"tls_client_auth_san_ip": "192.0.2.0/24"}, "cannot be read"),
        ({"tls_client_auth_san_email": "m\u00fc@a.test"}, "cannot be read"),
        ({"tls_client_auth_san_email": "A <a@a.test>"}, "cannot be read"),
    ],
)
def test_a_subject_that_cannot_be_used_is_named(metadata: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        registered_certificate(metadata, TLS_CLIENT_AUTH)


@given(value=st.text(min_size=1, max_size=30), member=st.sampled_from(sorted(VALUES)))
def test_any_text_is_a_subject_or_refused(member: str, value: str) -> None:
    try:
        found = registered_certificate({member: value}, TLS_CLIENT_AUTH)
    except ValueError:
        return
    assert found.value == value


def test_a_key_set_registers_the_key_of_each_certificate() -> None:
    other = self_signed(FOR_ITSELF)
    found = registered_certificate({"jwks": key_set(OWN, other)}, SELF_SIGNED)
    assert found.keys == {key_octets(OWN.certificate), key_octets(other.certificate)}


def without_x5c(pair: KeyPair) -> dict[str, Any]:
    return {"keys": [{"kty": "EC"}, *key_set(pair)["keys"]]}


def chain(*pairs: KeyPair) -> dict[str, Any]:
    return {"keys": [{"x5c": [base64.b64encode(pair.der).decode() for pair in pairs]}]}


@pytest.mark.parametrize(
    ("jwks", "said"),
    [
        (None, "jwks must be an object"),
        ({"keys": []}, "jwks must be an object"),
        ({"keys": ["x5c"]}, "needs x5c"),
        ({"keys": [{"x5c": "a"}]}, "needs x5c"),
        ({"keys": [{"x5c": [1]}]}, "needs x5c"),
        (without_x5c(OWN), "needs x5c"),
        (chain(OWN, OWN), "its one self-signed certificate"),
        ({"keys": [{"x5c": ["bm8gY2VydGlmaWNhdGU="]}]}, "holds no certificate"),
        ({"keys": [{"x5c": ["no base64!"]}]}, "holds no certificate"),
        ({"keys": [{"x5c": ["m\u00fc"]}]}, "holds no certificate"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_named(jwks: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        registered_certificate({"jwks": jwks}, SELF_SIGNED)


MAY_SIGN: dict[str, Callable[[], KeyPair]] = {
    "CA:TRUE": lambda: self_signed(AUTHORITY),
    "keyCertSign": lambda: self_signed(SIGNS_CERTIFICATES),
    "keyCertSign beside CA:FALSE": lambda: self_signed(FOR_ITSELF, SIGNS_CERTIFICATES),
    "Netscape's type": lambda: self_signed(NETSCAPE_AUTHORITY),
    "version 1": of_version_1,
}


@pytest.mark.parametrize("make", MAY_SIGN.values(), ids=MAY_SIGN)
def test_a_certificate_that_may_sign_others_is_refused(make: Callable[[], KeyPair]) -> None:
    """Also as the second of two: a listener would believe whatever it signs."""
    for good in ((OWN,), (self_signed(),), (OWN, self_signed(FOR_ITSELF))):
        registered_certificate({"jwks": key_set(*good)}, SELF_SIGNED)
        with pytest.raises(ValueError, match=r"may sign others .*CA:FALSE"):
            registered_certificate({"jwks": key_set(*good, make())}, SELF_SIGNED)


def test_a_version_that_there_is_not_is_no_certificate() -> None:
    bad = OWN.der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1)
    jwks = {"keys": [{"x5c": [base64.b64encode(bad).decode()]}]}
    with pytest.raises(ValueError, match="holds no certificate"):
        registered_certificate({"jwks": jwks}, SELF_SIGNED)
