"""Revocation on real processes: what is stolen is served until its client's tokens are ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import labsim
from labsim.errors import LabError


@pytest.fixture
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def replayed(lab: labsim.Lab, haul: Any) -> list[tuple[str, str]]:
    """Replay each token where it was stolen; a token sent elsewhere dies of its audience."""
    rows = lab.attacker.replay(haul, by="token_as_is")
    rows = rows[rows.relation == "same_resource"]
    return list(zip(rows.outcome, rows.reason, strict=True))


def learned(lab: labsim.Lab) -> list[dict[str, Any]]:
    """Return the events of resource servers that heard of a revocation."""
    return [e for e in lab.events() if e.get("path") == "/revocations"]


def test_a_revoked_token_is_refused_where_it_was_served(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("storefront", by="log_line")
    other = lab.attacker.steal("ops-console", by="log_line")
    assert set(replayed(lab, haul)) == {("served", "")}
    told = lab.revoke("storefront")
    assert sorted(told.resource) == ["orders", "payments"]
    assert set(told.told) == {True}
    assert set(replayed(lab, haul)) == {("rejected", "TOKEN_REVOKED")}
    assert set(replayed(lab, other)) == {("served", "")}, "nobody else's tokens ended"
    # The client was not locked out: one refusal, then a new token.
    assert [r["outcome"] for r in lab.work_rows("storefront")] == ["rejected", "rejected"]
    assert [r["outcome"] for r in lab.work_rows("storefront")] == ["served", "served"]


def test_each_resource_server_says_when_it_learned_and_how_late(lab: labsim.Lab) -> None:
    lab.work_rows("storefront")
    lab.revoke("storefront")
    events = learned(lab)
    assert sorted(e["name"] for e in events) == ["orders", "payments"]
    (ended,) = (e for e in lab.events() if e["decision"] == "revoked")
    assert ended["client_id"] == "storefront"
    assert sorted(jti for e in events for jti in e["revoked"]) == sorted(ended["revoked"])
    for event in events:
        assert event["time"] >= ended["time"]
        assert 0 <= event["delay"] <= event["time"] - ended["time"]


def test_a_delegated_grant_ends_with_its_tokens(lab: labsim.Lab) -> None:
    assert lab.work_rows("lead-sync")[0]["outcome"] == "served"
    lab.revoke("lead-sync")
    lab.work_rows("lead-sync")
    row = lab.work_rows("lead-sync")[0]
    assert (row["outcome"], row["status"]) == ("rejected", 400)
    assert "invalid_grant" in row["why"]
    lab.bind("lead-sync", "dpop")  # as if its owner had consented again
    assert lab.work_rows("lead-sync")[0]["outcome"] == "served"


def test_a_resource_server_that_is_away_is_not_told(lab: labsim.Lab) -> None:
    lab.work_rows("storefront")
    lab.estate.process("payments").kill()
    told = lab.revoke("storefront").set_index("resource").told
    assert (bool(told["orders"]), bool(told["payments"])) == (True, False)
    (missed,) = (e for e in lab.events() if e["decision"] == "not_told")
    assert missed["url"] == lab.estate.urls["payments"]
    assert "Nobody listens" in missed["detail"]


def test_with_introspection_a_revocation_arrives_when_the_answer_is_old(lab: labsim.Lab) -> None:
    lab.introspect()
    assert lab.variant == "introspection"
    haul = lab.attacker.steal("storefront", by="log_line")
    lab.revoke("storefront")
    assert set(replayed(lab, haul)) == {("served", "")}, "the answer of a moment ago is believed"
    lab.advance(seconds=31)
    assert set(replayed(lab, haul)) == {("rejected", "TOKEN_INACTIVE")}


def test_a_server_that_cannot_ask_serves_nothing(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("storefront", by="log_line")
    lab.introspect()
    lab.estate.process("authorization-server").kill()
    rows = lab.attacker.replay(haul, by="token_as_is")
    assert set(rows.reason) == {"UNAVAILABLE"}
    assert set(rows.status) == {503}
    lab.introspect(False)
    assert set(replayed(lab, haul)) == {("served", "")}, "its keys were fetched before"


def test_whom_nobody_knows_cannot_be_revoked(lab: labsim.Lab) -> None:
    with pytest.raises(LabError, match="storefront"):
        lab.revoke("nobody")
