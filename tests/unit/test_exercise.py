"""Exercises without a kernel: five outcomes, hints, solutions, the record; and every answer."""

from __future__ import annotations

import json
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import labsim.exercises
from labsim.exercises import progress
from labsim.exercises.exercise import Choice, Exercise, Matching, Wrong
from labsim.exercises.writing import Written

MODULES = [
    import_module(f"labsim.exercises.{found.name}")
    for found in pkgutil.iter_modules(labsim.exercises.__path__)
]
EXERCISES = {
    each.name: each
    for module in MODULES
    for each in vars(module).values()
    if isinstance(each, Exercise)
}
HINTS = ("look there", "the idea", "one step left")
every_exercise = pytest.mark.parametrize("name", sorted(EXERCISES))


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write progress here, not into the user's folder."""
    file = tmp_path / "new folder" / "progress.jsonl"
    monkeypatch.setenv(progress.VARIABLE, str(file))
    return file


def fruit() -> Choice:
    return Choice(
        "test.fruit",
        "Which one is yellow?",
        reference="banana",
        solved="So it is.",
        wrong=(Wrong("cherry", "Cherries are red."), Wrong("apple", "Not this one.")),
        hints=HINTS,
    )


def colours() -> Matching:
    return Matching(
        "test.colours",
        "Which colours?",
        options=("yellow", "red", "blue"),
        reference={"banana": "yellow", "cherry": "red"},
        solved="So they are.",
        why={("banana", "blue"): "no fruit is blue"},
        look={"banana": "look at one", "cherry": "look at the tree"},
        wrong=(),
        hints=HINTS,
    )


def double() -> Written:
    return Written(
        "test.double",
        "Double it.",
        function="double",
        effect=lambda test: "" if test(2) == 4 else "Two should become four.",
        reference="def double(n):\n    return 2 * n\n",
        solved="Yes.",
        wrong=(),
        hints=HINTS,
    )


@pytest.mark.parametrize("nothing", [None, ..., "", [], {}, ()])
def test_no_answer_is_not_attempted_and_asks_the_question(nothing: object) -> None:
    verdict = fruit().check(nothing)
    assert (verdict.outcome, verdict.says) == ("not attempted", "Which one is yellow?")


@pytest.mark.parametrize("answer", ["Banana", 3, ["banana"], {"a": 1}, object()])
def test_an_answer_that_is_no_option_costs_nothing_and_lists_them(answer: object) -> None:
    exercise = fruit()
    verdict = exercise.check(answer)
    assert verdict.outcome == "unreadable"
    assert "apple, banana, cherry" in verdict.says
    assert "waits" in repr(exercise.solution())


def test_a_wrong_answer_fails_with_what_is_wrong_about_it_and_a_right_one_passes() -> None:
    exercise = fruit()
    assert repr(exercise.check("cherry")) == "✕ Not yet. Cherries are red."
    assert repr(exercise.check("banana")) == "● Right. So it is."


def test_a_solution_comes_after_one_attempt_or_when_giving_up() -> None:
    assert "first attempt" in repr(fruit().solution())
    assert "answer = 'banana'" in repr(fruit().solution(give_up=True))
    exercise = fruit()
    exercise.check("apple")
    assert "So it is." in repr(exercise.solution())


def test_hints_come_one_by_one_and_the_last_one_stays() -> None:
    exercise = fruit()
    said = [exercise.hint() for _ in range(4)]
    assert [hint.text for hint in said] == [*HINTS, HINTS[-1]]
    assert said[0].headline == "Hint 1 of 3"


@pytest.mark.parametrize(
    ("answer", "outcome", "says"),
    [
        ({"banana": None, "cherry": ...}, "not attempted", "Which colours?"),
        ({"banana": "yellow"}, "unreadable", "banana, cherry"),
        (["yellow", "red"], "unreadable", "banana, cherry"),
        ({"banana": "yellow", "cherry": None}, "unreadable", "cherry: None"),
        ({"banana": ["x"], "cherry": "red"}, "unreadable", "yellow, red, blue"),
        ({"banana": "blue", "cherry": "red"}, "failed", "banana: no fruit is blue"),
        ({"banana": "yellow", "cherry": "blue"}, "failed", "cherry: look at the tree"),
        ({"cherry": "red", "banana": "yellow"}, "passed", "So they are."),
    ],
)
def test_a_matching_names_the_thing_that_is_wrong(answer: object, outcome: str, says: str) -> None:
    verdict = colours().check(answer)
    assert verdict.outcome == outcome
    assert says in verdict.says


def test_code_that_raises_is_answered_with_the_learners_own_line() -> None:
    def halve(n: int) -> float:
        return n / 0

    verdict = double().check(halve)
    assert verdict.outcome == "raised"
    assert f"Line {halve.__code__.co_firstlineno + 1} of your cell, return n / 0" in verdict.says
    assert "ZeroDivisionError" in verdict.says


def test_code_that_cannot_be_called_says_so() -> None:
    written = EXERCISES["dpop.proof_key_is_the_bound_one"]
    assert "could not be called" in written.check(lambda: True).says
    assert double().check(4).outcome == "unreadable"


@every_exercise
def test_the_reference_answer_passes(name: str) -> None:
    exercise = EXERCISES[name]
    verdict = exercise.check(exercise.made(exercise.reference))
    assert (verdict.outcome, verdict.says) == ("passed", exercise.solved)


@every_exercise
def test_each_recorded_wrong_answer_fails_with_a_message_of_its_own(name: str) -> None:
    exercise = EXERCISES[name]
    for wrong in exercise.wrong:
        verdict = exercise.check(exercise.made(wrong.answer))
        assert (verdict.outcome, verdict.says) == ("failed", wrong.says)
    messages = {wrong.says for wrong in exercise.wrong}
    assert len(messages) == len(exercise.wrong) >= 2


@every_exercise
def test_it_has_a_question_and_three_hints_none_of_which_is_the_answer(name: str) -> None:
    exercise = EXERCISES[name]
    assert len(exercise.question.split()) > 3
    assert len(set(exercise.hints)) == 3
    assert not any(str(exercise.reference) in hint for hint in exercise.hints)


@every_exercise
def test_what_is_shown_takes_its_colours_from_the_page(name: str) -> None:
    exercise = EXERCISES[name]
    wrong = exercise.made(exercise.wrong[0].answer)
    for shown in (exercise.check(None), exercise.check(wrong), exercise.hint()):
        html = shown._repr_html_()
        assert "var(--jp-content-font-color1" in html
        assert "#" not in html.replace("&#x27;", "").replace(", #", "")  # only as a fallback


def test_an_untouched_check_is_not_attempted() -> None:
    def proof_key_is_the_bound_one(proof: object, evidence: object) -> object:
        return ...

    verdict = EXERCISES["dpop.proof_key_is_the_bound_one"].check(proof_key_is_the_bound_one)
    assert verdict.outcome == "not attempted"


def test_each_check_leaves_one_line_in_the_record(record: Path) -> None:
    exercise = fruit()
    for answer in (None, "plum", "apple", "banana"):
        exercise.check(answer)
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["not attempted", "unreadable", "failed", "passed"]
    assert {row["exercise"] for row in rows} == {"test.fruit"}
    assert rows[2]["says"] == "Not this one."


def test_a_record_that_cannot_be_written_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "file" / "progress.jsonl"))
    verdict = fruit().check("banana")
    assert verdict.outcome == "passed"
    assert "progress was not written down" in verdict.says


def test_the_record_lies_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(progress.VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert progress.file() == Path("/somewhere/labsim/progress.jsonl")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert progress.file() == Path.home() / ".local/share/labsim/progress.jsonl"
