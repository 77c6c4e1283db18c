"""A learner's own rows: made of attempts that are not sealed, kept, replaced, and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from labsim import own_folder, tally
from labsim.attempt import COLUMNS
from labsim.charts import having, own_bars, own_matrix
from labsim.charts.picture import Picture
from labsim.errors import LabError
from labsim.lab import Lab
from labsim.prediction import Sealed
from labsim.rooms import names
from tests.unit import synthetic_attempts as run
from tests.unit.test_charts import assert_readable


@dataclass
class FakeHolding:
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class FakeAttacker:
    rows: list[dict[str, Any]] = field(default_factory=list)
    exposed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    sealed: set[int] = field(default_factory=set)
    worked_while_robbed: dict[int, str] = field(default_factory=dict)
    holding: FakeHolding = field(default_factory=FakeHolding)


@dataclass
class FakePlan:
    def within_reach(self, client: str) -> tuple[str, ...]:
        return tuple(one for name in dict(run.STORIES.values())[client] for one in run.ids(name))


@dataclass
class FakeLab:
    attacker: FakeAttacker = field(default_factory=FakeAttacker)
    plan: FakePlan = field(default_factory=FakePlan)
    worked: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)

    def event(self, request_id: str) -> dict[str, Any]:
        refused = {"reason": "PROOF_MISSING", "check": "certificate_is_shown"}
        return refused if request_id == "refused" else {"reason": "", "check": ""}


def own(request_id: str, outcome: str) -> dict[str, Any]:
    return {"request_id": request_id, "outcome": outcome, "why": ""}


def a_lab(client: str = "fulfilment") -> FakeLab:
    rows = [dict.fromkeys(COLUMNS, "") | row for row in run.rows() if row["client"] == client]
    lab = FakeLab(FakeAttacker(rows, dict(run.exposed(rows))))
    pairs = [("bearer", "none"), ("dpop", "file"), ("dpop", "memory")]
    lab.worked = [(client, *pair, own("", "served")) for pair in pairs]
    return lab


def made(lab: FakeLab, notebook: str = "00") -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = tally.made(cast(Lab, lab), notebook)
    return {(row["theft"], row["binding"], row["custody"]): row for row in rows}


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(own_folder.VARIABLE, str(tmp_path / "progress.jsonl"))


@pytest.mark.parametrize("replay", names("labsim.replays"))
def test_every_replay_rests_on_a_kind_of_loot_that_has_a_word(replay: str) -> None:
    assert tally.having(replay) in having.KINDS


def test_what_is_more_than_what_leaks_is_said_in_one_place_and_the_other() -> None:
    assert {*tally.PLAIN, *having.MORE} == set(having.KINDS)


def test_a_row_says_what_each_kind_of_loot_was_good_for() -> None:
    rows = made(a_lab())
    bearer, dpop = rows["log_line", "bearer", "none"], rows["log_line", "dpop", "file"]
    files = rows["container_files", "dpop", "file"]
    assert having.ended(bearer, "token").word == "served"
    assert having.ended(dpop, "captured_request").why.startswith("proof was used before")
    assert having.ended(files, "key").word.startswith("served")
    assert (bearer["plain"], dpop["plain"], files["plain"]) == (6, 0, 0)
    assert files["records"] == files["of"] == 11


def test_the_token_at_another_server_is_no_merit_of_the_binding() -> None:
    checks = {
        ending[2]
        for row in tally.made(cast(Lab, a_lab()), "00")
        for endings in row["endings"].values()
        for ending in endings
    }
    assert "audience_is_this_resource" not in checks
    assert "proof_is_there" in checks


def test_a_holder_that_was_refused_is_shown_with_the_servers_own_reason() -> None:
    lab = a_lab()
    lab.worked.append(("fulfilment", "dpop", "file", own("refused", "rejected")))
    row = made(lab)["log_line", "dpop", "file"]
    assert having.holder(row).word == "served 1 of 2"
    lab.attacker.worked_while_robbed = {3: "wiretap"}
    assert having.holder(made(lab)["log_line", "dpop", "file"]).word == "served"
    assert having.holder(made(lab)["wiretap", "dpop", "file"]).word == "rejected"
    assert having.holder(made(lab)["wiretap", "dpop", "file"]).why == "no certificate"
    assert having.holder(made(a_lab())["log_line", "dpop", "file"]).word == "served"


def test_a_holder_whose_request_was_held_back_is_shown_as_that_request_ended() -> None:
    lab = a_lab()
    (first, *_) = (row for row in lab.attacker.rows if row["binding"] == "dpop")
    late = {"outcome": "rejected", "reason": "PROOF_REPLAYED", "check": "jti_is_new"}
    lab.attacker.holding.rows = [late | {"attempts": (first["attempt"],)}]
    rows = made(lab)
    theft = first["theft"], first["binding"], first["custody"]
    assert having.holder(rows[theft]).why == "proof was used before"
    others = [having.holder(row).word for key, row in rows.items() if key != theft]
    assert set(others) == {"served"}


def test_what_is_sealed_is_neither_kept_nor_drawn() -> None:
    lab = a_lab()
    lab.attacker.sealed = {row["attempt"] for row in lab.attacker.rows}
    assert isinstance(tally.matrix(cast(Lab, lab), "00"), Sealed)
    assert tally.rows() == []
    lab.attacker.sealed = set()
    assert isinstance(tally.matrix(cast(Lab, lab), "00"), Picture)


def test_before_anything_was_tried_it_says_what_to_do() -> None:
    with pytest.raises(LabError, match=r"no attempt to draw yet\. Run the cells above"):
        tally.bars(cast(Lab, FakeLab()), "00")


def test_rows_outlive_the_kernel_and_a_second_run_does_not_double_them() -> None:
    tally.matrix(cast(Lab, a_lab()), "00")
    once = tally.rows()
    tally.bars(cast(Lab, a_lab()), "00")
    assert tally.rows() == once
    tally.matrix(cast(Lab, a_lab()), "02")
    assert [row["notebook"] for row in tally.rows()] == ["00"] * len(once) + ["02"] * len(once)
    # A new kernel has nothing of its own, and shows what there is.
    assert isinstance(tally.matrix(cast(Lab, FakeLab()), ""), Picture)


def test_a_newer_row_stands_for_an_older_one_of_the_same_theft() -> None:
    tally.keep([made(a_lab())["log_line", "dpop", "file"]])
    lab = a_lab()
    lab.worked.append(("fulfilment", "dpop", "file", own("refused", "rejected")))
    newer = made(lab)["log_line", "dpop", "file"]
    tally.keep([newer])
    assert tally.rows() == [newer]


def test_lines_that_are_no_rows_are_passed_over() -> None:
    own_folder.add("attempts", {"notebook": "00"})
    assert tally.rows() == []


@pytest.mark.parametrize("picture", [own_matrix.picture, own_bars.picture])
def test_the_pictures_say_what_the_rows_say(picture: Callable[..., Picture]) -> None:
    rows = list(made(a_lab()).values())
    drawn = picture(rows)
    assert "11" in drawn.alt or "served" in drawn.alt
    assert "bearer" in drawn.alt.lower()
    changed = [row | {"endings": {}, "plain": 0, "records": 0} for row in rows]
    assert picture(changed).title != drawn.title
    assert drawn.svg == picture(rows).svg


def test_bars_stand_for_the_theft_that_got_most_and_name_what_more_it_took() -> None:
    bars = {bar["name"]: bar for bar in own_bars.together(list(made(a_lab()).values()))}
    assert own_bars.counted(bars["Bearer"]) == ("6 of 11 by replay, 11 with the client credential")
    assert own_bars.counted(bars["DPoP"]) == (
        "0 of 11 by replay, 11 with the key or the client credential"
    )


def test_a_zero_that_nobody_measured_is_not_drawn_as_one() -> None:
    row = made(a_lab())["container_files", "dpop", "file"]
    only_key = row | {"endings": {"key": row["endings"]["key"]}}
    (bar,) = own_bars.together([only_key])
    assert own_bars.counted(bar) == "11 with the key"
    assert own_bars.picture([only_key]).title == "What leaked was not replayed yet."
    (bar,) = own_bars.together([row])
    assert own_bars.counted(bar).startswith("0 of 11 by replay, ")
    refused = {
        "endings": {"key": [["rejected", "PROOF_MISSING", "proof_is_there", 1]]},
        "records": 0,
    }
    (bar,) = own_bars.together([row | refused])
    assert own_bars.counted(bar) == "0 of 11 with the key"
    (bar,) = own_bars.together([row | refused | {"endings": {}}])
    assert own_bars.counted(bar) == "nothing could be built"


@pytest.mark.parametrize("picture", [own_matrix.picture, own_bars.picture])
def test_nothing_overlaps_however_many_rows(picture: Callable[..., Picture]) -> None:
    rows = [
        row | {"notebook": f"{number:02}", "variant": variant, "verifier": verifier}
        for number in range(2)
        for row in made(a_lab()).values()
        for variant, verifier in (("base", "full"), ("proxy_passes", "full"), ("base", "no_ath"))
    ]
    assert_readable(picture(rows).figure)


def test_what_the_servers_did_otherwise_makes_a_bar_of_its_own() -> None:
    row = made(a_lab())["log_line", "bearer", "none"]
    other = row | {"variant": "minimal", "verifier": "not_enforcing"}
    first, second = own_bars.together([row, other])
    assert first["name"] == "Bearer"
    assert "11 of 11" not in own_bars.finding([first, second | {"plain": 11}])
    assert own_bars.finding([first, second | {"plain": 11}]).endswith(
        "; up to 11 where servers differ."
    )
    assert second["name"] == "Bearer, servers that remember no proofs, nothing is asked"
