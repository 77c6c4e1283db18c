"""A signer, asked without a socket: what it gives, what it refuses, and that the key is in neither."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.certificates import certified
from labsim.estate.clock import Clock
from labsim.estate.signer import Signer
from labsim.http_message import Request
from labsim.keys import SigningKey, public_key
from tests.wiring import BINDINGS, CLIENT_AUTHORITY, RECORDS

MESSAGE = {"do": "sign", "message": base64.b64encode(b"octets").decode()}
PLAIN = Request("GET", RECORDS).to_json()


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Make a signer for a binding; `stamps` says whether it writes the time itself."""
    Clock.made(tmp_path / "clock").advance(1000)

    def made(binding: str = "dpop", stamps: bool = False) -> Signer:
        config = {"binding": binding, "stamps": stamps, "module": "", "address": ""}
        signer = Signer(SimpleNamespace(run_folder=tmp_path, folder=tmp_path, config=config))
        signer.make_key()
        return signer

    return made


def test_anybody_may_know_its_public_key(make: Any) -> None:
    signer = make()
    said = signer.answer({"do": "hello"})
    assert said["algorithm"] == "ES256"
    assert said["stamps"] is False
    assert set(said["jwk"]) == {"kty", "crv", "x", "y"}
    assert make().answer({"do": "hello"})["jwk"] != said["jwk"]


def test_a_raw_signer_signs_any_octets(make: Any) -> None:
    signer = make()
    key = public_key(signer.answer({"do": "hello"})["jwk"])
    signature = base64.b64decode(signer.answer(dict(MESSAGE))["signature"])
    assert key.verifies(signature, b"octets")
    assert not key.verifies(signature, b"others")


def test_one_that_stamps_the_time_signs_no_octets_until_it_stops(make: Any) -> None:
    signer = make(stamps=True)
    assert signer.answer({"do": "hello"})["stamps"] is True
    assert set(signer.answer(dict(MESSAGE))) == {"refused"}
    signer.stamp(on=False)
    assert "signature" in signer.answer(dict(MESSAGE))
    signer.stamp(on=True)
    assert set(signer.answer(dict(MESSAGE))) == {"refused"}


@pytest.mark.parametrize("binding", ["dpop", "http_signature"])
def test_a_proof_of_its_making_bears_the_time_of_its_own_clock(
    make: Any, binding: str, tmp_path: Path
) -> None:
    signer = make(binding, stamps=True)
    now = Clock(tmp_path / "clock")()
    asked = {"do": "attach", "request": PLAIN, "token": "t", "nonce": None}
    made = Request.from_json(signer.answer(asked)["request"])
    proof = BINDINGS[binding].parse(made)
    assert made.value("Authorization") == f"{BINDINGS[binding].scheme} t"
    named = proof.iat if binding == "dpop" else proof.created
    assert int(now) <= named <= Clock(tmp_path / "clock")()


def test_a_proof_of_its_making_answers_a_nonce(make: Any) -> None:
    asked = {"do": "attach", "request": PLAIN, "token": None, "nonce": "n-1"}
    made = Request.from_json(make(stamps=True).answer(asked)["request"])
    assert BINDINGS["dpop"].parse(made).nonce == "n-1"
    assert made.value("Authorization") is None


def test_it_takes_the_certificate_of_its_key_and_no_other(make: Any) -> None:
    signer = make("mtls")
    dial = {"do": "dial", "request": PLAIN, "proxy": ""}
    assert signer.answer(dict(dial)) == {"refused": "there is no certificate to show"}
    jwk = signer.answer({"do": "hello"})["jwk"]
    strangers = certified(CLIENT_AUTHORITY, "x", SigningKey.generate().public_jwk)
    for pem, why in ((strangers, "for another key"), ("no PEM", "no certificate"), ("", "no cert")):
        assert why in signer.answer({"do": "certified", "pem": pem})["refused"]
    assert signer.answer({"do": "certified", "pem": certified(CLIENT_AUTHORITY, "x", jwk)}) == {}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"do": "give"},
        {"do": "_dialler", "proxy": "x"},
        {"do": "hello", "more": 1},
        {"do": "sign"},
        {"do": "sign", "message": 5},
        {"do": "sign", "message": "no base64!"},
        {"do": "sign", "message": "\u20ac"},
        {"do": "certified", "pem": None},
        {"do": "attach", "request": PLAIN},
        {"do": "attach", "request": {}, "token": None, "nonce": None},
        {"do": "attach", "request": [], "token": None, "nonce": None},
        {"do": "attach", "request": PLAIN, "token": 5, "nonce": None},
        {"do": "dial", "request": PLAIN, "proxy": None},
    ],
)
def test_what_it_does_not_know_is_refused_and_it_goes_on(make: Any, asked: dict[str, Any]) -> None:
    signer = make()
    assert set(signer.answer(asked)) == {"refused"}
    assert "signature" in signer.answer(dict(MESSAGE))


@pytest.mark.parametrize(
    "proxy", ["x", "http://198.51.100.1:80", "http://127.0.0.1:80/", "http://127.0.0.1:1@h:2"]
)
def test_it_goes_through_no_proxy_elsewhere(make: Any, proxy: str) -> None:
    signer = make("mtls")
    jwk = signer.answer({"do": "hello"})["jwk"]
    signer.answer({"do": "certified", "pem": certified(CLIENT_AUTHORITY, "x", jwk)})
    refused = signer.answer({"do": "dial", "request": PLAIN, "proxy": proxy})
    assert refused == {"refused": "that is no proxy on this machine"}


def test_what_cannot_be_signed_is_refused(make: Any) -> None:
    odd = {**PLAIN, "url": "https://orders.test/\xe9"}
    asked = {"do": "attach", "request": odd, "token": "t", "nonce": None}
    assert "ASCII" in make("http_signature", stamps=True).answer(asked)["refused"]
    # Without a certificate, which a signer for mutual TLS has to be given first.
    asked = {"do": "attach", "request": PLAIN, "token": "t", "nonce": None}
    assert "certificate" in make("mtls").answer(asked)["refused"]


@pytest.mark.parametrize("stamps", [False, True])
@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_no_answer_holds_the_key(make: Any, binding: str, stamps: bool) -> None:
    signer = make(binding, stamps)
    pem = certified(CLIENT_AUTHORITY, "x", signer.answer({"do": "hello"})["jwk"])
    asked = [{"do": "hello"}, {"do": "certified", "pem": pem}, MESSAGE, {"do": "key"}, {}]
    asked.append({"do": "attach", "request": PLAIN, "token": "t", "nonce": None})
    answers = json.dumps([signer.answer(dict(each)) for each in asked])
    assert signer._key.private_jwk["d"] not in answers
    assert "PRIVATE" not in answers
    assert signer._key.private_jwk["d"] in json.dumps(signer._key.private_jwk)
