"""The learner's own record: what each check said, one JSON line a check.

It lies where LABSIM_PROGRESS says, otherwise in the user's own folder. Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Final

VARIABLE: Final = "LABSIM_PROGRESS"


def file() -> Path:
    """Return the file of the record: of $LABSIM_PROGRESS, or in the user's data folder (XDG)."""
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "labsim" / "progress.jsonl"


def note(exercise: str, outcome: str, says: str) -> str:
    """Write down what a check said; return a sentence if that failed, for the learner to read."""
    line = {"time": int(time.time()), "exercise": exercise, "outcome": outcome, "says": says}
    try:
        path = file()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
    except (OSError, RuntimeError) as error:
        return f"\n(Your progress was not written down: {error}.)"
    return ""
