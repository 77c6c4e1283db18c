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
