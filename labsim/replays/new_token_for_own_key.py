"""The client's credential gets a new token for the thief's own key, whatever the binding.

The authorization server binds to the key that is proven, and anyone who can authenticate as the
client can prove a key. Where the client's credential is a TLS key and the token is bound to its
certificate, the new token is for that stolen key (RFC 8705 sections 2.1 and 3.1).
"""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Get a token for a key that the attacker has, then present it with that key."""
    token = thief.obtain_token(loot, binding, target)
    if isinstance(token, Outcome):
        return token
    return thief.present(
        Request("GET", target.url), token, binding, thief.new_holder(loot, binding)
    )


REPLAY = Replay(
    name="new_token_for_own_key",
    source="RFC 9449 section 5",
    title="get a new token with the client's credential",
    needs=frozenset({Kind.CLIENT_CREDENTIAL}),
    spend=spend,
    needs_binding=False,
)
