"""The owner's handle on the processes of the estate.

The owner, a Jupyter kernel or a command, starts a small preloaded parent that forks all others.
Nothing here outlives the owner, in whatever way that ends: the parent sees the end of their socket,
kills its children and removes the run folder.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.channel import MOST_SOCKETS, Channel, Gone, Message
from labsim.estate.parent_process import END_SECONDS, ParentProcess
from labsim.estate.private_socket import listening_socket, private_pair

__all__ = ["Child", "OperationFailed", "Preloaded", "ProcessDied", "listening_socket"]


class ProcessDied(LabError):
    """Say that a process of the estate ended, how, and what it last wrote."""


class OperationFailed(LabError):
    """Say that a process of the estate could not do what it was asked for."""


def _result(name: str, operation: str, answer: Message, log: str) -> Any:
    if "lab_error" in answer:
        raise LabError(*answer["lab_error"])
    if "failed" in answer:
        raise OperationFailed(f"{name} could not do {operation!r}: {answer['failed']}.", log)
    return answer["result"]


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit status {code}"
    return f"was killed by {signal.Signals(-code).name}"


class Child:
    """Call one process of the estate."""

    def __init__(self, parent: Preloaded, name: str, pid: int, channel: Channel, log: Path) -> None:
        self.name = name
        self.pid = pid
        self._parent = parent
        self._channel = channel
        self._log = log

    def call(
        self,
        operation: str,
        /,
        *,
        progress: Callable[[Any], None] | None = None,
        **arguments: Any,
    ) -> Any:
        """Let the process do something and return what it answers; both are JSON.

        `progress` is called with every value that an operation yields before it is done.
        Raises LabError if the process raised one, OperationFailed if it raised anything else,
        ProcessDied if it ended.
        """
        try:
            answer = self._channel.call(operation, arguments, progress=progress)
        except Gone:
            raise self._death(operation) from None
        return _result(self.name, operation, answer, f"The whole traceback is in {self._log}.")

    def wait_ready(self) -> None:
        """Wait until the process serves.

        Raises ProcessDied if it ended before.
        """
        self.call("labsim:ready")

    def kill(self) -> None:
        """Kill the process and wait for its end; from then on its port refuses connections."""
        self._parent.end_child(self.pid)
        self._channel.close()

    @property
    def alive(self) -> bool:
        """Tell whether the process still holds its end of the line."""
        return not self._channel.gone()

    def _death(self, operation: str) -> ProcessDied:
        last = run_folder.last_lines(self._log)
        how = self._parent.end_child(self.pid)
        words = f"Its stderr.log ends with:\n{last}\n" if last else "Its stderr.log is empty."
        full = run_folder.fullness(self._log.parent.parent)
        room = "Make room there or set TMPDIR to a folder with room; then call" if full else "Call"
        return ProcessDied(
            f"The process {self.name} (pid {self.pid}) {how}; {operation!r} got no answer.",
            f"{full} {words}".lstrip(),
            f"{room} lab.reset() to start afresh.",
        )


class Preloaded:
    """Start and use a parent process that has certain modules imported and forks children.

    One that is not awaited lets others have the processor while it imports.
    """

    def __init__(self, name: str, modules: Sequence[str], is_awaited: bool = True) -> None:
        self.name = name
        self._is_awaited = is_awaited
        self.modules = list(modules)
        self._running: ParentProcess | None = None
        self._finish: Callable[[], object] = lambda: None
        self._guests: weakref.WeakSet[Preloaded] = weakref.WeakSet()
        self._starting = threading.Lock()

    @property
    def alive(self) -> bool:
        """Tell whether the parent runs."""
        running = self._running
        return running is not None and running.process.poll() is None

    @property
    def run_folder(self) -> Path | None:
        """Return the folder of the run that is open, if there is one."""
        return self._running.folder if self._running else None

    def begin(self) -> None:
        """Start the parent, unless it runs, and do not wait for it."""
        with self._starting:
            if self.alive:
                return
            self._finish()
            try:
                self._running = running = ParentProcess(self.name)
            except OSError as error:
                raise LabError(
                    f"The parent process {self.name} could not be started: {error}.",
                    todo="`python -m labsim doctor` says what is missing.",
                ) from error
            self._finish = weakref.finalize(self, running.finish)
            imports = {"modules": self.modules, "is_awaited": self._is_awaited}
            running.channel.post("preload", imports)

    def run(self, entry: str, /, **arguments: Any) -> Any:
        """Call "module:function" in the parent itself; arguments and result are JSON.

        Raises LabError if the function raised one, OperationFailed if it raised anything else.
        """
        if self._running is None:
            self.begin()
        return self._ask("run", entry=entry, arguments=arguments)

    def open_run_folder(self, idle_seconds: float | None = None) -> Path:
        """Make the folder of a new run, which nobody else may enter, and end a former run.

        The run stops by itself when nothing has changed in its folder for `idle_seconds`.
        Raises LabError if it cannot be made or written to.
        """
        self.end_run()
        self.begin()
        folder = run_folder.choose()
        running = self._now()
        running.folder, running.folder_is_own = folder, True
        try:
            self._ask("open", folder=str(folder), idle_seconds=idle_seconds)
        except LabError:
            running.folder = None
            raise
        return folder

    def join_run(self, host: Preloaded) -> None:
        """Begin a run in the folder of another parent, which removes it when both have ended."""
        folder = host.run_folder
        if folder is None:
            raise LabError(f"{host.name} has no run that {self.name} could join.")
        self.end_run()
        self.begin()
        running = self._now()
        running.folder, running.folder_is_own = folder, False
        ours, theirs = private_pair()
        host._guests.add(self)
        with ours, theirs:
            host._ask("host", ours)
            self._ask("join", theirs, folder=str(folder))

    def fork(
        self,
        name: str,
        entry: str,
        config: dict[str, Any],
        sockets: Sequence[socket.socket] = (),
    ) -> Child:
        """Fork a child that runs "module:function" with a `process.Process`; do not wait for it.

        A child of the same name is replaced. The sockets are closed here, whatever happens: a
        copy of a listening socket would let callers of a dead server wait.
        Raises LabError if it cannot be started.
        """
        assert len(sockets) < MOST_SOCKETS
        ours, theirs = private_pair()
        channel = Channel(ours)
        try:
            pid = self._ask("fork", theirs, *sockets, name=name, entry=entry, config=config)
        finally:
            for sock in (theirs, *sockets):
                sock.close()
        running = self._now()
        running.children[name] = channel
        assert running.folder is not None
        return Child(self, name, pid, channel, running.folder / name / "stderr.log")

    def end_child(self, pid: int) -> str:
        """Kill a child, if it still lives, and tell how it ended."""
        if self.run_folder is None:
            return "was stopped with its run"
        try:
            code = self._ask("end", pid=pid)
        except ProcessDied as death:
            return f"ended with its parent ({death.happened})"
        return "was stopped with its run" if code is None else _how_it_ended(code)

    def end_run(self) -> None:
        """Kill all children and remove the run folder; the parent stays for the next run."""
        for guest in list(self._guests):
            guest.end_run()
        self._guests.clear()
        running = self._running
        if running is None or running.folder is None:
            return
        try:
            self._ask("end_run")
        except ProcessDied:  # which has ended the run
            return
        running.hang_up()
        running.folder = None

    def close(self) -> None:
        """End the run and the parent."""
        for guest in list(self._guests):
            guest.end_run()
        self._running = None
        self._finish()

    def _now(self) -> ParentProcess:
        running = self._running
        if running is None:
            raise ProcessDied(
                f"The parent process {self.name} does not run.", todo="Start the lab."
            )
        if running.owner != os.getpid():
            raise LabError(
                f"This lab belongs to process {running.owner}; this is {os.getpid()}.",
                todo="Use it there, or start a lab of this process's own.",
            )
        return running

    def _ask(self, operation: str, /, *sockets: socket.socket, **arguments: Any) -> Any:
        running = self._now()
        try:
            answer = running.channel.call(operation, arguments, sockets)
        except Gone:
            raise self._death(running) from None
        log = running.last_words() if "failed" in answer else ""
        return _result(self.name, arguments.get("entry", operation), answer, log)

    def _death(self, running: ParentProcess) -> ProcessDied:
        try:
            how = _how_it_ended(running.process.wait(END_SECONDS))
        except subprocess.TimeoutExpired:
            how = "hung up"
        last = running.last_words()
        self.close()
        return ProcessDied(
            f"The parent process {self.name} (pid {running.process.pid}) {how}.",
            f"Its children ended with it, and the run folder was removed. {last}",
            "Call lab.reset() to start afresh.",
        )
