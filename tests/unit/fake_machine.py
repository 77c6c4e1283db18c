"""A machine of the test's own for set-up: nothing on its PATH, no pyenv, an empty home."""

import os
import stat
from pathlib import Path


def bare(folder: Path, monkeypatch) -> Path:
    """Make the machine in a folder; what a test puts into its bin/ is on the PATH."""
    (folder / "bin").mkdir()
    (folder / "home").mkdir()
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.setenv("HOME", str(folder / "home"))
    for name in ("PYTHON", "PYENV_ROOT", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def program(path: Path, text: str) -> Path:
    """Write an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python_that_says(path: Path, version: str) -> Path:
    """Write a Python that says this version to whoever probes it."""
    return program(path, f"#!/bin/sh\necho {version}\necho {path}\n")
