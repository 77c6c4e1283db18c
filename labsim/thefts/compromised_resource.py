"""A resource server that keeps what it is sent, and tries it elsewhere or once more at home.

The loot is the last request of the client's to that server, with token and proof, which the server
has had. Its own records are exposed by the break-in whatever the tokens are like: what a binding
and an audience are for is that nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.loot import Access, Loot, Theft, Victim


def leak(_victim: Victim) -> None:
    """Do nothing: the victim calls as ever, it is the server that has changed."""


def take(access: Access) -> Iterable[Loot]:
    """Read what the server kept; the last request for a URL wins."""
    found: dict[str, Loot] = {}
    for request, _response in access.captured():
        _scheme, _, token = (request.value("Authorization") or "").partition(" ")
        if token:
            found[request.url] = Loot(
                found_at="the resource server, which keeps whole requests",
                url=request.url,
                token=token.strip(),
                captured=request,
                spent=True,
            )
    return found.values()


THEFT = Theft(
    name="compromised_resource",
    source="RFC 9700 section 4.9.2",
    title="a resource server that keeps requests",
    gives="resource_server",
    leak=leak,
    take=take,
    custody_matters=False,
)
