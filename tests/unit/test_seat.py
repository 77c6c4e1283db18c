"""`doctor --seat`: one line, and an exit status, whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from labsim.commands import _seat, doctor
from labsim.commands._checkout import Checkout
from labsim.commands.doctor import MISSING, OK, Finding
from labsim.errors import LabError


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(doctor, "examine", lambda _: [Finding("python", OK, "here")])
    return Checkout()


def a_python(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def checkout_without_venv(folder: Path) -> Checkout:
    return Checkout(folder)


@pytest.mark.parametrize(
    ("script", "status", "line"),
    [
        ("echo 'seat ok: fine.'", 0, "seat ok: fine."),
        ("echo 'seat not ok: no port.'; exit 1", 1, "seat not ok: no port."),
        (
            "echo Trace >&2; echo 'ImportError: h11' >&2; exit 1",
            1,
            "seat not ok: the lab said ImportError: h11; run 'make setup'.",
        ),
    ],
)
def test_it_says_one_line_and_how_it_went(
    complete: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: str,
    status: int,
    line: str,
) -> None:
    a_python(tmp_path, monkeypatch, script)
    assert doctor.seat(checkout_without_venv(tmp_path)) == status
    assert capsys.readouterr().out == f"{line}\n"


def test_a_python_that_does_not_run_is_said_in_one_line(
    complete: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    assert doctor.seat(checkout_without_venv(tmp_path)) == 1
    out = capsys.readouterr().out
    assert out.startswith("seat not ok: ")
    assert out.count("\n") == 1


def test_before_set_up_it_says_what_is_missing_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = Finding("h11", MISSING, "not installed, needs >=0.16", "run 'make setup'")
    monkeypatch.setattr(doctor, "examine", lambda _: [lacking])
    monkeypatch.setattr(doctor.subprocess, "run", None)
    assert doctor.main(["--seat"]) == 1
    said = capsys.readouterr().out
    assert said == "seat not ok: h11: not installed, needs >=0.16; run 'make setup'.\n"


def test_what_the_lab_says_in_many_lines_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> str:
        raise LabError("It broke\nhere.", "Nothing ran.", "Mend it.")

    monkeypatch.setattr(_seat, "seat", broken)
    assert _seat.main() == 1
    assert capsys.readouterr().out == "seat not ok: It broke here. Nothing ran. Mend it.\n"


@pytest.mark.parametrize(("ended", "wanted"), [("rejected", "served"), ("", "jti_is_new")])
def test_an_attack_that_ends_otherwise_is_no_good_seat(ended: str, wanted: str) -> None:
    _seat.expect("the thief", wanted, wanted)
    with pytest.raises(LabError, match=f"not as {wanted}"):
        _seat.expect("the thief", ended, wanted)


def test_the_files_that_run_before_set_up_parse_on_an_old_python() -> None:
    import ast

    files: Sequence[Path] = [Path(str(module.__file__)) for module in (doctor, _seat)]
    for file in files:
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
