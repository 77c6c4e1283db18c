"""Changes of a token request, and how a bad form is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from labsim.catalogue.jws import GONE
from labsim.catalogue.presenting import served
from labsim.catalogue.vector import Actor, Make, Vector
from labsim.http_message import Request
from labsim.rejection import Reason

type Edit = Callable[[Request], Request]
type Rows = tuple[Vector, ...]

BINDINGS = ("bearer", "dpop")
"""Each row is tried by a client that brings no key, and by one that does."""
TWO_READERS = "two readers of one form read two different requests"


def edited(edit: Edit) -> Make:
    """Change the request before the proof is made: only the request is bad."""
    return lambda good: good.binding.attach(edit(good.plain), good.presentation)


def body(edit: Callable[[bytes], bytes]) -> Edit:
    """Change the octets of the form."""
    return lambda request: replace(request, body=edit(request.body))


def adding(text: str) -> Edit:
    """Add to the form as it stands."""
    return body(lambda raw: raw + text.encode("latin-1"))


def of_type(value: str | None) -> Edit:
    """Send the form as another type of content."""

    def edit(request: Request) -> Request:
        request = request.without("Content-Type")
        return request if value is None else request.adding("Content-Type", value)

    return edit


def asking(**parameters: Any) -> Edit:
    """Ask for other things; a function makes the new value from the good one."""

    def edit(raw: bytes) -> bytes:
        asked: dict[str, Any] = dict(parse_qsl(raw.decode()))
        for name, value in parameters.items():
            asked[name] = value(asked[name]) if callable(value) else value
        return urlencode({n: v for n, v in asked.items() if v is not GONE}).encode()

    return body(edit)


def by(method: str) -> Edit:
    """Send with another method."""
    return lambda request: replace(request, method=method)


def form_error(check: str) -> tuple[Reason, str, str]:
    """Return how a form that is none is refused."""
    return Reason.REQUEST_MALFORMED, "invalid_request", check


def accepted(id: str, what: str, source: str, make: Make) -> Rows:
    """Make a row about a token request that must be served."""
    return tuple(served(id, what, source, make, binding=b, actor=Actor.AS) for b in BINDINGS)
