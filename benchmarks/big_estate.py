"""What an estate of 40 resource servers and 200 clients takes to start, and how much memory."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

import labsim
from benchmarks._estates import write
from benchmarks._measuring import cpu_seconds, figure, fresh_json, mebibytes, parent_of
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.lab import Lab

TITLE = "An estate of 40 resource servers and 200 clients"
SERVERS, CLIENTS, IN_USE = 40, 200, 20
BOOT, MEMORY = 3.0, 1024.0

CODE = """
import json, time
import labsim

def started():
    began = time.perf_counter()
    lab = labsim.start({file}, quiet=True)
    took = time.perf_counter() - began
    lab.stop()
    return took

print(json.dumps([started() for _ in range(3)]))
"""


def measure(quick: bool) -> list[Figure]:
    """Start it in fresh interpreters, and again beside the lab's own; use more and more of it."""
    times = 2 if quick else 5
    with TemporaryDirectory() as folder:
        file = write(Path(folder), SERVERS, CLIENTS)
        code = CODE.format(file=json.dumps(str(file)))
        runs = [fresh_json(code) for _ in range(times)]
        return [
            figure("start, in a new interpreter", [run[0] for run in runs], "s", target=BOOT),
            figure("start, again", [took for run in runs for took in run[1:]], "s", target=BOOT),
            _start_of(file, times),
            *_memory(file),
        ]


def _start_of(file: Path, times: int) -> Figure:
    """Compare the CPU time of a start with that of the lab's own estate, in turn."""
    with labsim.start(quiet=True) as lab:  # the first start of all has the imports in it
        parent = parent_of(lab, "attacker")
    pairs = [(_cpu_of_start(file, parent), _cpu_of_start(None, parent)) for _ in range(times)]
    ratio = statistics.median(big / own for big, own in pairs)
    what, against = "CPU time of a start, all processes", "the lab's own estate"
    return figure(what, [big for big, _ in pairs], "s", against=against, ratio=ratio)


def _cpu_of_start(file: Path | None, parent: psutil.Process) -> float:
    began = time.process_time() + cpu_seconds(parent.pid)
    with labsim.start(file, quiet=True):
        now = time.process_time() + cpu_seconds(parent.pid)
        children = parent.children(recursive=True)
        return now - began + sum(cpu_seconds(child.pid) for child in children)


def _memory(file: Path) -> list[Figure]:
    found = []
    with labsim.start(file, quiet=True) as lab:
        estate = parent_of(lab, "attacker")
        clients = list(lab.plan.clients)
        for what, used in (
            ("memory (PSS), just started", []),
            (f"memory (PSS), {IN_USE} clients in use", clients[:IN_USE]),
            ("memory (PSS), every client in use", clients),
        ):
            _work(lab, used)
            found.append(Figure(what=what, value=mebibytes(estate), unit="MiB", target=MEMORY))
    return found


def _work(lab: Lab, clients: Iterable[str]) -> None:
    for client in clients:
        refused = [row for row in lab.work_rows(client) if row["outcome"] != "served"]
        if refused:
            raise LabError(f"{client} was not served: {refused[0]['why']}", "Nothing was measured.")
