"""Code execution in the container: its files, its memory, and the power to sign there.

What lies on the disk is copied, the process's memory is gone through for keys, and while the code
runs it can have the holder sign: now, or ahead of time for later. A key that a signer keeps in
another process is in neither place; all that is left then is to ask for its use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from labsim.loot import Access, Foothold, Loot, Theft, Victim, copied_files

AHEAD_SECONDS = 3600
"""Lab seconds for which proofs are made: the life of a token, which they name and end with."""
STEP_SECONDS = 100
"""Lab seconds from one to the next: a proof is good for 60 to either side of its time."""


def leak(victim: Victim) -> None:
    """Let the attacker's code run in the process."""
    victim.let_in()


def take(access: Access) -> Iterable[Loot]:
    """Copy the files, read the memory, and have proofs made for each server the client calls."""
    found = copied_files(access)
    if not found:
        return []
    foothold = access.foothold()
    key = found[0].key or _key_in_memory(foothold, found[0].client_credential)
    times = [access.now + after for after in range(0, AHEAD_SECONDS, STEP_SECONDS)]
    return [
        replace(
            loot,
            found_at=f"{loot.found_at}, the process and its memory",
            key=key,
            client_credential=_completed(loot.client_credential, key),
            foothold=foothold.address,
            ahead=tuple(foothold.sign_ahead(loot.url, times)),
        )
        for loot in found
    ]


def _key_in_memory(
    foothold: Foothold, credential: Mapping[str, Any] | None
) -> Mapping[str, str] | None:
    """Return the key that is not the one the client authenticates with, if memory holds one."""
    own = (credential or {}).get("private_jwk")
    return next((key for key in foothold.read_memory() if key != own), None)


def _completed(
    credential: Mapping[str, Any] | None, key: Mapping[str, str] | None
) -> Mapping[str, Any] | None:
    """Return the credential with the key from memory, where its own file has a certificate alone.

    Bound by mutual TLS, one key is what the client authenticates with and what its tokens are bound
    to (RFC 8705 sections 2.1 and 3).
    """
    if credential is None or key is None or "certificate" not in credential:
        return credential
    return {"private_jwk": key, **credential}


THEFT = Theft(
    name="container_code",
    source="RFC 9449 section 11.4",
    title="code that runs in the container",
    gives="process",
    leak=leak,
    take=take,
    # When the code was thrown out long since, and before the token and the proofs end.
    used_after=lambda token_seconds: 0.4 * min(token_seconds, AHEAD_SECONDS),
)
