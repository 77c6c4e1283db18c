"""What one theft yielded, as a notebook holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from labsim.attacker import token_claims
from labsim.charts import cards
from labsim.errors import LabError
from labsim.http_message import Request
from labsim.stories.three_views import Shown, captured

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Haul(Sequence[dict[str, Any]]):
    """Hold what one theft yielded: one piece of loot for each resource server, as JSON values."""

    client: str
    theft: str
    pieces: tuple[dict[str, Any], ...]

    def __getitem__(self, index: Any) -> Any:
        """Return one piece of loot, or for a slice a haul of those pieces."""
        found = self.pieces[index]
        return replace(self, pieces=found) if isinstance(index, slice) else found

    def __len__(self) -> int:
        """Return how many pieces there are."""
        return len(self.pieces)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go through the pieces."""
        return iter(self.pieces)

    def rows(self) -> list[dict[str, str]]:
        """Return what a person wants to see: where it is used, what it is, where it was found."""
        return [
            {
                "used at": piece["url"],
                "loot": ", ".join(kind.replace("_", " ") for kind in piece["kinds"]),
                "found at": piece["found_at"],
            }
            for piece in self.pieces
        ]

    def claims(self) -> DataFrame:
        """Read each token without its owner's help: a row per piece, a column per claim.

        `exp` and `iat` are seconds since 1970 (int), `cnf` a dict where the token has one, all
        others str. Whoever holds a JWT can read it (RFC 7519): nothing is verified here.
        """
        import pandas as pd

        return pd.DataFrame([token_claims(piece["token"]) for piece in self.pieces])

    def show(self, number: int = 0) -> Shown:
        """Show the captured request of a piece as bytes, with token and proof decoded beside it.

        Pieces are numbered from 0. Raises LabError if the piece holds no captured request.
        """
        numbers = range(len(self.pieces))
        if number not in numbers or not self.pieces[number]["captured"]:
            have = [str(n) for n, piece in enumerate(self.pieces) if piece["captured"]]
            where = f"Pieces that hold one: {', '.join(have)}." if have else "A wiretap takes one."
            raise LabError(f"Piece {number} of this loot holds no captured request.", todo=where)
        request = Request.from_json(self.pieces[number]["captured"])
        title = f"The request of {self.client}, as the {self.theft.replace('_', ' ')} took it"
        return captured(request.wire().decode("latin-1"), title)

    def __repr__(self) -> str:
        """Say what was taken, a line for each piece."""
        lines = [f"Taken from {self.client} by {self.theft}:"]
        lines += [f"  {r['loot']} (for {r['used at']}; {r['found at']})" for r in self.rows()]
        return "\n".join(lines if self.pieces else [*lines, "  nothing"])

    def _repr_html_(self) -> str:
        title = f"Taken from {self.client} by {self.theft.replace('_', ' ')}"
        return cards.heading(title) + cards.table(self.rows())


_OF_A_PIECE = ("client", "theft", "resource", "number", "custody", "run")


def pieces_of(loot: object, run: str) -> tuple[dict[str, Any], ...]:
    """Return the pieces of a haul, or the one piece that this is.

    Raises LabError for anything else, and for what was stolen in another run than this one: the
    attacker's process counts its loot from 0 in each, so that it would take another piece for it.
    """
    pieces: tuple[Any, ...] = loot.pieces if isinstance(loot, Haul) else (loot,)
    if not all(isinstance(each, dict) and set(_OF_A_PIECE) <= set(each) for each in pieces):
        raise LabError(
            f"{shortened(loot)} is no loot.",
            "Nothing was replayed.",
            "Pass what lab.attacker.steal() returned, or one piece of it.",
        )
    for each in pieces:
        if each["run"] != run:
            raise LabError(
                "This loot was stolen in another run of the lab, whose servers and keys are not "
                "these.",
                "Nothing was replayed.",
                f'Steal again: lab.attacker.steal("{each["client"]}", by="{each["theft"]}").',
            )
    return pieces


def holders_requests(
    worked: Iterable[Mapping[str, Any]],
    pieces: Iterable[Mapping[str, Any]],
    reached_at: Mapping[str, str],
    variant: str,
) -> dict[str, dict[str, Any]]:
    """Return, by resource server, the request that a holder sent as it was robbed, and its end.

    `worked` is how its requests ended. One that is held back has not ended; what was captured then
    is the holder's own. Members: sent (latin-1 text), outcome, status, and the `variant` it was in.
    """
    found = {
        name: {"sent": piece["captured"], "outcome": "held back", "status": None}
        for piece in pieces
        for name, url in reached_at.items()
        if piece["captured"] and piece["url"].startswith(url)
    }
    for each in found.values():
        each["sent"] = Request.from_json(each["sent"]).wire().decode("latin-1")
    kept = ("sent", "outcome", "status")
    found |= {row["resource"]: {name: row[name] for name in kept} for row in worked}
    return {name: {**each, "variant": variant} for name, each in found.items()}
