"""The replay that needs no key: the holder's own process signs and sends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.attacker import Attacker
from labsim.attempt import Attempt, Target
from labsim.http_message import Outcome, Request
from labsim.loot import Loot
from labsim.replays.signed_in_place import REPLAY
from labsim.roles.client import present
from tests.wiring import BINDINGS, CRM, ISSUER, ORDERS, RECORD, RECORDS, TOKEN_ENDPOINT, Lab

HERE = Target("orders", RECORDS, RECORD, ORDERS, ISSUER, TOKEN_ENDPOINT, TOKEN_ENDPOINT)
ADDRESS = "127.0.0.1:1/secret"


class Inhabited:
    """A holder in whose process a stranger's code runs, and what that was asked to send."""

    def __init__(self, lab: Lab, binding: str) -> None:
        self.lab, self.binding = lab, BINDINGS[binding]
        self.token = lab.token(binding).access_token
        self.asked: list[tuple[str, Request]] = []

    def reach(self, foothold: str, request: Request) -> Outcome:
        self.asked.append((foothold, request))
        shown = self.lab.presentation(self.token)
        return present(lambda: request, self.binding, shown, self.lab.send)

    def tried(self, loot: Loot) -> Attempt:
        attacker: Attacker = self.lab.attacker()
        attacker._reach = self.reach
        return attacker.replay(REPLAY, loot, HERE)


def loot(token: str | None, foothold: str | None = ADDRESS) -> Loot:
    return Loot(found_at="here", resource=ORDERS, token=token, foothold=foothold)


@pytest.mark.parametrize("nonces", [False, True])
@pytest.mark.parametrize("binding", BINDINGS)
def test_it_is_the_holders_own_request_by_every_check(lab: Lab, binding: str, nonces: bool) -> None:
    inhabited = Inhabited(lab, binding)
    if nonces:
        lab.ask_for_nonces()
    attempt = inhabited.tried(loot(inhabited.token))
    assert (attempt.outcome, attempt.records) == ("served", ("o-1", "o-2"))
    assert inhabited.asked == [(ADDRESS, Request("GET", RECORDS))]
    assert (attempt.loot, attempt.binding) == ("foothold+token", binding)


def test_no_token_need_be_read_where_the_deputy_itself_is_used(lab: Lab) -> None:
    inhabited = Inhabited(lab, "dpop")
    attempt = inhabited.tried(replace(loot(None), binding="dpop"))
    assert (attempt.outcome, attempt.loot, attempt.binding) == ("served", "foothold", "dpop")


def test_without_a_foothold_nobody_is_asked(lab: Lab) -> None:
    inhabited = Inhabited(lab, "dpop")
    attempt = inhabited.tried(loot(inhabited.token, foothold=None))
    assert (attempt.outcome, attempt.why) == ("not_possible", "this loot holds no foothold")
    assert inhabited.asked == []


def test_a_foothold_that_ended_leaves_nothing_to_use(lab: Lab) -> None:
    token = lab.token("dpop").access_token
    attempt = lab.attacker().replay(REPLAY, loot(token), HERE)
    assert (attempt.outcome, attempt.why) == ("unreachable", f"nobody is at {ADDRESS}")


def test_at_another_server_the_token_dies_of_its_audience(lab: Lab) -> None:
    inhabited = Inhabited(lab, "dpop")
    there = replace(HERE, url=f"{CRM}/records", resource=CRM)
    attacker = lab.attacker()
    attacker._reach = inhabited.reach
    assert attacker.replay(REPLAY, loot(inhabited.token), there).outcome == "rejected"
    assert (lab.event or {})["reason"] == "TOKEN_AUDIENCE_MISMATCH"
