"""Import what a preloaded parent's children need, and let whoever is waited for go first."""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from labsim.errors import LabError

_SHARE = Path("/proc/self/autogroup")
_A_THIRD = "5"


def import_all(modules: Sequence[str]) -> None:
    """Import modules and freeze what they made; LabError if one fails, or starts a thread."""
    before = threading.enumerate()
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise LabError(
                f"The lab cannot import {module}: {type(error).__name__}: {error}.",
                todo="`python -m labsim doctor` says what is missing.",
            ) from error
    threads = [thread.name for thread in threading.enumerate() if thread not in before]
    if threads:
        raise LabError(f"Importing {modules} started threads: {threads}.")
    gc.collect()
    gc.freeze()


@contextmanager
def standing_back() -> Iterator[None]:
    """Take a third of a session's share of a busy processor, as long as the block runs.

    Where Linux shares it out by session (autogroups, sched(7)): there, niceness counts only within
    a session, and a whole session can come back, as a process that made itself nice cannot. Where
    it does not, or does not let it be changed just now, nothing is different.
    """
    with suppress(OSError):
        _SHARE.write_text(_A_THIRD)
    try:
        yield
    finally:
        with suppress(OSError):
            _SHARE.write_text("0")
