"""What a notebook does to a whole lab: interrupt, restart, crash, start twice, leave it open."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import labsim
from labsim.errors import LabError
from tests.kernel import Kernel

# With the interceptor, which has a parent of its own, with a signer and with a foothold.
START = """
import json, os, labsim
lab = labsim.start(quiet=True)
lab.bind("storefront", "dpop", custody="signer")
lab.attacker.steal("storefront", by="container_code")
haul = lab.attacker.steal("ops-console", by="wiretap")
print(json.dumps({"folder": str(lab.run_folder), "kernel": os.getpid()}))
"""
LONG = """
print("begun")
while True:
    lab.work_rows("storefront")
    lab.attacker.replay(haul)
"""
# Longer than a busy machine takes from one thing that is done to the next.
IDLE_SECONDS = 3.0
SERVED = "print(lab.work_rows('storefront')[0]['outcome'])"

Watch = Callable[[list[int]], Any]


@pytest.fixture
def kernel(runs: Path) -> Iterator[Kernel]:
    """Start a kernel."""
    kernel = Kernel()
    yield kernel
    kernel.end()


def started(kernel: Kernel) -> dict[str, Any]:
    """Start a lab in a kernel; return its run folder, the kernel's pid and those of the lab."""
    said = kernel.run(START)
    assert said.startswith("{"), said
    told: dict[str, Any] = json.loads(said)
    below = psutil.Process(told["kernel"]).children(recursive=True)
    # Two parents, seven resource servers, seven clients, the authorization server, the attacker,
    # the signer and the interceptor.
    assert len(below) == 20
    return told | {"pids": [process.pid for process in below]}


def test_an_interrupted_lab_lives_on(kernel: Kernel, watch: Watch, runs: Path) -> None:
    watched = watch(started(kernel)["pids"])

    def interrupt(text: str) -> None:
        if "begun" in text:
            kernel.manager.interrupt_kernel()

    for _ in range(5):
        assert "KeyboardInterrupt" in kernel.run(LONG, interrupt)
        assert kernel.run(SERVED) == "served\n"
        assert "served" in kernel.run("print(lab.attacker.replay(haul).outcome.to_list())")
    assert watched.all_alive()
    kernel.manager.shutdown_kernel()
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("now", [False, True], ids=["asked", "killed"])
def test_a_restart_leaves_nothing_and_the_first_cell_works_again(
    kernel: Kernel, watch: Watch, runs: Path, now: bool
) -> None:
    watched = watch(started(kernel)["pids"])
    kernel.manager.restart_kernel(now=now)
    assert watched.all_gone()
    assert list(runs.iterdir()) == []
    kernel.wait()
    second = started(kernel)
    assert kernel.run(SERVED) == "served\n"
    assert list(runs.iterdir()) == [Path(second["folder"])]


@pytest.mark.parametrize("ending", ["SIGKILL", "os._exit"])
def test_a_crash_leaves_nothing(kernel: Kernel, watch: Watch, runs: Path, ending: str) -> None:
    told = started(kernel)
    watched = watch(told["pids"])
    if ending == "SIGKILL":
        os.kill(told["kernel"], signal.SIGKILL)
    else:
        kernel.client.execute("os._exit(1)")
    assert watched.all_gone()
    assert list(runs.iterdir()) == []


def test_the_first_cell_run_twice_says_what_to_do(kernel: Kernel, runs: Path) -> None:
    folder = started(kernel)["folder"]
    said = kernel.run("lab = labsim.start()")
    assert said.startswith("LabError: A lab already runs in this Python process")
    assert "reset()" in said
    assert kernel.run(SERVED) == "served\n"
    assert list(runs.iterdir()) == [Path(folder)]
    assert kernel.run("lab.stop()") == ""
    assert list(runs.iterdir()) == []
    started(kernel)


def test_an_idle_lab_stops_itself_and_says_so(runs: Path, watch: Watch) -> None:
    with labsim.start(quiet=True) as lab:
        lab.estate.interceptor()  # what it imports, once for all, may take longer than the rest
    with labsim.start(quiet=True, idle_minutes=IDLE_SECONDS / 60) as lab:
        lab.estate.interceptor()
        estate = [lab.estate.process(name) for name in (*lab.plan.clients, "crm", "interceptor")]
        assert watch([process.pid for process in estate]).all_gone()
        # The last of them ended before the folder was removed; the parent's answer comes after.
        with pytest.raises(LabError, match="The lab stopped itself: unused"):
            lab.work("storefront")
        assert list(runs.iterdir()) == []
        assert not lab.runs
        lab.reset()
        assert lab.work_rows("storefront")[0]["outcome"] == "served"


def test_a_lab_that_is_used_does_not_stop_itself(runs: Path) -> None:
    with labsim.start(quiet=True, idle_minutes=IDLE_SECONDS / 60) as lab:
        begun = lab.now
        while lab.now - begun < 1.5 * IDLE_SECONDS:
            assert lab.work_rows("storefront")[0]["outcome"] == "served"
