"""What a notebook gets of a campaign: tables, the picture, the map; run without processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from labsim.campaign_result import COLUMNS, CampaignResult
from labsim.charts import campaign as drawn
from labsim.errors import LabError
from labsim.estate import campaigning
from labsim.estate import plan as plans
from labsim.estate.processes import ProcessDied
from tests.unit.test_charts import assert_readable, texts
from tests.wired_estate import WiredEstate

PLAN = plans.load()
ID = "support-agent/crm by log_line"


@dataclass
class Attacker:
    """Be the attacker's process, whose lives end after so many attempts; None: it lives on."""

    attempts: list[dict[str, Any]]
    ends: Mapping[str, Any]
    lives: list[int | None]
    calls: list[dict[str, Any]] = field(default_factory=list)

    def call(self, operation: str, *, progress: Callable[[Any], None], **what: Any) -> Any:
        assert operation == "campaign"
        self.calls.append(what)
        life = self.lives.pop(0) if self.lives else None
        for row in self.attempts[:life]:
            progress(row)
        if life is not None:
            raise ProcessDied("it died")
        return self.ends


@dataclass
class Estate:
    """Be the estate that has this attacker."""

    attacker: Attacker
    run_folder: Path
    revived: int = 0

    def verifier(self, _resource: str) -> str:
        return "full"

    def process(self, name: str) -> Attacker:
        assert name == "attacker"
        return self.attacker

    def revive_attacker(self) -> None:
        self.revived += 1


@cache
def course() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    wired = WiredEstate(PLAN)
    loot = wired.robbed("support-agent", "log_line")
    campaign = wired.campaign(seed=1)
    rows = list(campaign.run(loot))
    ends = {"credentials": [c.to_json() for c in campaign.credentials.values()]}
    return rows, {**ends, "records": list(campaign.records.values())}


def estate(folder: Path, *lives: int | None) -> Any:
    rows, ends = course()
    return Estate(Attacker(rows, ends, list(lives)), folder)


def result(folder: Path, *, none_served: bool = False) -> CampaignResult:
    where = estate(folder)
    if none_served:
        refused = {"outcome": "rejected", "records": [], "status": 401}
        where.attacker.attempts = [
            {**r, **refused} for r in where.attacker.attempts if not r["hop"]
        ]
        first = [c for c in where.attacker.ends["credentials"] if not c["hop"]]
        where.attacker.ends = {"credentials": first, "records": []}
    lab: Any = SimpleNamespace(
        plan=PLAN,
        estate=where,
        variant="base",
        binding=lambda _client: "bearer",
        custody=lambda _client: "none",
        event=lambda number: {"reason": "TOKEN_AUDIENCE_MISMATCH"} if number == "no" else {},
    )
    piece = {"client": "support-agent", "theft": "log_line", "number": 0, "custody": "none"}
    return CampaignResult.run(lab, [piece], [{"name": "crm"}], 1)


def test_attempts_have_their_columns_and_types(tmp_path: Path) -> None:
    frame = result(tmp_path).attempts
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame.attempt) == list(range(1, len(course()[0]) + 1))
    assert {str(frame[name].dtype) for name in ("hop", "records", "seconds")} == {"int64"}
    assert str(frame.status.dtype) == "Int64"
    assert frame.again.dtype == bool
    assert not frame.drop(columns="status").isna().any().any()
    assert set(frame.variant) == {"base"}
    assert set(frame.verifier) == {"full"}


def test_the_path_tells_which_credential_led_where(tmp_path: Path) -> None:
    path = result(tmp_path).path().set_index("credential")
    first, runner = path.loc[ID], path.loc["ci-runner in collab-4127"]
    assert (first.hop, first.found_in, first.found_with) == (0, "log_line", "")
    assert (first.opened, first.records, first.new) == ("crm", 24, 24)
    assert (runner.hop, runner.found_in) == (1, "collab-4127")
    assert runner.found_with == "support-agent/collab by log_line"
    assert (runner.opened, runner.records, runner.new) == ("deploy, vault", 24, 24)
    assert path.new.sum() == len(result(tmp_path).records) == 110
    # The agent's own secret opens what was open already.
    assert path.loc["support-agent in collab-0006"].new == 0


def test_what_fell_is_counted_against_the_plan(tmp_path: Path) -> None:
    fallen = result(tmp_path).fallen().set_index("resource")
    assert list(fallen.index) == list(PLAN.resources)
    assert (fallen.loc["vault"].records, fallen.loc["vault"].of, fallen.loc["vault"].hop) == (
        12,
        12,
        1,
    )
    assert fallen.loc["crm"].opened_by == ID
    assert fallen.loc["admin"].records == 0
    assert pd.isna(fallen.loc["admin"].hop)


def test_the_picture_states_the_finding(tmp_path: Path) -> None:
    picture = result(tmp_path).chart()
    assert picture.title == (
        "From support-agent, robbed by log line (bearer): 110 of 120 records, at 6 of 7 resource "
        "servers, one further credential away."
    )
    assert "Vault: 12 of 12, at hop 1 by ci-runner in collab-4127." in picture.alt
    assert "Administration: 0 of 10." in picture.alt
    assert_readable(picture.figure)
    none = result(tmp_path, none_served=True).chart()
    assert none.title.endswith(": 0 of 120 records; no resource server served the attacker.")
    assert_readable(none.figure)
    # What opened first stands on top.
    names = [text for text, _ in sorted(texts(picture.figure), key=lambda pair: -pair[1].y0)]
    assert names.index("Customer records") < names.index("Orders") < names.index("Administration")


@pytest.mark.parametrize("most", [1, 24, 1_000_000])
def test_nothing_overlaps_with_40_resource_servers(most: int) -> None:
    rows = [
        {"title": f"A resource server with quite a long name {n}", "of": most, "hop": n % 4}
        | {
            "records": most if n % 3 else 0,
            "opened_by": f"a-client-with-a-long-name-{n} in record-{n}",
        }
        for n in range(40)
    ]
    picture = drawn.picture(pd.DataFrame(rows), "somebody, robbed by log line (bearer)")
    assert "up to 3 further credentials away" in picture.title
    assert_readable(picture.figure)


def test_an_estate_without_servers_has_no_picture() -> None:
    with pytest.raises(LabError, match="no resource server"):
        drawn.picture(pd.DataFrame({"records": []}), "nothing")


def test_the_map_says_who_was_robbed_and_how(tmp_path: Path) -> None:
    shown = result(tmp_path).map()
    assert shown.title.startswith("4 of 7 clients robbed; 6 of 7 resource servers")
    assert "robbed by log line, a credential in collab-0006" in shown.alt
    assert (
        "CI runner (Bearer) calls Deployments and Vault; robbed by a credential in collab-4127"
        in shown.alt
    )
    assert_readable(shown.picture.figure)
    assert (
        "1 of 7 clients robbed; no resource server"
        in result(tmp_path, none_served=True).map().title
    )


def test_a_notebook_gets_the_finding_and_the_path(tmp_path: Path) -> None:
    done = result(tmp_path)
    assert repr(done) == (
        "Campaign from support-agent, robbed by log line (bearer), seed 1: 54 attempts, 4 further "
        "credentials found, 110 of 120 records at 6 of 7 resource servers."
    )
    page = done._repr_html_()
    assert "54 attempts" in page
    assert len(re.findall("<tr>", page)) == 1 + len(done.path())
    assert "crm-0009" in page


def test_an_attempt_can_be_looked_at(tmp_path: Path) -> None:
    done = result(tmp_path)
    assert "GET /records HTTP/1.1" in repr(done.show(1))
    for number in (0, 55):
        with pytest.raises(LabError, match="numbered from 1 to 54"):
            done.show(number)


def test_no_loot_is_no_campaign(tmp_path: Path) -> None:
    lab: Any = SimpleNamespace(estate=estate(tmp_path))
    with pytest.raises(LabError, match="no loot"):
        CampaignResult.run(lab, [], [], 0)


def test_an_attacker_that_died_is_revived_and_goes_on(tmp_path: Path) -> None:
    where, told = estate(tmp_path, 5, 5, 5, 9), list[int]()
    done = campaigning.run(where, [0], 7, [], told.append)
    assert (done.deaths, where.revived) == (4, 4)
    assert list(done.rows) == course()[0], "those of before its deaths are there once"
    assert told == list(range(1, len(done.rows) + 1))
    assert {call["number"] for call in where.attacker.calls} == {0}
    assert {call["seed"] for call in where.attacker.calls} == {7}


def test_an_attacker_that_gets_nowhere_stays_dead(tmp_path: Path) -> None:
    where = estate(tmp_path, 5, *[5] * campaigning.IDLE_DEATHS, None)
    with pytest.raises(ProcessDied):
        campaigning.run(where, [0], 7, [])
    assert where.revived == campaigning.IDLE_DEATHS


def test_each_campaign_has_a_journal_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "attacker").mkdir()
    (tmp_path / "attacker" / "campaign-0000.jsonl").touch()
    where = estate(tmp_path)
    campaigning.run(where, [0], 7, [])
    assert where.attacker.calls[0]["number"] == 1
