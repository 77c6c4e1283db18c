"""Where the kernels of these tests write, and what they took."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.fresh_kernel import TIMES


@pytest.fixture
def progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let kernels write their progress here, and find this environment's own kernel."""
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("LABSIM_PROGRESS", str(file))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    return file


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seconds of each notebook and cell, so that a slow one is seen and mended."""
    if TIMES:
        terminalreporter.section("seconds per notebook; of those untouched, per cell")
        for line in sorted(TIMES, reverse=True):
            terminalreporter.write_line(line)
