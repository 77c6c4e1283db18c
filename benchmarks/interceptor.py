"""How soon the interceptor listens."""

from __future__ import annotations

import labsim
from benchmarks._measuring import figure, seconds
from labsim.commands.bench import Figure
from labsim.estate import parents
from labsim.estate.processes import Preloaded

TITLE = "The interceptor, from fork to ready"
READY = 0.1


def measure(quick: bool) -> list[Figure]:
    """Import mitmproxy in fresh parents, then fork the interceptor from one that has it."""
    times = 2 if quick else 5
    ready = []
    with labsim.start(quiet=True) as lab:
        for _ in range(2 * times):
            # An answer from its parent: mitmproxy is imported by then.
            parents.FIRST.tapping.run("os:getpid")
            ready.append(seconds(lab.estate.interceptor))
            lab.reset()
    preload = [seconds(_preload) for _ in range(times)]
    return [
        figure("from fork to ready, once preloaded", ready, "s", target=READY),
        figure("the preload, which start() does not wait for", preload, "s"),
    ]


def _preload() -> None:
    parent = Preloaded("bench", parents.FIRST.tapping.modules)
    try:
        parent.run("os:getpid")
    finally:
        parent.close()
