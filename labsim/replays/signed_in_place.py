"""The holder's own process signs and sends: the key never moves, and need not.

Whatever the key store, code that runs where the key may be used can use it, for as long as it runs
there. It is the holder's request by every check, so that no server can tell.
"""

from __future__ import annotations

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Have a plain GET sent from the victim's process, and read the answer."""
    return thief.in_place(str(loot.foothold), Request("GET", target.url))


REPLAY = Replay(
    name="signed_in_place",
    source="RFC 9449 section 11.4",
    title="let the holder's own process sign and send",
    needs=frozenset({Kind.FOOTHOLD}),
    spend=spend,
    needs_binding=False,
)
