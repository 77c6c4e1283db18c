"""A backup or a path traversal: whatever lies in the victim's folder, and nothing that does not.

The token cache is there, so is the file with the client's credential, and so is the key if its
custody is `file`. A key that only the process's memory holds is not.
"""

from __future__ import annotations

from collections.abc import Iterable

from labsim.loot import Access, Loot, Theft, Victim, copied_files


def leak(_victim: Victim) -> None:
    """Do nothing: what the victim keeps on its disk lies there already."""


def take(access: Access) -> Iterable[Loot]:
    """Read every file that was given and keep what is a credential."""
    return copied_files(access)


THEFT = Theft(
    name="container_files",
    source="OWASP NHI2:2025",
    title="a copy of the container's files",
    gives="folder",
    leak=leak,
    take=take,
)
