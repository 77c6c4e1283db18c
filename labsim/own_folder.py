"""What a learner's own notebooks leave behind: JSON lines, a file for each kind, in one folder.

They lie where LABSIM_PROGRESS says, otherwise in the user's own data folder (XDG). Nothing is sent
anywhere. Notebooks that are open at the same time may all write: a line is one write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from labsim.errors import LabError

VARIABLE: Final = "LABSIM_PROGRESS"
KINDS: Final = ("", "predictions", "attempts", "ideas")
"""What there is: the record of checks, which has the plain name, and what lies beside it."""


def file(kind: str = "") -> Path:
    """Return the file of a kind: $LABSIM_PROGRESS itself, or beside it with the kind's name."""
    said = os.environ.get(VARIABLE)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    plain = Path(said) if said else Path(data) / "labsim" / "progress.jsonl"
    return plain.with_name(f"{plain.stem}.{kind}{plain.suffix}") if kind else plain


def add(kind: str, line: Mapping[str, Any]) -> str:
    """Append a line to the file of a kind; return a sentence if that failed, to be shown."""
    try:
        path = file(kind)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
    except (OSError, RuntimeError) as error:
        return f"(Your progress was not written down: {error}.)"
    return ""


def lines(kind: str) -> list[dict[str, Any]]:
    """Return the lines of a kind, in the order of writing; none if there is no such file.

    A line that is no JSON object is left out: a machine that went off in mid-write leaves one.
    Raises LabError for a file that is there and cannot be read.
    """
    path = file(kind)
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise _unusable(path, "read", error) from error
    return [row for row in map(_row, text.splitlines()) if row]


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def remove() -> list[Path]:
    """Remove the files of all kinds; return those that were there. Raises LabError if it cannot."""
    there = [path for path in map(file, KINDS) if path.exists()]
    for path in there:
        try:
            path.unlink()
        except OSError as error:
            raise _unusable(path, "removed", error) from error
    return there


def _unusable(path: Path, how: str, error: OSError) -> LabError:
    return LabError(
        f"Your record {path} cannot be {how}: {error.strerror}.",
        "It was left as it is.",
        f"Set {VARIABLE} to a file of yours, or unset it.",
    )
