"""The folder of one run: keys, logs and databases of all its processes, gone when the run ends.

It lies in $TMPDIR, else in /tmp, and not in /dev/shm: macOS has no such place, containers often
give it 64 MiB, it would count as the estate's memory, and whoever sets TMPDIR means it. The keys in
it are worth nothing once the run is over.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from labsim.errors import LabError

# A run that cannot write this much fails at once instead of in the middle.
LEAST_ROOM = 1 << 18
LAST_BYTES = 8192
# How long processes that were killed may take to be gone; on a busy machine it is not at once, and
# one that is just dying may put a file into a folder that was empty a moment ago.
DYING_SECONDS = 5.0


def choose() -> Path:
    """Return a new name for a run folder; nothing is made yet."""
    base = Path(os.environ.get("TMPDIR") or "/tmp").absolute()  # noqa: S108 (a name nobody can guess)
    return base / f"labsim-{os.urandom(6).hex()}"


def make(folder: Path) -> None:
    """Make a run folder that only this user can enter, and see that there is room in it.

    Raises LabError if that cannot be done.
    """
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _unusable(folder.parent, error) from error
    try:
        folder.chmod(0o700)  # whatever the umask says
        trial = folder / "trial"
        trial.write_bytes(bytes(LEAST_ROOM))
        trial.unlink()
    except OSError as error:
        remove(folder)
        raise _unusable(folder.parent, error) from error


def make_inner(folder: Path) -> None:
    """Make the folder of one process inside the run folder; it may be there already.

    Raises LabError if that cannot be done.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise _unusable(folder.parent, error) from error


def fullness(folder: Path) -> str:
    """Say in a sentence that there is no room left beside a run folder; empty if there is some."""
    try:
        disk = os.statvfs(folder.parent)
    except OSError:  # it is gone itself, and so says nothing about room
        return ""
    free = disk.f_bavail * disk.f_frsize
    return f"{folder.parent} is full: {free // 1024} KiB are free." if free < LEAST_ROOM else ""


def _unusable(folder: Path, error: OSError) -> LabError:
    return LabError(
        f"The lab cannot write its run folder in {folder}: {error.strerror}.",
        "Nothing was started.",
        "Make room there or set TMPDIR to a folder with room, and start the lab again.",
    )


def remove(folder: Path) -> None:
    """Remove a run folder and all that is in it, if it is there."""
    import shutil  # only here: whoever imports this module must start fast

    until = time.monotonic() + DYING_SECONDS
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder) or time.monotonic() > until:
            return
        os.sched_yield()  # to a process that is just dying and may still put a file there


def last_lines(log: Path | int, count: int = 10) -> str:
    """Return the last lines of a log, given by path or open file; nothing if there is none."""
    try:
        fd = log if isinstance(log, int) else os.open(log, os.O_RDONLY)
        try:
            end = os.fstat(fd).st_size
            data = os.pread(fd, LAST_BYTES, max(0, end - LAST_BYTES))
        finally:
            if fd != log:
                os.close(fd)
    except OSError:
        return ""
    return "\n".join(data.decode(errors="replace").splitlines()[-count:])
