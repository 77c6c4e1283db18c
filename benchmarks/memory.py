"""How much memory the estate takes."""

from __future__ import annotations

import labsim
from benchmarks._measuring import mebibytes, parent_of
from labsim.commands.bench import Figure

TITLE = "Memory of the estate, shared pages counted once (PSS)"
ESTATE = 150.0


def measure(quick: bool) -> list[Figure]:
    """Add up the preloaded parent and all its children: at rest, at work, with the interceptor."""
    with labsim.start(quiet=True) as lab:
        estate = parent_of(lab, "attacker")
        at_rest = mebibytes(estate)
        for _ in range(2 if quick else 20):
            for client in lab.plan.clients:
                lab.work_rows(client)
        at_work = mebibytes(estate)
        lab.estate.interceptor()
        interceptor = mebibytes(parent_of(lab, "interceptor"))
    return [
        Figure(what="the estate, just started", value=at_rest, unit="MiB", target=ESTATE),
        Figure(what="the estate, each server in use", value=at_work, unit="MiB", target=ESTATE),
        Figure(what="the interceptor and its parent", value=interceptor, unit="MiB"),
    ]
