"""An agent obeys a support case, with real processes: it posts its tokens, or is the deputy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import labsim
from labsim.errors import LabError
from labsim.estate.foothold import RemoteFoothold

BINDINGS = ["dpop", "mtls", "http_signature"]


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def outcomes(lab: labsim.Lab, piece: dict[str, Any], replay: str) -> dict[str, str]:
    frame = lab.attacker.replay(piece, by=replay)
    return dict(zip(frame.resource, frame.outcome, strict=True))


@pytest.mark.parametrize(
    ("binding", "custody"),
    [("bearer", "file"), ("bearer", "signer"), *((b, "memory") for b in BINDINGS)],
)
def test_the_agent_sends_a_token_for_each_server_it_calls(
    lab: labsim.Lab, binding: str, custody: str
) -> None:
    lab.bind("support-agent", binding, custody)
    crm, collab = lab.attacker.steal("support-agent", by="prompt_injection")
    assert crm["kinds"] == collab["kinds"] == ["token"]
    assert (crm["resource"], collab["resource"]) == (
        lab.estate.urls["crm"],
        lab.estate.urls["collab"],
    )
    expected = "served" if binding == "bearer" else "rejected"
    assert outcomes(lab, crm, "token_as_is") == {"crm": expected, "collab": "rejected"}
    assert outcomes(lab, collab, "token_as_is") == {"crm": "rejected", "collab": expected}


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_agent_whose_key_a_signer_has_is_used_itself(lab: labsim.Lab, binding: str) -> None:
    lab.bind("support-agent", binding, "signer")
    haul = lab.attacker.steal("support-agent", by="prompt_injection")
    assert [piece["kinds"] for piece in haul] == [["foothold"], ["foothold"]]
    assert {(piece["token"], piece["binding"]) for piece in haul} == {(None, binding)}
    assert outcomes(lab, haul[0], "signed_in_place") == {"crm": "served", "collab": "served"}
    assert outcomes(lab, haul[0], "token_as_is")["crm"] == "not_possible"
    deputy = RemoteFoothold(haul[0]["foothold"])
    with pytest.raises(LabError, match="there is send"):
        deputy.read_memory()
    with pytest.raises(LabError, match="there is send"):
        deputy.sign_ahead(haul[0]["url"], [lab.now])
    assert outcomes(lab, haul[0], "signed_in_place")["crm"] == "served"
    lab.evict("support-agent")
    assert outcomes(lab, haul[0], "signed_in_place")["crm"] == "unreachable"
    assert {row["outcome"] for row in lab.work_rows("support-agent")} == {"served"}


def test_the_case_is_a_record_that_the_agent_was_served_and_is_in_no_count(
    lab: labsim.Lab,
) -> None:
    lab.bind("support-agent", "bearer")
    before = len(lab.events())
    haul = lab.attacker.steal("support-agent", by="prompt_injection")
    own = {record.id for record in lab.plan.resource("crm").records}
    (read,) = [e for e in lab.events()[before:] if e["name"] == "crm"]
    (filed,) = set(read["records"]) - own
    assert filed.startswith("crm-filed-")
    lab.attacker.replay(haul, by="token_as_is")
    exposed = {record for ids in lab.attacker.exposed.values() for record in ids}
    assert own <= exposed <= set(lab.plan.within_reach("support-agent"))


def test_a_program_obeys_no_text_that_it_reads(lab: labsim.Lab) -> None:
    with pytest.raises(LabError, match=r"needs an agent, and nightly-export is .* support-agent"):
        lab.attacker.steal("nightly-export", by="prompt_injection")
    assert len(lab.attacker.steal("support-agent", by="prompt_injection")) == 2
