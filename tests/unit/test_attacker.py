"""The attacker: it sees what it was given and what it was answered, and keeps its own books."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from labsim.attacker import Attacker, record_ids, token_claims, wire_error
from labsim.attempt import Target
from labsim.http_message import Request, Response
from labsim.keys import SigningKey, public_key
from labsim.loot import Loot, Theft
from labsim.roles.client_authentication import PRIVATE_KEY_JWT
from labsim.roles.tls_client_authentication import TLS_CLIENT_AUTH, RegisteredCertificate
from labsim.rooms import rooms
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORDS, SECRET, TOKEN_ENDPOINT, Lab

REPLAYS = rooms("labsim.replays", "REPLAY")
TARGET = Target("orders", RECORDS, f"{RECORDS}/o-1", ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
SECRET_LOOT = {"client_id": "free", "method": "client_secret_basic", "secret": SECRET}


@pytest.fixture
def attacker(lab: Lab) -> Attacker:
    return lab.attacker()


class Nothing:
    """Access to nothing: the theft here knows what it takes."""

    def files(self) -> Iterable[tuple[str, bytes]]:
        return ()

    def captured(self) -> Iterable[tuple[Request, Response]]:
        return ()


def theft(*loot: Loot) -> Theft:
    return Theft("made_up", "", "", "nothing", lambda _victim: None, lambda _access: loot)


def test_stolen_loot_is_marked_with_theft_client_time_and_audience(
    lab: Lab, attacker: Attacker
) -> None:
    token = lab.token(resource=CRM).access_token
    (loot,) = attacker.steal(theft(Loot(found_at="here", token=token)), "free", Nothing())
    assert (loot.theft, loot.client, loot.taken_at) == ("made_up", "free", lab.clock())
    assert loot.resource == CRM, "a token says for whom it is meant"


def test_an_opaque_token_keeps_the_resource_where_it_was_seen(attacker: Attacker) -> None:
    loot = Loot(found_at="here", token="opaque", resource=ORDERS)
    assert attacker.steal(theft(loot), "free", Nothing())[0].resource == ORDERS


def test_seconds_are_counted_from_the_theft(lab: Lab, attacker: Attacker) -> None:
    token = lab.token("bearer").access_token
    loot = Loot(found_at="here", token=token, resource=ORDERS, taken_at=lab.clock())
    lab.clock.advance(90)
    assert attacker.replay(REPLAYS["token_as_is"], loot, TARGET).seconds == 90


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_tokens_binding_can_be_read_off_it(lab: Lab, attacker: Attacker, binding: str) -> None:
    token = lab.token(binding).access_token
    assert attacker.binding_of(Loot(found_at="", token=token)).name == binding


@pytest.mark.parametrize("token", [None, "opaque", "a.b.c"])
def test_a_token_that_says_nothing_is_a_bearer_token(attacker: Attacker, token: str | None) -> None:
    assert attacker.binding_of(Loot(found_at="", token=token)).name == "bearer"


def test_a_refresh_token_is_followed_through_its_rotations(lab: Lab, attacker: Attacker) -> None:
    """A spent one, used again, would end the family and warn its owner."""
    lab.grant("stolen")
    token = lab.token("bearer").access_token
    loot = Loot(
        found_at="",
        resource=ORDERS,
        token=token,
        refresh_token="stolen",
        client_credential=SECRET_LOOT,
    )
    for _ in range(3):
        attempt = attacker.replay(REPLAYS["new_token_for_own_key"], loot, TARGET)
        assert attempt.outcome == "served"


def test_a_stolen_assertion_key_gets_tokens_too(lab: Lab, attacker: Attacker) -> None:
    key = SigningKey.generate("Ed25519")
    object.__setattr__(lab.clients["keyed"], "keys", (public_key(key.public_jwk),))
    credential = {"client_id": "keyed", "method": PRIVATE_KEY_JWT, "private_jwk": key.private_jwk}
    token = lab.token("dpop").access_token
    loot = Loot(found_at="", resource=ORDERS, token=token, client_credential=credential)
    assert attacker.replay(REPLAYS["new_token_for_own_key"], loot, TARGET).outcome == "served"


def certificate_loot(lab: Lab, binding: str, *, with_key: bool) -> Loot:
    """Loot of a client that authenticates by the holder's certificate, with its credential."""
    token = lab.token(binding).access_token  # what the client had before does not matter here
    named = RegisteredCertificate("tls_client_auth_san_uri", "spiffe://lab.test/holder")
    client = replace(
        lab.clients["free"], method=TLS_CLIENT_AUTH, certificate=named, requires=binding
    )
    lab.clients["free"] = client
    pem = ssl.DER_cert_to_PEM_cert(lab.holder.certificate or b"")
    key = {"private_jwk": lab.holder.private_jwk} if with_key else {}
    credential = {"client_id": "free", "method": TLS_CLIENT_AUTH, "certificate": pem, **key}
    return Loot(found_at="", resource=ORDERS, token=token, client_credential=credential)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_stolen_tls_key_gets_tokens_for_the_thiefs_own_key_unless_they_are_bound_to_it(
    lab: Lab, attacker: Attacker, binding: str
) -> None:
    loot = certificate_loot(lab, binding, with_key=True)
    assert attacker.replay(REPLAYS["new_token_for_own_key"], loot, TARGET).outcome == "served"
    holder = attacker.new_holder(loot, BINDINGS[binding])
    whose = lab.holder if binding == "mtls" else lab.thief
    assert holder.certificate == whose.certificate


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_certificate_without_its_key_gets_no_token(
    lab: Lab, attacker: Attacker, binding: str
) -> None:
    loot = certificate_loot(lab, binding, with_key=False)
    attempt = attacker.replay(REPLAYS["new_token_for_own_key"], loot, TARGET)
    assert (attempt.outcome, attempt.sent) == ("not_possible", "")
    assert "key was not found" in attempt.why


@pytest.mark.parametrize("token", [None, "", "a", "a.b.c", "..", "\u00e9"])
def test_what_is_no_jwt_has_no_claims(token: str | None) -> None:
    assert token_claims(token) == {}


@pytest.mark.parametrize(
    ("body", "error"),
    [(b'{"error":"e"}', "e"), (b"", ""), (b"[]", ""), (b"<html>", ""), (b"{}", ""), (b"\xff", "")],
)
def test_an_error_code_is_read_off_a_body(body: bytes, error: str) -> None:
    assert wire_error(Response(400, (), body)) == error


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"records": [{"id": "a"}, {"id": 2}, {}, 3]}, ["a", "2"]),
        ({"records": []}, []),
        ({"id": "a"}, ["a"]),
        ({"records": 5}, []),
        ({"records": None}, []),
        ([], []),
        (None, []),
    ],
)
def test_records_are_counted_in_the_answer(body: Any, ids: list[str]) -> None:
    assert record_ids(Response.of_json(200, body)) == ids


def test_an_answer_that_is_no_json_holds_no_records() -> None:
    assert record_ids(Response(200, (), b"<html>")) == []
