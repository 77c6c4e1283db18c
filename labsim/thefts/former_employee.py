"""Copies kept at home: somebody who ran the job had its files and has left; nothing was changed.

The loot is what was copied. By the time it is used, a token is of no use any more, whatever its
binding; the client's credential is, until somebody changes it. A refresh token is not among the
copies: the client has used it up since, as it does with each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labsim.loot import Access, Loot, Theft, Victim, copied_files

_USED_UP = "refresh_token.json"


def leak(victim: Victim) -> None:
    """Let the files be copied once the work is done, as for working on them at home."""

    def copy() -> None:
        files = victim.credentials()
        victim.copy_home({name: files[name] for name in files if name != _USED_UP})

    victim.when_done(copy)


def take(access: Access) -> Iterable[Loot]:
    """Read the copies and keep what is a credential."""
    return [
        replace(loot, found_at=f"copies kept at home: {loot.found_at}")
        for loot in copied_files(access)
    ]


THEFT = Theft(
    name="former_employee",
    source="OWASP NHI1:2025",
    title="copies that a former employee kept",
    gives="copies",
    leak=leak,
    take=take,
    used_after=lambda token_seconds: 2 * token_seconds,
)
