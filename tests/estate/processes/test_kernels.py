"""A real Jupyter kernel owns a lab, and is interrupted, restarted and killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

HERE = Path(__file__).parent
PATIENCE = 60.0

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


class Kernel:
    """A kernel and a way to let it run code."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3", transport_encryption="auto")
        self.manager.start_kernel()
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.wait()

    def wait(self) -> None:
        """Wait until it can be talked to."""
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str, seen: Callable[[str], None] = lambda text: None) -> str:
        """Run a cell and return what it printed, or the error it ended with."""
        printed: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
                seen(content["text"])
            if message["msg_type"] == "error":
                printed.append(f"{content['ename']}: {content['evalue']}")

        self.client.execute_interactive(code, timeout=PATIENCE, output_hook=note)
        return "".join(printed)

    def start(self) -> dict[str, Any]:
        """Start a lab in it."""
        said = self.run(START)
        assert said.startswith("{"), said
        told: dict[str, Any] = json.loads(said)
        return told

    def end(self) -> None:
        """Leave nothing of it."""
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def kernel(runs: Path) -> Iterator[Kernel]:
    """Start a kernel."""
    kernel = Kernel()
    yield kernel
    kernel.end()


def test_an_interrupt_leaves_the_lab_as_it_was(kernel: Kernel, watch: Watch, runs: Path) -> None:
    watched = watch(kernel.start()["pids"])

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
    first = kernel.start()
    watched = watch(first["pids"])
    kernel.manager.restart_kernel(now=now)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []
    kernel.wait()
    second = kernel.start()
    assert list(runs.iterdir()) == [Path(second["folder"])]
    watched = watch(second["pids"])
    kernel.manager.shutdown_kernel(now=now)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("ending", ["SIGKILL", "os._exit"])
def test_a_kernel_that_crashes_leaves_nothing(
    kernel: Kernel, watch: Watch, runs: Path, ending: str
) -> None:
    told = kernel.start()
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
    first = watch(kernel.start()["pids"])
    second = kernel.start()
    kernel.run("import gc; gc.collect()")
    assert first.all_gone()
    assert list(runs.iterdir()) == [Path(second["folder"])]
