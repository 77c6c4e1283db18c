"""Run the tests that can run here, and say which cannot and what they need.

A suite is a folder of tests/. All of `browser` needs chromium; a single test elsewhere says what
it needs by a marker (`needs_redis_server`, say; pyproject.toml lists them).
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from labsim.commands._checkout import ROOT, run_tool
from labsim.errors import LabError

SUMMARY = "Run the tests that can run here; other options go to pytest."
TESTS = ROOT / "tests"
FAST = ("unit", "contract", "vectors")
SUITE_NEEDS = {"browser": "chromium"}
PROGRAMS = {
    "needs_chromium": "chromium",
    "needs_curl": "curl",
    "needs_redis_server": "redis-server",
    "needs_softhsm2_util": "softhsm2-util",
}

_ONE_PROCESS = ("--pdb", "--trace", "-n", "--numprocesses", "--dist")


def main(arguments: list[str]) -> int:
    """Run pytest and return its exit status; 1 if --all was asked for and not all can run."""
    parser = argparse.ArgumentParser(prog="labsim test", description=SUMMARY, allow_abbrev=False)
    width = parser.add_mutually_exclusive_group()
    width.add_argument("--fast", action="store_true", help=f"only {', '.join(FAST)}")
    width.add_argument("--all", action="store_true", help="fail if anything cannot run here")
    options, for_pytest = parser.parse_known_args(arguments)
    absent = {marker: name for marker, name in PROGRAMS.items() if shutil.which(name) is None}
    if options.all and absent:
        what = f"Not all tests can run here: there is no {', no '.join(absent.values())}."
        raise LabError(what, todo="Run .ci/run, which installs what they need.")
    suites = [name for name in suites_in(TESTS) if name in FAST or not options.fast]
    left_out = not_run(TESTS, suites, absent)
    _print(left_out)
    chosen = [*selection(suites, absent, for_pytest), *side_by_side(for_pytest)]
    status = run_tool("pytest", *chosen, *for_pytest)
    # Again at the end, where it is read: green is not the same as complete.
    _print(left_out)
    return status


def suites_in(tests: Path) -> list[str]:
    """Return the names of the folders that hold tests."""
    return sorted({path.relative_to(tests).parts[0] for path in tests.glob("*/**/test_*.py")})


def not_run(tests: Path, suites: list[str], absent: dict[str, str]) -> list[str]:
    """Return one line for each suite, and each kind of test, that cannot run here."""
    lines = []
    for suite in suites:
        if SUITE_NEEDS.get(suite) in absent.values():
            lines.append(_line(f"{suite} tests", SUITE_NEEDS[suite]))
    runnable = [suite for suite in suites if SUITE_NEEDS.get(suite) not in absent.values()]
    files = [path for suite in runnable for path in sorted((tests / suite).rglob("test_*.py"))]
    for marker, program in absent.items():
        mark = f"pytest.mark.{marker}"
        names = [path.name for path in files if mark in path.read_text(encoding="utf-8")]
        if names:
            lines.append(_line(f"tests marked {marker} ({', '.join(names)})", program))
    return lines


def selection(suites: list[str], absent: dict[str, str], for_pytest: list[str]) -> list[str]:
    """Return pytest's arguments for what can run: suites, unless paths were given, and markers."""
    markers = " and ".join(f"not {marker}" for marker in absent)
    arguments = ["-m", markers] if markers else []
    if any(argument.startswith("tests") for argument in for_pytest):
        return arguments
    runnable = [suite for suite in suites if SUITE_NEEDS.get(suite) not in absent.values()]
    return [*arguments, *(f"tests/{suite}" for suite in runnable)]


def side_by_side(for_pytest: list[str]) -> list[str]:
    """Return pytest's arguments for a worker on each core, at most four.

    None where a debugger is asked for, which there is one terminal for, or another number of
    workers. tests/conftest.py says what stays with one worker.
    """
    workers = min(os.cpu_count() or 1, 4)
    if workers == 1 or any(each.startswith(_ONE_PROCESS) for each in for_pytest):
        return []
    return ["-n", str(workers), "--dist", "loadgroup"]


def _line(what: str, program: str) -> str:
    return f"{what}: not run here, need {program} (.ci/run installs it)"


def _print(lines: list[str]) -> None:
    for line in lines:
        print(line, flush=True)
