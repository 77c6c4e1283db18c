"""A real Jupyter kernel owns a lab, and is interrupted, restarted and killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel import Kernel

HERE = Path(__file__).parent

START = f"""
import sys; sys.path[:0] = {[str(HERE), str(Path.cwd())]!r}
import json, os
from labsim.estate.processes import Preloaded, listening_socket
lab = Preloaded("estate", ["process_entries"])
folder = lab.open_run_folder()
names = ["crm", "vault", "attacker"]
crm, *others = [lab.fork(n, "process_entries:serve", {{}}, [listening_socket()]) for n in names]
for child in (crm, *others):
    child.wait_ready()
pids = [lab.run("os:getpid"), *(child.pid for child in (crm, *others))]
print(json.dumps({{"pids": pids, "folder": str(folder), "kernel": os.getpid()}}))
"""
LONG = """
def begun(number):
    if number == 0:
        print("begun")
crm.call("steps", count=10**9, progress=begun)
"""

Watch = Callable[[list[int]], Any]


def start(kernel: Kernel) -> dict[str, Any]:
    """Start a lab in it."""
    said = kernel.run(START)
    assert said.startswith("{"), said
    told: dict[str, Any] = json.loads(said)
    return told


@pytest.fixture
def kernel(runs: Path) -> Iterator[Kernel]:
    """Start a kernel."""
    kernel = Kernel()
    yield kernel
    kernel.end()


def test_an_interrupt_leaves_the_lab_as_it_was(kernel: Kernel, watch: Watch, runs: Path) -> None:
    watched = watch(start(kernel)["pids"])

    def interrupt(text: str) -> None:
        if "begun" in text:
            kernel.manager.interrupt_kernel()

    for turn in range(3):
        assert "KeyboardInterrupt" in kernel.run(LONG, interrupt)
        assert kernel.run(f"print(crm.call('echo', value={turn}))") == f"{turn}\n"
    assert watched.all_alive()
    kernel.manager.shutdown_kernel()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("now", [False, True])
def test_a_restart_leaves_nothing_and_a_new_lab_can_start(
    kernel: Kernel, watch: Watch, runs: Path, now: bool
) -> None:
    first = start(kernel)
    watched = watch(first["pids"])
    kernel.manager.restart_kernel(now=now)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []
    kernel.wait()
    second = start(kernel)
    assert list(runs.iterdir()) == [Path(second["folder"])]
    watched = watch(second["pids"])
    kernel.manager.shutdown_kernel(now=now)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("ending", ["SIGKILL", "os._exit"])
def test_a_kernel_that_crashes_leaves_nothing(
    kernel: Kernel, watch: Watch, runs: Path, ending: str
) -> None:
    told = start(kernel)
    watched = watch(told["pids"])
    if ending == "SIGKILL":
        os.kill(told["kernel"], signal.SIGKILL)
    else:
        kernel.client.execute("os._exit(1)")
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


def test_two_starts_in_one_kernel_and_a_variable_that_is_bound_anew(
    kernel: Kernel, watch: Watch, runs: Path
) -> None:
    first = watch(start(kernel)["pids"])
    second = start(kernel)
    kernel.run("import gc; gc.collect()")
    assert first.all_gone()
    assert list(runs.iterdir()) == [Path(second["folder"])]
