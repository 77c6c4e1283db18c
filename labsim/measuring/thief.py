"""A thief that stays, as the lab's side drives it: wait until a moment, let it try again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labsim.estate.names import ATTACKER
from labsim.estate.targets import target
from labsim.haul import Haul
from labsim.rooms import names

if TYPE_CHECKING:
    from labsim.lab import Lab

type Row = dict[str, Any]
EVERY_WAY: Final = tuple(names("labsim.replays"))
WAYS_IN: Final = (
    "signed_in_place", "stolen_key", "proofs_made_ahead", "token_as_is", "request_as_is",
    "new_token_for_own_key",
)  # fmt: skip
"""Replays of which one is served wherever any is, in the base (data/expected_outcomes.csv)."""


def wait_until(lab: Lab, since: float, seconds: float) -> None:
    """Let lab time pass until `seconds` after `since`; do nothing if it is later already."""
    lab.advance(seconds=max(0.0, since + seconds - lab.now))


@dataclass(frozen=True, slots=True)
class Staying:
    """Hold a thief that goes on with what it stole; `begin` makes one."""

    lab: Lab
    number: int

    @staticmethod
    def begin(
        lab: Lab,
        hauls: Iterable[Haul],
        *,
        kept_apart: bool = False,
        replays: Sequence[str] = EVERY_WAY,
    ) -> Staying:
        """Let the attacker stay with some loot, without any client's credential if `kept_apart`."""
        loot = [piece["number"] for haul in hauls for piece in haul.pieces]
        what: dict[str, Any] = {"loot": loot, "kept_apart": kept_apart, "replays": [*replays]}
        return Staying(lab, lab.estate.process(ATTACKER).call("linger", **what))

    def again(self, servers: Sequence[str] | None = None) -> list[Row]:
        """Let it try all it has at these resource servers, or all; return its attempts.

        A row is as `campaign.Campaign.run` yields it, without the bytes.
        """
        where = self.lab.plan.resources if servers is None else servers
        targets = [target(self.lab.estate, name) for name in where]
        rows: list[Row] = []
        process = self.lab.estate.process(ATTACKER)
        process.call("try_again", number=self.number, targets=targets, progress=rows.append)
        return rows


def served(rows: Iterable[Row]) -> frozenset[str]:
    """Return the ids of the records that were served in these attempts."""
    return frozenset(record for row in rows for record in row["records"])
