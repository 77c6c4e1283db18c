"""What a campaign writes down as it goes, so that it can go on after its attacker's death."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Journal(Protocol):
    """Keep what a campaign meant to do and what came of it; raises StorageUnavailable."""

    def entries(self) -> Iterable[Mapping[str, Any]]:
        """Return what was written, oldest first."""

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry (JSON values); it is kept once this returns, whatever happens then."""


class Unwritten:
    """Be a journal that keeps nothing, for a campaign that ends with its attacker."""

    def entries(self) -> Iterable[Mapping[str, Any]]:
        """Return nothing: no campaign went before."""
        return ()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Let an entry go."""
