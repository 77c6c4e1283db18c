"""The page of the signature profile says what the code does: its example, its table, its numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from labsim.binding import Evidence, Presentation
from labsim.bindings.http_signature import LONGEST_NONCE, TAG, TOKEN_REQUEST_TAG, WINDOW
from labsim.checks import run_checks
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Request
from labsim.keys import SIGNATURE_ALGORITHMS, SigningKey, key_of_octets
from labsim.rejection import Reason, Rejected
from labsim.signature_base import signature_base
from labsim.structured_fields import signature_inputs, signatures
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.wiring import BINDINGS

PAGE = (Path(__file__).parents[2] / "docs" / "http-signature-profile.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```\w+ ([a-z-]+)\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL))
KEY = SigningKey.from_jwk(json.loads(BLOCKS["private-key"]))
CNF = json.loads(BLOCKS["confirmation"])
SIGNED_HERE = ("Signature-Input", "Signature", "Content-Digest")
EXAMPLES = ("token-request", "presentation")


def request_of(name: str) -> Request:
    """Read an HTTP request as the page shows it."""
    head, _, body = BLOCKS[name].partition("\n\n")
    first, *lines = head.split("\n")
    method, target, _ = first.split(" ")
    fields = [tuple(line.split(": ", 1)) for line in lines]
    (host,) = [value for key, value in fields if key == "Host"]
    request = Request(method, f"https://{host}{target}", tuple(fields), body.encode())  # type: ignore[arg-type]
    assert request.value("Content-Length") == str(len(request.body))
    return request.without("Host", "Content-Length")


def evidence(name: str, request: Request) -> Evidence:
    """Gather what the server of an example knows: at the token endpoint there is no token."""
    memory, now = InProcessReplayMemory(), float(HTTP_SIGNATURE.parse(request).created)
    if name == "token-request":
        return Evidence(request, now, memory)
    return Evidence(request, now, memory, None, "mF_9.B5f-4.1JqM", {"cnf": CNF})


def verify(name: str, request: Request, known: Evidence) -> None:
    proof = HTTP_SIGNATURE.parse(request)
    if name == "token-request":
        HTTP_SIGNATURE.verify_introduction(proof, known)
        run_checks(HTTP_SIGNATURE.once_checks, proof, known)
    else:
        HTTP_SIGNATURE.verify(proof, known)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_base_is_made_and_signed_again(name: str) -> None:
    request = request_of(name)
    (member,) = signature_inputs(str(request.value("Signature-Input")))
    base = signature_base(request, member.components, member.text)
    assert base.decode() == BLOCKS[f"{name}-base"]
    ((label, signature),) = signatures(str(request.value("Signature"))).items()
    assert label == member.label
    assert KEY.sign(base) == signature
    proof = HTTP_SIGNATURE.parse(request_of("token-request"))
    key = key_of_octets(str(proof.parameters["alg"]), proof.parameters["pub"])
    assert key.verifies(signature, base)
    assert not key.verifies(signature, base + b"\n")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_lab_makes_the_same_octets(name: str) -> None:
    request = request_of(name)
    proof = HTTP_SIGNATURE.parse(request)
    token = None
    plain = request.without(*SIGNED_HERE)
    if name == "presentation":
        token = str(request.value("Authorization")).removeprefix("HTTPSig ")
        plain = plain.without("Authorization")
    presentation = Presentation(token, KEY, float(proof.created), lambda: proof.nonce)
    assert HTTP_SIGNATURE.attach(plain, presentation) == request


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_good_once_and_for_its_own_request(name: str) -> None:
    request = request_of(name)
    known = evidence(name, request)
    verify(name, request, known)
    with pytest.raises(Rejected) as again:
        verify(name, request, known)
    assert again.value.reason is Reason.PROOF_REPLAYED
    for bad in (request.at(f"{request.url}x"), request.without("Authorization")):
        with pytest.raises(Rejected):
            verify(name, bad, evidence(name, request))


def test_the_confirmation_is_of_the_key_that_was_brought() -> None:
    assert HTTP_SIGNATURE.bind(HTTP_SIGNATURE.parse(request_of("token-request"))) == CNF


def test_the_table_has_every_check_in_its_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (both|token endpoint|resource server) \|$", PAGE, re.M)
    where = {
        **dict.fromkeys((c.name for c in HTTP_SIGNATURE.introduction_checks), "token endpoint"),
        **dict.fromkeys((c.name for c in HTTP_SIGNATURE.binding_checks), "resource server"),
    }
    expected = [(check.name, where.get(check.name, "both")) for check in HTTP_SIGNATURE.checks]
    assert rows == expected


def test_the_words_and_numbers_are_the_codes() -> None:
    assert f"at most {WINDOW:.0f} seconds" in PAGE
    assert f"1 to {LONGEST_NONCE} characters" in PAGE
    for word in (TAG, TOKEN_REQUEST_TAG, *SIGNATURE_ALGORITHMS.values()):
        assert f"`{word}`" in PAGE
    binding = BINDINGS["http_signature"]
    member, value = binding.registered_by
    assert f'`"{member}": "{value}"`' in PAGE
    assert f"`cnf.{binding.confirmation}`" in PAGE
    assert f'401 with `{binding.scheme} error="{binding.proof_error}"`' in PAGE
    assert f"400 with `{binding.introduction_error}`" in PAGE
    assert "draft-richer-oauth-httpsig-03 (an individual draft" in PAGE
