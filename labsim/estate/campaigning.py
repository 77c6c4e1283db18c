"""How a campaign is run: by the attacker's process, and on if that process dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labsim.estate.names import ATTACKER
from labsim.estate.processes import ProcessDied
from labsim.estate.running import Estate

IDLE_DEATHS = 3
"""Deaths of the attacker in a row, without an attempt in between, after which it stays dead."""
type Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Course:
    """Hold how a campaign went in the attacker's process, as JSON values.

    `rows` are its attempts (`campaign.Campaign.run`), `credentials` what it began with and found
    (`campaign.Credential`), `records` those that were served; `deaths` counts how often the
    attacker's process died on the way.
    """

    rows: Sequence[Row]
    credentials: Sequence[Row]
    records: Sequence[Row]
    deaths: int = 0


def run(
    estate: Estate,
    loot: Sequence[int],
    seed: int,
    targets: Sequence[Mapping[str, str]],
    progress: Callable[[int], None] | None = None,
) -> Course:
    """Let the attacker's process run a campaign, and go on with it whenever that process dies.

    `loot` are the numbers of the pieces to begin with, `targets` the fields of `attempt.Target`;
    `progress` is called with the number of attempts so far. Raises ProcessDied if it dies time and
    again and gets nowhere.
    """
    number = len(list((estate.run_folder / ATTACKER).glob("campaign-*.jsonl")))
    what = {"number": number, "loot": [*loot], "seed": seed, "targets": [*targets]}
    most = deaths = in_vain = 0
    while True:
        rows: list[Row] = []
        try:
            found = _go_on(estate, what, rows, most, progress)
        except ProcessDied:
            deaths, in_vain = deaths + 1, 0 if len(rows) > most else in_vain + 1
            most = max(most, len(rows))
            if in_vain == IDLE_DEATHS:
                raise
            estate.revive_attacker()
        else:
            return Course(rows=rows, deaths=deaths, **found)


def _go_on(
    estate: Estate,
    what: Mapping[str, Any],
    rows: list[Row],
    most: int,
    progress: Callable[[int], None] | None,
) -> Mapping[str, Any]:
    """Let the attacker come as far as it does; `rows` gets each attempt, also those of before."""

    def attempted(row: Row) -> None:
        rows.append(row)
        if progress and len(rows) > most:
            progress(len(rows))

    found: Mapping[str, Any] = estate.process(ATTACKER).call("campaign", progress=attempted, **what)
    return found
