"""What was measured: the table of attempts, and the blast radius of those that were served.

Nothing here is derived from the plan's permissions. A record counts as exposed because a server
sent it to the attacker, and its id stands in that answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from labsim.attempt import COLUMNS as ATTEMPTS

ATTEMPTS_DTYPES = {"attempt": "int64", "status": "Int64", "records": "int64", "seconds": "int64"}
"""Every other column is text (`string`): empty where there is nothing to say, never missing."""

BLAST_RADIUS_DTYPES = {
    "theft": "string",
    "custody": "string",
    "binding": "string",
    "records": "int64",
    "of": "int64",
    "read_in_passing": "int64",
    "resources": "int64",
    "served": "int64",
    "attempts": "int64",
}
_CELL = ("theft", "custody", "binding")


def attempts_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make the table of attempts from plain rows; one row is one replay against one resource.

    Columns and order as in `ATTEMPTS`. `attempt`: int64, its number. `status`: Int64, HTTP status,
    missing where no answer came. `records`: int64, how many records the answer held. `seconds`:
    int64, lab seconds since the theft. All others: string, empty where there is nothing to say.
    Raises ValueError that names the attempt for a row with a foreign column or without a number.
    """
    numbers = ("attempt", "records", "seconds")
    clean = []
    for row in rows:
        foreign = sorted(set(row) - set(ATTEMPTS))
        if foreign:
            raise ValueError(f"attempt {row.get('attempt')}: no such column: {', '.join(foreign)}")
        absent = [name for name in numbers if row.get(name) is None]
        if absent:
            raise ValueError(f"attempt {row.get('attempt')}: no value for {', '.join(absent)}")
        clean.append([_value(name, row.get(name)) for name in ATTEMPTS])
    frame = pd.DataFrame(clean, columns=list(ATTEMPTS), dtype=object)
    return frame.astype({name: ATTEMPTS_DTYPES.get(name, "string") for name in ATTEMPTS})


def _value(name: str, value: Any) -> Any:
    if name in ATTEMPTS_DTYPES:
        return pd.NA if value is None or value == "" else int(value)
    return "" if value is None else str(value)


def blast_radius(
    attempts: pd.DataFrame,
    exposed: Mapping[int, Sequence[str]],
    read_in_passing: Iterable[Mapping[str, Any]],
    reachable: Mapping[str, Collection[str]],
    *,
    by: Sequence[str] = _CELL,
    variant: str | None = "base",
    verifier: str | None = "full",
) -> pd.DataFrame:
    """Count what served attempts exposed, one row per theft, custody and binding.

    `attempts` is an `attempts_frame`; of it are read attempt, client, resource, outcome, records,
    variant, verifier and the columns of `by`. `exposed` has the ids of the records that each
    served attempt was sent. `read_in_passing` are rows with client, the columns of `by`, variant
    if it is not base, and `records`: the ids that an interceptor read in the answers to its
    victim. `reachable` has for each client the ids of the records at the resources it calls
    (`Plan.within_reach`). `variant` and `verifier` choose the configuration; None takes all.

    Columns: those of `by` (string); all others int64: `records`, distinct records served to
    replays; `of`, distinct records within reach of the clients that were robbed;
    `read_in_passing`, distinct records that an interceptor read; `resources`, distinct resource
    servers that served a replay at least one record; `served` and `attempts`, how many attempts
    were served, and how many there were, those that could not be built left out.
    Raises ValueError if a served attempt's ids are not in `exposed`.
    """
    keys, chosen = list(by), _chosen(attempts, variant, verifier)
    passing: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in read_in_passing:
        if variant is None or row.get("variant", "base") == variant:
            passing.setdefault(tuple(str(row[key]) for key in keys), []).append(row)
    cells: dict[tuple[Any, ...], pd.DataFrame] = dict(iter(chosen.groupby(keys, sort=False)))
    rows = []
    for key in dict.fromkeys((*cells, *passing)):
        read = passing.get(key, [])
        counts = _counts(cells.get(key, chosen.iloc[:0]), exposed, read, reachable)
        rows.append(dict(zip(keys, key, strict=True)) | counts)
    columns = [*keys, *(name for name in BLAST_RADIUS_DTYPES if name not in _CELL)]
    dtypes = {name: BLAST_RADIUS_DTYPES.get(name, "string") for name in columns}
    return pd.DataFrame(rows, columns=columns).astype(dtypes)


def _counts(
    cell: pd.DataFrame,
    exposed: Mapping[int, Sequence[str]],
    read: Sequence[Mapping[str, Any]],
    reachable: Mapping[str, Collection[str]],
) -> dict[str, int]:
    served = cell[cell["outcome"] == "served"]
    records: set[str] = set()
    resources = set()
    for number, count, resource in served[["attempt", "records", "resource"]].itertuples(
        index=False
    ):
        records.update(_ids(number, count, exposed))
        if count:
            resources.add(resource)
    robbed = {*cell["client"], *(str(row["client"]) for row in read)}
    return {
        "records": len(records),
        "of": len(set().union(*(reachable[client] for client in robbed))),
        "read_in_passing": len(set().union(*(row["records"] for row in read))),
        "resources": len(resources),
        "served": len(served),
        "attempts": int((cell["outcome"] != "not_possible").sum()),
    }


def _chosen(attempts: pd.DataFrame, variant: str | None, verifier: str | None) -> pd.DataFrame:
    chosen = attempts
    if variant is not None:
        chosen = chosen[chosen["variant"] == variant]
    if verifier is not None:
        chosen = chosen[chosen["verifier"] == verifier]
    return chosen


def _ids(number: int, count: int, exposed: Mapping[int, Sequence[str]]) -> frozenset[str]:
    # Never a silent zero: a served attempt without its ids would make the blast radius smaller.
    ids = exposed.get(number, ())
    if len(ids) != count:
        raise ValueError(f"attempt {number} was served {count} records; {len(ids)} ids are known")
    return frozenset(ids)
