"""What a run writes down as it goes: attempts and events, in a folder that is its own meanwhile."""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from labsim.attempt import COLUMNS
from labsim.errors import LabError


class Results:
    """Write attempts and events down as they come: an end in mid-run loses none of them."""

    def __init__(self, attempts: TextIO, events: TextIO, columns: tuple[str, ...]) -> None:
        self._attempts = csv.DictWriter(attempts, columns, lineterminator="\n")
        self._attempts.writeheader()
        self._files = (attempts, events)
        self._events = events
        self.count = 0
        self._written = 0

    def attempt(self, row: dict[str, Any]) -> None:
        """Write one attempt as a line of attempts.csv."""
        self._attempts.writerow({**row, "status": "" if row["status"] is None else row["status"]})
        self.count += 1

    def events(self, events: list[dict[str, Any]]) -> None:
        """Write the events that are new as lines of events.jsonl, and flush both files."""
        for event in events[self._written :]:
            self._events.write(json.dumps(event, separators=(",", ":")) + "\n")
        self._written = len(events)
        for file in self._files:
            file.flush()


@contextmanager
def written(out: Path, names: Iterable[str]) -> Iterator[Results]:
    """Write results into a folder, alone; files of these names from an earlier run go first.

    Raises LabError if another run is at it, or if the folder cannot be written.
    """
    did = "Nothing was started."
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _alone_in(out):
            # Those of an earlier run go first: a run that is interrupted would leave a mixture.
            for name in names:
                (out / name).unlink(missing_ok=True)
            with (
                (out / "attempts.csv").open("w") as attempts,
                (out / "events.jsonl").open("w") as events,
            ):
                did = "The run ended there; the lines that were written are whole, and stay."
                yield Results(attempts, events, COLUMNS)
    except OSError as error:
        raise LabError(
            f"The results cannot be written to {out}: {error.strerror}.",
            did,
            "Make room, or name another folder with --out.",
        ) from error


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Keep other runs out of a folder until the block ends, in whatever way."""
    folder = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(
                f"Another run is just writing its results to {out}.",
                "This one was not started, and nothing there was changed.",
                "Wait for its end, or name another folder with --out.",
            ) from error
        yield
    finally:
        os.close(folder)
