"""A captured request with another body: what the thief wants written, under the holder's proof.

A DPoP proof does not sign the body (RFC 9449 section 11.7). An HTTP signature covers its digest,
which the thief leaves as it was: with another one the signature itself would be wrong.
"""

from __future__ import annotations

import json
from dataclasses import replace

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot

_BODY = json.dumps({"title": "Changed on its way", "text": "The thief wrote this."}).encode()


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the captured request with a body of the thief's; every field stays as it was."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    if not loot.captured.body:
        raise NotPossible("the captured request has no body to change")
    return thief.send(replace(loot.captured.moved(target.url), body=_BODY))


REPLAY = Replay(
    name="changed_body",
    source="RFC 9449 section 11.7",
    title="change the body of a captured request",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
    needs_binding=False,
)
