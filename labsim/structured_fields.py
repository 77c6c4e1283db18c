"""The two structured fields of HTTP message signatures (RFC 9421 section 4, RFC 9651).

`http_sf` parses them. In front of it stands a quick way for what nearly every request carries: one
member, in the one spelling that a serialiser writes (RFC 9651 section 4.1). It is only quicker, and
a test holds the two to the same answers.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import http_sf

from labsim.jose import Malformed

_KEY = r"[a-z*][a-z0-9_.*-]*"
_STRING = r'"[ !#-\[\]-~]*"'
_BYTES = r":[A-Za-z0-9+/]*={0,2}:"
_VALUE = rf"(?:{_STRING}|{_BYTES}|0|-?[1-9][0-9]{{0,14}})"
_ONE_INPUT = re.compile(
    rf"({_KEY})=(\(((?:{_STRING}(?: {_STRING})*)?)\)((?:;{_KEY}={_VALUE})*))", re.ASCII
)
_PARAMETER = re.compile(rf";({_KEY})=({_VALUE})", re.ASCII)
_ONE_SIGNATURE = re.compile(rf"({_KEY})=({_BYTES})", re.ASCII)


class SignatureInput(NamedTuple):
    """Hold one member of Signature-Input: what a signature covers, and what it says of itself.

    `components` are names as they stand between the quotes, with `;` and its parameters behind a
    component that has any; `text` is the serialised inner list, the value of `@signature-params`
    (RFC 9421 section 2.3).
    """

    label: str
    components: tuple[str, ...]
    parameters: Mapping[str, Any]
    text: str


def signature_inputs(field: str) -> list[SignatureInput]:
    """Read a Signature-Input field, its lines joined by commas; raises Malformed.

    A label or parameter that stands twice is refused (RFC 9421 section 4), where RFC 9651 by itself
    would keep the last: two readers of one request must not read two different signatures.
    """
    one = _ONE_INPUT.fullmatch(field.strip(" "))
    if one is not None:
        found = _PARAMETER.findall(one[4])
        parameters = {name: _bare(text) for name, text in found}
        if len(parameters) == len(found) and _BAD not in parameters.values():
            names = tuple(one[3][1:-1].split('" "')) if one[3] else ()
            return [SignatureInput(one[1], names, parameters, one[2])]
    return [_signature_input(label, value) for label, value in _members(field).items()]


def signatures(field: str) -> dict[str, bytes]:
    """Read a Signature field, its lines joined by commas: label to signature; raises Malformed."""
    one = _ONE_SIGNATURE.fullmatch(field.strip(" "))
    if one is not None:
        value = _bare(one[2])
        if value is not _BAD:
            return {one[1]: value}
    found = {label: value[0] for label, value in _members(field).items()}
    if not all(isinstance(value, bytes) for value in found.values()):
        raise Malformed("a signature is no byte sequence")
    return found


def byte_sequence(value: bytes) -> str:
    """Serialise a byte sequence (RFC 9651 section 4.1.8)."""
    return f":{b64encode(value).decode()}:"


def item_byte_sequence(field: str) -> bytes:
    """Read a field that is one byte sequence without parameters (RFC 9651); raises Malformed."""
    text = field.strip(" \t")
    value = _bare(text) if re.fullmatch(_BYTES, text) else _BAD
    if not isinstance(value, bytes):
        raise Malformed("no byte sequence")
    return value


def digests(field: str) -> dict[str, bytes]:
    """Read a Content-Digest field (RFC 9530 section 2): algorithm to digest; raises Malformed."""
    return signatures(field)


_BAD = object()


def _bare(text: str) -> Any:
    """Return the value of a string, byte sequence or integer that the pattern has let through."""
    if text[0] == '"':
        return text[1:-1]
    if text[0] != ":":
        return int(text)
    try:
        value = b64decode(text[1:-1], validate=True)
    except binascii.Error:
        return _BAD
    return value if byte_sequence(value) == text else _BAD


def _members(field: str) -> dict[str, Any]:
    twice: list[str] = []
    try:
        found: dict[str, Any] = http_sf.parse(  # type: ignore[assignment]
            field.encode("ascii"),
            tltype="dictionary",
            on_duplicate_key=lambda key, _where: twice.append(key),
        )
    # Whatever bytes come: the library's own errors, and what it lets through of Python's.
    except (http_sf.StructuredFieldError, ValueError, OverflowError, RecursionError) as error:
        raise Malformed(f"no structured field: {error}") from None
    if twice:
        raise Malformed("a label or a parameter stands twice")
    return found


def _signature_input(label: str, value: Any) -> SignatureInput:
    items, parameters = value
    if not isinstance(items, list):
        raise Malformed("a member is no inner list")
    if not all(isinstance(name, str) and type(name) is str for name, _ in items):
        raise Malformed("a component's name is no string")
    names = tuple(name + http_sf.ser({"a": (True, more)})[1:] for name, more in items)
    text = http_sf.ser({label: (items, parameters)})[len(label) + 1 :]
    return SignatureInput(label, names, parameters, text)
