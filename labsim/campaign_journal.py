"""What a campaign's journal says: what was meant to be done, and what came of it.

Each thing is written down before it counts, so that an attacker that was killed finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

type Row = dict[str, Any]
type Key = tuple[str, str, str, str]
"""An attempt's name: credential, target, replay and binding."""


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


class Known:
    """Know what a journal says, and write down what is new.

    `outcomes` has the row of each attempt whose outcome is known, None for what was not possible;
    `rotated` the newest refresh token for each stolen one that was used.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._begun: Mapping[str, Any] | None = None
        self._intended: set[Key] = set()
        self._used: set[tuple[str, float]] = set()
        self._found: set[str] = set()
        self.outcomes: dict[Key, Row | None] = {}
        self.rotated: dict[str, str] = {}
        for entry in journal.entries():
            self._read(entry)

    def _read(self, entry: Mapping[str, Any]) -> None:
        match entry["entry"]:
            case "begun":
                self._begun = entry["of"]
            case "intent":
                self._intend(_key(entry), entry.get("proof"))
            case "outcome":
                self.outcomes[_key(entry)] = entry["row"]
            case "found":
                self._found.add(entry["credential"]["name"])
            case "rotated":
                self.rotated[entry["stolen"]] = entry["newest"]

    def _intend(self, key: Key, proof: float | None) -> None:
        self._intended.add(key)
        if proof is not None:
            self._used.add((key[0], proof))

    def begins(self, of: Mapping[str, Any], rotated: Mapping[str, str]) -> None:
        """Note what the campaign is of, if it is new; raises ValueError if it is another one."""
        if self._begun is None:
            for stolen, newest in rotated.items():
                self.rotates(stolen, newest)
            self._journal.append({"entry": "begun", "of": of})
        elif self._begun != of:
            raise ValueError(f"this journal is of another campaign: {self._begun}, not {of}")

    def intends(self, key: Key, proof: float | None) -> bool:
        """Note that an attempt is made now; tell whether it may have been made before.

        `proof` is the lab time of the proof made ahead that it uses up, if it does.
        """
        again = key in self._intended
        if not again or proof is not None:
            more = {} if proof is None else {"proof": proof}
            self._journal.append({"entry": "intent", "attempt": list(key), **more})
            self._intend(key, proof)
        return again

    def is_used(self, credential: str, proof: float) -> bool:
        """Tell whether a credential's proof, by its lab time, may have been sent to its server."""
        return (credential, proof) in self._used

    def ends(self, key: Key, row: Row | None) -> None:
        """Note how an attempt ended."""
        self._journal.append({"entry": "outcome", "attempt": list(key), "row": row})
        self.outcomes[key] = row

    def finds(self, credential: Mapping[str, Any]) -> None:
        """Note a credential that was found, once."""
        if credential["name"] not in self._found:
            self._journal.append({"entry": "found", "credential": credential})
            self._found.add(credential["name"])

    def rotates(self, stolen: str, newest: str) -> None:
        """Note the newest refresh token for a stolen one."""
        self._journal.append({"entry": "rotated", "stolen": stolen, "newest": newest})


def _key(entry: Mapping[str, Any]) -> Key:
    credential, target, replay, binding = entry["attempt"]
    return credential, target, replay, binding
