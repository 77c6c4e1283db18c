"""Each theft: how the victim's side leaks, and what the thief can take of what it was given."""

from __future__ import annotations

import json

import pytest

from labsim import robbery
from labsim.http_message import Response
from labsim.loot import Kind, Loot
from tests.robbed import ENTRY, SERVED, THEFTS, URL, Given, Victim, folder, request, took


@pytest.mark.parametrize("name", THEFTS)
def test_a_thief_that_was_given_nothing_takes_nothing(name: str) -> None:
    assert took(name, Given()) == []


@pytest.mark.parametrize("name", THEFTS)
def test_a_theft_says_what_it_is(name: str) -> None:
    theft = THEFTS[name]
    assert theft.gives in robbery._GIVEN
    assert theft.title
    assert theft.source


def test_a_log_line_holds_the_token_and_nothing_more() -> None:
    victim = Victim()
    THEFTS["log_line"].leak(victim)
    victim.work(request(), SERVED)
    victim.work(request(token="newer"), SERVED)
    victim.work(request(token=None), Response(401))
    text = "\n".join(["INFO starting", *victim.log]).encode()
    (loot,) = took("log_line", Given({"client.log": text}))
    assert (loot.token, loot.url, loot.found_at) == ("newer", URL, "client.log, line 3")
    assert loot.kinds == {Kind.TOKEN}
    assert b"proof" not in text


def test_a_log_yields_one_token_for_each_url() -> None:
    victim = Victim()
    THEFTS["log_line"].leak(victim)
    for path in ("/records", "/records/o-1"):
        victim.work(request(f"https://orders.test{path}"), SERVED)
    found = took("log_line", Given({"client.log": "\n".join(victim.log).encode() + b"\n\xff\xfe"}))
    assert [loot.url for loot in found] == [URL, f"{URL}/o-1"]


def test_a_wiretap_holds_whole_requests_and_what_was_read_in_passing() -> None:
    victim = Victim()
    THEFTS["wiretap"].leak(victim)
    assert victim.trusting
    last = request(token="newer")
    exchanges = [(request(), SERVED), (last, SERVED), (request(token=None), Response(401))]
    (loot,) = took("wiretap", Given(exchanges=exchanges))
    assert (loot.captured, loot.token, loot.spent) == (last, "newer", True)
    assert loot.read_in_passing == ("o-1", "o-2")
    assert loot.kinds == {Kind.TOKEN, Kind.CAPTURED_REQUEST}


def test_what_a_wiretap_holds_back_is_not_spent_and_shows_no_answer() -> None:
    (loot,) = took("wiretap", Given(exchanges=[(request(), SERVED), (request(), None)]))
    assert (loot.captured, loot.spent, loot.read_in_passing) == (request(), False, ())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"records":5}', b'{"records":[{}]}', b"\xff"]
)
def test_a_wiretap_reads_past_answers_that_hold_no_records(body: bytes) -> None:
    (loot,) = took("wiretap", Given(exchanges=[(request(), Response(200, (), body))]))
    assert loot.read_in_passing == ()


def test_a_container_holds_what_lies_in_it() -> None:
    given = folder(
        tokens={"orders": ENTRY, "crm": {**ENTRY, "access_token": "u"}},
        key={"kty": "EC"},
        client={"client_id": "free"},
        refresh_token="r",
    )
    THEFTS["container_files"].leak(Victim())
    first, second = took("container_files", given)
    assert (first.token, second.token, first.url) == ("t", "u", URL)
    assert first.kinds == {Kind.TOKEN, Kind.KEY, Kind.CLIENT_CREDENTIAL, Kind.REFRESH_TOKEN}
    assert first.found_at == "client.json, key.json, refresh_token.json, tokens.json"


def test_a_key_in_memory_is_not_in_the_container() -> None:
    (loot,) = took("container_files", folder(tokens={"orders": ENTRY}))
    assert loot.kinds == {Kind.TOKEN}


@pytest.mark.parametrize("name", THEFTS)
def test_loot_can_be_written_down(name: str) -> None:
    given = Given({"tokens.json": json.dumps({"orders": ENTRY}).encode()}, [(request(), SERVED)])
    for loot in took(name, given):
        written = json.loads(json.dumps(loot.to_json()))
        assert written["kinds"] == sorted(loot.kinds)
        assert Loot.from_json({**written, "number": 3}) == loot


def test_code_in_the_container_finds_the_key_in_memory_and_has_proofs_made_for_an_hour() -> None:
    victim = Victim()
    THEFTS["container_code"].leak(victim)
    assert victim.inhabited
    own, bound = {"kty": "EC", "d": "own"}, {"kty": "EC", "d": "bound"}
    given = folder(tokens={"orders": ENTRY}, client={"client_id": "c", "private_jwk": own})
    given.inside.keys = [own, bound]
    (loot,) = took("container_code", given)
    assert loot.key == bound
    assert loot.foothold == "127.0.0.1:1/s"
    assert [at for at, _ in loot.ahead] == [1000.0 + after for after in range(0, 3600, 100)]
    assert Loot.from_json(json.loads(json.dumps(loot.to_json()))) == loot


def test_a_signer_leaves_no_key_in_memory_but_a_foothold_all_the_same() -> None:
    (loot,) = took("container_code", folder(tokens={"orders": ENTRY}))
    assert loot.kinds == {Kind.TOKEN, Kind.FOOTHOLD, Kind.PROOFS_AHEAD}
