"""Dispatch by __main__, what `labsim test` picks, and the sizes `labsim lint` allows."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import labsim.commands
from labsim import __main__ as dispatch
from labsim.commands import lint, setup
from labsim.commands import test as test_command
from labsim.commands._checkout import ROOT

# What runs before there is a newer Python, with all that it imports.
FOR_ANY_PYTHON = [
    "__init__.py",
    "__main__.py",
    "errors.py",
    "commands/__init__.py",
    "commands/_checkout.py",
    "commands/_interpreter.py",
    "commands/doctor.py",
    "commands/setup.py",
]


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Give a folder of commands of the test's own; returns a function that adds one to it."""
    monkeypatch.setattr(dispatch, "COMMANDS", tmp_path)
    monkeypatch.setattr(labsim.commands, "__path__", [str(tmp_path)])

    def add(name: str, body: str, summary: str = "Do it.") -> None:
        text = f"SUMMARY = {summary!r}\ndef main(arguments):\n    {body}\n"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, f"labsim.commands.{name}", raising=False)

    yield add
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"labsim.commands.{path.stem}", None)
        if hasattr(labsim.commands, path.stem):
            delattr(labsim.commands, path.stem)


@pytest.mark.parametrize("file", FOR_ANY_PYTHON)
def test_what_runs_before_set_up_is_in_the_grammar_of_python_3_8(file):
    ast.parse((ROOT / "labsim" / file).read_text(), feature_version=(3, 8))


def test_setup_and_doctor_import_nothing_that_is_not_listed_as_for_any_python():
    code = "import sys, labsim.commands.doctor; print(*sys.modules)"
    printed = subprocess.check_output([sys.executable, "-S", "-c", code], cwd=ROOT, text=True)
    modules = {name for name in printed.split() if name.split(".")[0] == "labsim"}
    files = {name.removesuffix(".py").removesuffix("/__init__") for name in FOR_ANY_PYTHON}
    allowed = {"labsim"} | {"labsim." + name.replace("/", ".") for name in files}
    assert modules <= allowed


def test_a_command_gets_its_arguments_and_gives_its_status(commands, capsys):
    commands("count", "print(arguments); return 7")
    assert dispatch.main(["count", "--one", "two"]) == 7
    assert capsys.readouterr().out == "['--one', 'two']\n"


@pytest.mark.parametrize("flag", ["-h", "--help", "help"])
def test_help_lists_each_command_without_importing_it(commands, capsys, flag):
    commands("explodes", "", summary="Say what it does.")
    Path(dispatch.COMMANDS, "explodes.py").write_text("SUMMARY = 'Say it.'\nraise SystemExit(9)\n")
    Path(dispatch.COMMANDS, "_part.py").write_text("")
    assert dispatch.main([flag]) == 0
    out = capsys.readouterr().out
    assert "  explodes  Say it.\n" in out
    assert "_part" not in out


def test_no_command_prints_the_help_and_is_a_usage_error(commands, capsys):
    commands("one", "return 0")
    assert dispatch.main([]) == 2
    assert "  one  Do it.\n" in capsys.readouterr().out


def test_an_unknown_command_is_told_in_one_line_with_those_that_exist(commands, capsys):
    commands("one", "return 0")
    commands("two", "return 0")
    assert dispatch.main(["three"]) == 2
    assert capsys.readouterr().err == "There is no command 'three'; there are: one, two.\n"


def test_ctrl_c_is_130_and_no_traceback(commands, capsys):
    commands("waits", "raise KeyboardInterrupt")
    assert dispatch.main(["waits"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_has_gone_is_no_fault_of_the_lab():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "labsim", "checks"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_lab_error_is_its_message_and_1(commands, capsys):
    commands("fails", "import labsim.errors as e; raise e.LabError('It broke.', todo='Mend it.')")
    assert dispatch.main(["fails"]) == 1
    assert capsys.readouterr().err == "It broke. Mend it.\n"


def test_a_package_that_is_missing_is_one_line_that_names_set_up(commands, capsys):
    commands("needs", "import a_package_that_nobody_has")
    assert dispatch.main(["needs"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "a_package_that_nobody_has" in err
    assert "make setup" in err


@pytest.mark.parametrize("body", ["1 / 0", "import labsim.nowhere"])
def test_a_fault_in_the_lab_keeps_its_traceback(commands, body):
    commands("faulty", body)
    with pytest.raises((ZeroDivisionError, ModuleNotFoundError)):
        dispatch.main(["faulty"])


def test_a_real_command_through_the_real_door():
    run = subprocess.run(
        [sys.executable, "-m", "labsim", "nope"], cwd=ROOT, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)


def test_every_command_has_a_summary_of_one_line_and_a_main():
    for path in sorted((ROOT / "labsim" / "commands").glob("[!_]*.py")):
        names = {getattr(node, "name", "") for node in ast.parse(path.read_text()).body}
        assert "main" in names, path.name
        assert re.fullmatch(r".+\.", dispatch._summary(path)), path.name


@pytest.fixture
def tests(tmp_path):
    """Make a folder of suites, one test of which needs a program."""
    for suite in ("unit", "browser", "estate"):
        (tmp_path / suite).mkdir()
        (tmp_path / suite / "test_it.py").write_text("")
    (tmp_path / "notebooks").mkdir()
    marker = "needs_" + "redis_server"
    (tmp_path / "estate" / "test_it.py").write_text(f"pytestmark = pytest.mark.{marker}")
    return tmp_path


def test_a_suite_is_a_folder_that_holds_tests(tests):
    assert test_command.suites_in(tests) == ["browser", "estate", "unit"]


def test_where_everything_is_there_everything_runs(tests):
    suites = test_command.suites_in(tests)
    assert test_command.not_run(tests, suites, {}) == []
    arguments = test_command.selection(suites, {}, [])
    assert arguments == ["tests/browser", "tests/estate", "tests/unit"]


def test_what_cannot_run_is_left_out_and_announced(tests):
    suites = test_command.suites_in(tests)
    arguments = test_command.selection(suites, test_command.PROGRAMS, [])
    assert arguments[2:] == ["tests/estate", "tests/unit"]
    assert "not needs_redis_server" in arguments[1]
    browser, redis = test_command.not_run(tests, suites, test_command.PROGRAMS)
    assert browser == "browser tests: not run here, need chromium (.ci/run installs it)"
    assert redis.startswith(
        "tests marked needs_redis_server (test_it.py): not run here, need redis"
    )


def test_a_path_that_is_given_replaces_the_suites(tests):
    assert test_command.selection(["unit"], {}, ["tests/unit/test_x.py"]) == []


@pytest.mark.parametrize(("cores", "workers"), [(1, None), (2, 2), (64, 4), (None, None)])
def test_tests_run_on_each_core_up_to_four(monkeypatch, cores, workers):
    ran = []
    monkeypatch.setattr(test_command.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(test_command, "run_tool", lambda *all_of_it: ran.append(all_of_it) or 0)
    assert dispatch.main(["test", "--fast"]) == dispatch.main(["test"]) == 0
    for given in ran:
        assert ("-n" in given) == (workers is not None)
        assert given[given.index("-n") + 1] == str(workers) if workers else True
    assert test_command.side_by_side(["--pdb"]) == test_command.side_by_side(["-n", "0"]) == []


def test_all_fails_before_it_runs_if_a_program_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(test_command.shutil, "which", lambda name: None if name == "curl" else name)
    monkeypatch.setattr(test_command, "run_tool", lambda *_: pytest.fail("ran"))
    assert dispatch.main(["test", "--all"]) == 1
    assert "no curl. Run .ci/run" in capsys.readouterr().err


def test_each_marker_for_a_program_is_registered():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    registered = {line.partition(":")[0] for line in settings["ini_options"]["markers"]}
    assert set(test_command.PROGRAMS) == registered


def test_lint_finds_files_and_functions_that_are_too_long(tmp_path):
    path = tmp_path / "long.py"
    path.write_text(
        "def f():\n" + "    x = 1\n" * 40 + "def g():\n" + "    x = 1\n" * 39 + "#\n" * 220
    )
    assert list(lint.too_long(path, tmp_path)) == [
        "long.py: 301 lines, at most 300",
        "long.py:1: f has 41 lines, at most 40",
    ]


def test_set_up_is_a_command_among_the_others():
    assert setup.SUMMARY in dispatch._help(dispatch._names())
