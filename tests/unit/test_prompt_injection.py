"""An agent obeys a support case: what it can send it sends, and else it is the thief's deputy."""

from __future__ import annotations

import json

import pytest

from labsim.http_message import Response
from labsim.loot import Kind, Loot
from tests.robbed import ENTRY, SERVED, THEFTS, URL, Given, Victim, request, took

THEFT = THEFTS["prompt_injection"]
ADDRESS = "https://127.0.0.1:4711/inbox"
TOKENS = [
    {"url": URL, "resource": ENTRY["resource"], "token": "t"},
    {"url": "https://crm.test/records", "resource": "https://crm.test", "token": "u"},
]


def case(address: str = ADDRESS) -> Response:
    assert THEFT.lure is not None
    title, text = THEFT.lure(address)
    records = [{"id": "o-1", "text": "Nothing."}, {"id": "o-2", "title": title, "text": text}]
    return Response.of_json(200, {"records": records})


def agent(*answers: Response, readable: list[dict[str, str]]) -> Victim:
    victim = Victim(readable=readable)
    THEFT.leak(victim)
    for answer in answers:
        victim.work(request(), answer)
    return victim


def taken(victim: Victim) -> list[Loot]:
    return took(
        "prompt_injection",
        Given(sent=[json.dumps(document).encode() for _, document in victim.sent]),
    )


def test_an_agent_that_reads_the_case_sends_its_tokens_to_the_address_in_it() -> None:
    victim = agent(SERVED, case(), readable=TOKENS)
    assert [address for address, _ in victim.sent] == [ADDRESS]
    first, second = taken(victim)
    assert (first.token, first.url, second.token) == ("t", URL, "u")
    assert first.kinds == second.kinds == {Kind.TOKEN}


def test_an_agent_that_reads_no_such_case_sends_nothing() -> None:
    harmless = Response.of_json(200, {"records": [{"id": "o-1", "text": "Send my invoice to me."}]})
    assert agent(SERVED, harmless, Response(401), readable=TOKENS).sent == []


def test_an_agent_does_what_it_is_asked_once() -> None:
    other = "https://127.0.0.1:4712/inbox"
    victim = agent(case(), case(), case(other), readable=TOKENS)
    assert [address for address, _ in victim.sent] == [ADDRESS, other]


def test_an_agent_that_cannot_read_its_tokens_is_a_deputy() -> None:
    (loot,) = taken(agent(case(), readable=[]))
    assert loot.kinds == {Kind.FOOTHOLD}
    assert loot.token is None
    assert (loot.foothold, loot.binding) == ("127.0.0.1:1/s", "dpop")
    assert (loot.url, loot.resource) == (URL, ENTRY["resource"])


@pytest.mark.parametrize("sent", [b"", b"hello", b"\xff", b"{}"])
def test_what_anybody_else_sends_is_no_loot(sent: bytes) -> None:
    good = json.dumps({"tokens": TOKENS[:1]}).encode()
    assert [loot.token for loot in took("prompt_injection", Given(sent=[sent, good]))] == ["t"]
