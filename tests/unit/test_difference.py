"""A thief's request beside the holder's: what differs, part by part."""

from __future__ import annotations

import datetime

import pytest

from labsim.certificates import certificate_authority, client_leaf, client_uri
from labsim.jose import sign_compact
from labsim.keys import SigningKey, thumbprint
from labsim.stories.difference import NOTHING, difference
from labsim.structured_fields import byte_sequence

HOLDER, THIEF = SigningKey.generate(), SigningKey.generate()


def token(**claims: object) -> str:
    return sign_compact({"alg": "ES256"}, {"sub": "ci-runner", **claims}, HOLDER)


def proof(key: SigningKey, jti: str) -> str:
    header = {"typ": "dpop+jwt", "alg": key.algorithm, "jwk": key.public_jwk}
    return sign_compact(header, {"jti": jti, "htm": "GET"}, key)


def wire(*fields: tuple[str, str], first: str = "GET /records", body: str = "") -> str:
    lines = [f"{first} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def test_the_same_bytes_have_no_difference() -> None:
    request = wire(("Host", "a"), ("Authorization", f"DPoP {token()}"))
    found = difference(request, request)
    assert found.rows == ()
    assert found.summary == "Not one byte differs."


def test_two_proofs_differ_in_their_keys_and_the_token_does_not() -> None:
    shared = ("Authorization", f"DPoP {token()}")
    found = difference(
        wire(shared, ("DPoP", proof(HOLDER, "1"))), wire(shared, ("DPoP", proof(THIEF, "2")))
    )
    rows = {name: both for name, *both in found.rows}
    assert list(rows) == ["proof: jwk", "proof: jti", "proof: signature"]
    assert rows["proof: jwk"] == [f"the key {thumbprint(k.public_jwk)}" for k in (HOLDER, THIEF)]
    assert rows["proof: jti"] == ["1", "2"]
    assert found.summary == (
        "The same in both: method, target, scheme, token, proof (typ, alg, htm)."
    )


def test_another_token_is_compared_claim_by_claim() -> None:
    holder, thief = (wire(("Authorization", f"Bearer {token(jti=each)}")) for each in "ab")
    rows = {name: both for name, *both in difference(holder, thief).rows}
    assert rows["token: jti"] == ["a", "b"]
    assert "token: sub" not in rows


@pytest.mark.parametrize(
    ("holder", "thief", "name"),
    [
        (wire(), wire(first="GET /records/1"), "target"),
        (wire(), wire(first="POST /records"), "method"),
        (wire(body="a"), wire(body="b"), "body"),
        (wire(("X", "1")), wire(("X", "2")), "X"),
        (wire(("X", "1")), wire(("X", "1"), ("X", "2")), "X (2)"),
        (wire(("Authorization", "Bearer x")), wire(("Authorization", "DPoP x")), "Authorization"),
    ],
)
def test_each_part_is_told_by_its_name(holder: str, thief: str, name: str) -> None:
    assert [row[0] for row in difference(holder, thief).rows] == [name]
    assert difference(holder, holder).rows == ()


def test_what_one_of_them_lacks_is_marked() -> None:
    ((name, holder, thief),) = difference(wire(("Accept", "a")), wire()).rows
    assert (name, holder, thief) == ("Accept", "a", NOTHING)


def test_a_signature_and_a_certificate_are_taken_apart() -> None:
    signed = '("@method");created=1;nonce="n"'
    holder = wire(("Signature-Input", f"s={signed}"))
    thief = wire(("Signature-Input", f"s={signed.replace('=1', '=2')}"))
    assert difference(holder, thief).rows == (("signature: created", "1", "2"),)
    now = datetime.datetime.now(datetime.UTC)
    leaf = client_leaf(certificate_authority("ca", now), client_uri("x"), "x", now)
    (row,) = difference(wire(), wire(("Client-Cert", byte_sequence(leaf.der)))).rows
    assert "thumbprint" in row[2]


@pytest.mark.parametrize(
    "field",
    [("DPoP", "a.b.c"), ("Signature-Input", "=="), ("Client-Cert", ":AAAA:"), ("DPoP", "\x1b[2J")],
)
def test_what_cannot_be_read_is_shown_as_it_came_and_harmless(field: tuple[str, str]) -> None:
    (row,) = difference(wire(), wire(field)).rows
    assert row[0] == field[0]
    assert row[2].isprintable()


def test_a_key_that_is_no_key_does_not_end_it() -> None:
    jws = sign_compact({"jwk": [1]}, {}, HOLDER)
    rows = {name: both for name, *both in difference(wire(), wire(("DPoP", jws))).rows}
    assert rows["proof: jwk"] == [NOTHING, "[1]"]


def test_a_long_part_keeps_both_ends_and_says_how_long_it_is() -> None:
    (row,) = difference(wire(), wire(body="a" * 500 + "z")).rows
    assert row[2].startswith("aaa")
    assert row[2].endswith("z (501 characters)")


def test_the_holders_own_end_is_in_the_title() -> None:
    assert difference(wire(), wire(), "served (200)").title == (
        "Beside the holder's own request (served (200))"
    )
