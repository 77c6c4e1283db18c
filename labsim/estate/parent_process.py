"""The parent as its owner sees it: a process, a socket to it, and what is left to do at its end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from labsim.estate import run_folder
from labsim.estate.channel import Channel, wait_gone
from labsim.estate.private_socket import private_pair

# How long a parent may take to end its run before it is killed, and with it its children.
END_SECONDS = 3.0


class ParentProcess:
    """Hold what the end of a parent needs, and no way back to the `Preloaded` that it belongs to.

    So that one can be collected, and takes its parent with it.
    """

    def __init__(self, name: str) -> None:
        self.owner = os.getpid()
        self.folder: Path | None = None
        self.folder_is_own = True
        self.children: dict[str, Channel] = {}
        # Not the owner's own output: whoever reads that to its end would wait for the parent.
        log = (
            os.memfd_create("labsim-log")
            if sys.platform == "linux"
            else os.open(os.devnull, os.O_RDWR)
        )
        self.log = open(log, "rb")  # noqa: SIM115 (finish closes it)
        ours, theirs = private_pair()
        self.channel = Channel(ours)
        try:
            self.process = self._start(name, theirs)
        except BaseException:
            self.log.close()
            raise
        finally:
            theirs.close()

    def _start(self, name: str, control: socket.socket) -> subprocess.Popen[bytes]:
        fd = control.fileno()
        # It imports from where its owner does, which a notebook may have changed, and not (-P)
        # from a folder that the owner merely happens to stand in.
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        return subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "labsim.estate.preloaded", name, str(fd)],
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[fd],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def last_words(self) -> str:
        """Return what the parent wrote last, as a sentence."""
        last = "" if self.log.closed else run_folder.last_lines(self.log.fileno(), 20)
        return f"It last wrote:\n{last}\n" if last else "It wrote nothing."

    def hang_up(self) -> None:
        """Let go of all children."""
        for channel in self.children.values():
            channel.close()
        self.children = {}

    def finish(self) -> None:
        """End the parent, its children and its run folder."""
        if os.getpid() != self.owner:  # a process that the owner forked is not its heir
            self.process.returncode = 0  # nor is the parent its child, to wait for or to miss
            self.log.close()
            return
        self.channel.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # If the parent was killed, its children die now, and nobody has removed the folder.
        wait_gone(self.children.values(), END_SECONDS)
        self.hang_up()
        if self.folder is not None and self.folder_is_own and self.folder.exists():
            run_folder.remove(self.folder)
        self.log.close()
