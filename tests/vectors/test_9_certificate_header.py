"""Section 9 of the catalogue: the certificate in a header, behind a proxy that ends TLS (RFC 9440).

The proxy's own way with a request and the server's are run one after the other, without sockets.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from labsim.certificates import certificate_thumbprint
from labsim.estate.terminator import forwarded
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence
from tests.exchange import assert_refused, assert_served
from tests.wiring import BINDINGS, ORDERS, RECORD, Lab, certified

PROXY = certified(SigningKey.generate(), "terminator")
AT_THE_PROXY = RECORD.replace(ORDERS, "https://proxy.test")


@pytest.fixture(autouse=True)
def trusted(lab: Lab) -> None:
    """Let `orders` believe the proxy, by the proxy's own certificate."""
    thumbprint = certificate_thumbprint(PROXY.certificate or b"")
    lab.orders = replace(lab.orders, trusted_proxy=thumbprint)


def good(lab: Lab) -> Request:
    """Make the request as its client sends it to the proxy, with the bound certificate."""
    token = lab.token("mtls", "mutual").access_token
    return BINDINGS["mtls"].attach(Request("GET", AT_THE_PROXY), lab.presentation(token))


def passed_on(request: Request, *, strips: bool = True) -> Request:
    """Let the proxy pass a request on, over its own connection."""
    sent = forwarded(request, ORDERS, strips=strips)
    assert sent.peer_certificate is None
    return replace(sent, peer_certificate=PROXY.certificate)


def shown(request: Request, certificate: bytes | None) -> Request:
    return replace(request, peer_certificate=certificate)


def assert_refused_without(lab: Lab, request: Request) -> None:
    refusal = {"reason": Reason.PROOF_MISSING, "check": "certificate_is_shown"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)


def assert_refused_for_another(lab: Lab, request: Request) -> None:
    refusal = {"reason": Reason.BINDING_MISMATCH, "check": "certificate_is_the_bound_one"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("strips", [True, False], ids=["strips", "passes"])
def test_the_client_is_served_through_the_proxy(lab: Lab, strips: bool) -> None:
    """And nobody else is, nor the same client without its certificate."""
    request = good(lab)
    assert_served(lab, passed_on(request, strips=strips))
    assert_refused_without(lab, passed_on(shown(request, None), strips=strips))
    other = shown(request, lab.thief.certificate)
    assert_refused_for_another(lab, passed_on(other, strips=strips))


def test_the_proxys_own_certificate_is_nobodys(lab: Lab) -> None:
    """It says who passes a request on, not who sent it; even where a token is bound to it."""
    token = lab.token("mtls", "mutual", PROXY).access_token
    request = BINDINGS["mtls"].attach(Request("GET", RECORD), lab.presentation(token, PROXY))
    assert_refused_without(lab, request)
    lab.orders = replace(lab.orders, trusted_proxy="")
    assert_served(lab, request)


# What a client writes that wants to be somebody else: header name, and how it says a certificate.
def pem(certificate: bytes) -> str:
    return f"-----BEGIN CERTIFICATE----- {b64encode(certificate).decode()}"


FORGED: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "MT-12": ("Client-Cert", byte_sequence),
    "MT-12b in lower case": ("client-cert", byte_sequence),
    "MT-12c the chain": ("Client-Cert-Chain", byte_sequence),
    "MT-14 the alias with an underscore": ("Client_Cert", byte_sequence),
    "MT-15 nginx": ("X-SSL-Client-Cert", pem),
    "MT-15b envoy": ("X-Forwarded-Client-Cert", lambda der: f'Cert="{pem(der)}"'),
}


@pytest.mark.parametrize(("field", "write"), FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("is_shown", [False, True], ids=["no certificate", "its own"])
def test_a_proxy_that_strips_lets_no_forged_header_through(
    lab: Lab, field: str, write: Callable[[bytes], str], is_shown: bool
) -> None:
    victims = good(lab)
    stolen = shown(victims, lab.thief.certificate if is_shown else None)
    forged = stolen.adding(field, write(lab.holder.certificate or b""))
    assert_served(lab, passed_on(victims))
    refused = assert_refused_for_another if is_shown else assert_refused_without
    refused(lab, passed_on(forged))
    written = [name for name, _ in passed_on(forged).fields if "cert" in name.lower()]
    assert written == (["Client-Cert"] if is_shown else [])
    assert_served(lab, passed_on(victims.adding(field, "anything")))


@pytest.mark.parametrize("field", ["Client-Cert", "client-cert"])
def test_a_proxy_that_does_not_strip_makes_the_thief_the_victim(lab: Lab, field: str) -> None:
    """MT-12, the mistake of RFC 9440 section 4: it differs from the row above in the proxy alone."""
    stolen = shown(good(lab), None)
    forged = stolen.adding(field, byte_sequence(lab.holder.certificate or b""))
    assert_refused_without(lab, passed_on(stolen, strips=False))
    assert_served(lab, passed_on(forged, strips=False))


@pytest.mark.parametrize(
    "field", ["Client-Cert-Chain", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert"]
)
def test_a_vendors_header_is_believed_of_nobody(lab: Lab, field: str) -> None:
    """MT-15: not even where a proxy forgets to strip it."""
    forged = shown(good(lab), None).adding(field, byte_sequence(lab.holder.certificate or b""))
    assert_refused_without(lab, passed_on(forged, strips=False))


def test_the_header_is_believed_of_the_proxy_alone(lab: Lab) -> None:
    """MT-12: whoever reaches the server past the proxy has a header like any other."""
    victims = good(lab)
    forged = passed_on(victims)
    assert forged.values("Client-Cert") == [byte_sequence(lab.holder.certificate or b"")]
    assert_served(lab, forged)
    assert_refused_without(lab, shown(forged, None))
    assert_refused_for_another(lab, shown(forged, lab.thief.certificate))
    lab.orders = replace(lab.orders, trusted_proxy="")
    assert_refused_for_another(lab, forged)


BAD_VALUES: dict[str, Callable[[str], list[tuple[str, str]]]] = {
    "MT-14b two fields": lambda good: [("Client-Cert", good), ("Client-Cert", good)],
    "MT-14c the alias beside it": lambda good: [("Client-Cert", good), ("Client_Cert", good)],
    "MT-14d the alias instead of it": lambda good: [("Client_Cert", good)],
    "MT-14e PEM": lambda good: [("Client-Cert", f"-----BEGIN CERTIFICATE----- {good[1:-1]}")],
    "MT-14f no colons": lambda good: [("Client-Cert", good[1:-1])],
    "MT-14g a list": lambda good: [("Client-Cert", f"{good}, {good}")],
    "MT-14h a parameter": lambda good: [("Client-Cert", f"{good};a=1")],
    "MT-14i a string": lambda good: [("Client-Cert", f'"{good[1:-1]}"')],
    "MT-14j empty": lambda _: [("Client-Cert", "")],
    "MT-14k base64url": lambda good: [("Client-Cert", f"{good[:-2]}_:")],
    "MT-14l cut": lambda good: [("Client-Cert", f"{good[:-4]}:")],
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_header_of_another_shape_is_refused_even_of_the_proxy(
    lab: Lab, bad: Callable[[str], list[tuple[str, str]]]
) -> None:
    """RFC 9440 section 2.2: one byte sequence, once."""
    request = passed_on(good(lab))
    assert_served(lab, request)
    value = str(request.value("Client-Cert"))
    changed = request.without("Client-Cert")
    for field, text in bad(value):
        changed = changed.adding(field, text)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "client_cert_is_one_byte_sequence"}
    assert_refused(lab, changed, status=400, error="invalid_request", **refusal)
    assert_served(lab, request)


def test_a_byte_sequence_that_is_no_certificate_is_refused(lab: Lab) -> None:
    """MT-14: what the proxy saw is judged like what this server would have seen."""
    request = passed_on(good(lab)).without("Client-Cert")
    refusal = {"reason": Reason.PROOF_MALFORMED, "check": "certificate_can_be_read"}
    bad = request.adding("Client-Cert", byte_sequence(b"no certificate"))
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
