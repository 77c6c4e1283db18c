"""The token and the key it is bound to: whoever has both is the sender."""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Present the token with a fresh proof by the stolen key."""
    request = Request("GET", target.url)
    holder = thief.holder_of(loot)
    return thief.present(request, str(loot.token), binding, holder)


REPLAY = Replay(
    name="stolen_key",
    source="RFC 9449 section 11.4",
    title="sign with the stolen key",
    needs=frozenset({Kind.TOKEN, Kind.KEY}),
    spend=spend,
)
