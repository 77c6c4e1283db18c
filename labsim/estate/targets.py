"""Where replays can go, as the attacker's process is told it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.estate.names import COLLECTION

if TYPE_CHECKING:
    from labsim.estate.running import Estate


def target(estate: Estate, resource: str) -> dict[str, str]:
    """Return the members of `attempt.Target` for a resource server of a running estate."""
    url, audience = estate.reached_at[resource], estate.urls[resource]
    first = estate.plan.resource(resource).records[0].id
    return {
        "name": resource,
        "url": url + COLLECTION,
        "other_url": f"{url}{COLLECTION}/{first}",
        "resource": audience,
        "issuer": estate.issuer,
        "token_endpoint": f"{estate.issuer}/token",
        "mtls_token_endpoint": f"{estate.mtls_alias}/token",
    }
