"""A notebook in a fresh kernel, with answers put into its cells, and where the notebooks lie."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from labsim.commands._checkout import ROOT
from labsim.exercises.exercise import Exercise

FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CLAIMS = [path for path in NOTEBOOKS if path.stem[:2].isdigit()]
"""Those that make a claim; an index or a primer makes none."""
ASKING = [path for path in NOTEBOOKS if '"ex:' in path.read_text(encoding="utf-8")]
"""Those with exercises: all that make a claim, and the primer."""
PATIENCE = 120  # Only a broken test waits this long.

SLOW = 3  # seconds; a cell that takes longer is to be mended
TIMES: list[str] = []
"""A line for each run, and for each slow cell in it; the summary of the tests prints them."""


def named(path: Path) -> str:
    return path.stem


class Run:
    """One notebook, read afresh, in a kernel of its own; its file is never written."""

    def __init__(self, path: Path, progress: Path) -> None:
        self.path = path
        self.notebook = nbformat.read(path, as_version=4)
        self._progress = progress
        self._cells: list[str] = []
        # Kernels talk over loopback, where any user of the machine can listen in.
        manager = AsyncKernelManager(kernel_name="python3", transport_encryption="auto")
        where = {"metadata": {"path": str(progress.parent)}}
        self._client = NotebookClient(
            self.notebook, km=manager, timeout=PATIENCE, resources=where, allow_errors=False
        )

    @contextmanager
    def kernel(self, what: str) -> Iterator[Run]:
        """Start the kernel and stop it at the end; note how long all of it took."""
        began = time.perf_counter()
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        with self._client.setup_kernel(env=env, cleanup_kc=True):
            yield self
        seconds = time.perf_counter() - began
        cells = f"; {', '.join(self._cells)}" if what == "untouched" else ""
        TIMES.append(f"{seconds:5.1f} s  {self.path.stem}, {what}, kernel and all{cells}")

    @property
    def exercises(self) -> dict[str, Exercise]:
        return exercises_in(exercise_module(self.notebook))

    def all_cells(self, times: int = 1) -> None:
        """Run every code cell, as Run All does; raises CellExecutionError for any error.

        `times` lets each be run that often before the next; but a lab is started once.
        """
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code":
                began = time.perf_counter()
                for _ in range(1 if "labsim.start(" in cell.source else times):
                    self._client.execute_cell(cell, index)
                seconds = time.perf_counter() - began
                self._cells.append(f"{cell.id} {seconds:.2f}")
                if seconds > SLOW:
                    TIMES.append(f"{seconds:5.1f} s  {self.path.stem}, SLOW CELL {cell.id}")

    def answer(self, name: str, answer: Any) -> None:
        """Put an answer into the cell of an exercise, in place of what the cell holds."""
        cell = self.cell(name)
        called = cell.source[cell.source.index("ex.") :]
        bound = called.partition(".check(")[2].rstrip(")\n")
        cell.source = f"{self.exercises[name].source(answer, bound)}\n{called}"

    def cell(self, name: str) -> Any:
        """Return the cell of an exercise."""
        return next(cell for cell in self.notebook.cells if tag(cell) == f"ex:{name}")

    def run_cell(self, name: str) -> None:
        """Run the cell of an exercise once more, in the same kernel."""
        cell = self.cell(name)
        self._client.execute_cell(cell, self.notebook.cells.index(cell))

    def said(self) -> list[dict[str, Any]]:
        """Return what checks have said since this was last asked."""
        if not self._progress.exists():  # a notebook without exercises
            return []
        lines = self._progress.read_text(encoding="utf-8").splitlines()
        self._progress.write_text("", encoding="utf-8")
        return [json.loads(line) for line in lines]

    def shown(self) -> str:
        """Return all that the cells' outputs say as text, without what other forms they have."""
        outputs = [o for c in self.notebook.cells if c.cell_type == "code" for o in c.outputs]
        return "\n".join(
            str(output.get("text") or output.get("data", {}).get("text/plain", ""))
            for output in outputs
        )


def tag(cell: Any) -> str:
    """Return the tag that names a cell's exercise; empty if it has none."""
    tags = cell.metadata.get("tags", [])
    return next((each for each in tags if each.startswith("ex:")), "")


def exercise_module(notebook: Any) -> ModuleType:
    """Return the module of exercises that a notebook imports; of several, the one named `ex`."""
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = re.search(r"from labsim\.exercises import (?:.*, )?(\w+) as ex\b", source)
    named = found or re.search(r"from labsim\.exercises import (\w+)", source)
    assert named, "no exercises are imported"
    return import_module(f"labsim.exercises.{named[1]}")


def exercises_in(module: ModuleType) -> dict[str, Exercise]:
    """Return a module's exercises by their names in it."""
    return {name: each for name, each in vars(module).items() if isinstance(each, Exercise)}
