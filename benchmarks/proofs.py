"""What it costs to verify one proof, beside one raw signature check."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks._clients import ALGORITHMS, BINDINGS, Case, presented, signs_requests
from benchmarks._measuring import MICRO, RawVerify, figure, seconds
from labsim.binding import Binding
from labsim.commands.bench import Figure

TITLE = "One proof, parsed and verified, without the replay memory"
CHUNK = 20
RAW, SEEN, FIRST_SIGHT = "raw", "key seen before", "key at first sight"
TARGETS = {
    ("dpop", "ES256", SEEN): 1.3,
    ("dpop", "ES256", FIRST_SIGHT): 1.8,
    ("http_signature", "ES256", SEEN): 1.3,
}


def measure(quick: bool) -> list[Figure]:
    """Compare, for every binding that signs requests, with `cryptography`'s own verify."""
    rounds = 15 if quick else 100
    figures = []
    for binding in BINDINGS.values():
        if signs_requests(binding):
            for algorithm in ALGORITHMS:
                figures += _figures(binding, algorithm, rounds)
    return figures


def _figures(binding: Binding, algorithm: str, rounds: int) -> list[Figure]:
    name, count = binding.name, rounds * CHUNK
    # Made elsewhere, so that every key is new here.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        known = elsewhere.submit(presented, name, algorithm, 1, count + CHUNK).result()
        fresh = elsewhere.submit(presented, name, algorithm, count, 1).result()
    _verify(binding, known[count:])  # the key is seen here
    raw = RawVerify(algorithm, count)
    work: dict[str, Callable[[int], None]] = {
        RAW: lambda _at: raw(CHUNK),
        SEEN: lambda at: _verify(binding, known[at : at + CHUNK]),
        FIRST_SIGHT: lambda at: _verify(binding, fresh[at : at + CHUNK]),
    }
    took: dict[str, list[float]] = {what: [] for what in work}
    gc.collect()
    gc.freeze()  # the thousands of requests made ahead are not a server's own garbage
    try:
        for at in range(0, count, CHUNK):
            for what, do in work.items():
                took[what].append(seconds(partial(do, at)))
    finally:
        gc.unfreeze()
    return _compared(name, algorithm, took)


def _verify(binding: Binding, cases: list[Case]) -> None:
    for case in cases:
        binding.verify(binding.parse(case.request), case.evidence)


def _compared(name: str, algorithm: str, took: dict[str, list[float]]) -> list[Figure]:
    each = {what: [MICRO * t / CHUNK for t in times] for what, times in took.items()}
    raw = f"raw {algorithm} verify"
    figures = [figure(f"{name}: {raw}", each[RAW], "µs")]
    for what in (SEEN, FIRST_SIGHT):
        # Round by round: what disturbs one disturbs the other, and is divided out.
        ratio = statistics.median(a / b for a, b in zip(each[what], each[RAW], strict=True))
        target = TARGETS.get((name, algorithm, what))
        title = f"{name}: {algorithm}, {what}"
        figures.append(figure(title, each[what], "µs", against=raw, ratio=ratio, target=target))
    return figures
