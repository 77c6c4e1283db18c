"""A captured request with another header, one that no proof covers: nobody notices the change.

Neither a DPoP proof nor a signature of this lab's profile covers `Accept`. Whoever acts on a field
must have it covered (RFC 9421 section 7.2.1); what it does not act on may change on the way.
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot

CHANGED = ("Accept", "text/plain")


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the captured request with another `Accept`; all else stays as it was."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    sent = loot.captured.moved(target.url).without(CHANGED[0])
    return thief.send(sent.adding(*CHANGED))


REPLAY = Replay(
    name="changed_header",
    source="RFC 9421 section 7.2.1",
    title="change a header that nothing covers",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
    needs_binding=False,
)
