"""Measured equals predicted where it takes longer: real processes, and every client in every way."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import labsim
from labsim.blast.first_loot import YIELDS
from labsim.blast.predicted import footholds
from labsim.estate import plan as plans
from labsim.estate.plan import Client, Plan, Resource
from tests.measured_radius import PAIRS, Case, Robbed, against, came_to, compared, robbed, waits
from tests.random_plans import random_plan

LAB = plans.load()
REAL = 10
SEEDS = 200


# Real processes.


def table(kind: str, name: str, values: dict[str, Any]) -> str:
    """Write a table of an estate file: JSON's texts and lists are TOML's as well."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key != "name"]
    return "\n".join([f"[{kind}.{name}]", *lines])


def of_client(client: Client) -> dict[str, Any]:
    return {key: [*v] if isinstance(v, tuple) else v for key, v in asdict(client).items()}


def of_resource(resource: Resource) -> dict[str, Any]:
    more = ("title", "zone", "stands_for")
    return {key: getattr(resource, key) for key in more} | {"records": resource.file}


def written(plan: Plan, folder: Path) -> Path:
    """Write a plan as an estate file, with a story of the first client, as one must be there."""
    first = next(iter(plan.clients))
    story = {"title": "T", "sentence": "S", "client": first, "thefts": ["log_line"]}
    tables = [f'name = "{plan.name}"\ntoken_seconds = {plan.token_seconds}']
    for resource in plan.resources.values():
        records = [asdict(record) for record in resource.records]
        (folder / resource.file).write_text(json.dumps(records), encoding="utf-8")
        tables.append(table("resources", resource.name, of_resource(resource)))
    tables += [table("clients", c.name, of_client(c)) for c in plan.clients.values()]
    tables.append(table("stories", "one", story))
    file = folder / "estate.toml"
    file.write_text("\n\n".join(tables), encoding="utf-8")
    return file


@cache
def robberies() -> tuple[tuple[Plan, tuple[Case, ...]], ...]:
    """Return the estates and how each client is robbed there: bound as it is, rare thefts first."""
    often, found = dict.fromkeys(YIELDS, 0), []
    for plan in (random_plan(seed, readable=True) for seed in range(REAL)):
        cases = []
        for client in plan.clients.values():
            theft = min((t for _, t in footholds(plan, [client.name])), key=often.__getitem__)
            often[theft] += 1
            custody = "none" if client.binding == "bearer" else client.custody
            cases.append((client.name, theft, client.binding, custody))
        found.append((plan, tuple(cases)))
    return tuple(found)


def measured(lab: labsim.Lab, case: Case, seed: int) -> Robbed:
    """Rob a client of a running lab and let the attacker's process go on from there."""
    client, theft, *_ = case
    haul = lab.attacker.steal(client, by=theft)
    ended = waits(theft, lab.plan.token_seconds)
    lab.advance(seconds=ended)
    course = lab.attacker.campaign(haul, seed=seed).course
    servers = {audience: name for name, audience in lab.estate.urls.items()}
    came = came_to(course.records, course.credentials)
    return robbed(haul.pieces, ended > 0, servers, came)


@pytest.mark.parametrize("seed", range(REAL))
def test_in_random_estates_of_real_processes(seed: int, tmp_path: Path) -> None:
    plan, cases = robberies()[seed]
    with labsim.start(written(plan, tmp_path), quiet=True) as lab:
        found = {case: against(plan, case, measured(lab, case, seed)) for case in cases}
    assert {case: differs for case, differs in found.items() if differs} == {}


def test_the_real_robberies_are_of_every_theft_binding_and_custody() -> None:
    cases = [case for _, every in robberies() for case in every]
    assert {case[1] for case in cases} == set(YIELDS)
    assert {case[2:] for case in cases} == set(PAIRS)


def test_a_plan_that_was_written_is_the_plan(tmp_path: Path) -> None:
    plan = random_plan(3, readable=True)
    loaded = plans.load(written(plan, tmp_path))
    assert loaded.clients == plan.clients
    assert [r.records for r in loaded.resources.values()] == [
        r.records for r in plan.resources.values()
    ]


# Every client in every way, wired without sockets.


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
@pytest.mark.parametrize("client", LAB.clients)
def test_every_foothold_in_the_lab_s_own_estate(client: str, pair: tuple[str, str]) -> None:
    found = {case: compared(LAB, case) for case in ((*f, *pair) for f in footholds(LAB, [client]))}
    assert {case: differs for case, differs in found.items() if differs} == {}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_client_of_random_estates(seed: int) -> None:
    plan, chance = random_plan(seed), random.Random(f"each client {seed}")
    every = [*footholds(plan)]
    found = {}
    for client in plan.clients:
        theft = chance.choice([theft for name, theft in every if name == client])
        case = (client, theft, *chance.choice(PAIRS))
        found[case] = compared(plan, case, seed)
    assert {case: differs for case, differs in found.items() if differs} == {}
