"""Where in a request a JWS stands: taken out, changed, signed again or not, and put back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from benchmarks._fuzzing.values import SPELLINGS, changed_member, compact
from labsim.http_message import Request
from labsim.jose import b64url
from labsim.keys import SigningKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class Place:
    """Name a place that holds a JWS: a field, a form's parameter, or the body (no name)."""

    kind: str
    name: str
    key: SigningKey

    def get(self, request: Request) -> str | None:
        """Return the JWS; of credentials without their scheme. None if nothing is there."""
        if self.kind == "field":
            value = request.value(self.name)
            return value.rpartition(" ")[2] if value is not None else None
        body = request.body.decode("latin-1")
        if self.kind == "body":
            return body
        for pair in body.split("&"):
            name, _, value = pair.partition("=")
            if name == self.name:
                return unquote_plus(value)
        return None

    def put(self, request: Request, text: str) -> Request:
        """Return the request with another text in this place, in the first if there are more."""
        if self.kind == "body":
            return replace(request, body=text.encode("latin-1", "replace"))
        if self.kind == "form":
            pairs = request.body.decode("latin-1").split("&")
            names = [pair.partition("=")[0] for pair in pairs]
            pairs[names.index(self.name)] = f"{self.name}={quote_plus(text)}"
            return replace(request, body="&".join(pairs).encode())
        fields = list(request.fields)
        where = [name.lower() for name, _ in fields].index(self.name.lower())
        before = fields[where][1].rpartition(" ")
        fields[where] = (fields[where][0], before[0] + before[1] + text)
        return replace(request, fields=tuple(fields))


def _decoded(segment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=="))
    return found


def changed_jws(rng: Random, text: str, key: SigningKey) -> tuple[str, str]:
    """Return a JWS with one change and what the change was; ValueError if it is none any more."""
    segments = text.split(".")
    if len(segments) != 3:
        raise ValueError("not three segments")
    part = rng.randrange(2)
    name = ("header", "claims")[part]
    roll = rng.random()
    if roll < 0.55:
        octets = compact(changed_member(rng, _decoded(segments[part])))
        what = f"{name}: member"
    elif roll < 0.7:
        spelling = rng.choice(list(SPELLINGS))
        octets = SPELLINGS[spelling](_decoded(segments[part]))
        what = f"{name}: {spelling}"
    elif roll < 0.85:
        how = rng.choice(list(_SIGNATURES))
        octets = base64.urlsafe_b64decode(segments[2] + "==")
        segments[2] = b64url(_SIGNATURES[how](octets, ".".join(segments[:2]).encode()))
        return ".".join(segments), f"signature: {how}"
    else:
        how = rng.choice(list(_TEXTS))
        return _TEXTS[how](segments, rng.randrange(3)), f"text: {how}"
    segments[part] = b64url(octets)
    if rng.random() < 0.75:
        segments[2] = b64url(key.sign(".".join(segments[:2]).encode()))
        what += ", signed again"
    return ".".join(segments), what


def _malleated(octets: bytes) -> bytes:
    if len(octets) != 64:
        return octets
    return octets[:32] + ((P256_ORDER - int.from_bytes(octets[32:])) % P256_ORDER).to_bytes(32)


def _der(octets: bytes) -> bytes:
    r, s = octets[:32], octets[32:]
    inner = b"".join(b"\x02" + bytes([len(n) + 1]) + b"\0" + n for n in (r, s))
    return b"\x30" + bytes([len(inner)]) + inner


_STRANGER = SigningKey.generate()
_SIGNATURES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "r, n - s": lambda octets, _signed: _malleated(octets),
    "as DER": lambda octets, _signed: _der(octets),
    "zero": lambda octets, _signed: bytes(len(octets)),
    "cut": lambda octets, _signed: octets[:-1],
    "longer": lambda octets, _signed: octets + b"\0",
    "empty": lambda _octets, _signed: b"",
    "s for r": lambda octets, _signed: octets[32:] + octets[:32],
    "a stranger's": lambda _octets, signed: _STRANGER.sign(signed),
}


def _respelled(change: Callable[[str], str]) -> Callable[[list[str], int], str]:
    def respelled(segments: list[str], which: int) -> str:
        found = list(segments)
        found[which] = change(found[which])
        return ".".join(found)

    return respelled


def _next_character(segment: str) -> str:
    # The last character's spare bits: another spelling of the same octets, where there are any.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if not segment or segment[-1] not in alphabet:
        return segment + "A"
    return segment[:-1] + alphabet[(alphabet.index(segment[-1]) + 1) % 64]


_TEXTS: dict[str, Callable[[list[str], int], str]] = {
    "padded": _respelled(lambda s: s + "=" * (-len(s) % 4 or 1)),
    "base64 for base64url": _respelled(lambda s: s.replace("-", "+").replace("_", "/") + "+"),
    "spare bits": _respelled(_next_character),
    "a space inside": _respelled(lambda s: s[:5] + " " + s[5:]),
    "a tab inside": _respelled(lambda s: s[:5] + "\t" + s[5:]),
    "no octets": _respelled(lambda _s: ""),
    "not ASCII": _respelled(lambda s: "\xe9" + s),
    "a percent sign": _respelled(lambda s: "%41" + s[1:]),
    "two segments": lambda segments, which: ".".join(
        s for n, s in enumerate(segments) if n != which
    ),
    "four segments": lambda segments, which: ".".join([*segments, segments[which]]),
    "a dot at the end": lambda segments, _which: ".".join(segments) + ".",
    "swapped": lambda segments, _which: ".".join([segments[1], segments[0], segments[2]]),
    "many dots": lambda segments, _which: ".".join(segments) + "." * 2000,
    "JSON serialisation": lambda segments, _which: json.dumps(
        dict(zip(("protected", "payload", "signature"), segments, strict=True))
    ),
}
