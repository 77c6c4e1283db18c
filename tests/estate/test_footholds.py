"""Footholds on real processes: what they are good for, with which custody, and what ends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import labsim
from labsim.estate.custody import CUSTODIES
from labsim.estate.foothold import RemoteFoothold
from labsim.haul import Haul
from labsim.http_message import Request
from labsim.lab import BINDINGS
from tests.wiring import ORDERS

CLIENT = "ops-console"
TOO_OLD = {"dpop": "iat_is_recent", "http_signature": "created_is_recent"}


@pytest.fixture(scope="module")
def running() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.fixture
def lab(running: labsim.Lab) -> Iterator[labsim.Lab]:
    """Give the lab, and bring it back to its base variant."""
    yield running
    running.vary("base")


def robbed(lab: labsim.Lab, binding: str, custody: str = "file") -> Haul:
    lab.bind(CLIENT, binding, custody=custody)
    return lab.attacker.steal(CLIENT, by="container_code")


def tried(lab: labsim.Lab, haul: Haul, by: str) -> dict[str, Any]:
    (row,) = lab.attacker.replay(haul, by=by).to_dict("records")
    return dict(row)


def address(lab: labsim.Lab) -> str:
    return str(json.loads((lab.run_folder / CLIENT / "foothold.json").read_text()))


@pytest.mark.parametrize("custody", CUSTODIES)
@pytest.mark.parametrize("binding", BINDINGS)
def test_the_holder_signs_and_sends_for_the_thief(
    lab: labsim.Lab, binding: str, custody: str
) -> None:
    row = tried(lab, robbed(lab, binding, custody), "signed_in_place")
    assert (row["outcome"], row["records"] > 0) == ("served", True)
    lab.vary("nonce")
    assert tried(lab, robbed(lab, binding, custody), "signed_in_place")["outcome"] == "served"


@pytest.mark.parametrize("custody", CUSTODIES)
@pytest.mark.parametrize("binding", TOO_OLD)
def test_proofs_made_ahead_are_served_when_their_time_has_come(
    lab: labsim.Lab, binding: str, custody: str
) -> None:
    haul = robbed(lab, binding, custody)
    lab.evict(CLIENT)  # what was made stays
    for _ in range(2):
        lab.advance(seconds=1500)
        row = tried(lab, haul, "proofs_made_ahead")
        assert (row["outcome"], row["custody"]) == ("served", custody)
        row = tried(lab, haul, "proofs_made_ahead")  # and once only
        assert row["reason"] == "PROOF_REPLAYED"
    lab.advance(seconds=700)  # the token's own end
    assert tried(lab, haul, "proofs_made_ahead")["reason"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize("binding", TOO_OLD)
def test_a_signer_that_stamps_the_time_makes_none_for_later(lab: labsim.Lab, binding: str) -> None:
    for custody, outcome in (("signer", "rejected"), ("memory", "served")):
        lab.vary("stamping_signer")
        haul = robbed(lab, binding, custody)
        lab.advance(seconds=1500)
        row = tried(lab, haul, "proofs_made_ahead")
        assert row["outcome"] == outcome  # a key of one's own writes any time: no signer is asked
        assert row["check"] == (TOO_OLD[binding] if outcome == "rejected" else "")
        assert tried(lab, haul, "signed_in_place")["outcome"] == "served"


@pytest.mark.parametrize("binding", TOO_OLD)
def test_a_signer_may_begin_and_cease_to_stamp(lab: labsim.Lab, binding: str) -> None:
    lab.bind(CLIENT, binding, custody="signer")
    for variant, outcome in (("stamping_signer", "rejected"), ("base", "served")):
        lab.vary(variant)
        haul = lab.attacker.steal(CLIENT, by="container_code")
        lab.advance(seconds=1500)
        assert tried(lab, haul, "proofs_made_ahead")["outcome"] == outcome


@pytest.mark.parametrize("custody", CUSTODIES)
def test_a_servers_nonce_cuts_them_to_its_life(lab: labsim.Lab, custody: str) -> None:
    lab.vary("nonce")
    haul = robbed(lab, "dpop", custody)
    assert tried(lab, haul, "proofs_made_ahead")["outcome"] == "served"
    lab.advance(seconds=1500)
    row = tried(lab, haul, "proofs_made_ahead")
    assert (row["outcome"], row["check"]) == ("rejected", "nonce_is_the_servers")


@pytest.mark.parametrize("binding", ["bearer", "mtls"])
def test_a_binding_without_proofs_has_none_to_make(lab: labsim.Lab, binding: str) -> None:
    haul = robbed(lab, binding)
    assert "proofs_ahead" not in haul.pieces[0]["kinds"]
    assert tried(lab, haul, "proofs_made_ahead")["outcome"] == "not_possible"


def still_works(lab: labsim.Lab, where: str) -> bool:
    """Tell whether a foothold answers; its address may be an old one."""
    url = lab.estate.urls["admin"] + "/records"
    ending = RemoteFoothold(where).send(Request("GET", url)).ending
    assert ending in ("served", "unreachable")
    return ending == "served"


@pytest.mark.parametrize("custody", CUSTODIES)
def test_it_outlasts_the_leak_and_ends_with_an_eviction(lab: labsim.Lab, custody: str) -> None:
    haul = robbed(lab, "dpop", custody)
    where = address(lab)
    lab.estate.process(CLIENT).call("mend")
    lab.work_rows(CLIENT)
    assert still_works(lab, where)
    lab.evict(CLIENT)
    assert not still_works(lab, where)
    assert not (lab.run_folder / CLIENT / "foothold.json").exists()
    row = tried(lab, haul, "signed_in_place")
    assert (row["outcome"], row["reason"]) == (
        "unreachable",
        "The attacker's code no longer runs in the holder's process.",
    )
    lab.evict(CLIENT)
    assert lab.work_rows(CLIENT)[0]["outcome"] == "served"


def test_a_new_key_ends_it_as_the_process_starts_over(lab: labsim.Lab) -> None:
    robbed(lab, "dpop")
    where = address(lab)
    assert still_works(lab, where)
    lab.bind(CLIENT, "dpop")
    assert not still_works(lab, where)


def test_a_second_one_ends_the_first(lab: labsim.Lab) -> None:
    robbed(lab, "dpop")
    first = address(lab)
    lab.attacker.steal(CLIENT, by="container_code")
    assert (still_works(lab, first), still_works(lab, address(lab))) == (False, True)


def test_it_ends_with_its_process(lab: labsim.Lab) -> None:
    robbed(lab, "dpop", "signer")
    where = address(lab)
    assert still_works(lab, where)
    lab.estate.process(CLIENT).kill()
    assert not still_works(lab, where)
    lab.reset()


def test_a_token_goes_to_the_server_it_is_for_and_nowhere_else(lab: labsim.Lab) -> None:
    """The holder knows its servers by their whole authority, not by how that begins."""
    robbed(lab, "bearer")
    foothold = RemoteFoothold(address(lab))
    url = lab.estate.urls["admin"]
    assert foothold.send(Request("GET", f"{url}/records")).ending == "served"
    for elsewhere in (
        url[:-1],
        "https://127",
        "https://",
        "/records",
        "",
        lab.estate.urls["crm"],
        ORDERS,
    ):
        outcome = foothold.send(Request("GET", elsewhere))
        assert (outcome.ending, outcome.request) == ("not_possible", None)
        assert outcome.detail == "the holder has no token for that server"
        assert foothold.sign_ahead(elsewhere, [lab.now]) == []
