"""JSON Web Signatures to order: a good one, and the same with exactly one thing changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labsim.binding import Holder
from labsim.jose import b64url, parse_compact

GONE: Final = object()
"""As a member's new value: the member is not there at all."""


def changed(good: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with other values; a function makes the new value from the good one."""
    found = dict(good)
    for name, change in changes.items():
        found[name] = change(good.get(name)) if callable(change) else change
    return {name: value for name, value in found.items() if value is not GONE}


def as_json(value: Mapping[str, Any]) -> bytes:
    """Write members as JSON without white space."""
    return json.dumps(value, separators=(",", ":")).encode()


def unchanged(text: str) -> str:
    """Return the text as it is."""
    return text


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is different from a good JWS. The steps in order: members, bytes, signature, text."""

    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    header_bytes: Callable[[Mapping[str, Any]], bytes] = as_json
    payload_bytes: Callable[[Mapping[str, Any]], bytes] = as_json
    key: Holder | None = None
    sign: Callable[[bytes], bytes] | None = None
    text: Callable[[str], str] = unchanged


@dataclass(frozen=True)
class Jws:
    """A good JWS taken apart, with the key that signs it again after a change."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    key: Holder

    @staticmethod
    def of(text: str, key: Holder) -> Jws:
        """Take a compact JWS with a JSON payload apart; raises Malformed."""
        parsed = parse_compact(text)
        return Jws(parsed.header, parsed.payload, key)

    def text(self, change: Change) -> str:
        """Write the JWS down again with this change."""
        header = change.header_bytes(changed(self.header, change.header))
        payload = change.payload_bytes(changed(self.claims, change.claims))
        signing_input = f"{b64url(header)}.{b64url(payload)}"
        sign = change.sign or (change.key or self.key).sign
        return change.text(f"{signing_input}.{b64url(sign(signing_input.encode()))}")
