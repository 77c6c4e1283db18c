"""The map as text: one box each in a small estate, and boxes that are shared in a big one."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.charts.boxes import MANY, client_boxes, resource_boxes
from labsim.charts.estate_map import EstateMap, estate_map
from labsim.estate import plan
from labsim.estate.plan import Plan
from tests.unit.small_plans import client, plan_of, resource


def big(spread: int, **more: Any) -> EstateMap:
    """Make a map of 40 resource servers and 200 clients, each calling `spread` of them or fewer."""
    return estate_map(big_plan(spread), **more)


def big_plan(spread: int) -> Plan:
    resources = [resource(f"r{n}", "a", "b") for n in range(40)]
    clients = [
        client(f"c{n}", *(f"r{(n * k) % 40}" for k in range(1, 1 + n % spread + 1)))
        for n in range(200)
    ]
    return plan_of(resources, clients)


def test_each_has_a_box_in_a_small_estate() -> None:
    shown = estate_map(plan.load(), stolen=["ci-runner"], served={"vault": 3})
    assert [box.title for box in client_boxes(shown)] == [c.title for c in shown.clients]
    assert [box.title for box in resource_boxes(shown)] == [r.title for r in shown.resources]
    for each in (*shown.clients, *shown.resources):
        assert each.title in shown.mermaid
        assert each.title in shown.alt


@pytest.mark.parametrize("spread", [1, 7])
def test_a_big_estate_stays_readable_and_loses_nobody(spread: int) -> None:
    robbed = {"c3": ["log_line"], "c5": ["commit"]}
    shown = big(spread, stolen=robbed, served={"r3": 2, "r9": 0, "r11": 1})
    boxes, servers = client_boxes(shown), resource_boxes(shown)
    assert len(boxes) <= MANY
    assert len(servers) <= MANY
    assert sum(len(box.clients) for box in boxes) == 200
    assert sum(len(box.resources) for box in servers) == 40
    assert "robbed by log line" in shown.mermaid
    assert "robbed by commit" in shown.mermaid
    assert "2 resource servers, zone: served the attacker 3 of 4 records" in shown.alt
    assert len(shown.mermaid.splitlines()) < 60
    assert len(shown.alt) < 2000
    assert " workloads (Bearer) call some of 37 resource servers, zone" in shown.alt
    # Everybody who calls something is in a box from which a line goes there.
    links = {
        line.split(" ")[0] + line.split(" ")[-1]
        for line in shown.mermaid.splitlines()
        if "-->" in line
    }
    for one, other in shown.calls:
        c = next(n for n, box in enumerate(boxes) if one in box.clients)
        r = next(n for n, box in enumerate(servers) if other in box.resources)
        assert f"c{c}r{r}" in links


def test_clients_that_call_the_same_share_a_box_first() -> None:
    resources = [resource("orders", "a"), resource("mail", "b")]
    clients = [client(f"c{n}", ("orders", "mail")[n % 2]) for n in range(MANY + 2)]
    shown = estate_map(plan_of(resources, clients))
    assert [box.title for box in client_boxes(shown)] == ["16 workloads", "16 workloads"]
    assert shown.mermaid.count("-->") == 2


def test_who_was_robbed_in_another_way_has_another_box() -> None:
    shown = big(7, stolen={"c3": ["log_line"], "c4": ["log_line"], "c5": ["chat"]})
    titles = [(box.title, [c.name for c in box.clients][:2]) for box in client_boxes(shown)]
    assert titles == [
        ("197 workloads", ["c0", "c1"]),
        ("2 workloads", ["c3", "c4"]),
        ("C5", ["c5"]),
    ]
