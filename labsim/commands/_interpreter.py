"""Find a Python that is new enough and really runs: a name on the PATH proves neither."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from labsim.errors import LabError

OLDEST = (3, 12)
PREFERRED = (3, 13)

# Imports what some builds of Python lack and the lab needs. A base executable, because one that
# lies in an environment may lie in the very `.venv/` that is about to be made anew.
_PROBE = """
import os, sqlite3, ssl, sys, venv
base = getattr(sys, "_base_executable", None) or sys.executable
print("%d.%d.%d" % sys.version_info[:3])
print(base if os.path.exists(base) else sys.executable)
"""


class Interpreter(NamedTuple):
    """A Python that ran, with its version and its path."""

    version: tuple[int, ...]
    path: str


def find_interpreter() -> Interpreter:
    """Return $PYTHON if it will do, else Python 3.13 if there is one, else the nearest to it."""
    too_old: list[Interpreter] = []
    good: list[Interpreter] = []
    wished = os.environ.get("PYTHON")
    for command in [wished] if wished else []:
        found = _probe(command)
        if found is not None and found.version >= OLDEST:
            return found
        print(f"Set-up: PYTHON={command} {_fault(found)}; looking for another.", flush=True)
    for command in _candidates():
        found = _probe(command)
        if found is not None and found.version[:2] == PREFERRED:
            return found
        if found is not None:
            (good if found.version >= OLDEST else too_old).append(found)
    if not good:
        raise LabError(_none_found(too_old))
    return min(good, key=lambda one: abs(one.version[1] - PREFERRED[1]))


def uv() -> str | None:
    """Return the path of a uv that runs, or None."""
    path = shutil.which("uv")
    return path if path and _output([path, "--version"]) else None


def dotted(version: tuple[int, ...]) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def _candidates() -> Iterator[str]:
    """Yield commands to try, the likely ones first; uv is asked only if the rest was no use."""
    seen = set()
    for name in ("python3.13", "python3.12", "python3"):
        # All of them, not the first: pyenv's shim for a version may fail and shadow a good one.
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            path = shutil.which(name, path=folder)
            if path and os.path.realpath(path) not in seen:
                seen.add(os.path.realpath(path))
                yield path
    yield sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(map(str, pyenv.glob("versions/3.1[234]*/bin/python")), reverse=True)
    found_uv = uv()
    for wanted in (dotted(PREFERRED), ">=" + dotted(OLDEST)) if found_uv else ():
        # --system: not the active environment, which may be the `.venv/` to be made anew.
        yield _output([str(found_uv), "python", "find", "--system", wanted])


def _probe(command: str) -> Interpreter | None:
    lines = _output([command, "-c", _PROBE]).splitlines() if command else []
    if len(lines) != 2:
        return None
    return Interpreter(tuple(map(int, lines[0].split("."))), lines[1])


def _output(command: list[str]) -> str:
    """Run a command and return what it printed; empty if it is not there, fails, or hangs."""
    blocked = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
    environment = {name: value for name, value in os.environ.items() if name not in blocked}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def _fault(found: Interpreter | None) -> str:
    return f"is Python {dotted(found.version)}" if found else "does not run"


def _none_found(too_old: list[Interpreter]) -> str:
    newest = max(too_old, default=None)
    have = f" (the newest is {dotted(newest.version)}, {newest.path})" if newest else ""
    return (
        f"No Python {dotted(OLDEST)} or newer runs here{have}: install Python {dotted(PREFERRED)}, "
        "or name one that is installed: PYTHON=/path/to/python3.13 make setup."
    )
