"""The residual blast radius while only some resource servers enforce the binding.

A server that does not look at `cnf` takes a bound token for a bearer token (RFC 9449 section 7.2),
so that until the last one enforces, a stolen token opens something. And what it opens may hold
credentials that lead to servers which do enforce: a binding does not stop those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from labsim.blast.first_loot import first_loot, opened_by_token
from labsim.blast.predicted import Predictor
from labsim.errors import LabError
from labsim.estate.plan import Plan

ROLLOUT_DTYPES: Final = {
    "order": "string",
    "enforcing": "int64",
    "of_servers": "int64",
    "share": "float64",
    "server": "string",
    "by_token": "int64",
    "records": "int64",
    "of": "int64",
}
THEFT: Final = "log_line"
"""It yields tokens and nothing else, so that what is left is what the servers let happen."""


def rollout(
    predictor: Predictor,
    order: Sequence[str] | None = None,
    client: str | None = None,
    name: str = "",
) -> pd.DataFrame:
    """Return what stolen bound tokens still open, for 0 to all servers that enforce; a row each.

    The servers begin one after the other in `order` (the plan's, if None). The tokens are those of
    a log line of `client`, or of every client at once, if None; which binding makes no difference.

    Columns: `order` (string), `name`; `enforcing` and `of_servers` (int64), how many servers
    enforce, of how many; `share` (float64), the same from 0 to 1; `server` (string), the one that
    begins with this row, empty in the first; `by_token` (int64), distinct records that the tokens
    open; `records` (int64), those and the ones that credentials found in them lead to; `of`
    (int64), records in the whole estate. Raises LabError for an order that does not name each
    server once, and for an unknown client.
    """
    plan = predictor.plan
    servers = _checked(plan, order)
    reached = _reached(plan, client)
    of = sum(len(resource.records) for resource in plan.resources.values())
    rows = []
    for k, server in enumerate(("", *servers)):
        # Those that do not enforce yet, in the plan's order whatever that of the roll-out.
        left = [each for each in plan.resources if each in reached and each not in servers[:k]]
        by_token = sum(len(plan.resources[each].records) for each in left)
        followed = len(predictor.followed(left).records)
        share = k / len(servers)
        rows.append((name, k, len(servers), share, server, by_token, followed, of))
    return pd.DataFrame(rows, columns=list(ROLLOUT_DTYPES)).astype(ROLLOUT_DTYPES)


def most_first(predictor: Predictor) -> tuple[str, ...]:
    """Return the servers by what they expose alone, with all that follows from it; most first."""
    plan = predictor.plan

    def exposes(server: str) -> int:
        return len(predictor.followed([server]).records)

    return tuple(sorted(plan.resources, key=exposes, reverse=True))


def _checked(plan: Plan, order: Sequence[str] | None) -> tuple[str, ...]:
    servers = tuple(plan.resources if order is None else order)
    for each in servers:
        plan.resource(each)
    if len(servers) != len(set(servers)) or len(servers) != len(plan.resources):
        missing = [each for each in plan.resources if each not in servers]
        raise LabError(
            "The order of a roll-out names each resource server once.",
            todo=f"Missing: {', '.join(missing)}." if missing else "Take out what is there twice.",
        )
    return servers


def _reached(plan: Plan, client: str | None) -> set[str]:
    """Return what the tokens would open as bearer tokens."""
    robbed = plan.clients.values() if client is None else [plan.client(client)]
    found: set[str] = set()
    for each in robbed:
        found.update(opened_by_token(each, first_loot(each, THEFT, "bearer", "none"), "bearer"))
    return found
