"""A resource server that keeps what it is sent has whole requests, and what they were proofs for."""

from __future__ import annotations

from labsim.http_message import Response
from labsim.loot import Kind
from tests.robbed import SERVED, THEFTS, Given, Victim, request, took


def test_it_keeps_the_last_request_that_had_a_token() -> None:
    last = request(token="newer")
    exchanges = [(request(), SERVED), (last, SERVED), (request(token=None), Response(401))]
    (loot,) = took("compromised_resource", Given(exchanges=exchanges))
    assert (loot.captured, loot.token, loot.spent) == (last, "newer", True)
    assert loot.kinds == {Kind.TOKEN, Kind.CAPTURED_REQUEST}
    assert loot.found_at.startswith("the resource server")


def test_its_own_records_are_not_read_in_passing() -> None:
    (loot,) = took("compromised_resource", Given(exchanges=[(request(), SERVED)]))
    assert loot.read_in_passing == ()


def test_the_victim_does_nothing_that_it_does_not_do_every_day() -> None:
    victim = Victim()
    THEFTS["compromised_resource"].leak(victim)
    assert victim == Victim()
