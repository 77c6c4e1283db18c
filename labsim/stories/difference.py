"""A thief's request beside the holder's: which parts differ, which are the same.

Where a part is a JWT or lists parameters, it is taken apart first: two proofs differ in every byte
and still may differ in one thing that counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from labsim.certificates import certificate_thumbprint
from labsim.jose import Malformed, parse_compact
from labsim.keys import public_key
from labsim.stories.exchange import visible
from labsim.structured_fields import item_byte_sequence, signature_inputs

LONGEST: Final = 64
"""Characters of a part that are shown; of a longer one both ends, with its length."""
NOTHING: Final = "–"
_MADE_BY_NOBODY: Final = ("content-length",)


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold what differs between two requests, and the names of the parts that do not.

    `rows` are part, the holder's, the thief's; `ended` says how the holder's own request ended.
    """

    rows: tuple[tuple[str, str, str], ...]
    same: tuple[str, ...]
    ended: str = ""

    @property
    def title(self) -> str:
        """Return what is compared, and that the holder was served where it was."""
        return f"Beside the holder's own request{f' ({self.ended})' if self.ended else ''}"

    def table(self) -> list[dict[str, str]]:
        """Return the rows for a page's table."""
        return [
            {"part": name, "the holder's": holder, "the thief's": thief}
            for name, holder, thief in self.rows
        ]

    @property
    def summary(self) -> str:
        """Say in a sentence what is the same."""
        if not self.rows:
            return "Not one byte differs."
        groups: dict[str, list[str]] = {}
        for name in self.same:
            group, colon, member = name.partition(": ")
            groups.setdefault(group if colon else "", []).append(member or group)
        whole = groups.pop("", [])
        parts = [*whole, *(f"{group} ({', '.join(names)})" for group, names in groups.items())]
        return f"The same in both: {', '.join(parts) or 'nothing'}."

    def __str__(self) -> str:
        """Say it as text, a line for each part that differs."""
        lines = [f"  {name}: {holder} | {thief}" for name, holder, thief in self.rows]
        return "\n".join(["  part: the holder's | the thief's", *lines, f"  {self.summary}"])


def difference(holder: str, thief: str, ended: str = "") -> Difference:
    """Compare two requests as they went over the wire (latin-1 text), part by part."""
    ours, theirs = _named(holder), _named(thief)
    names = list(dict.fromkeys((*theirs, *ours)))
    if ours.get("token") == theirs.get("token"):  # then so are its claims, which say no more
        names = [name for name in names if not name.startswith("token: ")]
    rows = tuple(
        (visible(name), _shown(ours.get(name)), _shown(theirs.get(name)))
        for name in names
        if ours.get(name) != theirs.get(name)
    )
    same = tuple(visible(name) for name in names if ours.get(name) == theirs.get(name))
    return Difference(rows, same, ended)


def _named(wire: str) -> dict[str, str]:
    """Return the parts of a request by name; a name that comes again is numbered."""
    named: dict[str, str] = {}
    for name, value in _parts(wire):
        times = sum(known == name or known.startswith(f"{name} (") for known in named)
        named[f"{name} ({times + 1})" if times else name] = value
    return named


def _shown(value: str | None) -> str:
    if value is None:
        return NOTHING
    text = visible(value)
    if len(text) <= LONGEST:
        return text
    end = LONGEST // 2 - 2
    return f"{text[:end]}…{text[-end:]} ({len(text)} characters)"


def _parts(wire: str) -> Iterator[tuple[str, str]]:
    head, _, body = wire.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, _, target = first.removesuffix(" HTTP/1.1").partition(" ")
    yield "method", method
    yield "target", target
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() not in _MADE_BY_NOBODY:
            yield from _field(name, value)
    if body:
        yield "body", body


def _field(name: str, value: str) -> Iterator[tuple[str, str]]:
    known = {
        "authorization": _authorization,
        "dpop": _proof,
        "signature-input": _signature_input,
        "client-cert": _certificate,
    }
    found = list(known.get(name.lower(), _nothing)(value))
    yield from found or [(name, value)]


def _nothing(_value: str) -> Iterator[tuple[str, str]]:
    yield from ()


def _authorization(value: str) -> Iterator[tuple[str, str]]:
    scheme, _, token = value.partition(" ")
    claims = _jwt(token)
    if claims is None:
        return
    yield "scheme", scheme
    yield "token", token
    for name, claim in claims[1].items():
        yield f"token: {name}", _json(claim)


def _proof(value: str) -> Iterator[tuple[str, str]]:
    jws = _jwt(value)
    if jws is None:
        return
    header, claims = jws
    for name, member in (*header.items(), *claims.items()):
        yield f"proof: {name}", _key(member) if name == "jwk" else _json(member)
    yield "proof: signature", value.rpartition(".")[2]


def _key(jwk: Any) -> str:
    """Name a key by its thumbprint (RFC 7638): that is what a token names it by."""
    try:
        return f"the key {public_key(jwk).thumbprint}" if isinstance(jwk, dict) else _json(jwk)
    except Malformed:
        return _json(jwk)


def _signature_input(value: str) -> Iterator[tuple[str, str]]:
    try:
        members = signature_inputs(value)
    except Malformed:
        return
    for member in members:
        yield "signature: covers", ", ".join(member.components) or "nothing"
        for name, parameter in member.parameters.items():
            yield f"signature: {name}", str(parameter)


def _certificate(value: str) -> Iterator[tuple[str, str]]:
    try:
        der = item_byte_sequence(value)
        subject = x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except (Malformed, ValueError, x509.InvalidVersion):
        return
    yield "Client-Cert", f"{subject}, thumbprint {certificate_thumbprint(der)}"


def _jwt(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    try:
        jws = parse_compact(text)
    except Malformed:
        return None
    return jws.header, jws.payload


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
