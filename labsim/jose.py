"""JOSE: base64url, strict JSON, compact JWS. The only importer of `jwt`.

Access tokens go through PyJWT. Proofs arrive with every request, so they take the lean path
below: split once, decode once, verify once (`docs/decisions/0003-lean-path-for-proofs.md`).
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

import jwt

# RFC 4648 section 5 to section 4; what base64url does not know becomes what neither knows.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_FROM_STANDARD = bytes.maketrans(b"+/", b"-_")
_PADDING = (b"", b"!", b"==", b"=")
# The last character's spare bits must be zero: two or three characters carry one or two octets.
_LAST_CHARACTER = ("", "", "AQgw", "AEIMQUYcgkosw048")
# RFC 9864 names the algorithm Ed25519; PyJWT still calls it by its older name.
_PYJWT_NAME = {"Ed25519": "EdDSA"}
_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    "require": [],
    **dict.fromkeys(
        (f"verify_{claim}" for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")),
        False,
    ),
}


class Malformed(ValueError):
    """Say that bytes are not what a JOSE or JSON document calls for."""


def b64url(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_FROM_STANDARD, b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Decode canonical base64url; raise Malformed for padding, foreign characters or spare bits.

    Python's own decoder drops foreign characters and accepts sixteen spellings of one signature;
    whoever keys a memory on the text would then be fooled by the other fifteen.
    """
    left = len(text) % 4
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD) + _PADDING[left]
        data = a2b_base64(standard, strict_mode=True)
    except ValueError as error:
        raise Malformed("not base64url") from error
    if left and text[-1] not in _LAST_CHARACTER[left]:
        raise Malformed("not the canonical base64url form")
    return data


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("a member stands twice")
    return value


_strict = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_duplicates)


def json_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object; raise Malformed for anything else, NaN, or a member that stands twice.

    RFC 8259 section 6 knows no NaN, and NaN passes every comparison; RFC 7519 section 4 lets a
    recipient refuse duplicate members.
    """
    try:
        text = data.decode("utf-8")
        # Quicker than `decode`, which looks for white space around the object first: there is none.
        value, end = _strict.raw_decode(text) if text[:1] == "{" else (None, -1)
        if end != len(text):
            value = _strict.decode(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error) or "not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def is_number(value: object) -> bool:
    """Tell whether a claim is a NumericDate (RFC 7519 section 2): a finite number, and no bool."""
    return type(value) in (int, float) and -1e15 < value < 1e15  # type: ignore[operator]


class CompactJws(NamedTuple):
    """Hold a compact JWS taken apart but not yet verified (RFC 7515 section 7.1).

    `text` is the whole as it came; `protected` the header as it came, which one sender's proofs
    all share.
    """

    text: str
    protected: str
    header: Mapping[str, Any]
    payload: dict[str, Any]
    signature: bytes
    signing_input: bytes


@lru_cache(maxsize=1024)
def parse_header(protected: str) -> Mapping[str, Any]:
    """Parse an encoded header; cached, since one sender's proofs all begin with the same one."""
    return json_object(b64url_decode(protected))


def parse_compact(text: str) -> CompactJws:
    """Take a compact JWS with a JSON payload apart; raise Malformed if it is none."""
    signed, _, signature = text.rpartition(".")
    header, _, payload = signed.partition(".")
    if not signed or "." in payload or not text.isascii():
        raise Malformed("not three segments")
    return CompactJws(
        text,
        header,
        parse_header(header),
        json_object(b64url_decode(payload)),
        b64url_decode(signature),
        signed.encode(),
    )


def sign_compact(header: Mapping[str, Any], payload: Mapping[str, Any], holder: Any) -> str:
    """Make a compact JWS; `holder` is anything with `sign` (see `binding.Holder`)."""
    parts = [b64url(json.dumps(p, separators=(",", ":")).encode()) for p in (header, payload)]
    signing_input = ".".join(parts)
    return f"{signing_input}.{b64url(holder.sign(signing_input.encode()))}"


def sign_token(
    header: Mapping[str, Any], claims: Mapping[str, Any], key: Any, algorithm: str
) -> str:
    """Make a signed token with PyJWT; `key` is a private key of `cryptography`."""
    return jwt.encode(
        dict(claims), key, _PYJWT_NAME.get(algorithm, algorithm), headers=dict(header)
    )


def token_is_signed_by(token: str, key: Any, algorithms: tuple[str, ...]) -> bool:
    """Verify a token's signature with PyJWT, and nothing else; `key` is a public key.

    Claims are the lab's own checks: PyJWT would compare `exp` with the real clock.
    """
    names = [_PYJWT_NAME.get(name, name) for name in algorithms]
    try:
        jwt.decode(token, key, algorithms=names, options=_SIGNATURE_ONLY)
    except jwt.PyJWTError:
        return False
    return True
