"""Section 9 of the catalogue: a client's own key, its certificate's time, and what it is good for.

Registered subjects and names are in test_9_tls_client_authentication.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.client_authentication import basic
from labsim.roles.form import form_request
from tests.exchange import DPOP, assert_refused, assert_served
from tests.jws import Jws
from tests.own_certificates import FOR_ITSELF, name, registration, self_signed
from tests.vectors.certificate_rows import (
    DN,
    METHODS,
    NOW,
    Timed,
    add_client,
    asked,
    assert_not_the_client,
    certificate,
    dn,
    named,
)
from tests.wiring import BINDINGS, ISSUER, SECRET, Lab

OWN = self_signed(FOR_ITSELF, at=NOW)
_SHOWN = "client_shows_a_certificate"
SECOND = self_signed(FOR_ITSELF, at=NOW)
OTHERS_KEYS: dict[str, Callable[[], bytes]] = {
    "MT-09 another key, same subject": lambda: self_signed(FOR_ITSELF, at=NOW).der,
    "MT-09b another key, by the client authority": lambda: certificate(name("own")),
    "MT-09c another key, signed by the registered one": lambda: (
        self_signed(FOR_ITSELF, at=NOW, by=OWN).der
    ),
}


@pytest.mark.parametrize("shown", OTHERS_KEYS.values(), ids=OTHERS_KEYS)
def test_a_key_that_is_not_registered_is_refused(lab: Lab, shown: Callable[[], bytes]) -> None:
    """MT-09: RFC 8705 section 2.2."""
    client = add_client(lab, registration("own", [OWN, SECOND]))
    assert_served(lab, asked(client, OWN.der))
    assert_not_the_client(lab, asked(client, shown()), "key_is_a_registered_one")
    assert_served(lab, asked(client, SECOND.der))


def test_any_certificate_of_a_registered_key_is_the_clients(lab: Lab) -> None:
    """MT-09, must accept: RFC 8705 section 2.2.2; which of them get here is the listener's say."""
    client = add_client(lab, registration("own", [OWN]))
    for again in (OWN, self_signed(FOR_ITSELF, at=NOW, key=OWN.key, subject="later")):
        assert_served(lab, asked(client, again.der))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("days", [-1, 1], ids=["expired", "of tomorrow"])
def test_a_certificate_out_of_its_time_is_refused(lab: Lab, method: str, days: float) -> None:
    """MT-10: on the lab's clock."""
    timed, key = Timed(method), ec.generate_private_key(ec.SECP256R1())
    client = timed.client(lab, key)
    good = asked(client, timed.certificate(key, 0))
    assert_served(lab, good)
    bad = asked(client, timed.certificate(key, days))
    assert_not_the_client(lab, bad, "certificate_is_in_its_time")
    assert_served(lab, good)
    lab.clock.advance(86400 - 3600)  # it began an hour ago: this is its first bad second
    assert_not_the_client(lab, good, "certificate_is_in_its_time")
    lab.clock.advance(-1)
    assert_served(lab, good)


@pytest.mark.parametrize("method", METHODS)
def test_a_revoked_certificate_is_refused_and_its_successor_is_not(lab: Lab, method: str) -> None:
    timed, key = Timed(method), ec.generate_private_key(ec.SECP256R1())
    client, (first, second) = timed.client(lab, key), (timed.certificate(key, 0) for _ in range(2))
    assert_served(lab, asked(client, first))
    lab.revoked_keys.add(certificate_thumbprint(first))
    assert_not_the_client(lab, asked(client, first), "certificate_is_not_revoked")
    assert_served(lab, asked(client, second))


def version_9(der: bytes) -> bytes:
    return der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1)


NO_CERTIFICATE: dict[str, Callable[[bytes], bytes | None]] = {
    "MT-01 none": lambda _: None,
    "MT-X1 nothing": lambda _: b"",
    "MT-X2 cut": lambda der: der[:-1],
    "MT-X5 a version that there is not": version_9,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shown", NO_CERTIFICATE.values(), ids=NO_CERTIFICATE)
def test_a_client_that_shows_no_certificate_is_refused(
    lab: Lab, method: str, shown: Callable[[bytes], bytes | None]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    client, der = Timed(method).client(lab, key), Timed(method).certificate(key, 0)
    assert_served(lab, asked(client, der))
    assert_not_the_client(lab, asked(client, shown(der)), "client_shows_a_certificate")
    assert_served(lab, asked(client, der))


def test_the_token_is_bound_to_the_certificate_that_authenticated(lab: Lab) -> None:
    """MT-01: whatever the client registered, it has no token that is bound to nothing."""
    client = named(lab, DN, "CN=a")
    der = certificate(dn("CN=a"))
    body = assert_served(lab, asked(client, der)).json()
    claims = Jws.of(body["access_token"], lab.issuer_key).claims
    assert claims["cnf"] == {"x5t#S256": certificate_thumbprint(der)}
    assert (body["token_type"], claims["client_id"]) == ("Bearer", client)


def test_a_certificate_is_no_stand_in_for_another_method(lab: Lab) -> None:
    """Nor the other way: each client authenticates as it has registered (RFC 7591 section 2)."""
    client, der = named(lab, DN, "CN=free"), certificate(dn("CN=free"))
    assert_served(lab, asked(client, der))
    assert_not_the_client(lab, asked("free", der), "method_is_the_registered_one")
    bad = basic(client, SECRET)(asked(client, der))
    assert_not_the_client(lab, bad, "method_is_the_registered_one")
    refusal = {"reason": Reason.CLIENT_UNKNOWN, "check": "client_is_registered"}
    assert_refused(lab, asked("nobody", der), status=401, error="invalid_client", **refusal)


def dpop_too(lab: Lab, request: Request) -> Request:
    return DPOP.attach(request, lab.presentation())


def signature_too(lab: Lab, request: Request) -> Request:
    return BINDINGS["http_signature"].attach(request, lab.presentation())


@pytest.mark.parametrize("also", [dpop_too, signature_too], ids=["a proof", "a signature"])
@pytest.mark.parametrize("method", METHODS)
def test_a_key_beside_the_certificate_that_authenticates_is_refused(
    lab: Lab, method: str, also: Callable[[Lab, Request], Request]
) -> None:
    """MT-23: the certificate is a key as well, and the server does not pick one of two."""
    key = ec.generate_private_key(ec.SECP256R1())
    client, der = Timed(method).client(lab, key), Timed(method).certificate(key, 0)
    good = asked(client, der)
    assert_served(lab, good)
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "one_key_is_introduced"}
    assert_refused(lab, also(lab, good), status=400, error="invalid_request", **refusal)
    assert_served(lab, good)


@pytest.mark.parametrize("also", [dpop_too, signature_too], ids=["dpop", "http_signature"])
@pytest.mark.parametrize("method", METHODS)
def test_a_certificate_only_authenticates_where_another_binding_is_registered(
    lab: Lab, method: str, also: Callable[[Lab, Request], Request]
) -> None:
    """MT-23: the registration says which of the two keys the token is for; both must be there."""
    key = ec.generate_private_key(ec.SECP256R1())
    client, der = Timed(method).client(lab, key), Timed(method).certificate(key, 0)
    binding = "dpop" if also is dpop_too else "http_signature"
    lab.clients[client] = replace(lab.clients[client], requires=binding)
    good = also(lab, asked(client, der))
    token = assert_served(lab, good).json()["access_token"]
    assert "x5t#S256" not in Jws.of(token, lab.issuer_key).claims["cnf"]
    missing = {"dpop": "proof_is_there", "http_signature": "signature_is_there"}[binding]
    error = {"dpop": "invalid_dpop_proof"}.get(binding, "invalid_request")
    refusal = {"reason": Reason.PROOF_MISSING, "check": missing}
    assert_refused(lab, asked(client, der), status=400, error=error, **refusal)
    assert_not_the_client(
        lab, also(lab, replace(asked(client, der), peer_certificate=None)), _SHOWN
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_certificate_only_authenticates_where_bearer_tokens_are_asked_for(
    lab: Lab, method: str
) -> None:
    """MT-23: it is said by name, as the certificate would bind the token otherwise."""
    key = ec.generate_private_key(ec.SECP256R1())
    client, der = Timed(method).client(lab, key), Timed(method).certificate(key, 0)
    lab.clients[client] = replace(lab.clients[client], requires="bearer")
    token = assert_served(lab, asked(client, der)).json()["access_token"]
    assert "cnf" not in Jws.of(token, lab.issuer_key).claims
    assert_not_the_client(lab, asked(client, None), _SHOWN)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["introspect", "revoke"])
def test_the_other_endpoints_know_the_client_by_its_certificate(
    lab: Lab, method: str, path: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    client, der = Timed(method).client(lab, key), Timed(method).certificate(key, 0)
    token = assert_served(lab, asked(client, der)).json()["access_token"]

    def ask(shown: bytes | None) -> Request:
        form = form_request(f"{ISSUER}/{path}", {"client_id": client, "token": token})
        return replace(form, peer_certificate=shown)

    assert_not_the_client(lab, ask(None), "client_shows_a_certificate")
    assert_served(lab, ask(der))
