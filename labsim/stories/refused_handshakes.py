"""Find the listener's own event for a connection that TLS refused.

There was no request, so no request id ties the two together. What does is order: the attacker
makes one attempt after the other, and the servers' events of the attempts before and after say
between which two moments the handshake was. If that server refused exactly one handshake in that
time, and exactly one attempt was refused there, the event is that attempt's. Else there is none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_REPLICA = "-replica"


def with_their_events(
    rows: Sequence[Mapping[Any, Any]],
    exchanges: Mapping[int, Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
) -> dict[int, Mapping[str, Any]]:
    """Return the exchanges with the event of each refused handshake that can be matched.

    `rows` are the attempts in their order (attempt, resource, outcome), `events` those of all
    servers; times are lab seconds.
    """
    refusals: dict[str, list[Mapping[str, Any]]] = {}
    for event in sorted(filter(_is_refusal, events), key=lambda event: event["time"]):
        refusals.setdefault(_server(event), []).append(event)
    result = dict(exchanges)
    for (_, resource), numbers in _waiting(rows, exchanges).items():
        start, end = _bounds(rows, exchanges, numbers[0])
        known = refusals.get(resource, [])
        times = [event["time"] for event in known]
        inside = known[bisect_left(times, start) : bisect_right(times, end)]
        if len(inside) == len(numbers) == 1:
            result[numbers[0]] = {**result.get(numbers[0], {}), "event": inside[0]}
    return result


def _is_refusal(event: Mapping[str, Any]) -> bool:
    return event.get("decision") == "refused_by_tls" and "time" in event


def _server(event: Mapping[str, Any]) -> str:
    return str(event["name"]).removesuffix(_REPLICA)


def _time(exchanges: Mapping[int, Mapping[str, Any]], number: int) -> float | None:
    event = exchanges.get(number, {}).get("event") or {}
    return event.get("time")


def _waiting(
    rows: Sequence[Mapping[Any, Any]], exchanges: Mapping[int, Mapping[str, Any]]
) -> dict[tuple[int, str], list[int]]:
    """Return the numbers of refused attempts by stretch and resource.

    A stretch is what lies between two attempts whose time is known.
    """
    found: dict[tuple[int, str], list[int]] = {}
    stretch = 0
    for row in rows:
        number = row["attempt"]
        if _time(exchanges, number) is not None:
            stretch += 1
        elif row["outcome"] == "refused_by_tls":
            found.setdefault((stretch, row["resource"]), []).append(number)
    return found


def _bounds(
    rows: Sequence[Mapping[Any, Any]], exchanges: Mapping[int, Mapping[str, Any]], number: int
) -> tuple[float, float]:
    """Return the times of the nearest attempts before and after that a server told of."""
    place = next(n for n, row in enumerate(rows) if row["attempt"] == number)
    before = (_time(exchanges, row["attempt"]) for row in reversed(rows[:place]))
    after = (_time(exchanges, row["attempt"]) for row in rows[place + 1 :])
    start = next((time for time in before if time is not None), float("-inf"))
    return start, next((time for time in after if time is not None), float("inf"))
