"""Strategies for hypothesis: requests that no honest client sends."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from labsim.http_message import Request
from labsim.jose import b64url

# What a field's value may hold once a listener has read it (latin-1, no line breaks).
FIELD_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0, -1, 1_800_000_000, 1e308, 10**400, -(10**20), True]),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8))
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = (
    *("typ", "alg", "jwk", "kid", "crit", "b64", "jku"),
    *("jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf"),
    *("iss", "sub", "aud", "client_id", "scope", "cnf"),
)
LIKELY = st.sampled_from(
    ["dpop+jwt", "at+jwt", "JWT", "ES256", "Ed25519", "none", "HS256", "GET", "POST", "keyed", ""]
)
METHODS = st.one_of(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", ""]), FIELD_TEXT
)


def members(names: tuple[str, ...] = NAMES) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON objects whose members have the names that servers look at."""
    return st.dictionaries(st.sampled_from(names), st.one_of(JSON, LIKELY), max_size=6)


@st.composite
def compact_jws(draw: st.DrawFn) -> str:
    """Return three segments that can be decoded, and hold anything."""
    header, payload = draw(members()), draw(members())
    signature = draw(st.binary(max_size=70))
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(b64url(part) for part in parts)


@st.composite
def damaged(draw: st.DrawFn, good: str) -> str:
    """Return a good text with a piece cut out of it and another put in."""
    start = draw(st.integers(0, len(good)))
    end = draw(st.integers(start, min(len(good), start + 5)))
    return good[:start] + draw(FIELD_TEXT) + good[end:]


def urls(*origins: str) -> st.SearchStrategy[str]:
    """Return URLs of these servers, whatever follows, and texts that are no URL at all."""
    tail = st.text(st.characters(max_codepoint=255), max_size=30)
    rooted = st.sampled_from(["", "/", "/records", "/records/o-1", "/token", "/.well-known/", "//"])
    ours = st.tuples(st.sampled_from(origins), rooted, tail).map("".join)
    return st.one_of(ours, tail, st.sampled_from(["https://[", "http://[::1", "https://a@b:c/"]))


def fields(
    *names: str, values: st.SearchStrategy[str]
) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Return field lines with these names and others, some of them more than once."""
    name = st.one_of(st.sampled_from(names), FIELD_TEXT)
    return st.lists(st.tuples(name, st.one_of(values, FIELD_TEXT)), max_size=4).map(tuple)


def requests(
    lines: st.SearchStrategy[tuple[tuple[str, str], ...]],
    bodies: st.SearchStrategy[bytes],
    *at: str,
) -> st.SearchStrategy[Request]:
    """Return requests of any method, to any URL, with these field lines and bodies."""
    return st.builds(Request, METHODS, urls(*at), lines, bodies)
