"""What an estate lost as its file has it: each story's client with its own binding and custody."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labsim.charts import words
from labsim.estate.plan import Client, Plan


def as_written_text(
    plan: Plan,
    rows: Iterable[Mapping[str, Any]],
    exposed: Mapping[int, Sequence[str]],
    width: int = 100,
) -> str:
    """Return a line for each story and theft: how many records were served to replays.

    `rows` are attempts, of which are read attempt, client, binding, custody, theft, variant and
    outcome; `exposed` has the ids of the records that each served attempt was sent.
    """
    lost: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row["variant"] == "base" and (row["binding"], row["custody"]) == _own(plan, row):
            found = lost.setdefault((row["client"], row["theft"]), set())
            if row["outcome"] == "served":
                found.update(exposed.get(row["attempt"], ()))
    lines = ["As the file has it, records served to replays of a stolen token:"]
    for (client, theft), records in lost.items():
        of = len(plan.within_reach(client))
        told = f"{plan.client(client).title} ({_bound(plan.client(client))}), "
        told += f"after {words.theft(theft)}: {len(records)} of {of}"
        lines += textwrap.wrap(f"  {told}", width, subsequent_indent="    ")
    return "\n".join(lines)


def _own(plan: Plan, row: Mapping[str, Any]) -> tuple[str, str]:
    client = plan.client(row["client"])
    return client.binding, "none" if client.binding == "bearer" else client.custody


def _bound(client: Client) -> str:
    name = words.binding(client.binding)
    return name if client.binding == "bearer" else f"{name}, {words.custody(client.custody)}"
