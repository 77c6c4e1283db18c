"""The cases of notebook 05: servers that make a real mistake, which the learner is to find.

A case is a preset under another name: attempts and events say `case A`, so that it is loud and
gives nothing away. Each attack is made afresh: another key, another token, another theft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labsim.arguments import lab_seconds
from labsim.errors import LabError
from labsim.estate.weakening import weakened
from labsim.prediction import NOT_SEALED, Prediction
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.charts.picture import Picture
    from labsim.lab import Lab

CLIENT: Final = "ci-runner"
SERVER: Final = "deploy"


@dataclass(frozen=True, slots=True)
class Case:
    """Say what is wrong (a preset), how its clients are bound, and what a thief can try there.

    `telling` is the attack that gets in, `after` the lab seconds that it waits for that.
    """

    preset: str
    binding: str
    theft: str
    replays: tuple[str, ...]
    telling: str
    after: float = 0.0


_DPOP: Final = (
    "token_as_is",
    "downgraded_scheme",
    "own_proof",
    "redirected_proof",
    "request_as_is",
)
_MTLS: Final = ("token_as_is", "own_certificate", "unknown_certificate")
CASES: Final = {
    "public": Case("binding_never_compared", "dpop", "wiretap", _DPOP, "own_proof"),
    "A": Case("cnf_ignored_under_bearer", "dpop", "wiretap", _DPOP, "downgraded_scheme"),
    "B": Case("thumbprint_never_compared", "mtls", "log_line", _MTLS, "own_certificate"),
    "C": Case("entry_expires_first", "dpop", "wiretap", _DPOP, "request_as_is", after=45.0),
}
HIDDEN: Final = {name: case for name, case in CASES.items() if name != "public"}
COLUMNS: Final = ("sent by", "outcome", "status", "check", "records")


def attack(
    lab: Lab,
    case: str,
    *replays: str,
    after: float = 0,
    predicted: object = NOT_SEALED,
    reveal: bool = False,
) -> DataFrame | Prediction:
    """Let the lab's thief rob the runner and attack the server of a case; show how each try ended.

    `replays` are some of the case's, all if none is named; `after` are lab seconds between the
    theft and the attack. Columns: sent by (the owner, or the replay), outcome (str), status
    (Int64), check (str), records (int64). With `predicted`, a Prediction, sealed while it is
    missing. All other servers enforce everything meanwhile, in the base variant.
    Raises LabError for a case or a replay that does not exist; it lists those that do.
    """
    if not isinstance(case, str) or case not in CASES:
        raise LabError.unknown("case", case, CASES)
    found = CASES[case]
    for name in replays:
        if name not in found.replays:
            raise LabError.unknown(f"replay in case {case}", name, found.replays)
    seconds = lab_seconds((), days=0, hours=0, seconds=after)
    sealing = {} if predicted is NOT_SEALED else {"predicted": predicted, "reveal": reveal}
    _make_ready(lab, found)
    with weakened(lab.estate, SERVER, found.preset, f"case {case}"):
        holder, tried = _attacked(lab, found, replays or found.replays, seconds, sealing)
    return tried if sealing else _table(holder, tried)


def mended(lab: Lab, predicted: object, reveal: bool = False) -> Prediction:
    """Attack the three cases' servers again, now that they check everything.

    What was served before is refused now, by the check that was missing; the holder is served.
    `predicted` is that check by case; the result stays sealed while it is missing.
    """
    import pandas as pd

    frames, holders = [], []
    with ProgressBar("Attacks", "cases", len(HIDDEN)) as bar:
        for name, case in HIDDEN.items():
            _make_ready(lab, case)
            holder, tried = _attacked(lab, case, (case.telling,), case.after, {})
            frames.append(tried)
            holders.append((name, str(holder["outcome"])))
            bar.reach(len(frames))
    said = predicted
    if isinstance(predicted, Mapping):
        said = {HIDDEN[n].telling if n in HIDDEN else n: word for n, word in predicted.items()}
    return Mended(pd.concat(frames, ignore_index=True), said, reveal, tuple(holders))


def chart(lab: Lab) -> Picture:
    """Draw what each weakened server let out, beside those with every check in place.

    Attempts whose result is still to be predicted are left out. Raises LabError if there are none.
    """
    from labsim.blast.measured import attempts_frame, blast_radius
    from labsim.charts import verifiers

    handle = lab.attacker
    rows = [row for row in handle.rows if row["attempt"] not in handle.sealed]
    reachable = {name: lab.plan.within_reach(name) for name in handle.stolen_from}
    by = ("verifier",)
    given = attempts_frame(rows), handle.exposed, (), reachable
    return verifiers.picture(blast_radius(*given, by=by, variant=None, verifier=None))


@dataclass(frozen=True, repr=False)
class Mended(Prediction):
    """Hold the attacks on mended servers, one row a case, and how the holder fared there."""

    holders: tuple[tuple[str, str], ...] = ()

    def rows(self) -> list[dict[str, str]]:
        """Return one row a case, with what the holder was answered beside it."""
        case_of = {case.telling: name for name, case in HIDDEN.items()}
        fared = dict(self.holders)
        rows = []
        for row in super().rows():
            name = case_of[row.pop("replay")]
            rows.append({"case": name, **row, "the owner": fared[name]})
        return sorted(rows, key=lambda row: row["case"])


def _make_ready(lab: Lab, case: Case) -> None:
    # Whatever a learner has tried in between: the case is to be its only mistake.
    lab.vary("base")
    lab.enforce(*lab.plan.resources)
    lab.bind(CLIENT, case.binding)


def _attacked(
    lab: Lab, case: Case, replays: tuple[str, ...], after: float, sealing: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """Rob the runner and attack the server; return how the holder fared, and every try."""
    haul = lab.attacker.steal(CLIENT, by=case.theft, at=SERVER)
    lab.advance(seconds=after)
    tried = lab.attacker.replay(haul[0], list(replays), SERVER, **sealing)
    (holder,) = lab.work_rows(CLIENT, SERVER)
    return holder, tried


def _table(holder: dict[str, Any], tried: DataFrame) -> DataFrame:
    import pandas as pd

    first = ["the owner", holder["outcome"], holder["status"], "", len(holder["records"])]
    rows = [first, *tried[["replay", "outcome", "status", "check", "records"]].values.tolist()]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"status": "Int64"})


__all__ = ["CASES", "attack", "chart", "mended"]
