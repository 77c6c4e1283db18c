"""Whom the main job follows over lab time, and in which ways the thief tries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from labsim.blast.means import means
from labsim.errors import LabError
from labsim.estate import plan as plans
from labsim.estate.plan import Plan
from labsim.measuring import main_job
from labsim.measuring.cases import MOST_SERVERS, cast, incidents
from labsim.measuring.thief import EVERY_WAY, WAYS_IN
from labsim.stories import oracle
from tests.unit.small_plans import client, plan_of, resource, secret_of


def test_one_of_the_ways_in_is_served_wherever_any_way_is() -> None:
    served: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for cell, ending in oracle.load(plans.DATA / "expected_outcomes.csv").items():
        known = dict(zip(oracle.CELL, cell, strict=True))
        if known["variant"] == "base" and "served" in ending:
            case = tuple(known[name] for name in ("theft", "custody", "binding", "relation"))
            served[case].add(known["replay"])
    assert len(served) > 40
    assert all(ways & set(WAYS_IN) for ways in served.values())
    assert set(WAYS_IN) < set(EVERY_WAY)


def robbable(plan: Plan) -> None:
    chosen = cast(plan)
    for incident in incidents(chosen):
        for case in incident.cases:
            assert case.client in plan.clients
            means(chosen.plan, case, incident.measures)  # LabError for what cannot be


def test_the_labs_own_estate_has_every_incident() -> None:
    plan = plans.load()
    robbable(plan)
    names = [incident.name for incident in incidents(cast(plan))]
    assert names == [
        "left_alone",
        "revoked_and_pushed",
        "revoked_and_asked_for",
        "enforced_midway",
        "evicted",
        "rotated",
        "key_copied",
        "certificate_revoked",
    ]
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in names)


def estate(*clients: Any) -> Plan:
    return plan_of((resource("orders", "a", "b"), resource("mail", "c")), clients)


def test_a_client_whose_secret_lies_in_records_is_never_given_a_certificate() -> None:
    plan = estate(client("web", "orders"), client("job", "mail"))
    assert (cast(plan).client, cast(plan).certified) == ("web", "")
    assert cast(plan).plan == plan
    robbable(plan)
    key = client("key", "orders", authentication="private_key_jwt")
    assert (cast(estate(key)).client, cast(estate(key)).certified) == ("key", "")
    both = cast(estate(client("web", "orders"), key))
    assert (both.client, both.certified) == ("web", "key")
    assert both.plan.client("key").authentication == "tls_client_auth"
    robbable(estate(client("web", "orders"), key))


def test_one_that_has_a_certificate_keeps_it() -> None:
    sealed = client("sealed", "orders", authentication="tls_client_auth")
    key = client("key", "mail", authentication="private_key_jwt")
    chosen = cast(estate(key, sealed))
    assert (chosen.client, chosen.certified) == ("key", "sealed")
    assert chosen.plan.clients == estate(key, sealed).clients


def test_who_leads_on_is_robbed_last() -> None:
    resources = (resource("orders", secret_of("job")), resource("mail", "c"))
    plan = plan_of(resources, (client("web", "orders"), client("job", "mail")))
    assert cast(plan).client == "job"


def test_proofs_made_ahead_are_left_out_where_a_token_outlives_them() -> None:
    plan = replace(estate(client("web", "orders")), token_seconds=7200)
    assert "evicted" not in [incident.name for incident in incidents(cast(plan))]
    robbable(plan)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (estate(client("tied", "orders", grant="refresh_token")), "no client asks for tokens"),
        (
            plan_of(
                [resource(f"r{n}", "a") for n in range(MOST_SERVERS + 1)], [client("web", "r0")]
            ),
            "13 resource servers are more than 12",
        ),
    ],
)
def test_what_cannot_be_followed_is_said_and_left_out(plan: Plan, why: str) -> None:
    said: list[str] = []
    measured = main_job.measure(plan, said.append)
    assert len(said) == 1
    assert why in said[0]
    assert (measured.frames, measured.pictures, measured.faults) == ({}, {}, [])
    assert measured.text() == ""


def test_what_fails_half_way_is_a_fault_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LabError("The estate could not be started.", todo="Make room.")

    monkeypatch.setattr(main_job, "start", fail)
    measured = main_job.measure(plans.load(), lambda _: None)
    (fault,) = measured.faults
    assert "ended half-way: The estate could not be started." in fault
    assert measured.text() == ""


def test_a_plan_is_left_as_it_was() -> None:
    plan = plans.load()
    before = MappingProxyType(dict(plan.clients))
    cast(plan)
    assert plan.clients == before
