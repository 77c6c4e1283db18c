"""What the notebooks so far came to: a learner's own matrix and bars, kept from kernel to kernel.

Each row is one theft from one client under one binding, as one notebook tried it: how every kind of
replay ended, how many records they got, and whether the holder itself was served meanwhile. Rows
are made from the attempts of a run and from nothing else; what is still sealed is left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from labsim import own_folder
from labsim.charts.cells import ending
from labsim.errors import LabError
from labsim.loot import Kind
from labsim.prediction import Sealed
from labsim.rooms import rooms

if TYPE_CHECKING:
    from labsim.charts.picture import Picture
    from labsim.lab import Lab

type Drawn = Picture | Sealed
type Worked = tuple[str, str, str, dict[str, Any]]
"""One of a holder's own requests: client, binding, custody, and how it ended, without its bytes."""
KEY: Final = ("notebook", "client", "theft", "binding", "custody", "variant", "verifier")
"""What makes two rows the same row: the newer one then stands for both."""
_STRENGTH: Final = (
    Kind.TOKEN,
    Kind.CERTIFICATE,
    Kind.CAPTURED_REQUEST,
    Kind.PROOFS_AHEAD,
    Kind.FOOTHOLD,
    Kind.KEY,
    Kind.REFRESH_TOKEN,
    Kind.CLIENT_CREDENTIAL,
)
PLAIN: Final = _STRENGTH[:3]
"""What travels with every request, or is no secret: whoever has no more has only what leaked."""


def having(replay: str) -> str:
    """Return the kind of loot that a replay rests on: of those it needs, the hardest to get."""
    needs = rooms("labsim.replays", "REPLAY")[replay].needs
    return max(needs, key=_STRENGTH.index, default=Kind.TOKEN)


def worked(lab: Lab, client: str, rows: list[dict[str, Any]]) -> list[Worked]:
    """Return what is remembered of a client's own requests (rows of `Lab.work_rows`)."""
    kept = ("resource", "outcome", "why", "request_id")
    whose = client, lab.binding(client), lab.custody(client)
    return [(*whose, {name: row[name] for name in kept}) for row in rows]


def matrix(lab: Lab, notebook: str) -> Drawn:
    """Add this run's rows under a notebook's name, and draw every row so far; see `rows`."""
    from labsim.charts import own_matrix

    return _drawn(lab, notebook, own_matrix.picture)


def bars(lab: Lab, notebook: str) -> Drawn:
    """Add this run's rows under a notebook's name, and draw every bar so far; see `rows`."""
    from labsim.charts import own_bars

    return _drawn(lab, notebook, own_bars.picture)


def _drawn(lab: Lab, notebook: str, picture: Any) -> Drawn:
    if notebook:
        keep(made(lab, notebook))
    found = rows()
    if found:
        drawn: Picture = picture(found)
        return drawn
    if lab.attacker.sealed:
        return Sealed("Your picture")
    raise LabError(
        "There is no attempt to draw yet.",
        todo="Run the cells above, so that something is replayed, and then this one.",
    )


def rows() -> list[dict[str, Any]]:
    """Return every row that was kept, by notebook, and in it as they were first made.

    Each has the members of `KEY`; `endings`, for each kind of loot a list of [outcome, reason,
    check, how often]; `holder`, the same for the holder's own requests; `plain` and `records`, how
    many distinct records were served to replays that had only what leaked, and to any; `of`, how
    many are within reach of the client.
    """
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in own_folder.lines("attempts"):
        if {*KEY, "endings", "holder", "plain", "records", "of"} <= set(row):
            kept[tuple(str(row[name]) for name in KEY)] = row
    return sorted(kept.values(), key=lambda row: str(row["notebook"]))


def keep(made_rows: list[dict[str, Any]]) -> None:
    """Write rows down, unless the same ones are there; LabError if that cannot be done."""
    there = rows()
    for row in made_rows:
        if row not in there:
            failed = own_folder.add("attempts", row)
            if failed:
                raise LabError(failed.strip("()"), todo="Set LABSIM_PROGRESS to a file of yours.")


def made(lab: Lab, notebook: str) -> list[dict[str, Any]]:
    """Make the rows of this run's attempts, without those whose result is still sealed."""
    sealed = lab.attacker.sealed
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for attempt in lab.attacker.rows:
        # A token sent elsewhere dies of its audience, whatever it is bound to.
        if attempt["attempt"] not in sealed and attempt["check"] != "audience_is_this_resource":
            key = (notebook, *(str(attempt[name]) for name in KEY[1:]))
            groups.setdefault(key, []).append(attempt)
    return [_row(lab, dict(zip(KEY, key, strict=True)), each) for key, each in groups.items()]


def _row(lab: Lab, key: dict[str, str], attempts: list[dict[str, Any]]) -> dict[str, Any]:
    exposed = lab.attacker.exposed
    served = [each for each in attempts if each["outcome"] == "served"]
    records = {each["attempt"]: exposed[each["attempt"]] for each in served}
    plain = [each for each in served if having(each["replay"]) in PLAIN]
    kinds = dict.fromkeys(having(each["replay"]) for each in attempts)
    endings = {
        kind: _counted(each for each in attempts if having(each["replay"]) == kind)
        for kind in kinds
    }
    return {
        **key,
        "endings": endings,
        "holder": _counted(_held_back(lab, attempts) or _holders_own(lab, key)),
        "plain": len({one for each in plain for one in records[each["attempt"]]}),
        "records": len({one for each in records.values() for one in each}),
        "of": len(lab.plan.within_reach(key["client"])),
    }


def _held_back(lab: Lab, attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how the holder's requests ended that were held back for these attempts, if any."""
    numbers = {each["attempt"] for each in attempts}
    return [row for row in lab.attacker.holding.rows if numbers & set(row["attempts"])]


def _holders_own(lab: Lab, key: dict[str, str]) -> list[dict[str, Any]]:
    """Return how the holder's requests ended during this theft; if none did, during no theft."""
    during = lab.attacker.worked_while_robbed
    whose = key["client"], key["binding"], key["custody"]
    own = {n: row for n, (*who, row) in enumerate(lab.worked) if tuple(who) == whose}
    robbed = [row for n, row in own.items() if during.get(n) == key["theft"]]
    mine = robbed or [row for n, row in own.items() if n not in during]
    events = [lab.event(row["request_id"]) for row in mine]
    return [
        {
            "outcome": row["outcome"],
            "reason": event.get("reason", row["why"]),
            "check": event.get("check", ""),
        }
        for row, event in zip(mine, events, strict=True)
    ]


def _counted(attempts: Any) -> list[list[Any]]:
    counts = Counter(tuple(ending(each)) for each in attempts)
    return [[*map(str, each), count] for each, count in counts.items()]
