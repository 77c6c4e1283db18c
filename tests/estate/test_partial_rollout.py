"""Resource servers that do not enforce yet, on real processes: a bound token is a bearer token there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.errors import LabError

CLIENT = "storefront"  # calls orders and payments
REFUSED = {
    "bearer": "",
    "dpop": "proof_is_there",
    "mtls": "certificate_is_shown",
    "http_signature": "signature_is_there",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def endings(lab: labsim.Lab) -> dict[str, tuple[str, str, str]]:
    """Replay each stolen token as it is where it is for."""
    haul = lab.attacker.steal(CLIENT, by="log_line")
    rows = lab.attacker.replay(haul, by="token_as_is")
    rows = rows[rows.relation == "same_resource"]
    return {
        row["resource"]: (row["outcome"], row["check"], row["verifier"])
        for row in rows.to_dict("records")
    }


@pytest.mark.parametrize("binding", REFUSED)
def test_only_who_enforces_refuses(lab: labsim.Lab, binding: str) -> None:
    lab.bind(CLIENT, binding)
    check = REFUSED[binding]
    refused = ("rejected" if check else "served", check, "full")
    served = ("served", "", "not_enforcing")
    lab.enforce("orders")
    assert endings(lab) == {"orders": refused, "payments": served}
    lab.enforce()
    assert endings(lab) == {"orders": served, "payments": served}
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}
    lab.enforce(*lab.plan.resources)
    assert endings(lab) == {"orders": refused, "payments": refused}
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def test_a_second_replica_enforces_what_the_first_one_does(lab: labsim.Lab) -> None:
    lab.bind(CLIENT, "dpop")
    lab.enforce("orders")
    lab.vary("replicas_shared")
    assert {name: ending[0] for name, ending in endings(lab).items()} == {
        "orders": "rejected",
        "payments": "served",
    }
    lab.enforce(*lab.plan.resources)
    assert {ending[0] for ending in endings(lab).values()} == {"rejected"}
    lab.vary("base")


def test_a_name_that_is_no_resource_server_changes_nothing(lab: labsim.Lab) -> None:
    with pytest.raises(LabError, match="orders"):
        lab.enforce("nowhere")
    assert lab.estate.verifier("orders") == "full"
