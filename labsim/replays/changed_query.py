"""A captured request with another query: it asked for some records, and now asks for all.

A DPoP proof names its URL without the query (RFC 9449 section 4.2, `htu`). An HTTP signature covers
the whole target URI here (RFC 9421 section 2.2.2).
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome
from labsim.loot import Kind, Loot


def spend(loot: Loot, _binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the captured request without its query, which is the wider one: a filter is gone."""
    if loot.captured is None:
        raise NotPossible("no request was captured")
    if not loot.captured.query:
        raise NotPossible("the captured request has no query to change")
    sent = loot.captured.moved(target.url)
    return thief.send(sent.at(sent.url.partition("?")[0]))


REPLAY = Replay(
    name="changed_query",
    source="RFC 9449 section 4.2",
    title="widen the query of a captured request",
    needs=frozenset({Kind.CAPTURED_REQUEST}),
    spend=spend,
    needs_binding=False,
)
