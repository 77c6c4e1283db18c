"""Room for descriptors: a socket for each process of the estate, and several for each connection.

Systems start a program with a low limit (1024 on most Linux, 256 on macOS), which it may raise
itself up to a second, hard one. What needs more than that cannot run there, and says so.
"""

from __future__ import annotations

import resource

from labsim.errors import LabError

SPARE = 128
"""Descriptors that the rest of the program has a use for: a notebook's kernel, say."""
MOST = 1 << 16


def make_room(processes: int) -> None:
    """Let this process talk to so many others; raises LabError where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = processes + SPARE
    if not _is_less(soft, needed):
        return
    if _is_less(hard, needed):
        raise LabError(
            f"This system lets a process open {hard} files, and this estate needs {needed}.",
            "Nothing was started.",
            f"Raise the limit (ulimit -Hn {needed}), or load a smaller estate.",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def make_all_room() -> None:
    """Let this process and its children open as many files as the system allows, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, MOST) if _is_less(hard, MOST) else MOST
    if _is_less(soft, most):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _is_less(limit: int, needed: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < needed
