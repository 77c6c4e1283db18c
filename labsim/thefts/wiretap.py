"""A wiretap: an interceptor between client and resource server whose authority the client trusts.

It reads whole requests, token and proof, and the answers too: what it read in passing is exposed
whatever the binding. What it passes on is spent: the server has had it. What it holds back is not.
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.http_message import Response
from labsim.loot import Access, Loot, Theft, Victim


def leak(victim: Victim) -> None:
    """Make the victim trust the interceptor's certificate authority and go through its proxy."""
    victim.trust_interceptor()


def take(access: Access) -> Iterable[Loot]:
    """Read what passed through; the last request for a URL wins."""
    found: dict[str, Loot] = {}
    for request, response in access.captured():
        _scheme, _, token = (request.value("Authorization") or "").partition(" ")
        if token:
            found[request.url] = Loot(
                found_at="the interceptor, between client and resource server",
                url=request.url,
                token=token.strip(),
                captured=request,
                spent=response is not None,
                read_in_passing=tuple(_record_ids(response)),
            )
    return found.values()


def _record_ids(response: Response | None) -> list[str]:
    if response is None:
        return []
    try:
        body = response.json()
        return [str(record["id"]) for record in body["records"]]
    except (ValueError, KeyError, TypeError):
        return []


THEFT = Theft(
    name="wiretap",
    source="RFC 9700 section 4.9",
    title="an interceptor that the client trusts",
    gives="interceptor",
    leak=leak,
    take=take,
)
