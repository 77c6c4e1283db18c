"""A request that was held back: the thief sends it first, and the victim's own comes second.

A proof that the server has not had yet is good, whoever brings it. The victim is then refused with
its own proof, as the replay: that is the alarm.
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the held request byte for byte; at another server, only its origin changes."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    if binding.asks_client_certificate:
        raise NotPossible("the proof is the connection, which cannot be held back and passed on")
    if loot.spent:
        raise NotPossible("the server has had this request already")
    return thief.send(loot.captured.moved(target.url))


REPLAY = Replay(
    name="hold_and_forward",
    source="RFC 9449 section 11.1",
    title="hold a request back, and send it first",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
    needs_binding=False,
)
