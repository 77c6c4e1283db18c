"""The table that a replay returns: a DataFrame, with each attempt behind its row."""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

import pandas as pd

from labsim.arguments import is_number_of
from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.seen_attempt import SeenAttempt


class AttemptsTable(pd.DataFrame):
    """Be a table of attempts (`blast.measured.attempts_frame`), and know where each can be seen.

    What is selected from it is a plain DataFrame.
    """

    _metadata = ["_find"]  # noqa: RUF012 - pandas reads it so

    _find: Callable[[int], SeenAttempt]

    @staticmethod
    def of(frame: pd.DataFrame, find: Callable[[int], SeenAttempt]) -> AttemptsTable:
        """Make the table; `find` returns an attempt by its number."""
        table = AttemptsTable(frame)
        table._find = find
        return table

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def attempt(self, which: int | str = 0) -> SeenAttempt:
        """Return an attempt to look at: by its row, counted from 0, or by the name of its replay.

        Of several by one replay it is the last. Raises LabError if there is none.
        """
        numbers: list[Any] = list(self["attempt"])
        replays = list(self["replay"])
        if isinstance(which, str):
            places = [place for place, replay in enumerate(replays) if replay == which]
            if not places:
                raise LabError.unknown("attempt by a replay", which, dict.fromkeys(replays))
            return self._find(int(numbers[places[-1]]))
        if not is_number_of(which, range(-len(numbers), len(numbers))):
            counted = f"from 0 to {len(numbers) - 1}" if numbers else "from 0, and there is none"
            raise LabError(
                f"This table has no row {shortened(which)}.",
                todo=f"Its rows are counted {counted}.",
            )
        return self._find(int(numbers[which]))
