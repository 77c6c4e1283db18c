"""Certificates of any octets: read, or refused in the words of whoever reads them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.certificates import as_der, certified, key_pair, renewed
from labsim.http_message import Request
from labsim.jose import Malformed
from labsim.rejection import Reason, Rejected
from labsim.roles.client_authentication import RegisteredClient
from labsim.roles.registration import registered
from labsim.roles.tls_client_authentication import (
    SELF_SIGNED,
    TLS_CLIENT_AUTH,
    RegisteredCertificate,
    self_signed_certificates,
)
from tests.exchange import answer, token_request
from tests.hostile import JSON
from tests.own_certificates import FOR_ITSELF, of_version_1, self_signed
from tests.wiring import BINDINGS, CLIENT_AUTHORITY, HOLDER, RECORD, Lab

MTLS = BINDINGS["mtls"]
OWN = self_signed(FOR_ITSELF)
PEM = OWN.certificate_pem + OWN.key_pem
SUBJECT = RegisteredCertificate("tls_client_auth_subject_dn", "CN=holder")


@st.composite
def damaged_octets(draw: st.DrawFn, *good: bytes) -> bytes:
    """Return good octets with some changed, cut out or put in, or cut off; or any octets."""
    found = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(found)))
        found[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    cut = draw(st.one_of(st.none(), st.integers(0, len(found))))
    return draw(st.one_of(st.just(bytes(found[:cut])), st.binary(max_size=40)))


DER = damaged_octets(HOLDER.certificate or b"", OWN.der, of_version_1().der, CLIENT_AUTHORITY.der)
ENCRYPTED = OWN.key.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.BestAvailableEncryption(b"secret"),
)


def of_another_kind(pem: bytes) -> bytes:
    """Return a key's PEM, or a certificate's, with another name for what kind of key it is."""
    lines = pem.splitlines()
    octets = base64.b64decode(b"".join(lines[1:-1]))
    octets = octets.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("208648ce3d0201"))
    return b"\n".join([lines[0], base64.b64encode(octets), lines[-1], b""])


DEEP = b"\x30\x80" * 5000


@given(der=DER)
@example(der=b"")
@example(der=DEEP)
@example(der=b"\x30\x84\xff\xff\xff\xff")
def test_a_shown_certificate_is_read_or_rejected(der: bytes) -> None:
    try:
        proof = MTLS.parse(Request("GET", RECORD, peer_certificate=der))
    except Rejected as rejection:
        assert (rejection.reason, rejection.check) == (  # noqa: PT017
            Reason.PROOF_MALFORMED,
            "certificate_can_be_read",
        )
    else:
        assert proof.not_before < proof.not_after or proof.thumbprint


@pytest.mark.parametrize("method", [TLS_CLIENT_AUTH, SELF_SIGNED])
@given(der=DER)
@example(der=DEEP)
def test_a_client_shows_itself_by_a_certificate_or_does_not(method: str, der: bytes) -> None:
    lab = Lab()
    held = SUBJECT if method == TLS_CLIENT_AUTH else RegisteredCertificate(keys=frozenset({b"k"}))
    lab.clients["own"] = RegisteredClient(client_id="own", method=method, certificate=held)
    request = token_request(lab, "phone").showing(der)
    body = request.body.replace(b"client_id=phone", b"client_id=own")
    asked = Request("POST", request.url, request.fields, body, der)
    assert answer(lab, asked).status in (400, 401)
    assert lab.event is not None
    assert lab.event["check"]


@given(pem=damaged_octets(PEM, OWN.certificate_pem, PEM * 2))
@example(pem=b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
@example(pem=b"-----BEGIN CERTIFICATE-----\n" * 2000)
@example(pem=b"\x00")
@example(pem=ENCRYPTED + OWN.certificate_pem)
@example(pem=of_another_kind(OWN.key_pem) + OWN.certificate_pem)
def test_pem_is_read_or_a_value_error(pem: bytes) -> None:
    for read in (as_der, key_pair):
        with_it = outcome(read, pem)
        assert with_it is ValueError or with_it


def outcome(read: Any, value: Any) -> Any:
    try:
        return read(value)
    except ValueError:
        return ValueError


@given(pem=damaged_octets(PEM, OWN.certificate_pem).map(lambda pem: pem.decode("latin-1")))
@example(pem=of_another_kind(OWN.certificate_pem).decode())
def test_a_certificate_is_renewed_or_a_value_error(pem: str) -> None:
    def renew(text: str) -> str:
        return renewed(CLIENT_AUTHORITY, text)

    made = outcome(renew, pem)
    assert made is ValueError or made.startswith("-----BEGIN CERTIFICATE-----")


@given(jwk=st.dictionaries(st.sampled_from(["kty", "crv", "x", "y"]), JSON, max_size=4))
def test_what_is_no_key_is_not_certified(jwk: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        certified(CLIENT_AUTHORITY, "name", jwk)


def chain(*ders: bytes) -> dict[str, Any]:
    return {"jwks": {"keys": [{"x5c": [base64.b64encode(der).decode() for der in ders]}]}}


@given(der=DER, jwks=st.one_of(st.none(), JSON))
@example(der=DEEP, jwks=None)
@example(der=b"", jwks={"keys": [{"x5c": ["\ud800"]}]})
@example(der=b"", jwks={"keys": [None]})
@example(der=b"", jwks={"keys": {"0": {}}})
def test_a_registered_certificate_is_read_or_a_value_error(der: bytes, jwks: Any) -> None:
    metadata = chain(der) if jwks is None else {"jwks": jwks}
    found = outcome(self_signed_certificates, metadata)
    assert found is ValueError or len(found) == 1


MEMBERS = ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")


@pytest.mark.parametrize("member", MEMBERS)
@given(value=st.one_of(st.text(max_size=20), st.text('CN=,+\\#"<> a\0\u20ac', max_size=20), JSON))
@example(value="CN=")
@example(value="CN=\\")
@example(value="1.2=a")
@example(value="C=toolong")
@example(value="C=\u20ac\u20ac")
@example(value="CN=\ud800")
@example(value="CN=" + "a" * 70_000)
@example(value="9" * 5000 + ".1=a")
@example(value="CN=\\zz")
@example(value="CN=\\ff\\fe")
@example(value="a@b@c")
@example(value="::1%eth0")
@example(value="1.2.3.4/33")
def test_a_subject_is_registered_or_a_value_error(member: str, value: Any) -> None:
    name = f"tls_client_auth_{member}"
    metadata = {"client_id": "c", "token_endpoint_auth_method": TLS_CLIENT_AUTH, name: value}
    made = outcome(
        lambda m: registered(m, frozenset({"a.read"}), tuple(BINDINGS.values())), metadata
    )
    if made is ValueError:
        return
    assert made.certificate.value == value
    lab = Lab()
    lab.clients["c"] = made
    request = token_request(lab, "phone")
    body = request.body.replace(b"client_id=phone", b"client_id=c")
    shown = Request("POST", request.url, request.fields, body, HOLDER.certificate)
    assert answer(lab, shown).status in (400, 401)
