"""What a notebook claims, held against what happened in its own run; silent while it is true."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.lab import Lab

type Claim = tuple[str, str, str, str]
"""Binding, replay, relation, and the ending: an outcome, or the check that refuses."""


FRESH: Final = 60
"""Lab seconds: an older capture fails by its age (RFC 9449 section 11.1), not as the claim says."""
AGED: Final = 3600
"""Lab seconds after which every token of the estate has expired."""


def hold(
    lab: Lab,
    claims: Iterable[Claim],
    aged: Iterable[Claim] = (),
    *,
    variant: str = "base",
    verifier: str = "full",
    since: float = 0,
) -> None:
    """Compare every attempt of this run with what is claimed of its kind; sealed ones too.

    `claims` are about fresh loot, `aged` about loot whose token has expired; both are about
    attempts in one variant of the estate, at servers that judge as `verifier` says, with loot that
    is `since` lab seconds old or older. What was not tried, or could not be built from the loot
    at hand, is not looked for: a learner may leave cells out.
    Raises LabError that names the first attempt which ended otherwise.
    """
    young, old = ({claim[:3]: claim[3] for claim in each} for each in (claims, aged))
    for row in lab.attacker.rows:
        if row.get("variant", "base") != variant or row.get("verifier", "full") != verifier:
            continue
        if row["seconds"] < since:
            continue
        expected = young if row["seconds"] < FRESH else old if row["seconds"] > AGED else {}
        wanted = expected.get((row["binding"], row["replay"], row["relation"]))
        ended = row["check"] if row["outcome"] == "rejected" else row["outcome"]
        if wanted is not None and ended != "not_possible":
            same(row, ended, {wanted})


def same(row: Mapping[str, Any], ended: str, wanted: Collection[str]) -> None:
    """Raise LabError that names the attempt, unless it ended in one of the ways that are wanted."""
    if ended not in wanted:
        raise LabError(
            f"Attempt {row['attempt']} ({row['replay']}, {row['binding']}, at "
            f"{row['resource']}) ended as {ended}; this notebook says {' or '.join(wanted)}.",
            "Nothing was changed.",
            "Choose Kernel, Restart Kernel and Run All Cells. If it says so again, the lab is "
            "wrong: please report it with this line.",
        )
