"""A bound token presented as if it were a bearer token, in the hope that nobody looks at `cnf`."""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the token under the Bearer scheme, with no proof."""
    if binding.scheme == "Bearer":
        raise NotPossible("this token comes under the Bearer scheme anyway")
    request = Request("GET", target.url)
    return thief.send(request.adding("Authorization", f"Bearer {loot.token}"))


REPLAY = Replay(
    name="downgraded_scheme",
    source="RFC 9449 section 7.2",
    title="call it a bearer token",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
)
