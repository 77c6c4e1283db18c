"""Both sides of client authentication: what a client sends is what the server can verify."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.keys import SigningKey, public_key
from labsim.roles.client_authentication import (
    ASSERTION_TYPE,
    BASIC,
    PRIVATE_KEY_JWT,
    RegisteredClient,
    authenticate_client,
    basic,
    private_key_jwt,
    secret_hash,
)
from labsim.roles.form import form_request, read_form
from tests.jws import Jws
from tests.wiring import ISSUER, TOKEN_ENDPOINT, Clients, Lab

NOW = 1_800_000_000.0
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)


def asked(**parameters: str) -> Request:
    return form_request(TOKEN_ENDPOINT, {"grant_type": "client_credentials", **parameters})


def found(request: Request, client: RegisteredClient) -> RegisteredClient:
    clients = Clients({client.client_id: client})
    return authenticate_client(request, read_form(request), clients, ISSUER, NOW).client


@given(client_id=TEXT, secret=TEXT)
def test_any_id_and_any_secret_get_through(client_id: str, secret: str) -> None:
    client = RegisteredClient(client_id=client_id, secret_hash=secret_hash(secret))
    assert found(basic(client_id, secret)(asked()), client) is client


def test_basic_is_form_encoded_first() -> None:
    """RFC 6749 section 2.3.1: a colon in an id would end it otherwise."""
    value = str(basic("a:b", "c d+e")(asked()).value("Authorization"))
    assert base64.b64decode(value.removeprefix("Basic ")) == b"a%3Ab:c+d%2Be"


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_an_assertion_is_for_the_issuer_and_for_a_minute(lab: Lab, algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    client = RegisteredClient(
        client_id="c", method=PRIVATE_KEY_JWT, keys=(public_key(key.public_jwk),)
    )
    request = private_key_jwt("c", key, ISSUER, lambda: NOW, lab.new_id)(asked(scope="a b"))
    assert found(request, client) is client
    form = parse_qs(request.body.decode())
    assert form["client_assertion_type"] == [ASSERTION_TYPE]
    assert form["scope"] == ["a b"]
    claims = Jws.of(form["client_assertion"][0], key).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("c", "c", ISSUER)
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 60)


def test_an_assertion_is_spent_by_its_jti_and_kept_until_it_expires(lab: Lab) -> None:
    request = lab.authentication("keyed")(asked())
    form = read_form(request)
    who = authenticate_client(request, form, lab.clients, ISSUER, lab.clock())
    assert who.spend is not None
    (kept_by, jti), until = who.spend
    assert (kept_by, jti.startswith("id-"), until) == ("assertion keyed", True, lab.clock() + 60)


def test_a_secret_is_spent_by_nothing(lab: Lab) -> None:
    request = lab.authentication("free")(asked())
    form = read_form(request)
    assert authenticate_client(request, form, lab.clients, ISSUER, NOW).spend is None


def test_a_client_may_have_several_keys() -> None:
    keys = [SigningKey.generate(), SigningKey.generate("Ed25519"), SigningKey.generate()]
    client = RegisteredClient(
        client_id="c",
        method=PRIVATE_KEY_JWT,
        keys=tuple(public_key(key.public_jwk) for key in keys),
    )
    for number, key in enumerate(keys):
        sign = private_key_jwt("c", key, ISSUER, lambda: NOW, lambda n=number: f"{n}")  # type: ignore[misc]
        assert found(sign(asked()), client) is client


def test_a_client_has_a_secret_unless_it_says_otherwise() -> None:
    assert RegisteredClient(client_id="c").method == BASIC
    assert secret_hash("a") != secret_hash("b")
