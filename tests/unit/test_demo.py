"""The results of a run: one run at a time writes to a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import labsim
from labsim.commands import demo
from labsim.errors import LabError


def test_a_second_run_into_one_folder_is_refused_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labsim, "start", lambda **_: pytest.fail("a second run was started"))
    out = tmp_path / "out"
    with demo._results(out) as results:
        results.events([{"name": "first"}])
        with pytest.raises(LabError, match=rf"Another run .* to {out}\. .*--out"):
            demo.main(["--out", str(out)])
        results.events([{"name": "first"}, {"name": "second"}])
    assert (out / "events.jsonl").read_text() == '{"name":"first"}\n{"name":"second"}\n'


def test_a_run_after_another_begins_afresh(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with demo._results(tmp_path) as results:
            results.events([{"name": name}])
        assert (tmp_path / "events.jsonl").read_text() == f'{{"name":"{name}"}}\n'
    with pytest.raises(ZeroDivisionError), demo._results(tmp_path):
        _ = 1 / 0
    with demo._results(tmp_path):
        assert (tmp_path / "events.jsonl").read_text() == ""


def test_runs_into_two_folders_do_not_disturb_each_other(tmp_path: Path) -> None:
    with demo._results(tmp_path / "a") as one, demo._results(tmp_path / "b") as other:
        one.events([{"name": "a"}])
        other.events([{"name": "b"}])
    assert [(tmp_path / n / "events.jsonl").read_text()[9] for n in "ab"] == ["a", "b"]
