"""Which Python set-up takes, of those that are there and really run."""

import os
import sys
from pathlib import Path

import pytest

from labsim.commands import _interpreter
from tests.unit.fake_machine import bare, program, python_that_says


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Give a machine with nothing on its PATH, no pyenv and no Python but the test's own."""
    return bare(tmp_path, monkeypatch)


def found(monkeypatch, *, executable: str = "/nowhere") -> str:
    monkeypatch.setattr(_interpreter.sys, "executable", executable)
    return _interpreter.find_interpreter().path


def test_3_13_is_preferred_wherever_it_is_found(machine, monkeypatch):
    python_that_says(machine / "bin" / "python3.12", "3.12.9")
    wanted = python_that_says(
        machine / "home" / ".pyenv" / "versions" / "3.13.1" / "bin" / "python", "3.13.1"
    )
    assert found(monkeypatch) == str(wanted)


def test_without_3_13_the_nearest_is_taken(machine, monkeypatch):
    wanted = python_that_says(machine / "bin" / "python3.12", "3.12.9")
    python_that_says(machine / "bin" / "python3", "3.15.0")
    assert found(monkeypatch) == str(wanted)


def test_a_shim_that_fails_does_not_hide_one_further_down_the_path(machine, monkeypatch):
    program(machine / "shims" / "python3.13", "#!/bin/sh\nexit 127\n")
    wanted = python_that_says(machine / "bin" / "python3.13", "3.13.2")
    monkeypatch.setenv("PATH", f"{machine / 'shims'}{os.pathsep}{machine / 'bin'}")
    assert found(monkeypatch) == str(wanted)


def test_the_python_that_is_named_wins(machine, monkeypatch):
    python_that_says(machine / "bin" / "python3.13", "3.13.2")
    wanted = python_that_says(machine / "mine", "3.12.1")
    monkeypatch.setenv("PYTHON", str(wanted))
    assert found(monkeypatch) == str(wanted)


def test_a_named_python_that_will_not_do_is_said_and_passed_over(machine, monkeypatch, capsys):
    wanted = python_that_says(machine / "bin" / "python3.13", "3.13.2")
    monkeypatch.setenv("PYTHON", str(python_that_says(machine / "old", "3.8.1")))
    assert found(monkeypatch) == str(wanted)
    assert "old is Python 3.8.1; looking for another" in capsys.readouterr().out


def test_uv_is_asked_last(machine, monkeypatch):
    wanted = python_that_says(machine / "uvs" / "python3.13", "3.13.3")
    program(machine / "bin" / "uv", f'#!/bin/sh\n[ "$4" = 3.13 ] || echo "uv 1.0"\necho {wanted}\n')
    monkeypatch.setattr(_interpreter, "uv", lambda: str(machine / "bin" / "uv"))
    assert found(monkeypatch) == str(wanted)


def test_the_python_of_an_environment_stands_for_its_base(machine, monkeypatch):
    # It may be the very environment that is about to be removed.
    path = Path(found(monkeypatch, executable=sys.executable))
    assert path.resolve() == Path(sys._base_executable).resolve()
