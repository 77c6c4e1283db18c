"""What the lab tells a person when something is wrong with the lab itself.

A refused token is no such error: that is `rejection.Rejected`, and it is what the lab is about.
"""

from __future__ import annotations

from collections.abc import Iterable


class LabError(Exception):
    """Tell a person what happened, what the lab did about it, and what to do next."""

    def __init__(self, happened: str, did: str = "", todo: str = "") -> None:
        super().__init__(" ".join(part for part in (happened, did, todo) if part))
        self.happened = happened
        self.did = did
        self.todo = todo

    @staticmethod
    def unknown(kind: str, name: object, known: Iterable[str]) -> LabError:
        """Make the error for a name that does not exist; it lists those that do."""
        return LabError(
            f"There is no {kind} called {name!r}.",
            todo=f"There are: {', '.join(known)}.",
        )
