"""What a thief was given, as `loot.Access`: paths and addresses, and nothing around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labsim.errors import LabError
from labsim.estate.captured import exchanges
from labsim.estate.contractor import Contractor
from labsim.estate.foothold import RemoteFoothold
from labsim.estate.inbox import Inbox
from labsim.estate.names import FOOTHOLD_FILE
from labsim.estate.private_file import read_json
from labsim.estate.repository import history
from labsim.http_message import Request, Response

LARGEST_FILE = 4 * 2**20
"""Octets read of one file that was given."""


class Given:
    """Be the access that a thief was given at `now` (lab seconds), beside the means of its own."""

    def __init__(self, paths: list[str], now: float, contractor: Contractor, inbox: Inbox) -> None:
        self._paths = [Path(path) for path in paths]
        self._now = now
        self._contractor, self._inbox = contractor, inbox

    @property
    def now(self) -> float:
        """Return the time of the theft, in lab seconds."""
        return self._now

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each file that was given, or lies in a folder that was."""
        for path in self._paths:
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.is_file() and file.name != FOOTHOLD_FILE:
                    with file.open("rb") as opened:
                        yield file.name, opened.read(LARGEST_FILE)

    def captured(self) -> Iterator[tuple[Request, Response | None]]:
        """Yield each exchange that an interceptor or a server has kept."""
        for path in self._paths:
            yield from exchanges(path)

    def history(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield commit id, path and content of each file in a repository's history."""
        for path in self._paths:
            yield from history(path)

    def received(self) -> Iterator[bytes]:
        """Yield each document that was sent to the thief's own address."""
        yield from self._inbox.received()

    def records(self) -> Iterator[tuple[str, str]]:
        """Yield id and text of each ticket and chat, read over the network."""
        yield from self._contractor.records()

    def foothold(self) -> RemoteFoothold:
        """Return the way into the victim's process; LabError if its code was not let in."""
        for path in self._paths:
            if (path / FOOTHOLD_FILE).is_file():
                return RemoteFoothold(str(read_json(path / FOOTHOLD_FILE)))
        raise LabError("No code of the attacker's runs in the victim's process.")
