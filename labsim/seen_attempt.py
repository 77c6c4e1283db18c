"""One attempt to look at: its bytes, the three views of it, and the attack as a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass, field
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from labsim.arguments import is_number_of
from labsim.errors import LabError
from labsim.prediction import Sealed
from labsim.stories.three_views import Shown, shown

if TYPE_CHECKING:
    from labsim.charts.sequence import Sequence


@dataclass(frozen=True, slots=True)
class SeenAttempt:
    """Hold one attempt: its row of the table, what went over the wire, and whether it is sealed.

    `exchange` has request and response (latin-1 text), event (the server's own), holder (the
    holder's own request to the same server), earlier (the attempt's requests before its last) and
    victim (how a request that was held back ended for its sender), each as far as there is one.
    """

    row: Mapping[str, Any]
    exchange: Mapping[str, Any] = field(repr=False)
    sealed: bool = False

    def show(self) -> Shown | Sealed:
        """Show the bytes, what they encode, what the holder sent instead, and the three views."""
        if self.sealed:
            return Sealed(f"Attempt {self.row['attempt']}")
        return shown(self.row, self.exchange)

    def diagram(self) -> Sequence | Sealed:
        """Draw who sent what to whom, from the theft to the refusal, and which check refused."""
        if self.sealed:
            return Sealed(f"The diagram of attempt {self.row['attempt']}")
        from labsim.stories.attack_sequence import attack_sequence

        return attack_sequence(self.row, self.exchange)

    def __repr__(self) -> str:
        """Say which attempt it is, and nothing of how it ended."""
        what = str(self.row["replay"]).replace("_", " ")
        return f"Attempt {self.row['attempt']}: {what}, at {self.row['resource']}"


def seen(
    rows: Rows[Mapping[str, Any]],
    exchanges: Mapping[int, Mapping[str, Any]],
    sealed: Mapping[Any, set[int]],
    which: int | str,
) -> SeenAttempt:
    """Return an attempt of a run by its number, or the newest one by a replay's name.

    Bound to what one run has, it finds that run's attempts once a reset counts from 1 again.
    `sealed` has the numbers of attempts whose result is still to be predicted, by what they are of.
    Raises LabError if there is none.
    """
    number = which if isinstance(which, int) else _newest(rows, which)
    if not is_number_of(number, exchanges):
        raise no_attempt(which, len(rows))
    return SeenAttempt(
        rows[number - 1], exchanges[number], any(number in each for each in sealed.values())
    )


def no_attempt(which: object, count: int) -> LabError:
    """Make the error for an attempt that does not exist, where there are so many."""
    todo = f"They are numbered from 1 to {count}." if count else "Nothing was replayed yet."
    return LabError(f"There is no attempt {shortened(which)}.", todo=todo)


def _newest(rows: Rows[Mapping[str, Any]], replay: str) -> int:
    numbers = [row["attempt"] for row in rows if row["replay"] == replay]
    if not numbers and rows:
        tried = dict.fromkeys(row["replay"] for row in rows)
        raise LabError.unknown("attempt by a replay", replay, tried)
    return int(numbers[-1]) if numbers else 0
