"""A listener's event is an attempt's only if nothing else can be meant."""

from __future__ import annotations

from typing import Any

from labsim.stories.refused_handshakes import with_their_events


def attempt(
    number: int, outcome: str = "refused_by_tls", resource: str = "orders"
) -> dict[str, Any]:
    return {"attempt": number, "resource": resource, "outcome": outcome}


def refusal(time: float, name: str = "orders") -> dict[str, Any]:
    event = {"time": time, "role": "listener", "name": name, "decision": "refused_by_tls"}
    return event | {"detail": "CERTIFICATE_VERIFY_FAILED"}


def answered(time: float) -> dict[str, Any]:
    return {"event": {"time": time, "role": "resource_server", "decision": "rejected"}}


ROWS = [attempt(1, "rejected"), attempt(2), attempt(3, "not_possible"), attempt(4, "rejected")]
EXCHANGES: dict[int, Any] = {1: answered(10.0), 2: {"event": {}}, 4: answered(12.0)}


def matched(*events: dict[str, Any], rows: Any = ROWS) -> dict[str, Any]:
    return dict(with_their_events(rows, EXCHANGES, events)[2]["event"])


def test_the_one_refusal_between_its_neighbours_is_the_attempt_s() -> None:
    assert matched(refusal(11.0)) == refusal(11.0)
    assert matched(refusal(9.0), refusal(11.0), refusal(13.0)) == refusal(11.0)
    assert matched(refusal(11.0, "orders-replica"))["name"] == "orders-replica"


def test_what_is_not_certain_is_not_matched() -> None:
    assert matched() == {}
    assert matched(refusal(9.0), refusal(13.0)) == {}
    assert matched(refusal(11.0), refusal(11.5)) == {}
    assert matched(refusal(11.0, "payments")) == {}
    assert matched({"role": "terminator", "reason": "tls"}) == {}


def test_two_attempts_between_the_same_neighbours_are_told_apart_by_nothing() -> None:
    rows = [ROWS[0], ROWS[1], attempt(3), ROWS[3]]
    assert matched(refusal(11.0), rows=rows) == {}
    elsewhere = [ROWS[0], ROWS[1], attempt(3, resource="payments"), ROWS[3]]
    assert matched(refusal(11.0), refusal(11.5, "payments"), rows=elsewhere) == refusal(11.0)


def test_every_other_exchange_stays_as_it_was() -> None:
    result = with_their_events(ROWS, EXCHANGES, [refusal(11.0)])
    assert result[1] == EXCHANGES[1]
    assert result[4] == EXCHANGES[4]
    assert EXCHANGES[2] == {"event": {}}
