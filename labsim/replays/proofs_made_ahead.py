"""Proofs that the holder's key signed for later, used when the thief is long out of the process.

Each is good in its own window, and all until the token ends, since they name it. A server's nonce
cuts that to the nonce's life, and a signer that writes the time itself leaves nothing to make.
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the request whose time has come; at another server, only its URL changes."""
    if not loot.ahead:
        raise NotPossible("this binding has no proofs that could be made ahead")
    _at, request = min(loot.ahead, key=lambda made: abs(made[0] - thief.now))
    return thief.send(request.at(target.url))


REPLAY = Replay(
    name="proofs_made_ahead",
    source="RFC 9449 section 11.2",
    title="use proofs that were made ahead of time",
    needs=frozenset({Kind.PROOFS_AHEAD}),
    spend=spend,
)
