"""progress, reset_progress and takeaway: what the learner's own record says, and no more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import labsim
from labsim import own_folder
from labsim.errors import LabError
from labsim.exercises import bearer, dpop, eight_ideas
from labsim.exercises.own_server import QUESTIONS
from labsim.exercises.standing import Standing, by_notebook
from labsim.exercises.takeaway import TITLE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(own_folder.VARIABLE, str(tmp_path / "record" / "progress.jsonl"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def row(standing: Standing, notebook: str) -> dict[str, object]:
    return next(row for row in standing.rows if row["notebook"] == notebook)


def test_a_row_a_notebook_counts_what_was_answered() -> None:
    assert row(labsim.progress(), "01")["attempted"] == 0
    bearer.what_would_stop_it.check(None)
    bearer.what_would_stop_it.check("no option")
    bearer.what_would_stop_it.check("tls")
    bearer.what_would_stop_it.hint()
    bearer.what_would_stop_it.check(bearer.what_would_stop_it.reference)
    bearer.what_tells_them_apart.check("token")
    told = labsim.progress()
    first = row(told, "01")
    assert (first["attempted"], first["passed"]) == (2, 1)
    assert (first["wrong answers"], first["hints"]) == (2, 1)
    assert row(told, "02")["attempted"] == 0
    assert "passed 1 of" in repr(told)
    assert str(own_folder.file()) in told._repr_html_()


def test_a_record_that_somebody_else_wrote_in_is_read_for_what_is_the_labs() -> None:
    bearer.what_would_stop_it.check("tls")
    for line in ({"exercise": ["a"], "outcome": {}}, {"exercise": None}, {"outcome": "passed"}):
        own_folder.add("", line)
    own_folder.add("ideas", {"when": "before"})
    assert row(labsim.progress(), "01")["attempted"] == 1
    assert "Your request went over TLS too." in written()


def test_a_record_that_is_a_folder_is_named() -> None:
    own_folder.file().mkdir(parents=True)
    for verb in (labsim.progress, labsim.takeaway, labsim.reset_progress):
        with pytest.raises(LabError, match=r"Your record .* cannot be"):
            verb()
    assert not Path("labsim-takeaway.md").exists()


@pytest.mark.parametrize("wrong", [3, ["a"], b"x.md"])
def test_a_page_goes_to_a_path(wrong: Any) -> None:
    with pytest.raises(LabError, match=r"is no path\. Nothing was written"):
        labsim.takeaway(wrong)


def test_resetting_removes_the_record_and_says_what_was_removed() -> None:
    bearer.what_would_stop_it.check("tls")
    assert str(own_folder.file()) in repr(labsim.reset_progress())
    assert row(labsim.progress(), "01")["attempted"] == 0
    assert "empty" in repr(labsim.reset_progress())


def test_every_module_with_exercises_says_which_notebook_it_is_for() -> None:
    counted = {name for exercises in by_notebook().values() for name in exercises}
    assert {bearer.where_it_works.name, dpop.which_check_refuses.name} <= counted


def written(to: str | None = None) -> str:
    said = labsim.takeaway(to)
    return Path(said.text).read_text(encoding="utf-8")


def test_the_page_tells_each_wrong_answer_once_with_what_was_said_to_it() -> None:
    assert "no answer of mine was wrong" in written()
    for answer in ("tls", "tls"):
        bearer.what_would_stop_it.check(answer)
    assert "proof_of_the_sender" not in written()  # it was not found yet
    bearer.what_would_stop_it.check("proof_of_the_sender")
    wrong = dpop.which_check_refuses.wrong[0]
    dpop.which_check_refuses.check(wrong.answer)
    page = written()
    assert page.count("Your request went over TLS too.") == 1
    assert "01: Which one change would have made" in page
    assert "at once? I said `tls`: Your request" in page
    assert "Then I found: `proof_of_the_sender`." in page
    assert f"On `own_proof` I said `ath_is_this_token`: {wrong.says.partition(': ')[2]}" in page


def test_a_function_is_told_by_its_last_line() -> None:
    def proof_key_is_the_bound_one(proof: object, evidence: object) -> bool:
        return True

    dpop.proof_key_is_the_bound_one.check(proof_key_is_the_bound_one)
    assert "I said `return True`: " in written()


def test_a_prediction_that_no_exercise_asked_for_is_told_too() -> None:
    line = {"about": "stolen_key", "by": "replay", "happened": "served"}
    own_folder.add("predictions", line | {"predicted": "proof_is_there"})
    page = written()
    assert "stolen_key: I said `proof_is_there`, and it was: served." in page
    own_folder.add("predictions", line | {"predicted": "tls"})
    bearer.what_would_stop_it.check("tls")
    assert "I said `tls`, and it was" not in written()


def test_the_page_is_one_page_however_much_was_wrong() -> None:
    for exercises in by_notebook().values():
        for each in exercises.values():
            for wrong in each.wrong:
                each.check(each.made(wrong.answer))
    page = written()
    assert re.search(r"^13\. And \d+ earlier ones\.$", page, re.MULTILINE)
    assert len(page.split()) < 1500


def test_ten_questions_each_with_its_document_or_public_bug() -> None:
    assert len(QUESTIONS) == 10
    for each in QUESTIONS:
        assert each.question.endswith("?")
        assert re.search(r"RFC \d{4}|/\S+ issues? \d+", each.source), each
        assert f"({each.source})" in written()


def test_it_can_be_html_in_a_folder_or_a_file_of_ones_own(folder: Path) -> None:
    bearer.what_would_stop_it.check("tls")
    page = written("mine.html")
    assert page.startswith("<!doctype html>")
    assert "<code>tls</code>" in page
    (folder / "there").mkdir()
    assert written("there") == (folder / "there" / "labsim-takeaway.md").read_text()
    assert written("there").startswith(f"# {TITLE}")


def test_it_writes_over_its_own_page_and_over_nothing_else(folder: Path) -> None:
    written()
    written()
    (folder / "notes.md").write_text("mine")
    with pytest.raises(LabError, match=r"notes\.md that is no page of this lab. It was left"):
        labsim.takeaway("notes.md")
    assert (folder / "notes.md").read_text() == "mine"
    with pytest.raises(LabError, match=r"neither \.md nor \.html"):
        labsim.takeaway("page.pdf")
    with pytest.raises(LabError, match="could not be written"):
        labsim.takeaway("no/such/folder.md")


def ideas(**changed: object) -> dict[str, object]:
    return {name: idea.options[0] for name, idea in eight_ideas.IDEAS.items()} | changed


def test_eight_ideas_are_kept_before_and_told_after() -> None:
    assert len(eight_ideas.IDEAS) == 8
    nothing = dict.fromkeys(eight_ideas.IDEAS)
    assert "Not attempted" in repr(eight_ideas.before(nothing))
    assert own_folder.lines("ideas") == []
    said = repr(eight_ideas.before(ideas(binding="the_clients_secret", custody=None)))
    assert "You answered 7 of 8" in said
    assert eight_ideas.IDEAS["binding"].options[0] not in said
    assert eight_ideas.compared() == []
    assert repr(eight_ideas.after(nothing)) == repr(eight_ideas.questions())
    assert eight_ideas.compared() == []
    compared = eight_ideas.after(ideas(coverage="the_answer_too"))
    assert "Right before: 6 of 8. Right after: 7." in repr(compared)
    assert eight_ideas.IDEAS["binding"].why in compared._repr_html_()
    assert "Before: the_clients_secret; after: a_signature_by_the_key (right)." in written()


@pytest.mark.parametrize("ask", [eight_ideas.before, eight_ideas.after])
def test_an_answer_that_is_no_option_is_unreadable_and_not_kept(ask: object) -> None:
    assert callable(ask)
    for answers in (ideas(binding="yes"), {"other": "x"}, ["x"], ideas(binding=["x"])):
        assert "cannot be read" in repr(ask(answers))
    assert own_folder.lines("ideas") == []


def test_after_without_before_still_tells_what_is_right() -> None:
    said = repr(eight_ideas.after(ideas()))
    assert "before: not answered" in said
    assert "Right before: 0 of 8. Right after: 8." in said


def test_the_questions_are_shown_with_options_in_an_order_that_tells_nothing() -> None:
    for asked in eight_ideas.questions().rows():
        options = asked["answers"].split(", ")
        assert options == sorted(eight_ideas.IDEAS[asked["name"]].options)
    firsts = [sorted(idea.options)[0] == idea.options[0] for idea in eight_ideas.IDEAS.values()]
    assert any(firsts)
    assert not all(firsts)
    assert "Who can use a bearer token?" in eight_ideas.questions()._repr_html_()
