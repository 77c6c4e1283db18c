"""An owner ends, in every way there is, and nothing of its lab stays."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

Watch = Callable[[list[int]], Any]
Start = Callable[..., "Owner"]


class Owner:
    """An owner that has started its lab and waits to be ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: dict[str, Any] = self.line()
        self.folder = Path(self.told["folder"])
        self.pids: list[int] = self.told["pids"]

    def line(self) -> Any:
        """Return the next thing it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the owner could not start"
        return json.loads(line)

    def go_on(self) -> tuple[str, str]:
        """Let it go on to its end, and return what it said and complained about."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        # Not `communicate`, which would not see what a readline has taken from the pipe already.
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write("\n")
        said, complaints = process.stdout.read(), process.stderr.read()
        process.wait()
        return said, complaints


@pytest.fixture
def start(runs: Path) -> Iterator[Start]:
    """Start owners by their mode; each leads a process group, as a kernel and a command do."""
    started: list[subprocess.Popen[str]] = []

    def begin(*mode: str, warnings: str = "error") -> Owner:
        process = subprocess.Popen(
            [sys.executable, "-W", warnings, str(HERE / "process_owner.py"), *mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return Owner(process)

    yield begin
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("mode", "status", "complaint"),
    [("leave", 0, ""), ("os_exit", 0, ""), ("fail", 1, "the owner failed")],
)
def test_an_owner_ends_by_itself(
    start: Start, watch: Watch, runs: Path, mode: str, status: int, complaint: str
) -> None:
    owner = start(mode)
    assert list(runs.iterdir()) == [owner.folder]
    watched = watch(owner.pids)
    assert watched.all_alive()
    _, complaints = owner.go_on()
    assert owner.process.returncode == status
    assert complaint in complaints
    assert bool(complaint) == bool(complaints)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("mode", ["leave", "in_a_call"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT])
def test_an_owner_is_killed(
    start: Start, watch: Watch, runs: Path, mode: str, number: signal.Signals
) -> None:
    owner = start(mode)
    watched = watch(owner.pids)
    owner.process.send_signal(number)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []
    assert owner.process.wait() == -number


@pytest.mark.parametrize("mode", ["leave", "in_a_call"])
def test_ctrl_c_ends_everything(start: Start, watch: Watch, runs: Path, mode: str) -> None:
    owner = start(mode)
    watched = watch(owner.pids)
    os.killpg(owner.process.pid, signal.SIGINT)  # as the terminal does
    _, complaints = owner.process.communicate()
    assert owner.process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in complaints
    assert watched.all_gone(0)
    assert list(runs.iterdir()) == []


def test_a_thread_that_started_the_lab_may_end(start: Start, watch: Watch, runs: Path) -> None:
    owner = start("in_a_thread")
    watched = watch(owner.pids)
    assert owner.line() == "all there"
    assert watched.all_alive()
    owner.process.kill()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("mode", ["importing", "running"])
@pytest.mark.parametrize("ending", ["SIGKILL", "end"])
def test_a_parent_that_is_busy_dies_with_its_owner(
    start: Start, watch: Watch, runs: Path, told: Path, mode: str, ending: str
) -> None:
    owner = start(mode, str(told))
    watched = watch(owner.pids)
    assert told.read_text() == "blocking\n"
    if ending == "end":
        owner.go_on()
    owner.process.kill()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("first", ["nobody", "host", "guest"])
@pytest.mark.parametrize("ending", ["SIGKILL", "os._exit", "end"])
def test_two_parents_with_busy_children(
    start: Start, watch: Watch, runs: Path, first: str, ending: str
) -> None:
    owner = start("two_parents", ending)
    watched = watch(owner.pids)
    if first != "nobody":
        os.kill(owner.told[first], signal.SIGKILL)
    if ending == "SIGKILL":
        owner.process.kill()
    else:
        owner.go_on()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


def test_a_process_that_the_owner_forked_keeps_nothing_alive(
    start: Start, watch: Watch, runs: Path
) -> None:
    owner = start("with_a_fork")
    fork = owner.line()["fork"]
    lab, forked = watch(owner.pids), watch([fork])
    assert lab.all_alive()
    owner.process.kill()
    assert lab.all_gone()
    assert list(runs.iterdir()) == []
    assert forked.all_alive()
    os.kill(fork, signal.SIGKILL)


# Python prints an interrupt that hits a finalizer and cannot raise it there; the lab goes on.
IN_A_FINALIZER = re.compile(
    r"Exception ignored in: .*\nTraceback .*\n(?:  .*\n)*KeyboardInterrupt: ?\n"
)


@pytest.mark.parametrize("mode", ["forks_that_end", "interrupted", "stormy_calls", "stormy_runs"])
def test_an_owner_goes_on(start: Start, runs: Path, mode: str) -> None:
    """Forks that end are no end of the lab; nor are interrupts, wherever they hit."""
    # An interrupt between the making of a socket and its use leaves it to the collector.
    owner = start(mode, warnings="ignore" if mode == "stormy_runs" else "error")
    said, complaints = owner.go_on()
    assert said.startswith("all right"), complaints
    assert IN_A_FINALIZER.sub("", complaints) == ""
    assert list(runs.iterdir()) == []
