"""A campaign's journal as JSON lines: what was meant to be done, and what came of it.

Each entry is one line and one write, so that a process which is killed leaves whole lines and at
most half a last one; that half is cut off before the next entry is written. The file outlives the
process that wrote it, which is all it is for: the run folder does not outlive the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labsim.checks import StorageUnavailable
from labsim.errors import LabError


class JournalFile:
    """Be a `campaign_journal.Journal` in a file that only its owner may read.

    Raises LabError for a file with a line that is no entry, other than half a last one.
    """

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_RDONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "rb") as opened:
            data = opened.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(file, len(whole))
        self._entries = [_entry(file, n, line) for n, line in enumerate(whole.splitlines(), 1)]
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)

    def entries(self) -> Iterable[Mapping[str, Any]]:
        """Return what the file held when it was opened, oldest first."""
        return self._entries

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append one entry; raises StorageUnavailable if it cannot be written whole."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise StorageUnavailable(f"the journal is not writable: {error.strerror}") from error
        if written != len(line):
            raise StorageUnavailable("the journal could not be written: the disk is full")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _entry(file: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "entry" not in entry:
        happened = f"{file}, line {number} is no entry of a campaign's journal."
        raise LabError(happened, "The campaign was not resumed.", "Run it anew.")
    return entry
