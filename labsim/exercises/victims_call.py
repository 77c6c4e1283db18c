"""How the victim's own calls ended while it was robbed: told by the servers' events, and sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.blast.measured import attempts_frame
from labsim.prediction import Prediction, is_missing

if TYPE_CHECKING:
    from labsim.haul import Haul
    from labsim.lab import Lab


class OwnCalls(Prediction):
    """Hold the victim's calls, one row a server; what it fetched is not the thief's to count."""

    def rows(self) -> list[dict[str, str]]:
        """Return one row a server, with the status that the victim got."""
        status = dict(zip(self.frame["resource"], self.frame["status"], strict=True))
        return [
            {
                "server": row["resource"],
                "predicted": row["predicted"],
                "happened": row["happened"],
                "status": str(status[row["resource"]]),
                "as predicted": row["as predicted"],
            }
            for row in super().rows()
        ]


def own_calls(lab: Lab, loot: Haul, predicted: object, reveal: bool = False) -> Prediction:
    """Tell how the owner's calls with these tokens ended last, sealed until it was predicted.

    `predicted` is one word for all calls. The thief's own attempts with the same tokens are left
    out, whenever this is asked.
    """
    thief = {each["event"].get("request_id") for each in lab.attacker.exchanges.values()}
    tokens = dict(zip(loot.claims()["jti"], (piece["url"] for piece in loot), strict=True))
    last = {
        event["name"]: event
        for event in lab.events()
        if event.get("token") in tokens
        and event["role"] == "resource_server"
        and event["request_id"] not in thief
    }
    rows = [
        {
            "attempt": number,
            "replay": "the owner's own call",
            "resource": name,
            "outcome": event["decision"],
            "status": event["status"],
            "check": event["check"],
            "records": len(event["records"]),
            "seconds": 0,
        }
        for number, (name, event) in enumerate(last.items(), 1)
    ]
    said = predicted if is_missing(predicted) else dict.fromkeys(last, predicted)
    return OwnCalls(attempts_frame(rows), said, reveal).noted()
