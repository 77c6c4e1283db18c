"""One whole captured request, sent again byte for byte, proof and all."""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the captured request as it stands; at another server, only its origin changes."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    return thief.send(loot.captured.moved(target.url))


REPLAY = Replay(
    name="request_as_is",
    source="RFC 9449 section 11.1",
    title="send a captured request again",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
    needs_binding=False,
)
