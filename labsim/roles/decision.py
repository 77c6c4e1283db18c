"""A server's own record of a decision: what the wire does not say."""

from __future__ import annotations

from typing import Any

from labsim.http_message import Request
from labsim.rejection import Rejected

type Event = dict[str, Any]


def decision_event(
    role: str,
    name: str,
    now: float,
    request: Request,
    rejection: Rejected | None,
    **more: Any,
) -> Event:
    """Return one event: who decided what and when, and on a refusal reason, check and source.

    `time` is in lab seconds; `reason` is the name of a `rejection.Reason`; texts are empty, never
    None, where there is nothing to say.
    """
    return {
        "time": now,
        "role": role,
        "name": name,
        "decision": "rejected" if rejection else "served",
        "reason": rejection.reason.name if rejection else "",
        "check": rejection.check if rejection else "",
        "source": rejection.source if rejection else "",
        "detail": rejection.detail if rejection else "",
        "method": request.method,
        "path": request.path,
        **more,
    }
