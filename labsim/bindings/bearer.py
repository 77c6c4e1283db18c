"""Bearer tokens (RFC 6750): bound to nothing, so that whoever has one may use it.

The difference from every other binding is what is missing here: there is no proof to attach,
nothing to bind to, and nothing to check besides the token itself.
"""

from __future__ import annotations

from typing import Any

from labsim.binding import Binding, Presentation
from labsim.http_message import Request


def attach(request: Request, presentation: Presentation) -> Request:
    """Put the token on the request (RFC 6750 section 2.1); at the token endpoint, nothing."""
    if presentation.token is None:
        return request
    return request.adding("Authorization", f"Bearer {presentation.token}")


def introduced(_request: Request) -> bool:
    """Say no: no token request ever brings a key of this kind."""
    return False


def bind(_proof: object) -> dict[str, Any]:
    """Bind to nothing: the token gets no `cnf`."""
    return {}


def parse(_request: Request) -> None:
    """Read nothing: there is no proof."""


BINDING = Binding(
    name="bearer",
    source="RFC 6750",
    scheme="Bearer",
    confirmation=None,
    proof_error="invalid_token",
    attach=attach,
    introduced=introduced,
    bind=bind,
    parse=parse,
)
