"""The stolen token over the thief's own connection, with a certificate that the listener accepts.

TLS has nothing to say against it: the same authority issued it. Only the binding can.
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Present the token as an honest client would, with the attacker's own certificate."""
    if not binding.asks_client_certificate:
        raise NotPossible("this token asks for no certificate")
    return thief.present(Request("GET", target.url), str(loot.token), binding, thief.own_key)


REPLAY = Replay(
    name="own_certificate",
    source="RFC 8705 section 3",
    title="connect with the thief's own certificate",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
)
