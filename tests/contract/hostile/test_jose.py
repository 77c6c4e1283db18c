"""JOSE documents of any octets: a value or Malformed, and one spelling of each value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.jose import (
    Malformed,
    b64url,
    b64url_decode,
    is_number,
    json_object,
    parse_compact,
    parse_header,
)
from labsim.keys import PublicKey, SigningKey, key_of_octets, public_key, public_octets
from tests.hostile import JSON, compact_jws, damaged

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KEYS = {name: SigningKey.generate(name) for name in ("ES256", "Ed25519")}
HEADER = b64url(b'{"typ":"dpop+jwt"}')


@given(octets=st.binary(max_size=60))
def test_every_octet_string_has_one_spelling(octets: bytes) -> None:
    text = b64url(octets)
    assert b64url_decode(text) == octets
    for other in (f"{text}=", f"{text}\n", f" {text}", text + "A" * (len(text) % 4 == 3) + "A"):
        with_other = outcome(b64url_decode, other)
        assert with_other != octets


@given(text=st.one_of(st.text(max_size=20), st.text(BASE64URL + "=+/ \n", max_size=20)))
@example(text="A")
@example(text="AB")
@example(text="\ud800AAA")
@example(text="AAA\u0100")
def test_what_can_be_decoded_is_spelled_so(text: str) -> None:
    octets = outcome(b64url_decode, text)
    assert octets is Malformed or b64url(octets) == text


def outcome(parse: Any, value: Any) -> Any:
    """Return what a parser gives, or Malformed itself if it raises that; nothing else may be."""
    try:
        return parse(value)
    except Malformed:
        return Malformed


@given(octets=st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_json_is_an_object_or_malformed(octets: bytes) -> None:
    value = outcome(json_object, octets)
    assert value is Malformed or type(value) is dict


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '{"x":{"a":1,"a":2}}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":[-Infinity]}',
        '{"a":01}',
        '{"a":+1}',
        '{"a":.5}',
        '{"a":1e}',
        '{"a":0x1}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":' + "[" * 100_000,
        '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "{'a':1}",
        '{"a":1,}',
        '{"a":1}{"a":1}',
        '{"a":1} x',
        '{"a":"\x01"}',
        '{"a":"\\x41"}',
        '\ufeff{"a":1}',
        "[]",
        "null",
        "1",
        '"a"',
        "",
        " ",
        "//",
    ],
    ids=lambda text: text[:16],
)
def test_json_that_two_readers_read_differently_is_malformed(text: str) -> None:
    assert json_object(b'{"a":1}') == {"a": 1}
    with pytest.raises(Malformed):
        json_object(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"])
def test_json_is_utf_8(encoding: str) -> None:
    with pytest.raises(Malformed):
        json_object('{"a":1}'.encode(encoding))


@pytest.mark.parametrize(
    "octets", [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"']
)
def test_json_of_bad_utf_8_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(b'{"a":' + octets + b"}")


def test_half_a_surrogate_pair_is_text_and_may_be_looked_at() -> None:
    """RFC 8259 section 8.2 lets it be written; what uses it must not fall over it."""
    assert json_object(b'{"a":"\\ud800"}') == {"a": "\ud800"}


@given(value=JSON)
@example(value=True)
@example(value=10**400)
@example(value=float("nan"))
@example(value=float("inf"))
@example(value=-(10**18))
def test_a_time_is_a_number_that_can_be_reckoned_with(value: Any) -> None:
    if is_number(value):
        assert type(value) in (int, float)
        assert abs(value - 1_800_000_000.0) < 1e16


@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.text(BASE64URL, max_size=12), max_size=5).map(".".join),
        damaged(f"{HEADER}.e30.AAAA"),
        compact_jws(),
    )
)
@example(text="." * 100_000)
@example(text=f"{HEADER}.e30.")
@example(text=f"{HEADER}.e30.AAAA\u212a")
def test_a_compact_jws_is_three_segments_or_malformed(text: str) -> None:
    jws = outcome(parse_compact, text)
    if jws is not Malformed:
        assert jws.text == text
        assert f"{jws.signing_input.decode()}.{b64url(jws.signature)}" == text


@pytest.mark.parametrize("header", ["", "e30=", "AA", "W10", "bnVsbA"])
def test_a_header_that_is_none_is_not_kept(header: str) -> None:
    for _ in range(2):
        with pytest.raises(Malformed):
            parse_header(header)


@st.composite
def jwks(draw: st.DrawFn) -> dict[str, Any]:
    """Return JWKs: good ones with members changed, and objects that are none."""
    names = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "alg"])
    likely = st.sampled_from(["EC", "OKP", "RSA", "oct", "P-256", "P-384", "Ed25519", "X25519"])
    octets = st.binary(min_size=32, max_size=33).map(b64url)
    changed = st.dictionaries(names, st.one_of(JSON, likely, octets), max_size=3)
    good = draw(st.sampled_from([key.public_jwk for key in KEYS.values()]))
    return draw(st.sampled_from([{}, good])) | draw(changed)


@given(jwk=jwks())
@example(jwk={"kty": "RSA", "n": b64url(b"\xff" * 256), "e": ""})
@example(jwk={"kty": "RSA", "n": b64url(b"\xff" * 256), "e": b64url(b"\xff" * 300)})
@example(jwk={"kty": "RSA", "n": b64url(b"\xff" * 256), "e": "Ag"})
@example(jwk={"kty": "RSA", "n": b64url(b"\x80" + bytes(255)), "e": "AQAB"})
@example(jwk={"kty": "OKP", "crv": "Ed25519", "x": b64url(bytes(32))})
@example(jwk={"kty": "EC", "crv": "P-256", "x": b64url(bytes(32)), "y": b64url(bytes(32))})
@example(jwk={"kty": ["EC"], "crv": {"P-256": 1}})
def test_a_jwk_is_a_usable_key_or_malformed(jwk: dict[str, Any]) -> None:
    key = outcome(public_key, jwk)
    if key is not Malformed:
        assert_no_key_of_nobodys(key)
        assert set(key.jwk) <= set(jwk)


def assert_no_key_of_nobodys(key: PublicKey) -> None:
    """A key that was made can be asked, whatever the signature is."""
    for size in (0, 1, 63, 64, 65, 256):
        assert not key.verifies(bytes(size), b"message")
        assert not key.verifies(b"\xff" * size, b"message")


@given(
    algorithm=st.sampled_from(["ed25519", "ecdsa-p256-sha256", "", "RS256"]),
    octets=st.binary(max_size=70),
)
@example(algorithm="ecdsa-p256-sha256", octets=b"\x04" + bytes(64))
@example(algorithm="ecdsa-p256-sha256", octets=b"\x02" + bytes(64))
@example(algorithm="ed25519", octets=bytes(32))
def test_octets_are_a_key_or_malformed(algorithm: str, octets: bytes) -> None:
    key = outcome(lambda pair: key_of_octets(*pair), (algorithm, octets))
    if key is not Malformed:
        assert public_octets(key.jwk) == octets


@given(jwk=jwks(), d=st.one_of(JSON, st.binary(max_size=33).map(b64url)))
@example(jwk=KEYS["ES256"].public_jwk, d=b64url(bytes(32)))
@example(jwk=KEYS["ES256"].public_jwk, d=b64url(b"\xff" * 32))
@example(jwk={"kty": "RSA", "n": b64url(b"\xff" * 256), "e": "AQAB"}, d="AQAB")
def test_a_private_jwk_is_a_key_or_malformed(jwk: dict[str, Any], d: Any) -> None:
    key = outcome(SigningKey.from_jwk, {**jwk, "d": d})
    if key is not Malformed:
        assert len(key.sign(b"message")) == 64
