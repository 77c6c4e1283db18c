"""Section 3 of the catalogue: how a DPoP proof is written down, and its signature."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from labsim.jose import b64url, b64url_decode
from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    DPOP,
    RS,
    STATUS,
    answer,
    assert_refused,
    assert_served,
    token_request,
)
from tests.jws import Change, as_json
from tests.vectors.proof_rows import ProofRow, cases, run
from tests.wiring import Lab

JWT, SIGNED = "proof_is_a_jwt", "signature_is_by_the_proof_key"
STRANGER = SigningKey.generate()


def signature(change: Callable[[bytes], bytes]) -> Change:
    """Change the octets of the signature."""

    def text(proof: str) -> str:
        signed, _, last = proof.rpartition(".")
        return f"{signed}.{b64url(change(b64url_decode(last)))}"

    return Change(text=text)


def payload_swapped(proof: str) -> str:
    header, payload, last = proof.split(".")
    claims = json.loads(b64url_decode(payload))
    return f"{header}.{b64url(as_json({**claims, 'iat': claims['iat'] + 1}))}.{last}"


def json_serialisation(proof: str) -> str:
    header, payload, last = proof.split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": last})


def spare_bits(proof: str) -> str:
    """Spell the last character, of which four bits count for nothing, in another way."""
    return proof[:-1] + chr(ord(proof[-1]) + 1)


def payload(raw: bytes) -> Change:
    return Change(payload_bytes=lambda _claims: raw)


def twice(name: str, first: Any) -> Callable[[Any], bytes]:
    """Write one member twice, the wrong value first."""
    return lambda members: (
        b'{"%s":%s,' % (name.encode(), json.dumps(first).encode()) + as_json(members)[1:]
    )


def bad_signature(id: str, what: str, source: str, change: Change) -> ProofRow:
    reason = Reason.PROOF_SIGNATURE_INVALID
    return ProofRow(id=id, what=what, source=source, check=SIGNED, reason=reason, change=change)


def unreadable(id: str, what: str, source: str, change: Change) -> ProofRow:
    return ProofRow(id=id, what=what, source=source, check=JWT, change=change)


def text(change: Callable[[str], str]) -> Change:
    return Change(text=change)


ROWS = (
    bad_signature(
        "DS-01", "a bit flipped", "9449 4.3-6", signature(lambda s: bytes([s[0] ^ 1]) + s[1:])
    ),
    bad_signature("DS-02", "signed by another key", "9449 4.3-6", Change(key=STRANGER)),
    bad_signature("DS-03", "payload swapped", "9449 4.3-6", text(payload_swapped)),
    bad_signature("DS-04", "signature empty", "9449 4.3-6", Change(sign=lambda _: b"")),
    bad_signature("DS-05", "r and s zero", "FIPS 186-5", Change(sign=lambda _: bytes(64))),
    bad_signature("DS-07", "63 octets", "7518 3.4", signature(lambda s: s[:-1])),
    bad_signature("DS-07b", "65 octets", "7518 3.4", signature(lambda s: s + b"\0")),
    bad_signature("DS-07c", "r and s swapped", "7518 3.4", signature(lambda s: s[32:] + s[:32])),
    unreadable("DS-08", "foreign character", "7515 2", text(lambda t: t[:-5] + "!" + t[-5:])),
    unreadable("DS-08b", "line break inside", "7515 2", text(lambda t: t[:-5] + "\n" + t[-5:])),
    unreadable("DS-08c", "standard alphabet", "7515 2", text(lambda t: t[:-6] + "+/" + t[-4:])),
    unreadable("DS-08d", "spare bits not zero", "7515 2", text(spare_bits)),
    unreadable("DS-09", "padding after the signature", "7515 2", text(lambda t: t + "==")),
    unreadable("DS-10", "two segments", "9449 4.3-2", text(lambda t: t.rpartition(".")[0])),
    unreadable("DS-11", "four segments", "9449 4.3-2", text(lambda t: t + ".AAAA")),
    unreadable("DS-12", "JSON serialisation", "9449 4.3-2", text(json_serialisation)),
    unreadable("DS-13", "garbage", "9449 4.3-2", text(lambda _: "not a proof")),
    unreadable("DS-13b", "dots alone", "9449 4.3-2", text(lambda _: "..")),
    unreadable("DS-13c", "beyond ASCII", "9449 4.3-2", text(lambda t: t + "\u00e9")),
    unreadable("DS-14", "payload an array", "7519 7.2", payload(b"[]")),
    unreadable("DS-14b", "payload a number", "7519 7.2", payload(b"1")),
    unreadable("DS-15", "payload no JSON", "7519 7.2", payload(b"{")),
    unreadable("DS-15b", "payload no UTF-8", "7519 7.2", payload(b'{"jti":"\xff"}')),
    unreadable("DS-15c", "payload deeply nested", "7519 7.2", payload(b"[" * 100_000)),
    unreadable(
        "DS-15d", "a number of 5000 digits", "7519 7.2", payload(b'{"a":' + b"9" * 5000 + b"}")
    ),
    unreadable("DS-15e", "a byte order mark", "8259 8.1", payload(b'\xef\xbb\xbf{"a":1}')),
    unreadable("DS-17", "the field empty", "9449 5", text(lambda _: "")),
    unreadable(
        "DS-19", "htm wrong, then right", "7519 4", Change(payload_bytes=twice("htm", "PUT"))
    ),
    unreadable("DS-19b", "alg twice", "7515 4", Change(header_bytes=twice("alg", "none"))),
)


@pytest.mark.parametrize(("row", "actor"), cases(ROWS))
def test_a_proof_that_is_written_or_signed_wrongly_is_refused(
    lab: Lab, row: ProofRow, actor: str
) -> None:
    run(lab, row, actor)


def test_an_empty_proof_is_no_way_to_get_a_bearer_token(lab: Lab) -> None:
    """DS-17, for a client that may have bearer tokens: it asked for a bound one."""
    good = token_request(lab, "free")
    assert assert_served(lab, good).json()["token_type"] == "Bearer"
    refusal = {"error": "invalid_dpop_proof", "reason": Reason.PROOF_MALFORMED, "check": JWT}
    assert_refused(lab, good.adding("DPoP", ""), status=STATUS[AS], **refusal)
    assert assert_served(lab, good).json()["token_type"] == "Bearer"


@pytest.mark.parametrize("actor", [AS, RS])
@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_proof_of_sixty_kilobytes_gets_an_answer(lab: Lab, actor: str, algorithm: str) -> None:
    """DS-18: the listener answers 431 before a role sees it; a role is not harmed by it either."""
    holder = SigningKey.generate(algorithm)
    good = token_request(lab)
    proof = str(DPOP.attach(good, lab.presentation(None, holder)).value("DPoP"))
    header, claims, last = proof.split(".")
    response = answer(lab, good.adding("DPoP", f"{header}.{claims}{'A' * 60_000}.{last}"))
    assert response.status == 400
