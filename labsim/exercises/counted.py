"""Campaigns counted: what each theft exposed, measured on the lab, beside what was computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from labsim.blast.first_loot import opened
from labsim.blast.means import CERTIFICATE, Case, stolen
from labsim.blast.predicted import Predictor
from labsim.charts import cards
from labsim.errors import LabError
from labsim.prediction import Prediction, is_missing
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from labsim.charts.picture import Picture
    from labsim.estate.plan import Plan
    from labsim.lab import Lab

CLIENT: Final = "ci-runner"
SECRET: Final = "client_secret_basic"
CASES: Final = {
    "log_line_dpop": Case(CLIENT, "log_line", "dpop", "signer", SECRET),
    "backup_dpop": Case(CLIENT, "container_files", "dpop", "signer", SECRET),
    "backup_certificate": Case(CLIENT, "container_files", "mtls", "signer", CERTIFICATE),
    "code_certificate": Case(CLIENT, "container_code", "mtls", "signer", CERTIFICATE),
}
MORE: Final = {
    "log_line_bearer": Case(CLIENT, "log_line", "bearer", "none", SECRET),
    "log_line_mtls": Case(CLIENT, "log_line", "mtls", "signer", SECRET),
    "log_line_signature": Case(CLIENT, "log_line", "http_signature", "signer", SECRET),
    "certificate_in_file": Case(CLIENT, "container_files", "mtls", "file", CERTIFICATE),
}
"""Measured as well, so that bindings and custodies stand side by side; nobody predicts these."""
_ORDER: Final = {
    "theft": ("log_line", "container_files", "container_code"),
    "binding": ("bearer", "dpop", "mtls", "http_signature"),
    "custody": ("none", "file", "memory", "signer"),
}
_NAMES: Final = ["case", "theft", "binding", "custody", "authentication"]


@dataclass(frozen=True, repr=False)
class Counted(Prediction):
    """Hold how many records each case exposed; sealed until a number was said for each.

    `frame` has a row a case: case, theft, binding, custody, authentication (string), measured,
    computed, of (int64, distinct records).
    """

    @property
    def by(self) -> str:
        """Return the column that a prediction is keyed by."""
        return "case"

    @cached_property
    def fault(self) -> LabError | None:
        """Return what cannot be read in the prediction, or None; a missing one has no fault."""
        if is_missing(self.predicted):
            return None
        given = self.predicted if isinstance(self.predicted, Mapping) else {}
        if set(given) != set(CASES) or any(type(n) is not int for n in given.values()):
            return LabError(
                "This prediction cannot be read.",
                todo=f"Give a number for each of: {', '.join(CASES)}.",
            )
        return None

    def rows(self) -> list[dict[str, str]]:
        """Return one row a case: what was predicted, measured and computed, and of how many.

        Those that are asked for come first. Raises LabError while it is sealed.
        """
        if self.sealed:
            raise LabError("This result is sealed.", todo="Predict it, or pass reveal=True.")
        given = {} if self.fault or is_missing(self.predicted) else self.predicted
        rows = [
            {
                "case": row["case"],
                "predicted": str(given.get(row["case"], "")),
                "measured": str(row["measured"]),
                "computed": str(row["computed"]),
                "of": str(row["of"]),
                "as predicted": _yes(given.get(row["case"]), row["measured"]),
            }
            for row in self.frame.to_dict("records")
        ]
        return sorted(rows, key=lambda row: row["case"] not in CASES)

    def chart(self) -> Picture:
        """Draw the cases side by side; LabError while this is sealed."""
        from labsim.charts import beside_prediction

        if self.sealed:
            raise LabError("This result is sealed.", todo="Predict it, or pass reveal=True.")
        return beside_prediction.picture(self.frame)

    def _repr_html_(self) -> str:
        table = super()._repr_html_()
        return table if self.sealed else table + self.chart().html


def _yes(said: int | None, measured: int) -> str:
    return "" if said is None else "yes" if said == measured else "no"


def computed(plan: Plan, case: Case) -> int:
    """Return how many records a case comes to, from the plan alone."""
    client = plan.client(case.client)
    loot = stolen(client, case)
    fallen = {case.client} if "client_credential" in loot.kinds else set[str]()
    first = opened(client, loot, case.binding)
    return len(Predictor(plan).followed(first, fallen).records)


def count_each(lab: Lab, predicted: object, reveal: bool = False) -> Counted:
    """Rob the runner in each case and run a campaign from what was taken; sealed until predicted.

    Nothing is run for a result that stays sealed. Every server enforces; afterwards the runner has
    a secret again. Raises LabError where what is measured is not what was computed.
    """
    import pandas as pd

    waiting = Counted(pd.DataFrame(columns=_NAMES), predicted, reveal)
    if waiting.sealed:
        return waiting
    lab.enforce(*lab.plan.resources)
    rows = []
    with ProgressBar("Campaigns", "cases", len(CASES | MORE)) as bar:
        for name, case in (CASES | MORE).items():
            rows.append(_row(lab, name, case))
            bar.reach(len(rows))
    lab.rotate(CLIENT, to=SECRET)
    rows.sort(key=lambda row: [names.index(row[name]) for name, names in _ORDER.items()])
    return Counted(pd.DataFrame(rows), predicted, reveal)


def _row(lab: Lab, name: str, case: Case) -> dict[str, Any]:
    measured = _campaign(lab, case)
    expected = computed(lab.plan, case)
    agree(measured, expected, f"The case {name}")
    row: dict[str, Any] = {each: getattr(case, each) for each in _NAMES[1:]}
    of = sum(len(resource.records) for resource in lab.plan.resources.values())
    return {"case": name} | row | {"measured": measured, "computed": expected, "of": of}


def _campaign(lab: Lab, case: Case) -> int:
    lab.rotate(case.client, to=SECRET)
    if case.authentication == CERTIFICATE:
        lab.rotate(case.client, to=CERTIFICATE)
    lab.bind(case.client, case.binding, "file" if case.custody == "none" else case.custody)
    return len(lab.attacker.campaign(lab.attacker.steal(case.client, by=case.theft)).records)


def agree(measured: int, expected: int, what: str) -> None:
    """Raise LabError unless what was measured is what was computed."""
    if measured != expected:
        raise LabError(
            f"{what} exposed {measured} records; computed were {expected}.",
            "Nothing was changed.",
            "Choose Kernel, Restart Kernel and Run All Cells. If it says so again, the lab is "
            "wrong: please report it with this line.",
        )


def found(campaign: Any) -> Found:
    """List the credentials that lay in the records which a campaign was sent."""
    predictor, read = Predictor(campaign.plan), set(campaign.records)
    leads = [(name, led) for name in campaign.plan.resources for led in predictor.leads(name)]
    return Found(
        tuple(
            {
                "record": led.record,
                "lies at": name,
                "holds the credential of": led.client,
                "which may read": ", ".join(campaign.plan.client(led.client).calls),
            }
            for name, led in leads
            if led.record in read
        )
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one row for each credential that lay in a record."""

    rows: tuple[dict[str, str], ...]

    def __repr__(self) -> str:
        """Say it as text."""
        return "\n".join("; ".join(f"{n}: {said}" for n, said in row.items()) for row in self.rows)

    def _repr_html_(self) -> str:
        return cards.heading("Credentials in the records that were sent") + cards.table(self.rows)
