"""An allow-list of source addresses: the network's own answer to stolen tokens, as a baseline.

It asks from where a request comes and not who sends it, so that it does not mind whose token that
is, and stops nobody who sends from an allowed address: a foothold, a neighbour, a shared proxy.
"""

from __future__ import annotations

from labsim.http_message import Request
from labsim.rejection import Reason, Rejected


def must_be_allowed(request: Request, allowed: frozenset[str] | None) -> None:
    """Refuse a request from an address that is not on the list; without a list all may come."""
    if allowed is not None and request.peer_address not in allowed:
        raise Rejected(
            Reason.ADDRESS_NOT_ALLOWED,
            "address_is_allowed",
            "policy SA-02",
            request.peer_address,
        )
