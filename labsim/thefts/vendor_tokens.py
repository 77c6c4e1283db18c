"""A vendor's table of tokens: what each tenant has granted, and not the vendor's own credential.

The loot is a piece for each tenant: its current access token, and a refresh token that is worth
nothing without the confidential client that it was issued to (RFC 6749 section 10.4).
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.loot import Access, Loot, Theft, Victim, stored_grants


def leak(victim: Victim) -> None:
    """Keep the tenants' tokens in a table of their own, which gets out."""
    victim.when_done(lambda: victim.write_store({"tenants": victim.tenants()}))


def take(access: Access) -> Iterable[Loot]:
    """Read the table, tenant by tenant."""
    return stored_grants(access)


THEFT = Theft(
    name="vendor_tokens",
    source="OWASP NHI3:2025",
    title="a vendor's table of tokens",
    gives="store",
    leak=leak,
    take=take,
    custody_matters=False,
)
