"""A token leaks into tickets and chats, and is read there over the network."""

from __future__ import annotations

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
def test_a_pasted_curl_line_is_the_victims_own_request(lab: labsim.Lab, binding: str) -> None:
    lab.bind("support-agent", binding)
    (piece,) = lab.attacker.steal("support-agent", by="ticket")
    assert piece["kinds"] == ["captured_request", "token"]
    assert piece["spent"]
    assert piece["url"] == lab.estate.urls["crm"] + "/records"
    assert piece["captured"]["url"] == piece["url"]
    served = "served" if binding == "bearer" else "rejected"
    assert outcomes(lab, piece, "request_as_is") == {"crm": served, "collab": "rejected"}
    assert outcomes(lab, piece, "token_as_is")["crm"] == served


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_chat_yields_the_token_alone(lab: labsim.Lab, binding: str) -> None:
    lab.bind("support-agent", binding)
    (piece,) = lab.attacker.steal("support-agent", by="chat")
    assert piece["kinds"] == ["token"]
    assert piece["captured"] is None
    served = "served" if binding == "bearer" else "rejected"
    assert outcomes(lab, piece, "token_as_is") == {"crm": served, "collab": "rejected"}


def test_the_thief_reads_them_with_an_access_of_its_own(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "bearer")
    before = len(lab.events())
    (piece,) = lab.attacker.steal("ci-runner", by="chat")
    read = [e for e in lab.events()[before:] if e.get("client_id") == "contractor"]
    (at_collab,) = [e for e in read if e["role"] == "resource_server"]
    assert (at_collab["name"], at_collab["decision"]) == ("collab", "served")
    assert piece["found_at"].removeprefix("a chat, ") in at_collab["records"]
    # It is nobody's replay, and it opens nothing else.
    assert all(row["client"] != "contractor" for row in lab.attacker.rows)


def test_a_pasted_text_is_in_no_count(lab: labsim.Lab) -> None:
    lab.bind("support-agent", "bearer")
    haul = lab.attacker.steal("support-agent", by="ticket")
    lab.attacker.replay(haul)
    (row,) = [row for row in lab.work_rows("support-agent") if row["resource"] == "collab"]
    assert set(row["records"]) == {record.id for record in lab.plan.resource("collab").records}
    exposed = {record for ids in lab.attacker.exposed.values() for record in ids}
    assert exposed <= set(lab.plan.within_reach("support-agent"))


def test_a_second_replica_has_the_text_too(lab: labsim.Lab) -> None:
    lab.bind("support-agent", "dpop")
    lab.vary("replicas_apart")
    try:
        (piece,) = lab.attacker.steal("support-agent", by="ticket")
        assert outcomes(lab, piece, "request_as_is")["crm"] == "served"
    finally:
        lab.vary("base")
