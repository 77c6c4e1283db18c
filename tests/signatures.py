"""Signatures of requests, made again with one change by whoever has a key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import http_sf

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.signature_base import signature_base
from labsim.structured_fields import byte_sequence, signature_inputs
from tests.wiring import Lab

GONE = object()
"""Take the parameter away."""


def resigned(
    lab: Lab,
    request: Request,
    *,
    without: Collection[str] = (),
    adding: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
    key: SigningKey | None = None,
) -> Request:
    """Sign a signed request again, with a fresh nonce and this change."""
    (old,) = signature_inputs(str(request.value("Signature-Input")))
    names = [name for name in old.components if name not in without] + list(adding)
    found = {**old.parameters, "nonce": lab.new_id()}
    for name, value in (parameters or {}).items():
        found[name] = value(found[name]) if callable(value) else value
    found = {name: value for name, value in found.items() if value is not GONE}
    text = http_sf.ser({"sig": ([(name, {}) for name in names], found)})
    request = request.without("Signature-Input", "Signature")
    base = signature_base(request, names, text.removeprefix("sig="))
    signature = (key or lab.holder).sign(base)
    request = request.adding("Signature-Input", text)
    return request.adding("Signature", f"sig={byte_sequence(signature)}")


def with_signature(
    request: Request, change: Callable[[str, str], tuple[str | None, str | None]]
) -> Request:
    """Change the text of the two fields; one that becomes None is left out."""
    values = change(str(request.value("Signature-Input")), str(request.value("Signature")))
    request = request.without("Signature-Input", "Signature")
    for name, value in zip(("Signature-Input", "Signature"), values, strict=True):
        if value is not None:
            request = request.adding(name, value)
    return request
