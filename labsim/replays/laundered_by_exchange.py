"""The thief is a client too, and trades the stolen token for one of its own (RFC 8693).

The new token is bound to the thief's key, or to none, so that the old one's binding is left behind.
What keeps it from that is the authorization server, by asking whether the caller is one to whom
the token was sent (section 4.4, `may_act`).
"""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Trade the token, then present the new one as its own binding asks."""
    laundered = thief.exchange(loot, binding, target)
    if isinstance(laundered, Outcome):
        return laundered
    request = Request("GET", target.url)
    return thief.present(request, laundered.token, laundered.binding, thief.own_key)


REPLAY = Replay(
    name="laundered_by_exchange",
    source="RFC 8693 section 2.2.2",
    title="exchange the token for one of the thief's own",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
    needs_binding=False,
)
