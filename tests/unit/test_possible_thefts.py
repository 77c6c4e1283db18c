"""A story whose theft cannot happen in its estate is refused as the file is loaded, by file and key."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate import plan
from labsim.estate.possible_thefts import THEFTS, ticket_service, why_not
from tests.own_estate import FILES, written
from tests.unit.small_plans import client, plan_of, resource

MEANING = plan._STORY["thefts"]


def loaded(folder: Path, theft: str, robbed: str = "helper", **titles: str) -> plan.Plan:
    """Load the page's example with another story: this client, robbed in this way."""
    file = written(folder)
    text = FILES["estate.toml"]
    for old, new in titles.items():
        assert f'title = "{old}"' in text
        text = text.replace(f'title = "{old}"', f'title = "{new}"')
    text = text.replace('client = "helper"', f'client = "{robbed}"')
    file.write_text(text.replace('["log_line"]', f'["log_line", "{theft}"]'), encoding="utf-8")
    return plan.load(file)


@pytest.mark.parametrize(
    ("theft", "robbed", "problem", "todo"),
    [
        ("ticket", "helper", "no resource server of this estate holds any", "Call one collab"),
        ("chat", "crm-sync", "no resource server of this estate holds any", "ticket or chat"),
        ("vendor_store", "helper", "helper does not", "Take one of: crm-sync."),
        ("vendor_tokens", "invoice-job", "invoice-job does not", "Take one of: crm-sync."),
        ("prompt_injection", "crm-sync", "crm-sync is a program", "Take one of: helper."),
    ],
)
def test_it_is_refused_with_file_key_and_meaning(
    tmp_path: Path, theft: str, robbed: str, problem: str, todo: str
) -> None:
    with pytest.raises(LabError) as error:
        loaded(tmp_path, theft, robbed)
    happened = error.value.happened
    assert "estate.toml, stories.agent.thefts: " in happened
    assert theft in happened
    assert problem in happened
    assert MEANING in error.value.did
    assert todo in error.value.todo


@pytest.mark.parametrize(
    ("theft", "robbed", "titles"),
    [
        ("ticket", "helper", {"Wiki": "Wiki and tickets"}),
        ("chat", "crm-sync", {"Billing": "Billing chat"}),
        ("vendor_store", "crm-sync", {}),
        ("vendor_tokens", "crm-sync", {}),
        ("prompt_injection", "helper", {}),
    ],
)
def test_it_loads_where_the_theft_can_happen(
    tmp_path: Path, theft: str, robbed: str, titles: dict[str, str]
) -> None:
    story = loaded(tmp_path, theft, robbed, **titles).stories["agent"]
    assert (story.client, story.thefts) == (robbed, ("log_line", theft))


def test_the_lab_s_own_estate_has_room_for_every_theft() -> None:
    own = plan.load()
    for theft in THEFTS:
        possible = [
            c for c in own.clients.values() if not why_not(c, own.clients, own.resources, theft)
        ]
        assert possible, theft


def test_where_nobody_can_be_robbed_so_it_says_that() -> None:
    alone = plan_of([resource("orders", "a")], [client("web", "orders")])
    for theft in ("vendor_store", "prompt_injection"):
        refused: Any = why_not(alone.client("web"), alone.clients, alone.resources, theft)
        assert refused[1] == "Take one of: none in this estate."


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], None),
        (["orders"], None),
        (["orders", "collab"], "collab"),
        (["tickets", "collab"], "collab"),
        (["orders", "our-chat", "ticketing"], "our-chat"),
    ],
)
def test_tickets_lie_at_collab_or_where_a_name_says_so(names: list[str], found: str | None) -> None:
    resources = {name: resource(name, "a") for name in names}
    assert ticket_service(MappingProxyType(resources)) == found
