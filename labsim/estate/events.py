"""Events as JSON lines: appended in one write each, read in the order of lab time.

Every process writes a file of its own, so that a process which is killed in mid-write can harm
nobody's lines but its own last one, and that one is skipped when read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labsim.checks import StorageUnavailable
from labsim.jose import is_number

# json.dumps would make an encoder for each line.
_as_json = json.JSONEncoder(separators=(",", ":")).encode


class EventLog:
    """Append events to a file; each is one line and one write."""

    def __init__(self, file: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptor = os.open(file, flags, 0o600)
        self._after_half_a_line = False

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event; raises StorageUnavailable if it cannot be written whole."""
        line = _as_json(event).encode() + b"\n"
        if self._after_half_a_line:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise StorageUnavailable(f"the event could not be written: {error.strerror}") from error
        self._after_half_a_line = written != len(line)
        if self._after_half_a_line:
            raise StorageUnavailable("the event could not be written whole: the disk is full")


class EventReader:
    """Read a folder's `*.jsonl`, each line once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def new(self) -> list[dict[str, Any]]:
        """Return the whole events that were appended since the last call, by lab time."""
        found = []
        for file in sorted(self._folder.glob("*.jsonl")):
            with file.open("rb") as opened:
                opened.seek(self._read.get(file, 0))
                data = opened.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read[file] = self._read.get(file, 0) + len(whole)
            found += list(_events(whole))
        return sorted(found, key=_time)


class HeardEvents:
    """Keep every event of a run as it was read, and find one by its answer's Request-Id."""

    def __init__(self, folder: Path) -> None:
        self._reader = EventReader(folder)
        self.events: list[dict[str, Any]] = []
        self.by_request: dict[str, dict[str, Any]] = {}

    def all(self) -> list[dict[str, Any]]:
        """Read what is new, and return every event in the order of reading."""
        for event in self._reader.new():
            self.events.append(event)
            self.by_request[event.get("request_id", "")] = event
        return self.events


def _events(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the half line of a process that was killed, or of a full disk
        if isinstance(event, dict):
            yield event


def _time(event: Mapping[str, Any]) -> float:
    time = event.get("time")
    return float(time) if is_number(time) else 0.0  # type: ignore[arg-type]
