"""The fence round the attacker: an audit hook (PEP 578) that keeps it to what it was given.

All processes of the lab run as one user, so that the operating system would let the attacker read
everything. The hook, which cannot be taken out again, refuses whatever reaches beyond: other
processes' files, sockets and memory, other hosts, new processes, native code. It holds code that
goes through Python. It is no sandbox for code that was written to get round it: what a C library
does by itself raises no audit event, and the three such ways that are known here are shut by hand.
"""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import labsim
from labsim.estate.names import ATTACKERS_ADDRESS

_LISTS = frozenset({"os.listdir", "os.scandir"})
# Where the paths stand among the arguments of an event that changes something.
_CHANGES = {
    "os.chmod": 1,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.truncate": 1,
    "os.utime": 1,
}
# Events that begin like this are never allowed. Links and another working directory would give a
# path another meaning after it was looked at; gc and ctypes reach the fence itself.
_NEVER = (
    "ctypes.", "gc.", "os.chdir", "os.chflags", "os.chown", "os.exec", "os.fork", "os.getxattr",
    "os.kill", "os.link", "os.listxattr", "os.lockf", "os.posix_spawn", "os.removexattr",
    "os.setxattr", "os.spawn", "os.startfile", "os.symlink", "os.system", "pty.",
    "resource.prlimit", "sqlite3.", "subprocess.",
)  # fmt: skip
# Modules that open files or start processes without an event, where they are not loaded yet.
_NOT_IMPORTED = frozenset(
    {"_ctypes", "_dbm", "_gdbm", "_multiprocessing", "_posixshmem", "_posixsubprocess", "readline"}
)
# Functions of modules that may be loaded, which do the same.
_SHUT = (
    ("_posixsubprocess", "fork_exec"),
    ("subprocess", "_fork_exec"),
    ("_signal", "pidfd_send_signal"),
    ("signal", "pidfd_send_signal"),
)
_ADDRESSED = frozenset({"socket.bind", "socket.connect", "socket.sendmsg", "socket.sendto"})
_NAMED = frozenset({"socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"})
# Its own address among them: in the variant with an allow-list it sends from there.
_LOOPBACK = ("127.0.0.1", "localhost", ATTACKERS_ADDRESS, None)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_OPEN_FILES = ("/proc/self/fd", "/dev/fd")


class Fence:
    """Refuse whatever reaches beyond the attacker's own folder and what it was given.

    Code that Python may still have to import can be read; the lab's data cannot.
    """

    def __init__(self, folder: Path) -> None:
        self._own = _real(folder)
        self._run = os.path.dirname(self._own)
        code = (sys.prefix, sys.base_prefix, str(Path(labsim.__file__).parent))
        self._readable = [_real(path) for path in code]
        self._given: list[str] = []

    def begin(self) -> None:
        """Put the fence up in this process, for as long as it lives."""
        tempfile.tempdir = self._own
        for module, name in _SHUT:
            if hasattr(sys.modules.get(module), name):
                setattr(sys.modules[module], name, _refused)
        self._watch_openssl()
        sys.addaudithook(self)

    @contextmanager
    def giving(self, paths: Iterable[str]) -> Iterator[None]:
        """Let these files and folders be read, within the block and no longer."""
        self._given = [_real(path) for path in paths]
        try:
            yield
        finally:
            self._given = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at one audit event; raises PermissionError for what is beyond the fence."""
        if event == "open":
            self._opens(*arguments)
        elif event in _LISTS:
            self._allow(event, arguments[0] or ".", False)
        elif event in _CHANGES:
            for path in arguments[: _CHANGES[event]]:
                self._allow(event, path, True)
        elif event.startswith(_NEVER):
            raise PermissionError(f"the attacker's process may not do {event}")
        elif event == "import" and arguments[0] in _NOT_IMPORTED:
            raise ImportError(f"the attacker's process may not import {arguments[0]}")
        elif (event in _ADDRESSED and not _is_loopback(arguments[1])) or (
            event in _NAMED and arguments[0] not in _LOOPBACK
        ):
            raise PermissionError("the attacker reaches nothing but this estate")

    def _opens(self, path: Any, mode: str | None, flags: int | None) -> None:
        writing = bool((flags or 0) & _WRITES) or not set(mode or "").isdisjoint("wax+")
        self._allow("open", path, writing)
        # A path may be relative to an open folder, and the event does not say so. (With a mode it
        # is no folder that is opened, but a file in it: so tempfile does.)
        if mode is None and os.path.isdir(path):
            raise PermissionError("the attacker's process may not open a folder")

    def _allow(self, event: str, path: Any, writing: bool) -> None:
        if isinstance(path, int):  # a file that was opened under the fence, or given at birth
            return
        real = _real(path)
        if _in(real, self._run):
            allowed = [self._own] if writing else [self._own, *self._given]
        else:
            allowed = [] if writing else [*self._given, *self._readable]
        if not any(_in(real, root) for root in allowed):
            raise PermissionError(f"{event} {real}: the attacker was not given this")

    def _watch_openssl(self) -> None:
        load = ssl.SSLContext.load_cert_chain

        def watched(context: Any, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
            for path in (certfile, keyfile):
                # Nothing can be open in here that the fence has not let be opened.
                if path is not None and os.path.dirname(os.fsdecode(path)) not in _OPEN_FILES:
                    self._allow("load_cert_chain", path, False)
            load(context, certfile, keyfile, password)

        setattr(ssl.SSLContext, "load_cert_chain", watched)  # noqa: B010 (a type checker's view)


def _refused(*_: object, **__: object) -> NoReturn:
    raise PermissionError("the attacker's process may not do this")


def _real(path: Any) -> str:
    return os.path.realpath(os.fsdecode(path))


def _in(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def _is_loopback(address: Any) -> bool:
    # None: what a connected socket sends to, and it was connected under the fence.
    return address is None or (isinstance(address, tuple) and address[0] in _LOOPBACK)
