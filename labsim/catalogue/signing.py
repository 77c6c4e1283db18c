"""Signatures of requests (RFC 9421), made again with one change by whoever has a key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import http_sf

from labsim.binding import Holder
from labsim.catalogue.jws import GONE
from labsim.http_message import Request
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence, signature_inputs

FIELDS = ("Signature-Input", "Signature")
type Texts = tuple[str | None, str | None]


def signed_again(
    request: Request,
    key: Holder,
    nonce: str,
    *,
    without: Collection[str] = (),
    adding: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Request:
    """Sign a signed request again, with another nonce and this change.

    `parameters` are new values; a function makes one from the old, and GONE takes one away.
    """
    (old,) = signature_inputs(str(request.value("Signature-Input")))
    names = [name for name in old.components if name not in without] + list(adding)
    found = {**old.parameters, "nonce": nonce}
    for name, value in (parameters or {}).items():
        found[name] = value(found[name]) if callable(value) else value
    found = {name: value for name, value in found.items() if value is not GONE}
    member: Any = ([(name, {}) for name in names], found)
    text = http_sf.ser({"sig": member})
    request = request.without(*FIELDS)
    base = signature_base(request, names, text.removeprefix("sig="))
    request = request.adding("Signature-Input", text)
    return request.adding("Signature", f"sig={byte_sequence(key.sign(base))}")


def with_signature(request: Request, change: Callable[[str, str], Texts]) -> Request:
    """Change the text of the two fields; one that becomes None is left out."""
    values = change(*(str(request.value(name)) for name in FIELDS))
    request = request.without(*FIELDS)
    for name, value in zip(FIELDS, values, strict=True):
        if value is not None:
            request = request.adding(name, value)
    return request
