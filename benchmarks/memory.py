"""How much memory the estate takes."""

from __future__ import annotations

import sys

import psutil

import labsim
from benchmarks._measuring import MIB
from labsim.commands.bench import Figure
from labsim.lab import Lab

TITLE = "Memory of the estate, shared pages counted once (PSS)"
ESTATE = 150.0


def measure(quick: bool) -> list[Figure]:
    """Add up the preloaded parent and all its children: at rest, at work, with the interceptor."""
    with labsim.start(quiet=True) as lab:
        estate = _parent(lab, "attacker")
        at_rest = _mebibytes(estate)
        for _ in range(2 if quick else 20):
            for client in lab.plan.clients:
                lab.work_rows(client)
        at_work = _mebibytes(estate)
        lab.estate.interceptor()
        interceptor = _mebibytes(_parent(lab, "interceptor"))
    return [
        Figure(what="the estate, just started", value=at_rest, unit="MiB", target=ESTATE),
        Figure(what="the estate, each server in use", value=at_work, unit="MiB", target=ESTATE),
        Figure(what="the interceptor and its parent", value=interceptor, unit="MiB"),
    ]


def _parent(lab: Lab, child: str) -> psutil.Process:
    parent = psutil.Process(lab.estate.process(child).pid).parent()
    assert parent is not None
    return parent


def _mebibytes(parent: psutil.Process) -> float:
    return sum(_bytes(each) for each in [parent, *parent.children(recursive=True)]) / MIB


def _bytes(process: psutil.Process) -> int:
    found = process.memory_full_info()
    # Only Linux shares the cost of a page out; elsewhere, what each process has to itself.
    return int(found.pss if sys.platform == "linux" else found.uss)
