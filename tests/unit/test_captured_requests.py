"""What can be made of one captured request, spent or held back: in process, with each binding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.attempt import Attempt, Target
from labsim.http_message import Outcome, Request
from labsim.loot import Loot
from labsim.rooms import rooms
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, RECORDS, TOKEN_ENDPOINT, Lab

REPLAYS = rooms("labsim.replays", "REPLAY")
HERE = Target("orders", RECORDS, RECORD, ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
THERE = Target(
    "crm", f"{CRM}/records", f"{CRM}/records/o-1", CRM, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT
)
READ = Request("GET", RECORDS, (("Accept", "application/json"),))


class Captured:
    """A victim's request on its way: the thief may come before it, or after it."""

    def __init__(self, lab: Lab, binding: str, request: Request) -> None:
        self.lab = lab
        token = lab.token(binding).access_token
        self.request = BINDINGS[binding].attach(request, lab.presentation(token))
        # What no interceptor can pass on is the certificate that the connection showed.
        seen = replace(self.request, peer_certificate=None)
        self.held = Loot(
            found_at="here",
            resource=ORDERS,
            url=request.url,
            token=token,
            captured=seen,
            spent=False,
        )

    def replayed(self, by: str, target: Target = HERE) -> Attempt:
        """Come before the victim's own request."""
        return self.lab.attacker().replay(REPLAYS[by], self.held, target)

    def replayed_after(self, by: str, target: Target = HERE) -> Attempt:
        """Come after it."""
        assert self.goes_on().ending == "served"
        spent = replace(self.held, spent=True)
        return self.lab.attacker().replay(REPLAYS[by], spent, target)

    def goes_on(self) -> Outcome:
        """Let the victim's own request reach the server, certificate and all."""
        return self.lab.send(self.request)

    @property
    def check(self) -> str:
        return str((self.lab.event or {})["check"])

    @property
    def reason(self) -> str:
        return str((self.lab.event or {})["reason"])


@pytest.mark.parametrize(
    ("binding", "alarm"),
    [("bearer", ""), ("dpop", "jti_is_new"), ("http_signature", "nonce_is_new")],
)
def test_a_request_that_was_held_back_is_served_and_its_owner_is_refused_as_the_replay(
    lab: Lab, binding: str, alarm: str
) -> None:
    captured = Captured(lab, binding, READ)
    attempt = captured.replayed("hold_and_forward")
    assert (attempt.outcome, attempt.records) == ("served", ("o-1", "o-2"))
    assert attempt.sent == captured.request.wire().decode("latin-1")
    own = captured.goes_on()
    assert own.ending == ("rejected" if alarm else "served")
    assert (captured.check, captured.reason) == (alarm, "PROOF_REPLAYED" if alarm else "")


@pytest.mark.parametrize("binding", BINDINGS)
def test_what_the_server_has_had_cannot_be_sent_first(lab: Lab, binding: str) -> None:
    attempt = Captured(lab, binding, READ).replayed_after("hold_and_forward")
    assert attempt.outcome == "not_possible"
    assert attempt.why


def test_a_connection_cannot_be_held_back_and_passed_on(lab: Lab) -> None:
    captured = Captured(lab, "mtls", READ)
    attempt = captured.replayed("hold_and_forward")
    assert (attempt.outcome, attempt.sent) == ("not_possible", "")
    assert captured.goes_on().ending == "served", "its own connection is good"
    assert Captured(lab, "mtls", READ).replayed("request_as_is").outcome == "rejected"
    assert captured.check == "certificate_is_shown"


@pytest.mark.parametrize("binding", ["bearer", "dpop", "http_signature"])
def test_at_another_server_a_held_request_dies_of_its_tokens_audience(
    lab: Lab, binding: str
) -> None:
    captured = Captured(lab, binding, READ)
    attempt = captured.replayed("hold_and_forward", THERE)
    assert (attempt.outcome, attempt.relation) == ("rejected", "other_resource")
    assert captured.check == "audience_is_this_resource"
    assert captured.goes_on().ending == "served", "and it was not spent there"


@pytest.mark.parametrize("by", ["request_as_is", "hold_and_forward"])
def test_a_captured_request_keeps_its_query(lab: Lab, by: str) -> None:
    asked = READ.at(f"{RECORDS}?sensitivity=internal")
    attempt = Captured(lab, "http_signature", asked).replayed(by)
    assert attempt.outcome == "served"
    assert attempt.sent.startswith("GET /records?sensitivity=internal HTTP/1.1")


QUERY = READ.at(f"{RECORDS}?sensitivity=internal")
WRITE = Request("POST", RECORDS, READ.fields, b'{"title":"A note","text":"Mine."}')
CHANGED = {"changed_body": WRITE, "changed_query": QUERY, "changed_header": READ}
# Replay, binding: what refuses it before the server has had the original, and after.
CHECKS = {
    ("changed_body", "bearer"): ("", ""),
    ("changed_body", "dpop"): ("", "jti_is_new"),
    ("changed_body", "mtls"): ("certificate_is_shown", "certificate_is_shown"),
    ("changed_body", "http_signature"): ("digest_is_the_bodys", "digest_is_the_bodys"),
    ("changed_query", "bearer"): ("", ""),
    ("changed_query", "dpop"): ("", "jti_is_new"),
    ("changed_query", "mtls"): ("certificate_is_shown", "certificate_is_shown"),
    ("changed_query", "http_signature"): (
        "signature_is_by_the_bound_key",
        "signature_is_by_the_bound_key",
    ),
    ("changed_header", "bearer"): ("", ""),
    ("changed_header", "dpop"): ("", "jti_is_new"),
    ("changed_header", "mtls"): ("certificate_is_shown", "certificate_is_shown"),
    ("changed_header", "http_signature"): ("", "nonce_is_new"),
}


@pytest.mark.parametrize(("by", "binding"), CHECKS)
def test_a_changed_request_is_refused_for_what_its_proof_covers(
    lab: Lab, by: str, binding: str
) -> None:
    check, _ = CHECKS[by, binding]
    captured = Captured(lab, binding, CHANGED[by])
    attempt = captured.replayed(by)
    assert (attempt.outcome, captured.check) == ("rejected" if check else "served", check)


@pytest.mark.parametrize(("by", "binding"), CHECKS)
def test_a_changed_request_is_refused_when_its_proof_is_spent(
    lab: Lab, by: str, binding: str
) -> None:
    _, check = CHECKS[by, binding]
    captured = Captured(lab, binding, CHANGED[by])
    attempt = captured.replayed_after(by)
    assert (attempt.outcome, captured.check) == ("rejected" if check else "served", check)


@pytest.mark.parametrize("by", CHANGED)
@pytest.mark.parametrize("binding", ["bearer", "dpop", "http_signature"])
def test_the_same_request_unchanged_is_served(lab: Lab, binding: str, by: str) -> None:
    """What refuses the changed one is the change."""
    assert Captured(lab, binding, CHANGED[by]).replayed("request_as_is").outcome == "served"


def test_a_changed_body_is_what_the_server_keeps(lab: Lab) -> None:
    captured = Captured(lab, "dpop", WRITE)
    attempt = captured.replayed("changed_body")
    assert (attempt.status, attempt.records) == (201, ()), "a thief reads nothing by writing"
    assert [r.get("title") for r in lab.orders.records.all()] == [None, None, "Changed on its way"]
    assert captured.goes_on().ending == "rejected"
    assert captured.reason == "PROOF_REPLAYED"


def test_a_widened_query_reads_more(lab: Lab) -> None:
    narrow = Captured(lab, "dpop", QUERY).replayed("request_as_is")
    wide = Captured(lab, "dpop", QUERY).replayed("changed_query")
    assert (narrow.records, wide.records) == (("o-1",), ("o-1", "o-2"))
    assert wide.sent.startswith("GET /records HTTP/1.1")


def test_only_the_one_header_changes(lab: Lab) -> None:
    captured = Captured(lab, "http_signature", READ)
    before = captured.request.wire().decode("latin-1").split("\r\n")
    after = captured.replayed("changed_header").sent.split("\r\n")
    assert set(before) - set(after) == {"Accept: application/json"}
    assert set(after) - set(before) == {"Accept: text/plain"}


@pytest.mark.parametrize(
    ("by", "request_", "missing"),
    [
        ("changed_body", READ, "body"),
        ("changed_query", READ, "query"),
        ("changed_query", WRITE, "query"),
    ],
)
def test_what_a_request_does_not_have_cannot_be_changed(
    lab: Lab, by: str, request_: Request, missing: str
) -> None:
    attempt = Captured(lab, "dpop", request_).replayed(by)
    assert attempt.outcome == "not_possible"
    assert attempt.why == f"the captured request has no {missing} to change"


@pytest.mark.parametrize("by", CHANGED)
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_changed_request_dies_of_its_audience_elsewhere(lab: Lab, binding: str, by: str) -> None:
    attempt = Captured(lab, binding, CHANGED[by]).replayed(by, THERE)
    assert (attempt.outcome, attempt.relation) == ("rejected", "other_resource")
    assert (lab.event or {})["check"] == "audience_is_this_resource"
