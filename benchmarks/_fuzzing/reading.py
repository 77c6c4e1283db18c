"""A second reading of what a request says, written apart from labsim's own.

It shares no parser with the lab: `json`, `base64`, `urllib` and `cryptography` as they come, with
the strictness that the documents ask for around them. Slow, and asked only about what was served.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from labsim.http_message import Request


class Unexplained(Exception):
    """Say why a mutant should not have been served."""


def require(condition: object, why: str) -> None:
    """Raise Unexplained unless the condition holds."""
    if not condition:
        raise Unexplained(why)


def octets_of(text: str) -> bytes:
    """Decode base64url in its one spelling (RFC 7515 section 2)."""
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Unexplained("no base64url") from None
    require(spelled(octets) == text, "base64url in another spelling than its one")
    return octets


def spelled(octets: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(octets).decode().replace("=", "")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len({name for name, _ in pairs}) == len(pairs), "a member stands twice")
    return dict(pairs)


def _none(constant: str) -> Any:
    raise Unexplained(f"{constant} is no JSON")


def object_of(octets: bytes) -> dict[str, Any]:
    """Read a JSON object whose members stand once (RFC 8259)."""
    require(not octets.startswith(b"\xef\xbb\xbf"), "a byte order mark")
    try:
        value = json.loads(octets.decode("utf-8"), object_pairs_hook=_once, parse_constant=_none)
    except (ValueError, RecursionError):
        raise Unexplained("no JSON") from None
    require(isinstance(value, dict), "no JSON object")
    found: dict[str, Any] = value
    return found


@dataclass(frozen=True, slots=True)
class Jws:
    """Hold a JWS as it was read."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes
    signed: bytes

    @staticmethod
    def of(text: str) -> Jws:
        """Read a compact JWS."""
        segments = text.split(".")
        require(len(segments) == 3, "not three segments")
        header, claims = (object_of(octets_of(segment)) for segment in segments[:2])
        require("crit" not in header, "a critical extension")
        return Jws(header, claims, octets_of(segments[2]), ".".join(segments[:2]).encode())

    def require_signed_by(self, jwk: Mapping[str, Any]) -> None:
        """Ask that this key signed it, with the algorithm that the header names."""
        fitting = ("ES256",) if jwk["kty"] == "EC" else ("EdDSA", "Ed25519")
        require(self.header.get("alg") in fitting, "another algorithm than the key's")
        require_signature(jwk, self.signature, self.signed)


def require_signature(jwk: Mapping[str, Any], signature: bytes, signed: bytes) -> None:
    """Ask that a raw signature (RFC 7518 section 3.4, RFC 8037) is by this key."""
    x = octets_of(jwk["x"])
    try:
        if jwk["kty"] == "EC":
            require(len(signature) == 64, "not 64 octets of signature")
            numbers = int.from_bytes(x), int.from_bytes(octets_of(jwk["y"]))
            key = ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()
            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            ed25519.Ed25519PublicKey.from_public_bytes(x).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise Unexplained("a signature that does not verify") from None


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """Return a key's thumbprint (RFC 7638)."""
    names = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("crv", "kty", "x")
    members = ",".join(f'"{name}":"{jwk[name]}"' for name in names)
    return spelled(hashlib.sha256(b"{%b}" % members.encode()).digest())


def is_time(value: object) -> bool:
    """Tell whether a claim is a number as a time can be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def one_value(request: Request, name: str) -> str:
    """Return the value of the one field line of this name."""
    values = [value for key, value in request.fields if key.lower() == name.lower()]
    require(len(values) == 1, f"{len(values)} fields {name}")
    return values[0].strip(" \t")


def target(url: str) -> tuple[str, str, int, str]:
    """Return what RFC 9449 section 4.3 item 9 compares of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        raise Unexplained("no URL") from None
    path = re.sub(r"%[0-9A-Fa-f]{2}", _unreserved, parts.path)
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return parts.scheme, (parts.hostname or "").lower(), port, "/" + "/".join(kept)


def _unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    is_plain = character.isascii() and (character.isalnum() or character in "-._~")
    return character if is_plain else escape[0].upper()


def form_of(request: Request) -> dict[str, str]:
    """Read a form whose parameters stand once; those without a value count as left out."""
    kind = one_value(request, "Content-Type").partition(";")[0].strip().lower()
    require(kind == "application/x-www-form-urlencoded", "no form")
    require(request.method == "POST", "no POST")
    require(urlsplit(request.url).query == "", "parameters in the query")
    found: dict[str, str] = {}
    try:
        for pair in request.body.decode("ascii").split("&"):
            name, _, value = pair.partition("=")
            name = unquote_plus(name, errors="strict")
            if name == "resource" and not value:
                continue
            require(name not in found, f"{name} stands twice")
            found[name] = unquote_plus(value, errors="strict")
    except UnicodeError:
        raise Unexplained("a form that is no ASCII, or no UTF-8") from None
    return {name: value for name, value in found.items() if value}
