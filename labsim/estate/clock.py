"""The lab's clock: real time plus an offset that every process of an estate shares.

Ninety days pass in no time by changing one number in shared memory. OpenSSL's clock does not move
with it, so lab certificates are valid for ten real years (`certificates.REAL_LIFETIME`).
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

LONGEST_OFFSET = 5 * 365 * 86400.0
"""Lab seconds that a clock may be ahead: certificates must outlive it."""


class Clock:
    """Tell lab time: seconds since 1970, real time plus the estate's offset."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 8)

    @staticmethod
    def made(file: Path) -> Clock:
        """Make a clock with offset zero; `file` is new and readable by its owner only."""
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(struct.pack("=d", 0.0))
        return Clock(file)

    def __call__(self) -> float:
        """Return the lab time in seconds."""
        return time.time() + self.offset

    @property
    def offset(self) -> float:
        """Return by how many seconds the lab is ahead of real time."""
        return float(struct.unpack("=d", self._memory[:8])[0])

    def advance(self, seconds: float) -> float:
        """Move the lab's time forward for every process; return the new offset.

        Raises ValueError for a step back or past what the certificates outlive.
        """
        offset = self.offset + seconds
        if not seconds >= 0 or offset > LONGEST_OFFSET:
            most = f"{LONGEST_OFFSET / 86400:.0f} days"
            raise ValueError(f"the clock moves forward only, and {most} at most in one run")
        self._memory[:8] = struct.pack("=d", offset)
        return offset
