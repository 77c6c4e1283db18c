"""The results of a run: one run at a time writes to a folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

import labsim
from labsim.commands import demo
from labsim.errors import LabError
from labsim.measuring.main_job import Measured
from labsim.rounds import Findings


def test_a_second_run_into_one_folder_is_refused_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labsim, "start", lambda **_: pytest.fail("a second run was started"))
    out = tmp_path / "out"
    with demo.opened_results(out) as results:
        results.events([{"name": "first"}])
        with pytest.raises(LabError, match=rf"Another run .* to {out}\. .*--out"):
            demo.main(["--out", str(out)])
        results.events([{"name": "first"}, {"name": "second"}])
    assert (out / "events.jsonl").read_text() == '{"name":"first"}\n{"name":"second"}\n'


def test_a_folder_that_cannot_be_written_is_said_with_how_far_the_run_came(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    nothing = pytest.raises(LabError, match=r"File exists\. Nothing was started\. .*--out")
    with nothing, demo.opened_results(file):
        pytest.fail("it was started")
    full = OSError(28, "No space left on device")
    ended = pytest.raises(LabError, match=r"No space left on device\. The run ended there; .*stay")
    with ended, demo.opened_results(tmp_path / "out"):
        raise full


def test_a_run_after_another_begins_afresh(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with demo.opened_results(tmp_path) as results:
            results.events([{"name": name}])
        assert (tmp_path / "events.jsonl").read_text() == f'{{"name":"{name}"}}\n'
    with pytest.raises(ZeroDivisionError), demo.opened_results(tmp_path):
        _ = 1 / 0
    with demo.opened_results(tmp_path):
        assert (tmp_path / "events.jsonl").read_text() == ""


def test_runs_into_two_folders_do_not_disturb_each_other(tmp_path: Path) -> None:
    with demo.opened_results(tmp_path / "a") as one, demo.opened_results(tmp_path / "b") as other:
        one.events([{"name": "a"}])
        other.events([{"name": "b"}])
    assert [(tmp_path / n / "events.jsonl").read_text()[9] for n in "ab"] == ["a", "b"]


def test_what_is_not_as_predicted_is_named_and_fails_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, findings = SimpleNamespace(count=3), Findings()
    sound, wrong = Measured(), Measured(faults=["Not as the plan predicts: this."])
    assert demo._verdict(results, findings, [], sound, tmp_path, 1.0) == 0  # type: ignore[arg-type]
    assert "Not as the plan predicts" not in capsys.readouterr().out
    assert demo._verdict(results, findings, [], wrong, tmp_path, 1.0) == 1  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert "Not as the plan predicts: this." in printed
    assert "Every outcome" not in printed
