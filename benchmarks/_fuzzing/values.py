"""Odd values, and good texts, octets and JSON with something wrong about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 0.5, 1e308, 2**63, 10**400, -(10**30)),
    *(float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "\0",
        "\n",
        "\ud800",
        "\N{KELVIN SIGN}",
        "\N{LATIN SMALL LETTER LONG S}",
        "a" * 3000,
    ),
    *("null", "true", "ES256", "none", "HS256", "at+jwt", "dpop+jwt", "GET", "POST"),
    *([], [[]], [None], {}, {"a": None}, {"": {"": {}}}),
)
NAMES = (
    *("typ", "alg", "jwk", "kid", "crit", "b64", "jku", "x5u", "x5c", "zip", "cty", "enc"),
    *("jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf", "iss", "sub", "aud"),
    *(
        "client_id",
        "scope",
        "cnf",
        "act",
        "may_act",
        "events",
        "active",
        "",
        "x",
        "__proto__",
        *("d", "p", "q", "k"),
    ),
)
FIELDS = (
    *("Authorization", "DPoP", "Signature", "Signature-Input", "Content-Digest", "Content-Type"),
    *("Client-Cert", "Client_Cert", "X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "Cookie"),
    *("Content-Length", "Transfer-Encoding", "Host", "X", "WWW-Authenticate", "DPoP-Nonce"),
)
_UNFIT = frozenset("\r\n\0")


def damaged(rng: Random, text: str) -> str:
    """Return a field's text with a piece cut out, put in, doubled or turned round: latin-1."""
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice((0, 1, 1, 2, 4, 50)))
    piece = text[start:end]
    how = rng.randrange(7)
    if how == 0 and piece:  # one bit
        piece = chr(ord(piece[0]) & 255 ^ 1 << rng.randrange(8)) + piece[1:]
    elif how == 1:
        piece = "".join(chr(rng.choice((rng.randrange(256), 32, 34, 44, 58, 61))) for _ in "ab")
    elif how == 2:
        piece = ""
    elif how == 3:
        piece *= rng.choice((2, 100))
    elif how == 4:
        piece = piece.swapcase()
    elif how == 5:
        return text[:start]
    else:
        piece = piece[::-1]
    return text[:start] + "".join(c for c in piece if c not in _UNFIT) + text[end:]


def damaged_octets(rng: Random, octets: bytes) -> bytes:
    """Return octets with some changed, cut out, put in or cut off."""
    start = rng.randrange(len(octets) + 1)
    piece = octets[start : start + rng.choice((0, 1, 1, 1, 4))]
    how = rng.randrange(5)
    if how == 0:
        piece = bytes(octet ^ 1 << rng.randrange(8) for octet in piece)
    elif how == 1:
        return octets[:start]
    elif how == 2:
        return octets[:start] + rng.randbytes(rng.randrange(1, 5)) + octets[start:]
    elif how == 3:
        piece = b""
        return octets[:start] + octets[start + 1 :]
    else:
        piece = rng.randbytes(len(piece))
    return octets[:start] + piece + octets[start + len(piece) :]


def odd_value(rng: Random, good: Any) -> Any:
    """Return a value of any JSON type, or one that is nearly the good one."""
    if rng.random() < 0.5:
        return rng.choice(ODD)
    near: list[Any] = [[good], {"": good}, str(good), [good, good]]
    if isinstance(good, str):
        near += [good.upper(), good.lower(), good + " ", good[:-1], good + "\0", f"{good}/"]
    if isinstance(good, int | float):
        near += [good + 1, good - 59, good + 59.5, -good, good * 1000, float(good), bool(good)]
    if isinstance(good, dict):
        near += [{**good, "x": 1}, dict(list(good.items())[1:]), {k: [v] for k, v in good.items()}]
        near += [{k: str(v)[::-1] for k, v in good.items()}]
    return rng.choice(near)


def changed_member(rng: Random, good: dict[str, Any]) -> dict[str, Any]:
    """Return an object with one member changed, taken away, renamed or added."""
    names = list(good) or [""]
    name, how = rng.choice(names), rng.randrange(6)
    if how == 0:
        return {key: value for key, value in good.items() if key != name}
    if how == 1:
        return {(key.upper() if key == name else key): value for key, value in good.items()}
    times = [value for value in good.values() if type(value) is int]
    if how == 2 and times and rng.random() < 0.3:
        return {**good, rng.choice(("exp", "nbf")): times[0] + rng.choice((-61, 0, 59, 120))}
    if how == 2 and "kty" in good:
        return {**good, rng.choice(("d", "p", "q", "k", "oth", "alg")): next(iter(good.values()))}
    if how == 2:
        return {**good, rng.choice(NAMES): odd_value(rng, good.get(name))}
    inner = good.get(name)
    if how == 3 and isinstance(inner, dict):
        return {**good, name: changed_member(rng, inner)}
    return {**good, name: odd_value(rng, inner)}


def compact(value: Any) -> bytes:
    """Return JSON as a client writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def _escaped(value: dict[str, Any]) -> bytes:
    spelled = compact(value).decode()
    return spelled.replace("a", "\\u0061").encode()


def _doubled(value: dict[str, Any]) -> bytes:
    return b"{" + compact(value)[1:-1] + b"," + compact(value)[1:]


SPELLINGS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "with white space": lambda value: json.dumps(value, indent=1).encode(),
    "in another order": lambda value: compact(dict(reversed(value.items()))),
    "with escapes": _escaped,
    "each member twice": _doubled,
    "with a byte order mark": lambda value: b"\xef\xbb\xbf" + compact(value),
    "in UTF-16": lambda value: compact(value).decode().encode("utf-16"),
    "with a tail": lambda value: compact(value) + b"{}",
    "in an array": lambda value: b"[" + compact(value) + b"]",
    "deep": lambda value: b'{"x":' + b"[" * 3000 + b"]" * 3000 + b"," + compact(value)[1:],
    "deeper than is closed": lambda value: compact(value)[:-1] + b',"x":' + b'{"a":' * 2000,
    "with a huge number": lambda value: compact(value)[:-1] + b',"x":' + b"9" * 5000 + b"}",
    "with NaN": lambda value: compact(value)[:-1] + b',"x":NaN}',
    "with a bad escape": lambda value: compact(value)[:-1] + b',"x":"\\ud800\\u12"}',
    "with bad UTF-8": lambda value: compact(value)[:-1] + b',"x":"\xff\xc0\x80"}',
    "empty": lambda _value: b"",
    "null": lambda _value: b"null",
}
"""Ways to write a JSON object: the first three say the same, the others are none or say more."""
