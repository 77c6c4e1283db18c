"""Three passes over every notebook, in fresh kernels: untouched, right answers, wrong answers."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from tests.notebooks.fresh_kernel import ASKING, CLAIMS, NOTEBOOKS, Run, named

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
every_asking = pytest.mark.parametrize("path", ASKING, ids=named)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@every_notebook
def test_untouched_it_runs_and_gives_nothing_away(path: Path, progress: Path) -> None:
    run = Run(path, progress)
    with run.kernel("untouched"):
        run.all_cells()
    said = [row["outcome"] for row in run.said()]
    assert said == ["not attempted"] * len(run.exercises)
    predicted = sum(
        "predicted=" in cell.source for cell in run.notebook.cells if cell.cell_type == "code"
    )
    assert run.shown().count("Sealed. Predict above") == predicted


@every_asking
def test_with_the_reference_answers_every_exercise_passes(path: Path, progress: Path) -> None:
    run = Run(path, progress)
    for name, exercise in run.exercises.items():
        run.answer(name, exercise.reference)
    with run.kernel("reference answers"):
        run.all_cells()
    outcomes = {row["exercise"]: row["outcome"] for row in run.said()}
    assert outcomes == {exercise.name: "passed" for exercise in run.exercises.values()}
    # What was predicted is what really happened, and nothing is sealed any more.
    shown = run.shown()
    assert "sealed" not in shown.lower()
    assert ("as predicted: yes" in shown) == (path in CLAIMS)
    assert "as predicted: no" not in shown


@every_asking
def test_each_recorded_wrong_answer_fails_with_its_own_message(path: Path, progress: Path) -> None:
    run = Run(path, progress)
    rounds = [
        [(name, wrong) for wrong in exercise.wrong] for name, exercise in run.exercises.items()
    ]
    with run.kernel("wrong answers"):
        for number, answers in enumerate(zip_longest(*rounds)):
            given = [answer for answer in answers if answer]
            for name, wrong in given:
                run.answer(name, wrong.answer)
                if number:  # The first ones run with the whole notebook around them.
                    run.run_cell(name)
            if not number:
                run.all_cells()
            said = {row["exercise"]: (row["outcome"], row["says"]) for row in run.said()}
            assert said == {
                run.exercises[name].name: ("failed", wrong.says) for name, wrong in given
            }


@every_notebook
def test_it_can_be_run_twice_in_one_kernel(path: Path, progress: Path) -> None:
    run = Run(path, progress)
    with run.kernel("twice"):
        run.all_cells()
        run.all_cells(times=2)  # as whoever predicts only after that, and runs the cell again
    assert {row["outcome"] for row in run.said()} <= {"not attempted"}
