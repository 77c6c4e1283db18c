"""The first alarm: what the servers' own events justify, and nothing that a holder does."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from labsim.binding import Presentation
from labsim.blast import detection
from labsim.blast.detection import ALARM_DTYPES, EVIDENCE, first_alarm, saved, time_to_alarm
from labsim.blast.predicted import Predictor
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.client import TokenRefused, present
from labsim.roles.client_authentication import basic
from tests.unit.small_plans import client, plan_of, resource
from tests.wiring import BEGINNING, BINDINGS, RECORDS, TOKEN_ENDPOINT, Lab

THEFT = 100.0
BOUND = ("dpop", "mtls", "http_signature")
type Event = dict[str, Any]


def refused(reason: str, at: float = 10, check: str = "some_check", who: str = "web") -> Event:
    return {
        "time": THEFT + at,
        "role": "resource_server",
        "name": "orders",
        "decision": "rejected",
        "reason": reason,
        "check": check,
        "client_id": who,
    }


def served(at: float = 1) -> Event:
    return refused("", at, "") | {"decision": "served", "records": ["orders-1"]}


# What counts.

COUNTS = {each.reason for each in EVIDENCE if not each.checks}


@pytest.mark.parametrize("reason", [reason.name for reason in Reason])
def test_a_refusal_is_evidence_for_a_reason_of_its_own_or_not_at_all(reason: str) -> None:
    alarm = first_alarm([served(), refused(reason)], THEFT)
    assert (alarm is not None) == (reason in COUNTS)
    expected = {
        "BINDING_MISMATCH", "SCHEME_MISMATCH", "PROOF_MISSING", "PROOF_SIGNATURE_INVALID",
        "PROOF_REPLAYED", "PROOF_METHOD_MISMATCH", "PROOF_TARGET_MISMATCH",
        "PROOF_CONTENT_MISMATCH", "PROOF_TOKEN_MISMATCH", "PROOF_KEY_REVOKED",
        "CLIENT_CREDENTIAL_INVALID",
    }  # fmt: skip
    assert expected == COUNTS


def test_every_reason_that_counts_is_one_there_is() -> None:
    assert {each.reason for each in EVIDENCE} <= {reason.name for reason in Reason}
    assert all(each.why and each.source.startswith("RFC") for each in EVIDENCE)


@pytest.mark.parametrize(
    ("check", "counts"),
    [
        ("refresh_token_is_unused", True),
        ("refresh_keeps_the_binding", True),
        ("key_is_the_refresh_tokens", True),
        ("refresh_token_is_not_expired", False),
        ("refresh_token_is_known", False),
    ],
)
def test_a_grant_is_evidence_only_where_two_seem_to_hold_it(check: str, counts: bool) -> None:
    assert (first_alarm([refused("GRANT_INVALID", check=check)], THEFT) is not None) == counts


def test_what_is_served_is_no_evidence_and_neither_is_an_end_of_tls() -> None:
    tls = {"time": THEFT + 1, "role": "listener", "name": "orders", "decision": "refused_by_tls"}
    assert first_alarm([served(), served(2), tls | {"reason": "tls"}], THEFT) is None
    assert first_alarm([], THEFT) is None


def test_who_thinks_otherwise_says_what_counts() -> None:
    elsewhere = refused("TOKEN_AUDIENCE_MISMATCH", who="")
    assert first_alarm([elsewhere], THEFT) is None
    rule = detection.Evidence("TOKEN_AUDIENCE_MISMATCH", "tried elsewhere", "RFC 9068 section 4")
    alarm = first_alarm([elsewhere], THEFT, evidence=[*EVIDENCE, rule])
    assert alarm is not None
    assert alarm.why == "tried elsewhere"


def test_the_first_one_counts_in_whatever_order_they_come() -> None:
    events = [refused("PROOF_MISSING", 30), served(), refused("PROOF_REPLAYED", 20.5)]
    alarm = first_alarm(events, THEFT)
    assert alarm == detection.Alarm(
        20.5, "orders", "web", "PROOF_REPLAYED", "some_check", "one proof came twice"
    )


def test_only_what_happens_after_the_theft_and_before_its_end_counts() -> None:
    events = [refused("PROOF_MISSING", at) for at in (-1, 40)]
    found = first_alarm(events, THEFT)
    assert found is not None
    assert found.seconds == 40
    assert first_alarm(events, THEFT, until=THEFT + 40) is None
    assert first_alarm([refused("PROOF_MISSING", 0)], THEFT) is not None


def test_another_client_s_alarm_is_none_and_an_unnamed_client_s_is_anybody_s() -> None:
    assert first_alarm([refused("PROOF_MISSING")], THEFT, ["other"]) is None
    assert first_alarm([refused("PROOF_MISSING")], THEFT, ["other", "web"]) is not None
    assert first_alarm([refused("PROOF_MISSING")], THEFT, []) is None
    # The authorization server cannot name a client that it did not recognise.
    assert first_alarm([refused("CLIENT_CREDENTIAL_INVALID", who="")], THEFT, ["other"]) is not None


# With the servers' own events.


def spend(lab: Lab, binding: str, token: str, holder: Any) -> Event:
    shown = Presentation(token, holder, lab.clock(), lab.new_id)
    present(lambda: Request("GET", RECORDS), BINDINGS[binding], shown, lab.send)
    assert lab.event is not None
    return lab.event


@pytest.mark.parametrize("binding", BOUND)
def test_a_thief_without_the_key_raises_the_alarm_and_the_holder_does_not(
    lab: Lab, binding: str
) -> None:
    token = lab.token(binding).access_token
    assert lab.event is not None
    events = [lab.event, spend(lab, binding, token, lab.holder)]
    assert first_alarm(events, BEGINNING) is None
    lab.clock.advance(42)
    events.append(spend(lab, binding, token, lab.thief))
    alarm = first_alarm(events, BEGINNING, ["free"])
    assert alarm is not None
    assert (alarm.seconds, alarm.reason, alarm.server) == (42, "BINDING_MISMATCH", "orders")
    assert first_alarm(events, BEGINNING, ["app"]) is None


def test_a_thief_with_a_bearer_token_or_with_the_key_raises_none(lab: Lab) -> None:
    for binding, holder in (("bearer", lab.thief), *((each, lab.holder) for each in BOUND)):
        event = spend(lab, binding, lab.token(binding).access_token, holder)
        assert event["decision"] == "served"
        assert first_alarm([event], BEGINNING) is None


def test_a_nonce_that_is_asked_for_is_no_alarm(lab: Lab) -> None:
    token = lab.token("dpop").access_token
    lab.ask_for_nonces()
    shown = Presentation(token, lab.holder, lab.clock(), lab.new_id)
    events = []

    def send(request: Request) -> Any:
        outcome = lab.send(request)
        events.append(lab.event)
        return outcome

    present(lambda: Request("GET", RECORDS), BINDINGS["dpop"], shown, send)
    assert [event["reason"] for event in events if event] == ["NONCE_REQUIRED", ""]
    assert first_alarm([event for event in events if event], BEGINNING) is None


def test_a_refresh_token_used_twice_and_a_guessed_secret_are_alarms(lab: Lab) -> None:
    lab.grant("r")
    lab.token("bearer", grant_type="refresh_token", refresh_token="r")
    assert lab.event is not None
    assert first_alarm([lab.event], BEGINNING) is None
    with pytest.raises(TokenRefused):
        lab.token("bearer", grant_type="refresh_token", refresh_token="r")
    alarm = first_alarm([lab.event], BEGINNING, ["free"])
    assert alarm is not None
    assert alarm.check == "refresh_token_is_unused"
    lab.authentication = lambda client: basic(client, "guessed")  # type: ignore[method-assign]
    with pytest.raises(TokenRefused):
        lab.token("bearer")
    alarm = first_alarm([lab.event], BEGINNING, ["free"])
    assert alarm is not None
    assert (alarm.reason, alarm.server) == ("CLIENT_CREDENTIAL_INVALID", "as")
    assert TOKEN_ENDPOINT.endswith(lab.event["path"])


# The tables.

ROBBERIES = [
    {"theft": "log_line", "custody": "none", "binding": "bearer", "client": "web"},
    {"theft": "log_line", "custody": "file", "binding": "dpop", "client": "web"},
]
LATER = 1000.0


def alarms(*events: Event) -> pd.DataFrame:
    stolen = [THEFT, THEFT + LATER]
    rows = [row | {"stolen_at": at} for row, at in zip(ROBBERIES, stolen, strict=True)]
    rows[0] |= {"until": THEFT + LATER}
    return time_to_alarm(events, rows)


def test_each_robbery_has_its_own_alarm_or_none() -> None:
    frame = alarms(
        served(5), refused("PROOF_MISSING", LATER + 30), refused("BINDING_MISMATCH", LATER + 20)
    )
    assert frame.dtypes.astype(str).to_dict() == ALARM_DTYPES
    assert frame["seconds"].isna().tolist() == [True, False]
    bearer, dpop = frame.to_dict("records")
    assert (bearer["reason"], bearer["server"], bearer["refusals"]) == ("", "", 0)
    assert (dpop["seconds"], dpop["reason"], dpop["server"], dpop["refusals"]) == (
        20, "BINDING_MISMATCH", "orders", 2,
    )  # fmt: skip
    assert time_to_alarm([], []).dtypes.astype(str).to_dict() == ALARM_DTYPES


def five() -> Predictor:
    plan = plan_of([resource("orders", "a", "b", "c", "d", "e")], [client("web", "orders")])
    return Predictor(plan)


def responses(robbery: dict[str, Any], seconds: float | None, **how: Any) -> tuple[int, int, int]:
    row = dict.fromkeys(ALARM_DTYPES, "") | robbery | {"refusals": 0, "seconds": seconds}
    frame = pd.DataFrame([row]).astype(ALARM_DTYPES)
    (found,) = saved(frame, five(), until=7200, **how).to_dict("records")
    return found["alone"], found["exposed"], found["saved"]


def test_a_responder_saves_what_was_not_read_yet() -> None:
    files = ROBBERIES[1] | {"theft": "container_files"}
    # A record each 10 s; the alarm after 12 s, the revocation 15 s later: two were read whole.
    assert responses(files, 12, reaction=15, seconds_per_record=10) == (5, 2, 3)
    assert responses(files, 12, reaction=15, told_after=4, seconds_per_record=10) == (5, 3, 2)
    assert responses(files, 12, reaction=600, seconds_per_record=10) == (5, 5, 0)
    assert responses(files, 12, reaction=0, seconds_per_record=0) == (5, 5, 0)


def test_without_an_alarm_nobody_acts_and_where_nothing_falls_nothing_is_saved() -> None:
    assert responses(ROBBERIES[0], None, reaction=0, seconds_per_record=10) == (5, 5, 0)
    assert responses(ROBBERIES[1], 12, reaction=0, seconds_per_record=10) == (0, 0, 0)


def test_what_is_saved_stands_beside_the_alarm() -> None:
    frame = alarms(refused("PROOF_MISSING", LATER + 1))
    both = saved(frame, five(), reaction=1, until=60, seconds_per_record=1)
    assert list(both.columns) == [*ALARM_DTYPES, "alone", "exposed", "saved"]
    assert both["saved"].dtype == "int64"
    assert len(saved(frame.iloc[:0], five(), reaction=1, until=60, seconds_per_record=1)) == 0
