"""What remembering a spent proof costs, in time and in room."""

from __future__ import annotations

import secrets
import statistics
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._measuring import MIB, MICRO, RawVerify, figure, seconds
from labsim.binding import ReplayMemory
from labsim.commands.bench import Figure
from labsim.estate.replay_memory import InProcessReplayMemory, SqliteReplayMemory

TITLE = "The replay memory, filled"
ENTRIES, QUICK_ENTRIES = 100_000, 20_000
KEYS = 100
CHUNK = 500
PER_SECOND = 1000.0
"""Requests per lab second: the memory sweeps once in each."""
WINDOW = 2 * 60.0

MEMORIES: dict[str, Callable[[Path], ReplayMemory]] = {
    "in process": lambda _folder: InProcessReplayMemory(),
    "SQLite": lambda folder: SqliteReplayMemory(folder / "memory.sqlite"),
}


def measure(quick: bool) -> list[Figure]:
    """Fill each kind of memory, then compare the last tenth's inserts with a signature check."""
    entries = QUICK_ENTRIES if quick else ENTRIES
    figures = []
    for name, make in MEMORIES.items():
        with TemporaryDirectory() as folder:
            figures += _figures(name, make, Path(folder), entries)
    return figures


def _figures(
    name: str, make: Callable[[Path], ReplayMemory], folder: Path, entries: int
) -> list[Figure]:
    (folder / "timed").mkdir()
    (folder / "weighed").mkdir()
    memory, raw = make(folder / "timed"), RawVerify()
    keys = [secrets.token_urlsafe(32) for _ in range(KEYS)]
    took, base = [], []
    for start in range(0, entries, CHUNK):
        ids = [secrets.token_urlsafe(16) for _ in range(CHUNK)]
        inserting = seconds(partial(_insert, memory, keys, ids, start))
        took.append(MICRO * inserting / CHUNK)
        base.append(MICRO * seconds(partial(raw, CHUNK)) / CHUNK)
    last = len(took) - len(took) // 10
    ratio = statistics.median(a / b for a, b in zip(took[last:], base[last:], strict=True))
    against = "raw ES256 verify"
    what = f"{name}: one insert, at {entries:,} entries"
    size = _size(make, folder / "weighed", keys, entries)
    return [
        figure(what, took[last:], "µs", against=against, ratio=ratio),
        Figure(what=f"{name}: size at {entries:,} entries", value=size / MIB, unit="MiB"),
    ]


def _insert(memory: ReplayMemory, keys: list[str], ids: list[str], start: int) -> None:
    for number, jti in enumerate(ids, start):
        now = number / PER_SECOND
        assert memory.is_first((keys[number % KEYS], jti), now + WINDOW, now)


def _size(
    make: Callable[[Path], ReplayMemory], folder: Path, keys: list[str], entries: int
) -> float:
    """Return the bytes of the files, or where there is none those on the heap."""
    tracemalloc.start()
    try:
        memory = make(folder)
        before, _ = tracemalloc.get_traced_memory()
        for start in range(0, entries, CHUNK):
            ids = [secrets.token_urlsafe(16) for _ in range(CHUNK)]
            _insert(memory, keys, ids, start)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    files = sum(file.stat().st_size for file in folder.iterdir())
    return files or after - before
