"""What learners do to a notebook: out of order, interrupted and run again, all of them left open."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
import pytest

from labsim.commands._checkout import ROOT
from tests.kernel import Kernel
from tests.notebooks.fresh_kernel import CLAIMS, NOTEBOOKS, named

every_claim = pytest.mark.parametrize("path", CLAIMS, ids=named)
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
CLEAR = ("", "NameError", "LabError")
"""How a cell may end that was run too early: well, or with a message that says what is missing."""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which labs make their run folders; nothing must be left in it."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    # The last notebook writes a page into the folder that it runs in.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return folder


@contextmanager
def opened() -> Iterator[Kernel]:
    """Open a notebook's kernel; when it is closed, none of its processes may be left."""
    kernel = Kernel()
    try:
        yield kernel
        pid = int(kernel.run("import os; print(os.getpid())"))
        below = psutil.Process(pid).children(recursive=True)
    finally:
        kernel.end()
    assert psutil.wait_procs(below, timeout=60)[1] == []


def sources(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


INTERRUPT = """
import os, signal
from labsim.estate.processes import Child
_call, _when = Child.call, []

def _interrupted(self, *given, **named):
    when = _when.pop() if _when else ""
    if when == "before":
        os.killpg(os.getpgrp(), signal.SIGINT)
    answer = _call(self, *given, **named)
    if when == "after":
        os.killpg(os.getpgrp(), signal.SIGINT)
    return answer

Child.call = _interrupted
"""
"""Interrupts the whole group of processes, as Jupyter does, where a cell first asks one of them.

An interrupt from outside would as often come when a short cell is over; that tests the kernel.
"""


@every_notebook
def test_out_of_order_every_cell_ends_with_a_result_or_a_clear_message(
    path: Path, progress: Path, runs: Path
) -> None:
    first, *rest = sources(path)
    with opened() as kernel:
        kernel.run(first)
        assert kernel.ended_with == ""
        for source in reversed(rest[:-1]):
            kernel.run(source)
            assert kernel.ended_with in CLEAR, source
        kernel.run(first)
        assert kernel.ended_with in CLEAR
        kernel.run(rest[-1])
        assert kernel.ended_with in CLEAR
        for source in (first, *rest):
            kernel.run(source)
            assert kernel.ended_with == "", source
    assert list(runs.glob("labsim-*")) == []


@every_claim
def test_each_cell_can_be_run_again_as_after_a_wrong_answer(
    path: Path, progress: Path, runs: Path
) -> None:
    first, *rest = sources(path)
    with opened() as kernel:
        kernel.run(first)
        for source in rest:
            for _ in range(2):
                kernel.run(source)
                assert kernel.ended_with == "", source
    assert list(runs.glob("labsim-*")) == []


@every_claim
def test_a_cell_that_was_interrupted_can_be_run_again(
    path: Path, progress: Path, runs: Path
) -> None:
    stopped = 0
    with opened() as kernel:
        kernel.run(INTERRUPT)
        for number, source in enumerate(sources(path)):
            # Before the process has done what it was asked, and after, when the answer is lost.
            kernel.run(f"_when.append({'before' if number % 2 else 'after'!r})")
            kernel.run(source)
            assert kernel.ended_with in ("", "KeyboardInterrupt"), source
            ended = kernel.ended_with
            kernel.run("_when.clear()")
            if ended:
                stopped += 1
                kernel.run(source)
                assert kernel.ended_with == "", source
    assert stopped
    assert list(runs.glob("labsim-*")) == []


def test_all_of_them_can_be_left_open_one_after_the_other(progress: Path, runs: Path) -> None:
    kernels = {path: Kernel() for path in CLAIMS}
    try:
        for path, kernel in kernels.items():
            for source in sources(path)[:-1]:
                kernel.run(source)
                assert kernel.ended_with == "", source
        assert len(list(runs.glob("labsim-*"))) == len(CLAIMS)
        for path, kernel in kernels.items():
            kernel.run(sources(path)[-1])  # stops the lab, and compares the run with the claim
            assert kernel.ended_with == "", path
        assert list(runs.glob("labsim-*")) == []
    finally:
        for kernel in kernels.values():
            kernel.end()
