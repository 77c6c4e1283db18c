"""A captured request's proof, taken along to another URL of the same server.

At another server the token's audience would stop it first, which is not the binding's merit.
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the captured request to another path than the one that its proof names."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    if binding.asks_client_certificate:
        raise NotPossible("the proof is the connection, which cannot be captured")
    return thief.send(loot.captured.at(target.other_url))


REPLAY = Replay(
    name="redirected_proof",
    source="RFC 9449 section 4.3 item 9",
    title="take a captured proof to another URL",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
)
