"""Where this checkout is, what its `.venv/` holds, and how to run a tool of that environment."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from labsim.errors import LabError

ROOT = Path(__file__).resolve().parent.parent.parent
# Raise it when what set-up does to `.venv/` changes, so that older environments are brought up.
_RECIPE = "1"


class Checkout:
    """Name the files of one checkout that set-up reads and writes."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.lock = root / "requirements.lock"
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.stamp = self.venv / "labsim-set-up"
        self.log = root / "setup.log"

    @property
    def wanted_stamp(self) -> str:
        """Return what the stamp of a fresh environment says.

        pyproject.toml has no part in it: only the lock decides what is installed, a test holds
        the two together, and a changed lint rule should not cost anybody a set-up. The folder
        has, because scripts in an environment name the folder that it was made in.
        """
        digest = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        return f"{self.root}\n{_RECIPE}\n{digest}\n"

    @property
    def found_stamp(self) -> str:
        """Return what the stamp says; empty if set-up never came to its end here."""
        try:
            # The interpreter may have been removed since: then the environment is none.
            return self.stamp.read_text(encoding="utf-8") if self.python.exists() else ""
        except OSError:
            return ""

    @property
    def is_ready(self) -> bool:
        """Tell whether the environment is complete and made from the lock that is here now."""
        return self.found_stamp == self.wanted_stamp

    @property
    def is_only_older(self) -> bool:
        """Tell whether the environment is complete, and made here, but from another lock."""
        return self.found_stamp.startswith(f"{self.root}\n{_RECIPE}\n") and not self.is_ready


def run_tool(module: str, *arguments: str) -> int:
    """Run `python -m module` at the root of the checkout and return its exit status."""
    if importlib.util.find_spec(module) is None:
        raise LabError(
            f"This Python ({sys.executable}) has no {module}, which is for working on the lab.",
            todo="Run 'make setup', then use .venv/bin/python.",
        )
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=False
    ).returncode
