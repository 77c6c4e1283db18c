"""The rounds of the main job on any estate: the oracle's bindings, the file's own, the variants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labsim import rounds
from labsim.estate import plan as plans
from labsim.estate.plan import Plan
from labsim.round_table import THEFTS
from labsim.stories.report import NOT_SHOWN
from tests.own_estate import written


@pytest.fixture
def own(tmp_path: Path) -> Plan:
    return plans.load(written(tmp_path))


def changed(plan: Plan, name: str, **what: str) -> Plan:
    clients = {**plan.clients, name: replace(plan.client(name), **what)}  # type: ignore[arg-type]
    return replace(plan, clients=clients)


def test_each_story_is_told_with_every_binding_and_custody_once(own: Plan) -> None:
    base = [each for each in rounds.rounds(own) if each.variant == "base"]
    for story in own.stories.values():
        mine = [(each.binding, each.custody) for each in base if each.story == story.name]
        assert mine == list(rounds.BASE), "what the file has is among them already"


def test_a_custody_that_is_not_among_them_is_added(own: Plan) -> None:
    signing = changed(own, "helper", custody="signer")
    mine = [
        (each.binding, each.custody)
        for each in rounds.rounds(signing)
        if each.client == "helper" and each.variant == "base"
    ]
    assert ("dpop", "signer") in mine
    assert len(mine) == len(set(mine))
    bearer = changed(own, "helper", binding="bearer", custody="signer")
    kept = {each.custody for each in rounds.rounds(bearer) if each.binding == "bearer"}
    assert kept == {"file"}, "a bearer client has no key"


def test_a_variant_is_shown_on_the_first_story_that_has_its_theft(own: Plan) -> None:
    first = {theft: story.name for story in [*own.stories.values()][::-1] for theft in story.thefts}
    shown = [each for each in rounds.rounds(own) if each.variant != "base"]
    wanted = [each for each in rounds.VARIANTS if each[3] in first]
    assert wanted
    rows = [(each.variant, each.binding, each.custody, each.theft, each.replays) for each in shown]
    assert rows == wanted
    assert all(each.story == first[each.theft] for each in shown)
    assert {each.client for each in rounds.rounds(plans.load()) if each.variant != "base"} == {
        "fulfilment"
    }


def test_what_the_report_says_of_what_was_not_tried_is_true() -> None:
    every = rounds.rounds(plans.load())
    assert "a variant on one" in NOT_SHOWN[0]
    shown: dict[str, set[str]] = {}
    for each in every:
        shown.setdefault(each.variant, set()).add(each.client)
    assert {len(clients) for variant, clients in shown.items() if variant != "base"} == {1}
    assert "wherever a key lies was tried with it in a file" in NOT_SHOWN[0]
    kept = {each.theft: set[str]() for each in every}
    for each in every:
        kept[each.theft].add(each.custody)
    for theft, custodies in kept.items():
        everywhere = {"file", "memory", "signer"}
        assert custodies == (everywhere if THEFTS[theft].custody_matters else {"file"}), theft


@pytest.mark.parametrize(("many", "tried"), [(1, 1), (4, 4), (5, 4), (40, 4)])
def test_a_token_is_tried_at_its_own_server_and_at_a_few_others(many: int, tried: int) -> None:
    calls = [f"server-{number}" for number in range(many)]
    for place, own_server in enumerate(calls):
        servers = rounds.servers_for(calls, place)
        assert own_server in servers
        assert len(servers) == len(set(servers)) == tried
    assert {name for place in range(many) for name in rounds.servers_for(calls, place)} == {*calls}


def test_the_attempts_of_a_round_are_counted_before(own: Plan) -> None:
    each = next(each for each in rounds.rounds(own) if each.client == "invoice-job")
    assert rounds.attempts_in(own, each, 10) == 2 * 2 * 10
