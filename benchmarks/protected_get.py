"""What a protected GET costs a live resource server: no auth, and every binding, in one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import labsim
from benchmarks._clients import ALGORITHMS, BINDINGS, REGISTRATION, Client, signs_requests
from benchmarks._measuring import MICRO, RawVerify, cpu_seconds, figure
from labsim.commands._checkout import ROOT
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.http_message import Request
from labsim.lab import Lab
from labsim.roles.resource_server import METADATA_PATH

TITLE = "A GET at a live resource server, on kept connections"
RESOURCE = "orders"
NO_AUTH, BEARER = "no auth", "bearer"
BATCH, WARM_UP = 200, 50
RAW = "raw ES256 verify"
ADDED_RAW_VERIFIES = {"dpop, ES256": 3.0}
"""CPU over bearer's, as raw verifies, at most."""
SHARE = {"mtls, ES256": 1.1}
"""CPU as a multiple of bearer's, at most."""
CONNECTIONS = (1, 4)
"""One request at a time shows what a request costs; four show what threads cost each other."""


@dataclass(frozen=True)
class Kind:
    """Make requests of one kind; `certificate_file` is what connections show, empty for nothing."""

    made: Callable[[int], list[bytes]]
    certificate_file: str = ""


type Ask = Callable[[str, int, Kind, int], float]


@dataclass
class Samples:
    """Hold what was measured of one kind of request, a value for each round."""

    per_second: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # microseconds of the server, each request


def measure(quick: bool) -> list[Figure]:
    """Send batches of each kind in turn, and divide the server's CPU time by their number."""
    rounds = 4 if quick else 20
    raw, verify = [], RawVerify()
    with labsim.start(quiet=True, clients=[REGISTRATION]) as lab, client(lab) as ask:
        kinds = kinds_of(lab)
        samples = {width: {kind: Samples() for kind in kinds} for width in CONNECTIONS}
        for width, kind in product(CONNECTIONS, kinds):
            ask(kind, width, kinds[kind], WARM_UP)
        server = lab.estate.process(RESOURCE).pid
        for _ in range(rounds):
            began = time.process_time()
            verify(BATCH)
            raw.append(MICRO * (time.process_time() - began) / BATCH)
            for width, kind in product(CONNECTIONS, kinds):
                before = cpu_seconds(server)
                samples[width][kind].per_second.append(BATCH / ask(kind, width, kinds[kind], BATCH))
                samples[width][kind].cpu.append(MICRO * (cpu_seconds(server) - before) / BATCH)
    figures = [figure(RAW, raw, "µs CPU")]
    for width in CONNECTIONS:
        figures += _figures(f"{width} at a time", samples[width], raw)
    return figures


def kinds_of(lab: Lab) -> dict[str, Kind]:
    """Return every kind of request, in the order of the table."""
    url = f"{lab.estate.urls[RESOURCE]}/records/{RESOURCE}-0001"
    open_to_all = Request("GET", lab.estate.urls[RESOURCE] + METADATA_PATH).wire()
    kinds = {NO_AUTH: Kind(lambda count: [open_to_all] * count)}
    for name, binding in BINDINGS.items():
        for algorithm in ALGORITHMS if signs_requests(binding) else ALGORITHMS[:1]:
            kind = f"{name}, {algorithm}" if binding.confirmation else name
            holder = Client(lab, name, algorithm, RESOURCE)
            kinds[kind] = Kind(partial(holder.requests, url), holder.certificate_file)
    return kinds


@contextmanager
def client(lab: Lab, *, keep: bool = True) -> Iterator[Ask]:
    """Start the client process; give what lets it send a batch and returns the seconds it took.

    Connections are kept, or each request has a new one.
    """
    port = urlsplit(lab.estate.urls[RESOURCE]).port
    command = [sys.executable, "-m", "benchmarks._load"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        write, read = process.stdin, process.stdout

        def ask(name: str, connections: int, kind: Kind, count: int) -> float:
            texts = [request.decode("latin-1") for request in kind.made(count)]
            asked = {"kind": name, "connections": connections, "port": port, "requests": texts}
            asked |= {"ca_file": str(lab.estate.ca_file), "keep": keep}
            asked |= {"certificate_file": kind.certificate_file}
            write.write(json.dumps(asked) + "\n")
            write.flush()
            answer: dict[str, Any] = json.loads(read.readline() or '{"error": "it has ended"}')
            if "error" in answer:
                raise LabError(f"A request with {name} was not served: {answer['error']}")
            return float(answer["seconds"])

        yield ask


def _figures(where: str, samples: dict[str, Samples], raw: list[float]) -> list[Figure]:
    bearer, figures = samples[BEARER].cpu, []
    for kind, each in samples.items():
        rate = statistics.median(each.per_second)
        figures.append(Figure(what=f"{where}, {kind}: requests", value=rate, unit="per second"))
        figures.append(_against(f"{where}, {kind}: server", each.cpu, raw, RAW, None))
    for kind, each in samples.items():
        if kind in (NO_AUTH, BEARER):
            continue
        added = [a - b for a, b in zip(each.cpu, bearer, strict=True)]
        most = ADDED_RAW_VERIFIES.get(kind)
        figures.append(_against(f"{where}, {kind}: over bearer", added, raw, RAW, most))
        if kind in SHARE:
            what = f"{where}, {kind}: beside bearer"
            figures.append(_against(what, each.cpu, bearer, BEARER, SHARE[kind]))
    return figures


def _against(
    what: str, cpu: list[float], base: list[float], against: str, target: float | None
) -> Figure:
    """Compare round by round: what disturbs one disturbs the other, and is divided out."""
    ratio = statistics.median(a / b for a, b in zip(cpu, base, strict=True))
    return figure(what, cpu, "µs CPU", against=against, ratio=ratio, target=target)
