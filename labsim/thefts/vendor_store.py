"""A vendor's store: the refresh tokens of all who use its integration, and the vendor's credential.

The loot is a piece for each tenant. With the credential beside them, the refresh tokens get new
tokens for the thief's own key, and go on doing so; `vendor_tokens` is the same store without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from labsim.loot import Access, Loot, Theft, Victim, stored_grants


def leak(victim: Victim) -> None:
    """Keep client credential and tenants' tokens in one store, which gets out."""

    def write() -> None:
        client = json.loads(victim.credentials()["client.json"])
        victim.write_store({"client": client, "tenants": victim.tenants()})

    victim.when_done(write)


def take(access: Access) -> Iterable[Loot]:
    """Read the store, tenant by tenant."""
    return stored_grants(access)


THEFT = Theft(
    name="vendor_store",
    source="OWASP NHI3:2025",
    title="a vendor's store of tokens, with its credential",
    gives="store",
    leak=leak,
    take=take,
    custody_matters=False,
)
