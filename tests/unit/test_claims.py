"""A notebook's claim is silent while it is true, and names the attempt that contradicts it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.exercises import bearer, dpop, http_signature, mtls


def lab(**row: Any) -> Any:
    base = {"attempt": 7, "resource": "deploy", "relation": "same_resource", "check": "", **row}
    return SimpleNamespace(attacker=SimpleNamespace(rows=[base]))


def test_what_happened_as_claimed_is_silent() -> None:
    bearer.claim(lab(binding="bearer", replay="token_as_is", outcome="served", seconds=0))
    refused = {"outcome": "rejected", "check": "jti_is_new"}
    dpop.claim(lab(binding="dpop", replay="request_as_is", seconds=59, **refused))


@pytest.mark.parametrize("seconds", [0, 7200])
def test_what_happened_otherwise_is_named(seconds: int) -> None:
    served = lab(binding="dpop", replay="stolen_key", outcome="served", seconds=seconds)
    refused = lab(
        binding="dpop",
        replay="stolen_key",
        outcome="rejected",
        check="token_is_not_expired",
        seconds=seconds,
    )
    true, false = (served, refused) if seconds == 0 else (refused, served)
    dpop.claim(true)
    with pytest.raises(LabError, match="Attempt 7"):
        dpop.claim(false)


@pytest.mark.parametrize("outcome", ["not_possible", "served"])
def test_what_is_not_claimed_is_not_looked_at(outcome: str) -> None:
    seconds = 0 if outcome == "not_possible" else 600
    dpop.claim(lab(binding="dpop", replay="own_proof", outcome=outcome, seconds=seconds))


@pytest.mark.parametrize(
    ("variant", "outcome", "check"),
    [
        ("base", "rejected", "certificate_is_shown"),
        ("proxy_strips", "rejected", "certificate_is_shown"),
        ("proxy_passes", "served", ""),
    ],
)
def test_a_claim_is_about_one_variant(variant: str, outcome: str, check: str) -> None:
    row = {"binding": "mtls", "replay": "forged_certificate_header", "seconds": 0}
    mtls.claim(lab(variant=variant, outcome=outcome, check=check, **row))
    other = {"served": "rejected", "rejected": "served"}[outcome]
    with pytest.raises(LabError, match="Attempt 7"):
        mtls.claim(lab(variant=variant, outcome=other, **row))


def test_a_replay_is_refused_where_servers_remember_and_served_where_they_do_not() -> None:
    row = {"binding": "http_signature", "replay": "request_as_is", "seconds": 0}
    http_signature.claim(lab(variant="minimal", outcome="served", **row))
    with pytest.raises(LabError, match="Attempt 7"):
        http_signature.claim(lab(variant="base", outcome="served", **row))
