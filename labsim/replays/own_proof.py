"""The stolen token with a proof that the thief's own key signs: a good proof by the wrong key."""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Present the token as an honest client would, with the attacker's own key."""
    if binding.asks_client_certificate:
        raise NotPossible("the proof is the connection: see own_certificate")
    request = Request("GET", target.url)
    return thief.present(request, str(loot.token), binding, thief.own_key)


REPLAY = Replay(
    name="own_proof",
    source="RFC 9449 section 7.1",
    title="add a proof by the thief's own key",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
)
