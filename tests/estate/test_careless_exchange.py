"""Tokens laundered by exchange, on real processes: one careful authorization server, three not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate.names import AUTHORIZATION_SERVER

CLIENT = "fulfilment"  # calls orders and payments
BINDINGS = ("bearer", "dpop", "mtls", "http_signature")
STRANGER = ("rejected", "caller_may_use_the_subject_token")
OUT_OF_REACH = ("rejected", "audience_is_within_reach")
SERVED = ("served", "")
# Variant: at the token's own server, at the other one that its owner calls, at the vault.
ENDINGS = {
    "base": (STRANGER, STRANGER, STRANGER),
    "exchange_for_anyone": (SERVED, SERVED, OUT_OF_REACH),
    "exchange_unbinds": (SERVED, SERVED, OUT_OF_REACH),
    "exchange_widens": (SERVED, SERVED, SERVED),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.mark.parametrize("binding", BINDINGS)
def test_how_far_a_laundered_token_goes(lab: labsim.Lab, binding: str) -> None:
    lab.bind(CLIENT, binding)
    haul = lab.attacker.steal(CLIENT, by="log_line")
    orders = next(piece for piece in haul if piece["resource"] == lab.estate.urls["orders"])
    for variant, endings in ENDINGS.items():
        lab.vary(variant)
        for resource, ending in zip(("orders", "payments", "vault"), endings, strict=True):
            frame = lab.attacker.replay(orders, by="laundered_by_exchange", against=resource)
            (row,) = frame.to_dict("records")
            assert (row["outcome"], row["check"]) == ending, (variant, resource)
            held = len(lab.plan.resource(resource).records)
            assert row["records"] == (held if ending == SERVED else 0)
    lab.vary("base")
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_what_is_unbound_is_good_from_anywhere(lab: labsim.Lab, binding: str) -> None:
    lab.bind(CLIENT, binding)
    haul = lab.attacker.steal(CLIENT, by="log_line")
    lab.vary("exchange_unbinds")
    lab.attacker.replay(haul[0], by="laundered_by_exchange", against="orders")
    sent = lab.attacker.exchanges[len(lab.attacker.rows)]
    assert "Authorization: Bearer " in sent["request"]
    assert (sent["event"]["binding"], sent["event"]["client_id"]) == ("bearer", "attacker")
    lab.vary("base")


def test_a_check_that_there_is_not_cannot_be_left_out(lab: labsim.Lab) -> None:
    server = lab.estate.process(AUTHORIZATION_SERVER)
    with pytest.raises(LabError, match="new_token_is_bound"):
        server.call("exchange_without", checks=["magic"])
