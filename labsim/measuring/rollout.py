"""A roll-out on real processes: what stolen bound tokens open while only some servers enforce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd

from labsim.blast.predicted import Predictor
from labsim.blast.rollout import ROLLOUT_DTYPES, THEFT, rollout
from labsim.measuring.thief import EVERY_WAY, Staying, served

if TYPE_CHECKING:
    from labsim.lab import Lab

MEASURED_DTYPES: Final = {
    **ROLLOUT_DTYPES,
    "attempts": "int64",
    "predicted_by_token": "int64",
    "predicted_records": "int64",
}


def measure(
    lab: Lab,
    binding: str = "dpop",
    order: Sequence[str] | None = None,
    name: str = "",
    replays: Sequence[str] = EVERY_WAY,
) -> pd.DataFrame:
    """Rob every client of its tokens, let one server after the other enforce, and try each time.

    The servers begin in `order` (the plan's, if None). Tokens and the credentials in records must
    be good all the while: begin with a lab whose clients have not been given new ones. Each step is
    a thief of its own, that has the tokens and nothing that another one found; `replays` are the
    ways in which it tries, until one is served.

    Columns: those of `blast.rollout.rollout`, where `by_token` and `records` are what was served to
    the tokens, and to them and what was found with them; `attempts` (int64), requests of the thief;
    `predicted_by_token` and `predicted_records` (int64), the same from the plan alone.
    """
    plan = lab.plan
    for client in plan.clients:
        lab.bind(client, binding)
    hauls = [lab.attacker.steal(client, by=THEFT) for client in plan.clients]
    expected = rollout(Predictor(plan), order, name=name)
    enforcing: list[str] = []
    counts = []
    try:
        for server in expected["server"]:
            enforcing += [server] if server else []
            lab.enforce(*enforcing)
            rows = Staying.begin(lab, hauls, replays=replays).again()
            own = served(row for row in rows if row["hop"] == 0)
            counts.append((len(own), len(served(rows)), len(rows)))
    finally:
        if lab.runs:
            lab.enforce(*plan.resources)
    measured = pd.DataFrame(counts, columns=["by_token", "records", "attempts"])
    frame = expected.rename(columns={n: f"predicted_{n}" for n in ("by_token", "records")})
    return frame.join(measured)[list(MEASURED_DTYPES)].astype(MEASURED_DTYPES)


def differences(frame: pd.DataFrame) -> list[str]:
    """Name each step in which measured and predicted are not the same."""
    return [
        f"With {row['enforcing']} of {row['of_servers']} servers: {row['by_token']} and "
        f"{row['records']} records open, predicted were {row['predicted_by_token']} and "
        f"{row['predicted_records']}."
        for row in frame.to_dict("records")
        if (row["by_token"], row["records"])
        != (row["predicted_by_token"], row["predicted_records"])
    ]
