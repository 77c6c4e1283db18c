"""What a defender hears of a theft: the first event that no holder causes by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labsim.blast.detection import EVIDENCE, first_alarm
from labsim.blast.measured import attempts_frame
from labsim.exercises.counting import Waiting
from labsim.prediction import Prediction
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.lab import Lab

CLIENT: Final = "ci-runner"
RESOURCE: Final = "deploy"
CASES: Final = {
    # How the thief got it, what the tokens are bound to, where the key lies, and its one try.
    "bearer_token": ("log_line", "bearer", "file", "token_as_is"),
    "bound_token": ("log_line", "dpop", "signer", "own_proof"),
    # Under DPoP this code would ask for a nonce as well, by a request that has no proof.
    "code_inside": ("container_code", "mtls", "signer", "signed_in_place"),
    "good_secret": ("container_files", "dpop", "signer", "new_token_for_own_key"),
    "old_secret": ("container_files", "dpop", "signer", "new_token_for_own_key"),
}


@dataclass(frozen=True, repr=False)
class Noticed(Prediction):
    """Hold how each try ended, and what the servers' events then say of a theft."""

    alarms: dict[str, str] = field(default_factory=dict)

    def rows(self) -> list[dict[str, str]]:
        """Return one row a case, with the alarm that its try raised."""
        shown = ("predicted", "happened", "as predicted")
        return [
            {"case": row["replay"]}
            | {name: row[name] for name in shown}
            | {"alarm": self.alarms[row["replay"]]}
            for row in super().rows()
        ]


def watch(lab: Lab, predicted: object, reveal: bool = False) -> Noticed:
    """Let a thief try each case once, and look for an alarm in the servers' events; sealed."""
    stub = [{"attempt": n, "replay": c, "records": 0, "seconds": 0} for n, c in enumerate(CASES)]
    sealed = Noticed(attempts_frame(stub), predicted, reveal).sealed
    rows, alarms = [], {}
    with ProgressBar("Thefts", "cases", len(CASES)) as bar:
        for number, name in enumerate(CASES, 1):
            theft, binding, custody, replay = CASES[name]
            lab.bind(CLIENT, binding, custody=custody)
            since = lab.now
            loot = lab.attacker.steal(CLIENT, by=theft)
            if name == "old_secret":
                lab.rotate(CLIENT)
            lab.attacker.replay(loot[0], replay, RESOURCE, predicted=None, reveal=not sealed)
            rows.append(lab.attacker.rows[-1] | {"attempt": number, "replay": name})
            alarms[name] = _told(lab, since)
            bar.reach(number)
    return Noticed(attempts_frame(rows), predicted, reveal, alarms)


def alarms(lab: Lab) -> DataFrame | Waiting:
    """Return the events of the thief's tries that are evidence, as the servers wrote them.

    Columns: name (of the server), client_id, decision, reason, check, source (string). Waits while
    a try is sealed.
    """
    import pandas as pd

    if lab.attacker.sealed:
        return Waiting("Predict above, and run this cell again after that.")
    found = [exchange["event"] for exchange in lab.attacker.exchanges.values()]
    shown = ["name", "client_id", "decision", "reason", "check", "source"]
    heard = [event for event in found if any(rule.is_in(event) for rule in EVIDENCE)]
    rows = [{name: event.get(name, "") for name in shown} for event in heard]
    return pd.DataFrame(rows, columns=shown, dtype="string")


def _told(lab: Lab, since: float) -> str:
    alarm: Any = first_alarm(lab.events(), since, {CLIENT}, until=lab.now + 1)
    if alarm is None:
        return "none: it looks like the runner"
    where = "the authorization server" if alarm.server == "as" else alarm.server
    return f"at {where}: {alarm.why}"
