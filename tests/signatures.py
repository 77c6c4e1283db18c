"""Signatures of requests, made again with one change by whoever has a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from labsim.catalogue.jws import GONE
from labsim.catalogue.signing import signed_again, with_signature
from labsim.http_message import Request
from labsim.keys import SigningKey
from tests.wiring import Lab

__all__ = ["GONE", "resigned", "with_signature"]


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
    how: dict[str, Any] = {"without": without, "adding": adding, "parameters": parameters}
    return signed_again(request, key or lab.holder, lab.new_id(), **how)
