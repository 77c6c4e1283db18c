"""A victim's request that is held back at the interceptor: begun, held, released, written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labsim.estate.names import INTERCEPTOR

if TYPE_CHECKING:
    from labsim.lab import Lab

type Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Held:
    client: str
    doing: str
    attempts: int


class Holding:
    """Hold one request at a time, and keep the record of how each ended for its sender.

    `rows` has for each client, binding, custody, variant, doing, resource, `attempts` (the numbers
    of the attempts that were made while it was held), outcome, status, reason, check, source,
    records (ids) and request_id. A victim whose own request is refused as a replay has an alarm.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._held: _Held | None = None
        self.rows: Rows = []

    def begin(self, client: str, resource: str, doing: str) -> Rows:
        """Let a client begin one request, and hold it; return how it ended if it never came by."""
        tap, victim = (self._lab.estate.process(name) for name in (INTERCEPTOR, client))
        tap.call("hold")  # lets go of another one
        row = victim.call("begin", resource=resource, doing=doing)
        if row is None and tap.call("held"):
            self._held = _Held(client, doing, len(self._lab.attacker.rows))
            return []
        tap.call("release")
        return [row or victim.call("finish")]

    def release(self) -> Rows:
        """Let the held request go on; return how it ended for its sender, if one is held."""
        held, self._held = self._held, None
        if held is None:
            return []
        lab = self._lab
        victim = lab.estate.process(held.client)
        lab.estate.process(INTERCEPTOR).call("release")
        row = victim.call("finish")
        victim.call("mend")
        event = lab.event(row["request_id"])
        self.rows.append(
            {
                "client": held.client,
                "binding": lab.binding(held.client),
                "custody": lab.custody(held.client),
                "variant": lab.variant,
                "doing": held.doing,
                "resource": row["resource"],
                "attempts": tuple(range(held.attempts + 1, len(lab.attacker.rows) + 1)),
                "outcome": row["outcome"],
                "status": row["status"],
                "reason": event.get("reason") or row["why"],
                "check": event.get("check", ""),
                "source": event.get("source", ""),
                "records": tuple(row["records"]),
                "request_id": row["request_id"],
            }
        )
        return self.rows[-1:]
