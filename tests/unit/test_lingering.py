"""A thief that stays, against roles that are wired without sockets: it gets what the plan predicts."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest

from labsim.blast.incident import Incident, Tried, differences, followed
from labsim.blast.means import KEPT_APART, Case
from labsim.blast.predicted import Predictor
from labsim.estate.plan import Plan
from labsim.lingering import Lingering
from tests.random_plans import random_plan
from tests.unit.small_plans import client, plan_of, resource, secret_of
from tests.wired_estate import REPLAYS, WiredEstate

LIFE = 3600
MOMENTS = (0, LIFE / 2, LIFE, 2 * LIFE)
THEFTS = ("log_line", "container_files", "commit")


def follow(plan: Plan, who: str, theft: str, apart: bool = False) -> tuple[Any, list[Any]]:
    """Rob a client, and let the thief try at each moment; return the rows, and every attempt."""
    robbed = plan.client(who)
    custody = "none" if robbed.binding == "bearer" else robbed.custody
    case = Case(who, theft, robbed.binding, custody, KEPT_APART if apart else "")
    incident = Incident(name="alone", title="", cases=(case,), moments=MOMENTS)
    estate = WiredEstate(plan)
    began = estate.clock()
    thief = Lingering(estate.attacker(), REPLAYS, estate.robbed(who, theft), apart)
    tries, made = list[Tried](), list[Any]()
    for moment in MOMENTS:
        estate.clock.advance(began + moment - estate.clock())
        rows = list(thief.again(estate.targets))
        served = frozenset(record for row in rows for record in row["records"])
        tries.append(Tried(moment, moment, len(rows), served))
        made += rows
    return followed(Predictor(plan), [(incident, case, tries)]), made


@pytest.mark.parametrize("seed", range(200))
def test_random_estates_lose_over_time_what_their_plan_says(seed: int) -> None:
    plan, order = random_plan(seed), random.Random(seed)
    who, theft, apart = order.choice(list(plan.clients)), order.choice(THEFTS), seed % 3 == 0
    frame, _ = follow(plan, who, theft, apart)
    assert differences(frame) == []


def courses(seeds: range) -> set[tuple[bool, bool]]:
    """Tell for each estate whether anything was served at first, and in the end."""
    found = set()
    for seed in seeds:
        plan, order = random_plan(seed), random.Random(seed)
        who, theft = order.choice(list(plan.clients)), order.choice(THEFTS)
        served = list(follow(plan, who, theft, seed % 3 == 0)[0]["within_reach"])
        found.add((served[0] > 0, served[-1] > 0))
    return found


def test_the_random_estates_are_worth_it() -> None:
    assert courses(range(40)) == {(False, False), (True, False), (True, True)}


def shop() -> Plan:
    resources = (resource("orders", "a", secret_of("partner")), resource("mail", "b"))
    return plan_of(resources, (client("web", "orders"), client("partner", "mail")))


def test_what_it_finds_it_has_from_then_on() -> None:
    frame, rows = follow(shop(), "web", "log_line")
    assert list(frame["within_reach"]) == [3, 3, 1, 1], "the token ends, what it led to does not"
    assert {row["client"] for row in rows} == {"web", "partner"}


def test_a_token_is_never_tried_where_it_is_not_for() -> None:
    _, rows = follow(shop(), "web", "container_files")
    assert {row["resource"] for row in rows if row["client"] == "web"} == {"orders"}
    assert {row["relation"] for row in rows} <= {"same_resource", ""}


def test_an_attempt_has_no_bytes_and_every_other_field() -> None:
    _, rows = follow(shop(), "web", "log_line")
    assert all("sent" not in row and "answer" not in row for row in rows)
    assert {"client", "replay", "resource", "outcome", "hop", "led_by"} <= set(rows[0])


@pytest.mark.parametrize("binding", ["bearer", "dpop", "http_signature"])
def test_a_token_that_it_was_issued_outlives_the_credential(binding: str) -> None:
    plan = plan_of((resource("orders", "a"),), (client("web", "orders", binding=binding),))
    estate = WiredEstate(plan)
    thief = Lingering(estate.attacker(), REPLAYS, estate.robbed("web", "commit"))
    assert list(thief.again(estate.targets))
    estate.clock.advance(LIFE - 1)
    list(thief.again(estate.targets))
    # The client's secret is replaced: the authorization server no longer knows the stolen one.
    estate.holdings["web"].credential = {**estate.holdings["web"].credential, "secret": "another"}
    clients = cast(dict[str, Any], estate.authorization_server.clients)
    clients["web"] = estate._registered(estate.plan.client("web"))
    estate.clock.advance(LIFE - 2)
    rows = list(thief.again(estate.targets))
    assert {row["replay"] for row in rows if row["outcome"] == "served"} == {
        "token_as_is" if binding == "bearer" else "stolen_key"
    }
    estate.clock.advance(3)
    assert not any(row["outcome"] == "served" for row in thief.again(estate.targets))
