"""Section 3 of the catalogue: how a DPoP proof is written down, and its signature."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from labsim.catalogue.jws import Change, as_json
from labsim.catalogue.proof_changes import MakeChange, proof, rows, together
from labsim.catalogue.vector import Elsewhere, Force, Section, Vector
from labsim.jose import b64url, b64url_decode
from labsim.rejection import Reason

JWT, SIGNED = "proof_is_a_jwt", "signature_is_by_the_proof_key"
FORGED = "a proof without the key: any stolen token works"
READ_TWICE = "two readers of one proof read two different proofs, or one spends it twice"
CRASHED = "a proof that is none is let through, or takes the server down"


def signature(change: Callable[[bytes], bytes]) -> Change:
    """Change the octets of the signature."""

    def text(proof: str) -> str:
        signed, _, last = proof.rpartition(".")
        return f"{signed}.{b64url(change(b64url_decode(last)))}"

    return Change(text=text)


def payload_swapped(proof: str) -> str:
    """Change a claim and keep the signature."""
    header, payload, last = proof.split(".")
    claims = json.loads(b64url_decode(payload))
    return f"{header}.{b64url(as_json({**claims, 'iat': claims['iat'] + 1}))}.{last}"


def json_serialisation(proof: str) -> str:
    """Write the same JWS as JSON (RFC 7515 section 7.2)."""
    header, payload, last = proof.split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": last})


def spare_bits(proof: str) -> str:
    """Spell the last character, of which four bits count for nothing, in another way."""
    return proof[:-1] + chr(ord(proof[-1]) + 1)


def payload(raw: bytes) -> Change:
    """Sign another payload."""
    return Change(payload_bytes=lambda _claims: raw)


def twice(name: str, first: Any) -> Callable[[Any], bytes]:
    """Write one member twice, the wrong value first."""
    return lambda members: (
        b'{"%s":%s,' % (name.encode(), json.dumps(first).encode()) + as_json(members)[1:]
    )


def bad_signature(
    id: str, what: str, source: str, change: Change | MakeChange
) -> tuple[Vector, ...]:
    """Make a row about a signature that does not verify."""
    reason = Reason.PROOF_SIGNATURE_INVALID
    return rows(id, what, source, proof(change), check=SIGNED, reason=reason, gain=FORGED)


def unreadable(
    id: str,
    what: str,
    source: str,
    change: Change,
    force: Force = Force.MUST,
    gain: str = CRASHED,
) -> tuple[Vector, ...]:
    """Make a row about a text that is no compact JWS."""
    return rows(id, what, source, proof(change), check=JWT, force=force, gain=gain)


def text(change: Callable[[str], str]) -> Change:
    """Change the text of the whole proof."""
    return Change(text=change)


VECTORS = together(
    bad_signature("DS-01", "a bit flipped", "9449 4.3-6", signature(lambda s: bytes([s[0] ^ 1]) + s[1:])),
    bad_signature("DS-02", "signed by another key", "9449 4.3-6", lambda good: Change(key=good.stranger)),
    bad_signature("DS-03", "payload swapped", "9449 4.3-6", text(payload_swapped)),
    bad_signature("DS-04", "signature empty", "9449 4.3-6", Change(sign=lambda _: b"")),
    bad_signature("DS-05", "r and s zero", "FIPS 186-5", Change(sign=lambda _: bytes(64))),
    bad_signature("DS-07", "63 octets", "7518 3.4", signature(lambda s: s[:-1])),
    bad_signature("DS-07b", "65 octets", "7518 3.4", signature(lambda s: s + b"\0")),
    bad_signature("DS-07c", "r and s swapped", "7518 3.4", signature(lambda s: s[32:] + s[:32])),
    unreadable("DS-08", "foreign character", "7515 2", text(lambda t: t[:-5] + "!" + t[-5:]), gain=READ_TWICE),
    unreadable("DS-08b", "a space inside", "7515 2", text(lambda t: t[:-5] + " " + t[-5:]), gain=READ_TWICE),
    unreadable("DS-08c", "standard alphabet", "7515 2", text(lambda t: t[:-6] + "+/" + t[-4:]), gain=READ_TWICE),
    unreadable("DS-08d", "spare bits not zero", "7515 2", text(spare_bits), Force.POLICY, gain=READ_TWICE),
    unreadable("DS-09", "padding after the signature", "7515 2", text(lambda t: t + "=="), Force.POLICY, gain=READ_TWICE),
    unreadable("DS-10", "two segments", "9449 4.3-2", text(lambda t: t.rpartition(".")[0]), gain=FORGED),
    unreadable("DS-11", "four segments", "9449 4.3-2", text(lambda t: t + ".AAAA")),
    unreadable("DS-12", "JSON serialisation", "9449 4.3-2", text(json_serialisation)),
    unreadable("DS-13", "garbage", "9449 4.3-2", text(lambda _: "not a proof")),
    unreadable("DS-13b", "dots alone", "9449 4.3-2", text(lambda _: "..")),
    unreadable("DS-13c", "beyond ASCII", "9449 4.3-2", text(lambda t: t + "\u00e9")),
    unreadable("DS-14", "payload an array", "7519 7.2", payload(b"[]")),
    unreadable("DS-14b", "payload a number", "7519 7.2", payload(b"1")),
    unreadable("DS-15", "payload no JSON", "7519 7.2", payload(b"{")),
    unreadable("DS-15b", "payload no UTF-8", "7519 7.2", payload(b'{"jti":"\xff"}')),
    unreadable("DS-15c", "payload deeply nested", "7519 7.2", payload(b"[" * 4000)),
    unreadable("DS-15d", "a number of 5000 digits", "7519 7.2", payload(b'{"a":' + b"9" * 5000 + b"}")),
    unreadable("DS-15e", "a byte order mark", "8259 8.1", payload(b'\xef\xbb\xbf{"a":1}')),
    unreadable("DS-17", "the field empty", "9449 5", text(lambda _: ""), gain="a token bound to nothing, or none asked for"),
    unreadable("DS-19", "htm wrong, then right", "7519 4", Change(payload_bytes=twice("htm", "PUT")), Force.POLICY, gain=READ_TWICE),
    unreadable("DS-19b", "alg twice", "7515 4", Change(header_bytes=twice("alg", "none")), Force.POLICY, gain=READ_TWICE),
)  # fmt: skip

SECTION = Section(
    name="proof_serialisation",
    number=3,
    title="DPoP proof: serialisation and signature",
    vectors=VECTORS,
    elsewhere=(
        Elsewhere(
            id="DS-18",
            what="a proof of 60 kB",
            source="RFC 9110 section 5.4",
            why="the listener's bound answers 431 before a role sees it",
            proven="tests/vectors/test_3_proof_serialisation.py",
        ),
    ),
)
