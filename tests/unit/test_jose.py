"""base64url, strict JSON and compact JWS."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.jose import (
    Malformed,
    b64url,
    b64url_decode,
    is_number,
    json_object,
    parse_compact,
    parse_header,
    sign_compact,
    sign_token,
    token_is_signed_by,
)
from labsim.keys import SigningKey, public_key


@given(st.binary(max_size=80))
def test_base64url_comes_back_as_it_went(data: bytes) -> None:
    text = b64url(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert b64url_decode(text) == data


@given(st.text(st.characters(max_codepoint=255), max_size=12))
def test_only_the_canonical_form_is_decoded(text: str) -> None:
    try:
        data = b64url_decode(text)
    except Malformed:
        return
    assert b64url(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AA=",
        "AA==",
        "AAA=",
        "AB",
        "AAB",
        "A+AA",
        "A/AA",
        "A\nAA",
        " AAAA",
        "AA!A",
        "\u00e9AAA",
    ],
)
def test_what_is_not_canonical_base64url_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        b64url_decode(text)


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"[]",
            b"1",
            b"null",
            b'"a"',
            b"{",
            b'{"a":1}x',
            b"\xff",
            b"\xef\xbb\xbf{}",
            b"{'a':1}",
        ),
        *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":{"b":[NaN]}}'),
        *(b'{"a":1,"a":2}', b'{"b":{"a":1,"a":1}}', b'{"a":1,"\\u0061":2}', b'{"a":\x01"}'),
        *(b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"),
    ],
)
def test_what_is_not_one_json_object_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(data)


def test_a_json_object_is_read() -> None:
    assert json_object(b' {"a":[1,null,"\\u00e9"]} ') == {"a": [1, None, "\u00e9"]}


@pytest.mark.parametrize("value", [0, 1, -1, 1.5, 1_800_000_000])
def test_a_number_is_a_number(value: Any) -> None:
    assert is_number(value)


@pytest.mark.parametrize(
    "value",
    [True, False, None, "1", [], {}, float("nan"), float("inf"), -float("inf"), 10**400, 1e300],
)
def test_nothing_else_is_a_number(value: Any) -> None:
    assert not is_number(value)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "e30.e30", "e30.e30.AA.AA", "e30.W10.AA", "e30.e30.\u00e9"]
)
def test_what_is_no_compact_jws_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_compact(text)


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_what_is_signed_can_be_taken_apart_and_verified(algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    text = sign_compact({"alg": algorithm}, {"a": 1}, key)
    jws = parse_compact(text)
    assert (jws.header, jws.payload, jws.text) == ({"alg": algorithm}, {"a": 1}, text)
    assert jws.signing_input == text.rpartition(".")[0].encode()
    public = public_key(key.public_jwk)
    assert public.verifies(jws.signature, jws.signing_input)
    assert not public.verifies(jws.signature, jws.signing_input + b"x")


def test_a_header_is_parsed_once() -> None:
    header = b64url(json.dumps({"alg": "ES256", "only": "here"}).encode())
    assert parse_header(header) is parse_header(header)


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_token_is_signed_by_its_key_and_by_no_other(algorithm: str) -> None:
    key, other = SigningKey.generate(algorithm), SigningKey.generate(algorithm)
    token = sign_token({"typ": "at+jwt"}, {"exp": 1}, key.private, algorithm)
    good, bad = public_key(key.public_jwk), public_key(other.public_jwk)
    assert token_is_signed_by(token, good.key, good.algorithms), (
        "exp is not this function's business"
    )
    assert not token_is_signed_by(token, bad.key, bad.algorithms)
    assert not token_is_signed_by(token, good.key, ("RS256",))
    assert not token_is_signed_by("a.b.c", good.key, good.algorithms)
