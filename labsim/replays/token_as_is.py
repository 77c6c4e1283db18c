"""The token and nothing else, presented as its type says. Possession is all there is to try."""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send a plain GET with the token under its own scheme, and no proof."""
    request = Request("GET", target.url)
    return thief.send(request.adding("Authorization", f"{binding.scheme} {loot.token}"))


REPLAY = Replay(
    name="token_as_is",
    source="RFC 6750 section 5.1",
    title="present the token as it is",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
    needs_binding=False,
)
