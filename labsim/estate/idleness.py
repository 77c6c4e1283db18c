"""Tell when a run has been idle for too long: nothing has changed in its folder.

Whatever the estate does leaves a trace there: a server writes its events, a workload its token.
What its owner asks of the parent counts as well, so that a start that takes long is not idle.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from labsim.errors import LabError

# How many looks are taken in the time after which a run counts as idle.
LOOKS = 20


class Idleness:
    """Watch one run folder. The time in which a laptop sleeps does not count where it can be told.

    `seconds` is the real time without any change after which `is_over` says so.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self.seconds = seconds
        self._folder = folder
        self._seen = _last_change(folder)
        self._since = time.monotonic()

    @property
    def until_next_look(self) -> float:
        """Return in how many seconds it is worth looking again."""
        return self.seconds / LOOKS

    def used(self) -> None:
        """Count the time anew from now on."""
        self._since = time.monotonic()

    def is_over(self) -> bool:
        """Look, and tell whether nothing has changed for so long."""
        now, seen = time.monotonic(), _last_change(self._folder)
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since >= self.seconds

    def what_happened(self) -> LabError:
        """Return what the next one to use the run is told."""
        return LabError(
            f"The lab stopped itself: unused for {self.seconds / 60:.0f} minutes.",
            "Its processes have ended and its run folder was removed.",
            "lab.reset() starts it afresh; labsim.start(idle_minutes=None) never stops by itself.",
        )


def _last_change(folder: Path) -> int:
    """Return the newest change of any file in the folder, in nanoseconds."""
    newest = 0
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                newest = max(newest, os.lstat(os.path.join(where, name)).st_mtime_ns)
            except FileNotFoundError:  # it was there a moment ago, which is a change as well
                newest = time.time_ns()
    return newest
