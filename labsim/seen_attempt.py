"""One attempt to look at: its bytes, the three views of it, and the attack as a diagram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
