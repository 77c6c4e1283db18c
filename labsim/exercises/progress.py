"""The learner's own record: what each check said and each hint that was taken, a JSON line each.

Where it lies, `labsim.own_folder` says: LABSIM_PROGRESS, or the user's own folder.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from labsim import own_folder

VARIABLE = own_folder.VARIABLE
HINT = "hint"
"""The outcome of a line that is about a hint and no check."""


def file() -> Path:
    """Return the file of the record: of $LABSIM_PROGRESS, or in the user's data folder (XDG)."""
    return own_folder.file()


def lines() -> list[dict[str, Any]]:
    """Return the record's lines, oldest first, each with exercise and outcome as text.

    Any other line is left out: somebody else wrote it. Raises LabError for a record that is there
    and cannot be read.
    """
    told = ("exercise", "outcome")
    return [
        line
        for line in own_folder.lines("")
        if all(isinstance(line.get(name), str) for name in told)
    ]


def note(exercise: str, outcome: str, says: str, answer: Any = None) -> str:
    """Write down what a check said; return a sentence if that failed, for the learner to read.

    `answer` is what was answered, as JSON values.
    """
    line = {"time": int(time.time()), "exercise": exercise, "outcome": outcome, "says": says}
    failed = own_folder.add("", line if answer is None else line | {"answer": answer})
    return f"\n{failed}" if failed else ""
