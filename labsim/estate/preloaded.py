"""The preloaded parent: it imports once what the processes of the estate need, and forks them.

`processes.Preloaded` starts it as `python -m labsim.estate.preloaded NAME FD`, in a session of its
own, so that no Ctrl-C and no kernel interrupt reaches it. FD is a socket to its owner. When that
hangs up, however it ended, this process kills its children, removes the run folder and ends; so it
does at SIGTERM. It has one thread: the kernel kills what a thread forked when that thread ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from labsim.errors import LabError
from labsim.estate import run_folder
from labsim.estate.channel import CHUNK, MOST_SOCKETS, Lines, Message, answer, hung_up
from labsim.estate.descriptors import make_all_room
from labsim.estate.idleness import Idleness
from labsim.estate.preloading import import_all, standing_back
from labsim.estate.process import Birth, live, set_name

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGIO)
# How long the run folder waits for the processes of another parent that use it.
GUESTS_SECONDS = 1.0


class Parent:
    """Serve one owner."""

    def __init__(self, name: str, control: socket.socket) -> None:
        self._name = name
        self._control = control
        self._lines = Lines()
        self._arrived: list[int] = []
        self._broken: LabError | None = None
        self._children: dict[int, str] = {}
        self._endings: dict[int, int] = {}
        self._folder: Path | None = None
        self._host: socket.socket | None = None
        self._guests: list[socket.socket] = []
        self._idleness: Idleness | None = None
        self._stopped_itself: LabError | None = None
        # Nobody writes to it: children read its end when this process is gone.
        self._lifeline, self._life = os.pipe()
        self._operations: dict[str, Callable[..., Any]] = {
            "preload": self.preload,
            "run": self.run,
            "open": self.open,
            "host": self.host,
            "join": self.join,
            "fork": self.fork,
            "end": self.end_child,
            "end_run": self.end_run,
        }

    def serve(self) -> NoReturn:
        """Answer the owner's requests until it hangs up."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self.end)
        signal.signal(signal.SIGHUP, self.end)
        signal.signal(signal.SIGCHLD, self._reap)
        signal.signal(signal.SIGIO, self._look_for_owner)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # SIGIO tells of the owner's end also in the middle of a long import or `run`.
        fcntl.fcntl(self._control, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(self._control, fcntl.F_GETFL)
        fcntl.fcntl(self._control, fcntl.F_SETFL, flags | os.O_ASYNC)
        os.umask(0o077)
        gc.disable()
        while True:
            if self._owner_asks():
                self._look_for_owner()
                self._receive()
            elif self._idleness and self._idleness.is_over():
                self._stopped_itself = self._idleness.what_happened()
                self.end_run()

    def _owner_asks(self) -> bool:
        """Wait for the owner, the next look at an idle run, or the end of the host's run."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        # It sends nothing: all there is to read is that it ends its run. If it is gone itself, the
        # folder stays until the owner ends: its children may still be dying in there.
        if self._host and not hung_up(self._host):
            poller.register(self._host, select.POLLIN)
        wait = self._idleness.until_next_look * 1000 if self._idleness else None
        ready = {fd for fd, _ in poller.poll(wait)}
        if self._host and self._host.fileno() in ready and not hung_up(self._host):
            self.end_run()
        return self._control.fileno() in ready

    def _receive(self) -> None:
        data, fds, _, _ = socket.recv_fds(self._control, CHUNK, MOST_SOCKETS)
        if not data:
            self.end()
        requests = self._lines.feed(data)
        for request in requests:
            passed, self._arrived = self._arrived, []
            # A read ends with bytes of the request that the sockets came with.
            if request is requests[-1] and data.endswith(b"\n"):
                passed, fds = passed + fds, []
            self._answer(request, [socket.socket(fileno=fd) for fd in passed])
        self._arrived += fds

    def _answer(self, request: Message, sockets: list[socket.socket]) -> None:
        # The last ones are its own: a request that was sent by half may have left some before.
        passed = sockets[len(sockets) - request.get("sockets", 0) :]

        def act() -> Any:
            if self._broken is not None:
                raise self._broken
            return self._operations[request["do"]](*passed, **request["with"])

        data = answer(request["id"], act) if "id" in request else b""
        if self._idleness is not None:
            self._idleness.used()
        for sock in sockets:
            if sock not in (self._host, *self._guests):
                sock.close()
        try:
            self._control.sendall(data)
        except OSError:
            self.end()

    def _look_for_owner(self, *_: object) -> None:
        if hung_up(self._control):
            self.end()

    @contextlib.contextmanager
    def _undisturbed(self) -> Iterator[None]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    # What the owner asks for

    def preload(self, modules: list[str], is_awaited: bool) -> None:
        """Import these modules; if that fails, every later request says so."""
        try:
            with contextlib.nullcontext() if is_awaited else standing_back():
                import_all(modules)
        except LabError as error:
            self._broken = error
            raise

    def run(self, entry: str, arguments: dict[str, Any]) -> Any:
        """Call a function in this process, so that all later children have what it made."""
        return _found(entry)(**arguments)

    def open(self, folder: str, idle_seconds: float | None = None) -> None:
        """Begin a run with a folder of its own, which ends once idle; one still open ends now."""
        self.end_run()
        self._stopped_itself = None
        self._folder = Path(folder)  # first, so that it is removed in every ending
        try:
            run_folder.make(self._folder)
        except LabError:
            self._folder = None
            raise
        if idle_seconds is not None:
            self._idleness = Idleness(self._folder, idle_seconds)

    def host(self, guest: socket.socket) -> None:
        """Let another parent use this run's folder; the guest socket ends when it is done."""
        self._guests.append(guest)

    def join(self, host: socket.socket, folder: str) -> None:
        """Begin a run in the folder of another parent, which removes it."""
        self.end_run()
        self._folder = Path(folder)
        self._host = host

    def fork(
        self,
        control: socket.socket,
        *sockets: socket.socket,
        name: str,
        entry: str,
        config: dict[str, Any],
    ) -> int:
        """Fork a child, in the place of a former one of that name, and return its pid."""
        if self._folder is None:
            raise LabError("There is no run folder yet.", todo="Call open_run_folder() first.")
        for pid, other in list(self._children.items()):
            if other == name:
                self.end_child(pid)
        run_folder.make_inner(self._folder / name)
        birth = Birth(
            name, _found(entry), config, control, sockets, self._folder, self._lifeline,
            os.getpid(), (self._host,) if self._host else (),
        )  # fmt: skip
        gc.freeze()
        with self._undisturbed():
            pid = os.fork()
            if pid == 0:
                live(birth)
            self._children[pid] = name
        return pid

    def end_child(self, pid: int) -> int | None:
        """Kill a child, if it still lives, and return its exit code, negative for a signal."""
        with self._undisturbed():
            if pid in self._children:
                # Harmless where the child is ending by itself: its status is settled by then.
                os.kill(pid, signal.SIGKILL)
                self._wait(pid, 0)
        if self._stopped_itself is not None:
            raise self._stopped_itself
        return self._endings.get(pid)

    def end_run(self) -> None:
        """Kill all children and remove the run folder, once nobody uses it any more."""
        with self._undisturbed():
            for pid in self._children:
                os.kill(pid, signal.SIGKILL)
            for pid in list(self._children):
                self._wait(pid, 0)
            self._endings.clear()
            self._idleness = None
            if self._folder is not None:
                self._leave(self._folder)
            self._folder = None

    def _leave(self, folder: Path) -> None:
        if self._host is not None:
            host_is_gone = hung_up(self._host)
            self._host.close()
            self._host = None
            if not host_is_gone:
                return
        deadline = time.monotonic() + GUESTS_SECONDS
        for guest in self._guests:
            with contextlib.suppress(OSError):  # it has ended already
                guest.shutdown(socket.SHUT_WR)
        for guest in self._guests:
            hung_up(guest, max(0.0, deadline - time.monotonic()))
            guest.close()
        self._guests = []
        run_folder.remove(folder)

    def _reap(self, *_: object) -> None:
        with self._undisturbed():
            for pid in list(self._children):
                self._wait(pid, os.WNOHANG)

    def _wait(self, pid: int, options: int) -> None:
        ended, status = os.waitpid(pid, options)
        if ended:
            del self._children[pid]
            self._endings[pid] = os.waitstatus_to_exitcode(status)

    def end(self, number: int = 0, *_: object) -> NoReturn:
        """End the run and this process."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self.end_run()
        finally:
            if number:  # so that the owner can tell what ended it
                signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
                os.kill(os.getpid(), number)
            os._exit(0)


def _found(entry: str) -> Any:
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)


def main() -> NoReturn:
    """Serve the owner at the other end of the socket that the command line names."""
    name, fd = sys.argv[1:]
    set_name(name)
    make_all_room()
    control = socket.socket(fileno=int(fd))
    control.set_inheritable(False)
    Parent(name, control).serve()


if __name__ == "__main__":
    main()
