"""A bar for what takes longer than a second, in a notebook and nowhere else.

What is quick shows nothing, and costs nothing: the bar is made only when a second has gone by.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final, Self

PATIENCE: Final = 1.0
"""Seconds after which a person wants to know that something is still going on."""


def in_a_notebook() -> bool:
    """Tell whether this code runs in a Jupyter kernel, without importing anything of it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _tqdm(what: str, unit: str, total: int | None) -> Any:
    from tqdm.auto import tqdm

    return tqdm(desc=what, unit=f" {unit}", total=total, leave=False)


class ProgressBar:
    """Show how far something has come, from its first `PATIENCE` seconds on; it is gone at the end.

    `total` is None where nobody knows it. `clock` gives seconds, `wanted` tells whether to show
    anything at all, `make` makes what is shown (with `n`, `update` and `close`, as tqdm's have).
    """

    def __init__(
        self,
        what: str,
        unit: str,
        total: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wanted: Callable[[], bool] = in_a_notebook,
        make: Callable[[str, str, int | None], Any] = _tqdm,
    ) -> None:
        self._what = what, unit, total
        self._clock, self._make = clock, make
        self._wanted = wanted()
        self._began = clock()
        self._bar: Any = None

    def reach(self, done: int) -> None:
        """Say how many are done so far."""
        if self._bar is None and self._wanted and self._clock() - self._began > PATIENCE:
            self._bar = self._make(*self._what)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away, if there is one."""
        if self._bar is not None:
            self._bar.close()
