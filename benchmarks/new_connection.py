"""What a new connection costs a live resource server, with and without a client's certificate."""

from __future__ import annotations

import statistics
import time

import labsim
from benchmarks._clients import BINDINGS, REGISTRATION
from benchmarks._measuring import MICRO, RawVerify, cpu_seconds, figure
from benchmarks.protected_get import BEARER, NO_AUTH, RAW, RESOURCE, client, kinds_of
from labsim.commands.bench import Figure

TITLE = "A GET at a live resource server, each on a connection of its own"
BATCH = 40


def measure(quick: bool) -> list[Figure]:
    """Send batches in turn, a handshake for each request, and divide the server's CPU time."""
    rounds = 3 if quick else 15
    raw, verify = [], RawVerify()
    mutual = [name for name, binding in BINDINGS.items() if binding.asks_client_certificate]
    with labsim.start(quiet=True, clients=[REGISTRATION]) as lab, client(lab, keep=False) as ask:
        kinds = {
            name: kind
            for name, kind in kinds_of(lab).items()
            if name in (NO_AUTH, BEARER) or name.partition(",")[0] in mutual
        }
        cpu: dict[str, list[float]] = {name: [] for name in kinds}
        server = lab.estate.process(RESOURCE).pid
        for name, kind in kinds.items():
            ask(name, 1, kind, BATCH)
        for _ in range(rounds):
            began = time.process_time()
            verify(BATCH)
            raw.append(MICRO * (time.process_time() - began) / BATCH)
            for name, kind in kinds.items():
                before = cpu_seconds(server)
                ask(name, 1, kind, BATCH)
                cpu[name].append(MICRO * (cpu_seconds(server) - before) / BATCH)
    return [_against(f"{name}: server", each, raw) for name, each in cpu.items()]


def _against(what: str, cpu: list[float], raw: list[float]) -> Figure:
    ratio = statistics.median(a / b for a, b in zip(cpu, raw, strict=True))
    return figure(what, cpu, "µs CPU", against=RAW, ratio=ratio, target=None)
