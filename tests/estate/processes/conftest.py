"""Owners, children and the wait for their end: all real processes."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from labsim.estate.processes import Child, Preloaded

HERE = Path(__file__).parent

PATIENCE = 60.0  # Only a broken test waits this long.


class Watch:
    """Hold on to processes while they live, so that a pid used again cannot mislead."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        linux = sys.platform == "linux"
        self._fds = [os.pidfd_open(p.pid) for p in self._processes] if linux else []

    def close(self) -> None:
        """Let go of them."""
        for fd in self._fds:
            os.close(fd)

    def all_gone(self, seconds: float = PATIENCE) -> bool:
        """Wait until all have ended; a zombie that nobody has reaped has ended."""
        if not self._fds:
            return not psutil.wait_procs(self._processes, seconds)[1]
        for fd in self._fds:
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            if not poller.poll(seconds * 1000):
                return False
        return True

    def all_alive(self) -> bool:
        """Tell whether none has ended."""
        return all(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in self._processes)


@pytest.fixture
def watch() -> Iterator[Callable[[Iterable[int]], Watch]]:
    """Watch processes until the test is over."""
    watches: list[Watch] = []

    def begin(pids: Iterable[int]) -> Watch:
        watches.append(Watch(pids))
        return watches[-1]

    yield begin
    for each in watches:
        each.close()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder in which run folders are made; what it holds must be gone in the end."""
    monkeypatch.syspath_prepend(HERE)
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def lab(runs: Path) -> Iterator[Preloaded]:
    """Give a parent that has not begun, and see that nothing of it stays."""
    parent = Preloaded("estate", ["process_entries"])
    yield parent
    parent.close()
    assert not parent.alive
    assert list(runs.iterdir()) == []


@pytest.fixture
def crm(lab: Preloaded) -> Child:
    """Give a child that may not be ready yet."""
    lab.open_run_folder()
    return lab.fork("crm", "process_entries:serve", {"color": "blue"})


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A pipe in which a process says that it blocks; reading it waits for that."""
    pipe = tmp_path / "told"
    os.mkfifo(pipe)
    return pipe
