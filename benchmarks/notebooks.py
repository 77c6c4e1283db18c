"""What a notebook costs its reader, and the three passes over all of them their test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._measuring import figure, fresh_python, seconds
from labsim import own_folder
from labsim.commands.bench import Figure
from tests.notebooks.fresh_kernel import NOTEBOOKS, Run

TITLE = "The notebooks: each of them untouched, kernel and all, and three passes over all"
ONE, ALL = 6.0, 180.0
PASSES = "untouched or reference or recorded"


def measure(quick: bool) -> list[Figure]:
    """Run each notebook in fresh kernels, then the tests of the three passes."""
    rounds = 1 if quick else 3
    figures = []
    for path in NOTEBOOKS:
        took = [seconds(lambda path=path: _untouched(path)) for _ in range(rounds)]
        figures.append(figure(path.stem, took, "s", target=ONE))
    tests = ("-m", "pytest", "-q", "tests/notebooks/test_passes.py", "-k", PASSES)
    passes = seconds(lambda: fresh_python(*tests))
    figures.append(Figure(what="three passes over all", value=passes, unit="s", target=ALL))
    return figures


def _untouched(path: Path) -> None:
    with _own_record() as record:
        run = Run(path, record)
        with run.kernel("measured"):
            run.all_cells()


@contextmanager
def _own_record() -> Iterator[Path]:
    """Let a kernel write its record into a folder that is gone afterwards."""
    there = os.environ.get(own_folder.VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "progress.jsonl"
        os.environ[own_folder.VARIABLE] = str(record)
        os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
        try:
            yield record
        finally:
            os.environ.pop(own_folder.VARIABLE)
            if there is not None:
                os.environ[own_folder.VARIABLE] = there
