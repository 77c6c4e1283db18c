"""What a campaign comes to is what the plan says: both computed, neither from the other.

Every theft with every binding and custody in the lab's own estate, and a robbery in each of 200
random ones; roles wired without sockets, the lab's own thefts. Every client in turn is robbed by
each theft here; each by each in every way, and real processes, would take too long for a fast test
and are in tests/estate/test_measured_equals_predicted.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import MappingProxyType

import pytest

from labsim.blast import first_loot, predicted
from labsim.blast.first_loot import CUSTODIES, YIELDS
from labsim.blast.predicted import Predicted, Predictor, footholds
from labsim.estate import plan as plans
from labsim.estate.plan import Plan
from labsim.estate.possible_thefts import why_not
from tests.measured_radius import PAIRS, Came, Case, against, bound, compared, differences, wired
from tests.random_plans import random_plan
from tests.robbed import THEFTS

LAB = plans.load()
SEEDS = 200
WAYS = tuple((theft, *pair) for theft in YIELDS for pair in PAIRS)


def in_the_lab() -> Iterator[Case]:
    """Yield every theft, binding and custody; clients for whom it makes sense take turns."""
    for theft in YIELDS:
        clients = [client for client, each in footholds(LAB) if each == theft]
        for number, pair in enumerate(PAIRS):
            yield clients[number % len(clients)], theft, *pair


@cache
def in_random_estates() -> tuple[Case, ...]:
    """Return who is robbed how in each random estate: ways take turns, where they are possible."""
    chance = random.Random("robberies")
    waiting, found = chance.sample(WAYS, len(WAYS)), list[Case]()
    for seed in range(SEEDS):
        possible = [*footholds(random_plan(seed))]
        thefts = {theft for _, theft in possible}
        way = next(each for each in waiting if each[0] in thefts)
        waiting = [each for each in waiting if each != way] + [way]
        found.append(
            (chance.choice([client for client, theft in possible if theft == way[0]]), *way)
        )
    return tuple(found)


@pytest.mark.parametrize("case", [*in_the_lab()], ids=" ".join)
def test_in_the_lab_s_own_estate(case: Case) -> None:
    assert compared(LAB, case) == {}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_random_estates(seed: int) -> None:
    case = in_random_estates()[seed]
    assert compared(random_plan(seed), case, seed) == {}, case


# That the cases are worth it.


def test_each_theft_robs_each_client_that_it_can_in_some_row() -> None:
    assert {case[:2] for case in in_the_lab()} == set(footholds(LAB))
    assert {case[1:] for case in in_the_lab()} == set(WAYS)


def test_the_random_robberies_are_of_every_kind_and_come_to_much_or_nothing() -> None:
    cases = [(random_plan(seed), case) for seed, case in enumerate(in_random_estates())]
    assert {case[1:] for _, case in cases} == set(WAYS)
    robbed = [(plan.client(case[0]), case) for plan, case in cases]
    assert {(c.authentication, c.grant) for c, _ in robbed} == {
        (authentication, grant)
        for authentication in ("client_secret_basic", "private_key_jwt", "tls_client_auth")
        for grant in ("client_credentials", "refresh_token")
    }
    one_key = [
        case for c, case in robbed if (c.authentication, case[2]) == ("tls_client_auth", "mtls")
    ]
    assert {case[3] for case in one_key} == {"file", "memory", "signer"}
    found = [Predictor(plan).of(*case) for plan, case in cases]
    assert {each.hops for each in found} >= {0, 1, 2}
    assert min(len(each.records) for each in found) == 0
    assert max(len(each.records) for each in found) > 10


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    assert random_plan(7) == random_plan(7)
    assert random_plan(7) != random_plan(8)
    assert random_plan(7, readable=True) == random_plan(7, readable=True)


@pytest.mark.parametrize("plan", [LAB, *map(random_plan, range(20))], ids=lambda plan: plan.name)
def test_what_can_happen_is_the_same_to_both(plan: Plan) -> None:
    everyone = [(client, theft) for client in plan.clients for theft in THEFTS]
    possible = {
        (client, theft)
        for client, theft in everyone
        if not why_not(plan.client(client), plan.clients, plan.resources, theft)
    }
    assert possible == set(footholds(plan))


# That a difference is seen, whichever side has more.


@pytest.mark.parametrize("theft", YIELDS)
def test_each_row_of_what_a_theft_yields_is_held(
    theft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change one thing that the prediction says of this theft, and the robbery says otherwise."""
    row = YIELDS[theft]
    agents = [c for c, each in footholds(LAB) if each == theft and len(LAB.client(c).calls) > 1]
    client = next(iter(agents), "lead-sync")
    cases = [(client, theft, "dpop", custody) for custody in CUSTODIES["dpop"]]
    robbed = {case: wired(bound(LAB, client, *case[2:]), client, theft) for case in cases}
    assert not any(against(LAB, case, measured) for case, measured in robbed.items())
    changed = [
        replace(row, kinds=row.kinds - {kind}) for kind in row.kinds if kind != "certificate"
    ]
    changed += [replace(row, kinds=row.kinds | {"captured_request", "proofs_ahead"})]
    changed += [replace(row, key_in=row.key_in ^ {custody}) for custody in CUSTODIES["dpop"]]
    changed += [replace(row, foothold_in=row.foothold_in ^ {c}) for c in CUSTODIES["dpop"]]
    if len(LAB.client(client).calls) > 1:
        tokens = {"each": "first", "first": "each", "expired": "each"}[row.tokens]
        changed += [replace(row, tokens=tokens)]
    for wrong in changed:
        if (
            "refresh_token" in row.kinds ^ wrong.kinds
            and LAB.client(client).grant != "refresh_token"
        ):
            continue  # nobody has one here
        monkeypatch.setattr(first_loot, "YIELDS", MappingProxyType({**YIELDS, theft: wrong}))
        monkeypatch.setattr(predicted, "YIELDS", first_loot.YIELDS)
        assert any(against(LAB, case, measured) for case, measured in robbed.items()), wrong


def test_what_is_only_measured_and_only_predicted_is_named() -> None:
    measured = Came(frozenset({"a-1", "b-1"}), frozenset({"a", "b"}), frozenset({"one"}), 1)
    said = Predicted(frozenset({"a-1", "c-1"}), frozenset({"a", "b"}), frozenset(), 2, ())
    assert differences(measured, said) == {
        "records only measured": ["b-1"],
        "records only predicted": ["c-1"],
        "credentials only measured": ["one"],
        "credentials only predicted": [],
        "hops": "1 measured, 2 predicted",
    }
