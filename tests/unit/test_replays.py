"""Each replay, tried in process: what it sends, and how the server answers it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.attempt import Attempt, Target
from labsim.binding import Presentation
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.loot import Loot
from labsim.rooms import rooms
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, RECORDS, SECRET, TOKEN_ENDPOINT, Lab

REPLAYS = rooms("labsim.replays", "REPLAY")
HERE = Target("orders", RECORDS, RECORD, ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
THERE = Target(
    "crm", f"{CRM}/records", f"{CRM}/records/o-1", CRM, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT
)
CREDENTIAL = {"client_id": "free", "method": "client_secret_basic", "secret": SECRET}


def everything(lab: Lab, binding: str) -> Loot:
    """Steal all there is: token, spent request, key, certificate and client credential."""
    token = lab.token(binding).access_token
    held = Presentation(token, lab.holder, lab.clock(), lab.new_id)
    captured = BINDINGS[binding].attach(Request("GET", RECORDS), held)
    assert lab.send(captured).ending == "served"
    certificate = x509.load_der_x509_certificate(lab.holder.certificate or b"")
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Loot(
        found_at="here",
        theft="theft",
        client="free",
        taken_at=lab.clock(),
        resource=ORDERS,
        url=RECORDS,
        token=token,
        captured=replace(captured, peer_certificate=None),  # which no interceptor can show
        certificate=pem if binding == "mtls" else None,
        key=lab.holder.private_jwk if binding != "bearer" else None,
        client_credential=CREDENTIAL,
    )


def tried(lab: Lab, binding: str, replay: str, target: Target = HERE) -> Attempt:
    attacker = lab.attacker()
    return attacker.replay(REPLAYS[replay], everything(lab, binding), target)


EXPECTED = {
    ("bearer", "token_as_is"): "",
    ("bearer", "request_as_is"): "",
    ("bearer", "new_token_for_own_key"): "",
    ("dpop", "token_as_is"): "proof_is_there",
    ("dpop", "request_as_is"): "jti_is_new",
    ("dpop", "own_proof"): "proof_key_is_the_bound_one",
    ("dpop", "downgraded_scheme"): "scheme_is_the_bindings",
    ("dpop", "redirected_proof"): "htu_is_the_target_uri",
    ("dpop", "stolen_key"): "",
    ("dpop", "new_token_for_own_key"): "",
    ("mtls", "token_as_is"): "certificate_is_shown",
    ("mtls", "request_as_is"): "certificate_is_shown",
    ("mtls", "own_certificate"): "certificate_is_the_bound_one",
    ("mtls", "forged_certificate_header"): "certificate_is_shown",
    ("mtls", "stolen_key"): "",
    ("mtls", "new_token_for_own_key"): "",
    ("http_signature", "token_as_is"): "signature_is_there",
    ("http_signature", "request_as_is"): "nonce_is_new",
    ("http_signature", "own_proof"): "signature_is_by_the_bound_key",
    ("http_signature", "downgraded_scheme"): "scheme_is_the_bindings",
    ("http_signature", "redirected_proof"): "signature_is_by_the_bound_key",
    ("http_signature", "stolen_key"): "",
    ("http_signature", "new_token_for_own_key"): "",
}


@pytest.mark.parametrize(("binding", "replay"), EXPECTED)
def test_a_replay_ends_as_its_binding_says(lab: Lab, binding: str, replay: str) -> None:
    attempt = tried(lab, binding, replay)
    check = EXPECTED[binding, replay]
    assert (lab.event or {})["check"] == check
    assert attempt.outcome == ("rejected" if check else "served")
    assert attempt.status == (401 if check else 200)
    assert bool(attempt.error) == bool(check)
    assert attempt.records == (() if check else ("o-1", "o-2"))
    assert attempt.relation == "same_resource"
    assert attempt.request_id == (lab.event or {})["request_id"]
    assert attempt.sent.startswith("GET /records")
    assert attempt.answer.startswith(f"HTTP/1.1 {attempt.status} ")


NOT_POSSIBLE = (
    ("bearer", "own_proof"),
    ("bearer", "own_certificate"),
    ("bearer", "forged_certificate_header"),
    ("bearer", "downgraded_scheme"),
    ("bearer", "redirected_proof"),
    ("bearer", "stolen_key"),
    ("dpop", "own_certificate"),
    ("mtls", "own_proof"),
    ("mtls", "downgraded_scheme"),
    ("mtls", "redirected_proof"),
    ("http_signature", "own_certificate"),
)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_certificate_that_nobody_knows_is_refused_by_tls(lab: Lab, binding: str) -> None:
    attempt = tried(lab, binding, "unknown_certificate")
    assert (attempt.outcome, attempt.status) == ("refused_by_tls", None)


@pytest.mark.parametrize(("binding", "replay"), NOT_POSSIBLE)
def test_a_replay_about_a_proof_is_not_possible_where_none_is_asked_for(
    lab: Lab, binding: str, replay: str
) -> None:
    attempt = tried(lab, binding, replay)
    assert (attempt.outcome, attempt.status, attempt.sent) == ("not_possible", None, "")
    assert attempt.why


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("replay", ["token_as_is", "request_as_is"])
def test_at_another_server_a_token_dies_of_its_audience(
    lab: Lab, binding: str, replay: str
) -> None:
    attempt = tried(lab, binding, replay, THERE)
    assert (attempt.outcome, attempt.relation) == ("rejected", "other_resource")
    assert (lab.event or {})["reason"] == "TOKEN_AUDIENCE_MISMATCH"


@pytest.mark.parametrize("replay", REPLAYS)
def test_a_replay_without_its_loot_is_not_possible_and_says_what_is_missing(
    lab: Lab, replay: str
) -> None:
    attacker = lab.attacker()
    nothing = Loot(found_at="nowhere")
    attempt = attacker.replay(REPLAYS[replay], nothing, HERE)
    assert attempt.outcome == "not_possible"
    assert attempt.why.startswith("this loot holds no ")
    for kind in REPLAYS[replay].needs:
        assert kind in attempt.why


def test_an_unspent_captured_request_is_served_once(lab: Lab) -> None:
    """What is held back is not spent: the thief comes first."""
    token = lab.token("dpop").access_token
    held_back = BINDINGS["dpop"].attach(Request("GET", RECORDS), lab.presentation(token))
    loot = Loot(found_at="here", resource=ORDERS, token=token, captured=held_back, spent=False)
    attacker = lab.attacker()
    outcomes = [attacker.replay(REPLAYS["request_as_is"], loot, HERE).outcome for _ in range(2)]
    assert outcomes == ["served", "rejected"]


@pytest.mark.parametrize("replay", ["stolen_key", "new_token_for_own_key"])
def test_a_thief_with_the_key_answers_a_demand_for_a_nonce(lab: Lab, replay: str) -> None:
    """A nonce is no binding: whoever can sign can sign it too."""
    loot = everything(lab, "dpop")
    lab.ask_for_nonces()
    attacker = lab.attacker()
    assert attacker.replay(REPLAYS[replay], loot, HERE).outcome == "served"


def test_a_client_that_may_not_reach_the_target_gets_no_token_for_it(lab: Lab) -> None:
    lab.clients["free"] = replace(lab.clients["free"], scopes=frozenset({"orders.read"}))
    attempt = tried(lab, "dpop", "new_token_for_own_key", THERE)
    assert (attempt.outcome, attempt.status, attempt.error) == ("rejected", 400, "invalid_target")


def test_a_stolen_key_is_the_holders(lab: Lab) -> None:
    attacker = lab.attacker()
    key = SigningKey.generate("Ed25519")
    stolen = Loot(found_at="here", key=key.private_jwk)
    assert attacker.holder_of(stolen).public_jwk == key.public_jwk
    assert attacker.own_key.public_jwk != key.public_jwk
