"""A resource server keeps what it is sent, with real processes, and the thief tries it elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import labsim


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def outcomes(lab: labsim.Lab, piece: dict[str, object], replay: str) -> dict[str, str]:
    frame = lab.attacker.replay(piece, by=replay)
    return dict(zip(frame.resource, frame.outcome, strict=True))


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_it_has_the_request_and_no_other_server_takes_it(lab: labsim.Lab, binding: str) -> None:
    lab.bind("fulfilment", binding)
    (piece,) = lab.attacker.steal("fulfilment", by="compromised_resource")
    assert piece["kinds"] == ["captured_request", "token"]
    assert piece["spent"]
    assert piece["url"] == piece["captured"]["url"] == f"{lab.estate.urls['orders']}/records"
    at_home = "served" if binding == "bearer" else "rejected"
    for replay in ("token_as_is", "request_as_is"):
        assert outcomes(lab, piece, replay) == {"orders": at_home, "payments": "rejected"}
    elsewhere = lab.attacker.replay(piece, by="token_as_is", against="payments")
    assert set(elsewhere.reason) == {"TOKEN_AUDIENCE_MISMATCH"}


def test_it_keeps_requests_for_the_time_of_the_theft_only(lab: labsim.Lab) -> None:
    lab.bind("fulfilment", "dpop")
    lab.work_rows("fulfilment")
    lab.attacker.steal("fulfilment", by="compromised_resource")
    lab.work_rows("fulfilment")
    kept = (lab.run_folder / "orders" / "captured.jsonl").read_text().splitlines()
    assert [json.loads(line)["request"]["method"] for line in kept] == ["GET"]
    assert not (lab.run_folder / "payments" / "captured.jsonl").exists()


def test_a_server_that_asks_for_a_nonce_has_the_answer_to_it(lab: labsim.Lab) -> None:
    lab.vary("nonce")
    try:
        lab.bind("fulfilment", "dpop")
        (piece,) = lab.attacker.steal("fulfilment", by="compromised_resource")
        frame = lab.attacker.replay(piece, by="request_as_is", against="orders")
        assert list(frame.reason) == ["PROOF_REPLAYED"]
    finally:
        lab.vary("base")


def test_requests_are_kept_with_a_second_replica_too(lab: labsim.Lab) -> None:
    lab.vary("replicas_apart")
    try:
        lab.bind("fulfilment", "dpop")
        (piece,) = lab.attacker.steal("fulfilment", by="compromised_resource")
        assert outcomes(lab, piece, "request_as_is")["orders"] == "served"
    finally:
        lab.vary("base")
