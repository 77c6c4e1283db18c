"""The life of one process of the estate, from the fork in its preloaded parent to its end.

SIGINT is ignored: an interrupt is for the owner, which tells the estate what it wants over sockets.
A process ends when its owner hangs up (end of its control socket) and when its parent is gone
(SIGKILL by the kernel on Linux; everywhere the end of the lifeline, a pipe that nobody writes to).
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import GeneratorType
from typing import Any, NoReturn

from labsim.errors import LabError
from labsim.estate.channel import CHUNK, Lines, Message, answer, frame

READY = "labsim:ready"
LOG = "stderr.log"

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def _place_of_arguments() -> tuple[int, int]:
    # The kernel shows the memory where the arguments lay; fields 48 and 49 of stat say where.
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    start, end = int(fields[45]), int(fields[46])
    return start, max(0, end - start) if start else 0


# Found once, in the parent: every page that a child touches costs it memory of its own.
_LIBC = ctypes.CDLL(None)
_ARGUMENTS = _place_of_arguments()

type Operation = Callable[..., Any]


@dataclass(frozen=True)
class Birth:
    """Hold what a process gets from its parent: its name, its task and the sockets it keeps."""

    name: str
    entry: Callable[[Process], object]
    config: dict[str, Any]
    control: socket.socket
    sockets: Sequence[socket.socket]
    run_folder: Path
    lifeline: int
    parent: int
    # Kept open until the process ends, so that whoever holds the other end can see it end.
    held: Sequence[socket.socket] = ()


class Process:
    """Be what an entry is given: its name, config and listening sockets, and a place to write."""

    def __init__(self, birth: Birth) -> None:
        self.name = birth.name
        self.config = birth.config
        self.sockets = list(birth.sockets)
        self.run_folder = birth.run_folder
        self.folder = birth.run_folder / birth.name
        self._control = birth.control
        self._lifeline = birth.lifeline

    def serve(self, operations: dict[str, Operation]) -> NoReturn:
        """Be ready, answer the owner's calls one by one, and end when the owner hangs up.

        An operation that is a generator function reports each value it yields as progress, and is
        closed between two of them if the caller was interrupted.
        """
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._lifeline, select.POLLIN)
        lines = Lines()
        known = {READY: lambda: None, **operations}
        while True:
            if any(fd == self._lifeline for fd, _ in poller.poll()):
                os._exit(0)
            data = self._control.recv(CHUNK)
            if not data:
                os._exit(0)
            for request in lines.feed(data):
                if "id" in request:
                    self._send(answer(request["id"], partial(self._do, request, known)))

    def _do(self, request: Message, known: dict[str, Operation]) -> Any:
        name = request["do"]
        if name not in known:
            raise LabError.unknown(f"operation of {self.name}", name, [*known][1:])
        result = known[name](**request["with"])
        return self._follow(request["id"], result) if isinstance(result, GeneratorType) else result

    def _follow(self, number: int, steps: Generator[Any, None, Any]) -> Any:
        while True:
            try:
                value = next(steps)
            except StopIteration as end:
                return end.value
            self._send(frame({"id": number, "progress": value}))
            if self._unread():  # the caller waits for this one alone, unless it was interrupted
                steps.close()
                return None

    def _unread(self) -> bool:
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        return bool(poller.poll(0))

    def _send(self, data: bytes) -> None:
        try:
            self._control.sendall(data)
        except OSError:  # nobody is there to hear it
            os._exit(0)


def live(birth: Birth) -> NoReturn:
    """Become the process: run its entry and end; never return to the parent's code."""
    status = 1
    try:
        _settle(birth)
        birth.entry(Process(birth))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except LabError as error:  # it says all that a person needs, and where it was raised is no help
        print(error, file=sys.stderr)
    except BaseException:  # noqa: BLE001 (nothing may get into the parent's code)
        traceback.print_exc()
    finally:
        os._exit(status)


def _settle(birth: Birth) -> None:
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=end_with, args=(birth.lifeline,), daemon=True).start()
    if os.getppid() != birth.parent:  # it ended before it could be watched
        os._exit(1)
    _reset_signals()
    kept = [birth.control, *birth.sockets, *birth.held]
    _close_all_but({0, 1, 2, birth.lifeline, *(sock.fileno() for sock in kept)})
    folder = birth.run_folder / birth.name
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.chdir(folder)
    faulthandler.enable()
    set_name(f"labsim:{birth.name}")
    _set_title(f"labsim:{birth.name}")
    gc.enable()


def end_with(lifeline: int) -> None:
    """End this process, whatever it is doing, when the other end of the lifeline closes."""
    os.read(lifeline, 1)
    os._exit(1)


def _reset_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGIO):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _close_all_but(kept: set[int]) -> None:
    limit = os.sysconf("SC_OPEN_MAX")
    limit = min(limit, 1 << 16) if limit > 0 else 1 << 16
    low = 0
    for fd in sorted({*kept, limit}):
        if low < fd:  # closerange(0, 0) closes all there are
            os.closerange(low, fd)
        low = fd + 1


def set_name(name: str) -> None:
    """Name this process for `top` and `ps -e`, where that is cheap."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_NAME, name.encode()[:15])


def _set_title(title: str) -> None:
    # Instead of the parent's command line, for `ps aux`.
    start, size = _ARGUMENTS
    if size:
        ctypes.memmove(start, title.encode()[: size - 1].ljust(size, b"\0"), size)
