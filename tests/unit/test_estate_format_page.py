"""docs/estate-format.md says what the plan says: each key with its meaning, each word to write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from labsim.commands.demo import LEAST_TOKEN_SECONDS
from labsim.estate import plan
from labsim.estate.names import RESERVED
from labsim.estate.plan import Record, Resource
from labsim.estate.records import placeholders
from labsim.rooms import names
from labsim.rounds import MOST_SERVERS
from tests.own_estate import PAGE, written

ROWS = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("table", ["_RESOURCE", "_CLIENT", "_STORY", "_RECORD"])
def test_each_key_has_its_row(table: str) -> None:
    assert set(getattr(plan, table)) <= set(ROWS)


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("kind", get_args(plan.ClientKind)),
        ("grant", get_args(plan.Grant)),
        ("custody", get_args(plan.Custody)),
        ("sensitivity", get_args(plan.Sensitivity)),
        ("binding", names("labsim.bindings")),
    ],
)
def test_each_word_that_may_be_written_is_there(key: str, choices: tuple[str, ...]) -> None:
    value, _, _ = ROWS[key].partition(" | ")
    assert set(re.findall(r"`(\w+)`", value)) == set(choices)


def test_each_way_to_authenticate_says_what_its_credential_is() -> None:
    assert set(get_args(plan.Authentication)) <= set(ROWS)


def test_the_names_that_are_taken_are_listed_and_the_numbers_are_the_codes() -> None:
    for name in RESERVED:
        assert f"`{name}`" in PAGE
    assert f"needs {LEAST_TOKEN_SECONDS} at least" in PAGE
    assert f"1 to {366 * 24 * 3600}" in PAGE
    assert MOST_SERVERS == 4
    assert "more than four resource servers" in PAGE


def test_the_placeholders_of_the_page_are_those_that_are_filled_in() -> None:
    text = " ".join(re.findall(r"^\| `(\{.*?\})` \|", PAGE, re.MULTILINE))
    record = Record("r", "public", "t", text)
    resource = Resource("r", "t", "z", "s", "f", (record,))
    assert {name.partition(":")[0] for name in placeholders(resource)} == {
        "client_id",
        "client_secret",
        "url",
    }


def test_the_example_loads_and_shows_all_three_ways_to_authenticate(tmp_path: Path) -> None:
    loaded = plan.load(written(tmp_path))
    ways = {client.authentication for client in loaded.clients.values()}
    assert ways == set(get_args(plan.Authentication))
