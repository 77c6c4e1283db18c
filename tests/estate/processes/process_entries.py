"""What the processes of the process tests run."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NoReturn

from labsim.errors import LabError
from labsim.estate.process import Process, end_with

MADE_BEFOREHAND: list[str] = []


def remember(value: str) -> int:
    """Keep a value in the parent, for its later children."""
    MADE_BEFOREHAND.append(value)
    return len(MADE_BEFOREHAND)


def refuse(kind: str) -> NoReturn:
    """Raise."""
    raise LabError("No.", "Nothing.", "Ask again.") if kind == "lab" else RuntimeError("no\nreally")


def not_json() -> object:
    """Return what no JSON can hold."""
    return object()


def leave(status: int) -> NoReturn:
    """End at once."""
    sys.stderr.write("I am leaving\n")
    os._exit(status)


def quit_with(status: object) -> NoReturn:
    """End as Python code does."""
    sys.exit(status)  # type: ignore[arg-type]


def block(told: str = "") -> NoReturn:
    """Say so in a pipe, then wait for nothing."""
    if told:
        Path(told).write_text("blocking\n")
    while True:
        signal.pause()


def write_on(folder: str) -> Iterator[int]:
    """Put one file after the other into a folder."""
    number = 0
    while True:
        number += 1
        try:
            (Path(folder) / f"{number % 100}-{os.getpid()}").write_text("x")
        except FileNotFoundError:
            pass
        if number == 200:
            yield number


def interrupt(pid: int, size: int) -> str:
    """Interrupt the caller before it gets its answer."""
    os.kill(pid, signal.SIGINT)
    return "x" * size


def storm(pid: int, count: int, longest: float) -> None:
    """Interrupt the caller again and again, at times that nobody can foresee."""

    def blow() -> None:
        never = threading.Event()
        for _ in range(count):
            never.wait(random.uniform(0, longest))
            os.kill(pid, signal.SIGINT)

    threading.Thread(target=blow, daemon=True).start()


def steps(count: int, fail: bool = False) -> Generator[int, None, Any]:
    """Count up, then return the count."""
    yield from range(count)
    if fail:
        raise RuntimeError("after the last step")
    return {"counted": count}


class Endless:
    """Count for ever, and remember where that was stopped."""

    def __init__(self) -> None:
        self.reached = -1
        self.closed = False

    def count(self, told: str = "") -> Iterator[int]:
        """Never stop by itself; if asked to, say in a pipe that it was stopped."""
        try:
            while True:
                self.reached += 1
                yield self.reached
        finally:
            self.closed = True
            if told:
                Path(told).write_text("closed\n")


def descriptors() -> dict[str, str]:
    """Return what is open: number and target."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:  # the listing's own
            pass
    return found


def forget_parent() -> None:
    """Take back the order to die with the parent."""
    ctypes.CDLL(None).prctl(1, 0)


def serve(process: Process) -> None:
    """Do all of the above on demand."""
    endless = Endless()

    def watch_and_block() -> NoReturn:
        forget_parent()
        threading.Thread(target=end_with, args=(process._lifeline,), daemon=True).start()
        block(process.config["told"])

    process.serve(
        {
            "block": block,
            "config": lambda: process.config,
            "count": endless.count,
            "counted": lambda: [endless.reached, endless.closed],
            "cwd": os.getcwd,
            "descriptors": descriptors,
            "echo": lambda value: value,
            "forget_parent": forget_parent,
            "interrupt": interrupt,
            "leave": leave,
            "made": lambda: MADE_BEFOREHAND,
            "not_json": not_json,
            "quit_with": quit_with,
            "random": random.random,
            "refuse": refuse,
            "say": lambda text: print(text),
            "signals": lambda: [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],
            "steps": steps,
            "storm": storm,
            "sockets": lambda: [sock.getsockname() for sock in process.sockets],
            "touch": lambda name: Path(name).write_text(""),
            "watch_and_block": watch_and_block,
            "write_on": write_on,
        }
    )


def fail(process: Process) -> None:
    """Raise before it serves."""
    raise RuntimeError(f"{process.name} cannot start")


def leave_early(process: Process) -> None:
    """End before it serves."""
    sys.exit(process.config["status"])


def do_nothing(process: Process) -> None:
    """Return before it serves."""
