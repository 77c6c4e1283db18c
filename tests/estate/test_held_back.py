"""Requests that an interceptor holds back, on real processes: who comes first, who is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import labsim

CLIENT = "fulfilment"
BOUND = {"dpop": "jti_is_new", "http_signature": "nonce_is_new"}


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.fixture
def unspent(lab: labsim.Lab) -> Iterator[labsim.Lab]:
    lab.vary("unspent")
    yield lab
    lab.vary("base")


def replayed(lab: labsim.Lab, haul: Any, by: str) -> tuple[str, str, int]:
    """Replay where it was stolen; return outcome, check and how many records were read."""
    name = next(n for n, url in lab.estate.urls.items() if url == haul[0]["resource"])
    (row,) = lab.attacker.replay(haul, by=by, against=name).to_dict("records")
    return row["outcome"], row["check"], row["records"]


@pytest.mark.parametrize(
    ("binding", "custody"),
    [
        ("bearer", "file"),
        *((binding, custody) for binding in BOUND for custody in ("file", "memory", "signer")),
    ],
)
def test_the_thief_is_served_and_the_victim_is_refused_as_the_replay(
    unspent: labsim.Lab, binding: str, custody: str
) -> None:
    unspent.bind(CLIENT, binding, custody)
    for resource in ("orders", "payments"):
        haul = unspent.attacker.steal(CLIENT, by="wiretap", at=resource)
        assert [piece["spent"] for piece in haul] == [False]
        outcome, _check, records = replayed(unspent, haul, "hold_and_forward")
        assert (outcome, records) == ("served", len(unspent.plan.resource(resource).records))
        alarm = unspent.attacker.holding.rows[-1]
        assert (alarm["attempts"], alarm["resource"]) == ((len(unspent.attacker.rows),), resource)
        check = BOUND.get(binding, "")
        assert (alarm["outcome"], alarm["check"]) == ("rejected" if check else "served", check)
        assert alarm["reason"] == ("PROOF_REPLAYED" if check else "")
        assert unspent.event(alarm["request_id"])["client_id"] == CLIENT
        assert replayed(unspent, haul, "request_as_is")[:2] == (alarm["outcome"], check)
    assert {row["outcome"] for row in unspent.work_rows(CLIENT)} == {"served"}


@pytest.mark.parametrize("custody", ["file", "memory", "signer"])
def test_under_mutual_tls_nobody_gets_through_the_interceptor(
    unspent: labsim.Lab, custody: str
) -> None:
    unspent.bind(CLIENT, "mtls", custody)
    haul = unspent.attacker.steal(CLIENT, by="wiretap")
    assert haul[0]["spent"] is False
    missing = ("rejected", "certificate_is_shown", 0)
    assert replayed(unspent, haul, "request_as_is") == missing
    assert replayed(unspent, haul, "hold_and_forward")[0] == "not_possible"
    row = unspent.attacker.holding.rows[-1]
    assert (row["outcome"], row["check"]) == missing[:2]
    assert {row["outcome"] for row in unspent.work_rows(CLIENT)} == {"served"}


def test_what_nobody_uses_is_let_go_and_served(unspent: labsim.Lab) -> None:
    unspent.bind(CLIENT, "dpop")
    unspent.attacker.steal(CLIENT, by="wiretap")
    (row,) = unspent.attacker.release()
    assert (row["outcome"], row["attempts"], row["doing"]) == ("served", (), "read")
    assert unspent.attacker.release() == []


def test_a_second_theft_lets_the_first_request_go(unspent: labsim.Lab) -> None:
    unspent.bind(CLIENT, "dpop")
    before = len(unspent.attacker.holding.rows)
    first = unspent.attacker.steal(CLIENT, by="wiretap")
    second = unspent.attacker.steal(CLIENT, by="wiretap")
    assert [row["outcome"] for row in unspent.attacker.holding.rows[before:]] == ["served"]
    assert replayed(unspent, first, "request_as_is")[:2] == ("rejected", "jti_is_new")
    assert replayed(unspent, second, "request_as_is")[0] == "served"
    assert [row["check"] for row in unspent.attacker.release()] == ["jti_is_new"]


@pytest.mark.parametrize(
    ("binding", "check"),
    [("bearer", ""), ("dpop", ""), ("http_signature", ""), ("mtls", "certificate_is_shown")],
)
@pytest.mark.parametrize("custody", ["file", "signer"])
def test_a_victim_can_do_other_things_while_one_request_is_held(
    unspent: labsim.Lab, custody: str, binding: str, check: str
) -> None:
    """None of them is held, and none waits: else the held one would end by itself, unanswered."""
    unspent.bind(CLIENT, binding, custody)
    unspent.attacker.steal(CLIENT, by="wiretap", at="orders")
    for _ in range(2):  # a refused token is not used again, and the next one comes from elsewhere
        rows = unspent.work_rows(CLIENT)
        assert {unspent.event(row["request_id"])["check"] for row in rows} == {check}
    (row,) = unspent.attacker.release()
    assert (row["outcome"], row["check"]) == ("rejected" if check else "served", check)


def test_in_the_base_a_captured_request_is_spent(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop")
    haul = lab.attacker.steal(CLIENT, by="wiretap", at="orders")
    assert [piece["spent"] for piece in haul] == [True]
    assert replayed(lab, haul, "hold_and_forward")[0] == "not_possible"
    assert replayed(lab, haul, "request_as_is")[:2] == ("rejected", "jti_is_new")
