"""A certificate by an authority that nobody here knows: refused by TLS, whatever the token.

The listener asks every client for a certificate and needs none; one that it cannot trust ends the
handshake, before there is a request (RFC 8446 section 4.4.2.4).
"""

from __future__ import annotations

from dataclasses import replace

from labsim.attempt import Replay, Target, Thief
from labsim.binding import Binding
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send the token under its own scheme, over a connection that shows such a certificate."""
    request = Request("GET", target.url)
    request = request.adding("Authorization", f"{binding.scheme} {loot.token}")
    return thief.send(replace(request, peer_certificate=thief.unknown_key.certificate))


REPLAY = Replay(
    name="unknown_certificate",
    source="RFC 8446 section 4.4.2.4",
    title="connect with a certificate of the thief's own making",
    needs=frozenset({Kind.TOKEN}),
    spend=spend,
    needs_binding=False,
)
