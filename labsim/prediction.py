"""A result that stays sealed until it was predicted.

A cell that passes `predicted=` to `replay` shows nothing of what happened while the prediction is
missing (None or `...`) or cannot be read. The replay itself has run all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any, Final, Self

from labsim import own_folder
from labsim.charts import cards
from labsim.credentials import ACCESS_TOKEN
from labsim.errors import LabError
from labsim.roles.token_exchange import EXCHANGE_CHECKS
from labsim.rooms import rooms

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_SEALED: Final = object()
"""What `predicted` is where nothing was to be predicted."""
ENDINGS: Final = ("served", "not_possible", "refused_by_tls", "unreachable")
# Refusals that are no check of a list: the server's reading of the request itself.
_OF_THE_REQUEST: Final = (
    "proof_is_there",
    "certificate_is_shown",
    "signature_is_there",
    "scheme_is_the_bindings",
    "scope_covers_the_request",
    "secret_is_the_clients",
)
_HOW: Final = (
    "Sealed. Predict above and run this cell again, or pass reveal=True to look without predicting."
)


def is_missing(answer: object) -> bool:
    """Tell whether an answer was not given: None, `...`, empty, or a mapping to such only."""
    if isinstance(answer, Mapping):
        return all(is_missing(value) for value in answer.values())
    return (
        answer is None or answer is ... or (isinstance(answer, str | tuple | list) and not answer)
    )


def readable() -> tuple[str, ...]:
    """Return every word that a prediction may use: endings, and the names of all checks."""
    rooms_checks = [room.checks for room in rooms("labsim.bindings", "BINDING").values()]
    checks = [
        check.name
        for each in (ACCESS_TOKEN.checks, EXCHANGE_CHECKS, *rooms_checks)
        for check in each
    ]
    return tuple(dict.fromkeys((*ENDINGS, *_OF_THE_REQUEST, *checks)))


def replay_name(
    pieces: Sequence[Mapping[str, Any]],
    by: str | Sequence[str] | None,
    against: str | None,
    variant: str,
    binding: Callable[[str], str],
) -> tuple[object, ...]:
    """Return what a replay of this loot has in common with the same one run again.

    `binding` tells a client's binding.
    """
    bound = binding(pieces[0]["client"]) if pieces else ""
    whose = tuple((p["client"], p["theft"], p["resource"], p["custody"], bound) for p in pieces)
    named = by if by is None or isinstance(by, str) else tuple(by)
    return (named, against, variant, *whose)


@dataclass(frozen=True)
class Prediction:
    """Hold what happened and what was predicted; show the first only where there is the second.

    `frame` are the attempts (`blast.measured.attempts_frame`), sealed or not. `predicted` is one
    word, or a mapping of words by replay (by resource, where there is one replay only); a word is
    an ending (`served`) or the name of the check that refuses.
    """

    frame: DataFrame
    predicted: Any
    reveal: bool = False

    @property
    def sealed(self) -> bool:
        """Tell whether the result is to be kept back."""
        return not self.reveal and (is_missing(self.predicted) or self.fault is not None)

    @property
    def by(self) -> str:
        """Return the column whose values a prediction is keyed by: `resource` or `replay`."""
        return "resource" if self.frame["replay"].nunique() == 1 else "replay"

    @cached_property
    def fault(self) -> LabError | None:
        """Return what cannot be read in the prediction, or None; a missing one has no fault."""
        given = self.predicted
        keys = list(dict.fromkeys(self.frame[self.by]))
        if is_missing(given):
            return None
        if isinstance(given, str) and len(keys) == 1:
            given = dict.fromkeys(keys, given)
        if not isinstance(given, Mapping):
            first = next(iter(keys), "...")
            todo = f'Give a word for each {self.by}, as {{"{first}": "served"}}.'
            return _unreadable(shortened(given), f"{todo} There are: {', '.join(keys)}.")
        for key, word in given.items():
            if key not in keys:
                return _unreadable(f"{key!r}", f"There are: {', '.join(keys)}.")
            if isinstance(word, str) and word == "rejected":
                return _unreadable("'rejected' alone", "Name the check that refuses.")
            if not (is_missing(word) or (isinstance(word, str) and word in readable())):
                return _unreadable(f"{word!r}", f"The words are: {', '.join(readable())}.")
        return None

    def attempt(self, which: int | str = 0) -> Any:
        """Return an attempt to look at, as the table's own `attempt` does; sealed, it says so.

        Raises LabError if there is none, or nothing was sent.
        """
        table: Any = self.frame
        if "attempt" not in vars(type(table)):
            raise LabError("Nothing here went over a wire.", todo="Look at the checks instead.")
        return table.attempt(which)

    def rows(self) -> list[dict[str, str]]:
        """Return one row an attempt: where or how, what was predicted, what happened.

        Those that were predicted come first. Raises LabError while it is sealed.
        """
        if self.sealed:
            raise LabError("This result is sealed.", todo="Predict it, or pass reveal=True.")
        given = {} if self.reveal and self.fault else self.predicted
        words = given if isinstance(given, Mapping) else dict.fromkeys(self.frame[self.by], given)
        attempts = self.frame.to_dict("records")
        rows = [_row(row, self.by, words.get(row[self.by])) for row in attempts]
        return sorted(rows, key=lambda row: not row["predicted"])

    def noted(self) -> Self:
        """Write what was predicted and did not happen into the learner's record; return this.

        What is sealed, or was looked at without predicting, leaves nothing there.
        """
        for row in [] if self.sealed or self.reveal else self.rows():
            if row["as predicted"] == "no":
                about = next(iter(row))
                line = {"about": row[about], "by": about}
                own_folder.add("predictions", line | {n: row[n] for n in ("predicted", "happened")})
        return self

    @property
    def headline(self) -> str:
        """Say how many of the predictions came true; which, the rows say."""
        made = [row for row in self.rows() if row["predicted"]]
        if not made:
            return "What happened; nothing was predicted."
        came = sum(row["as predicted"] == "yes" for row in made)
        return f"You predicted {len(made)}; {came} happened as you said."

    def _seal(self) -> str:
        return f"{self.fault} {_HOW}" if self.fault else _HOW

    def __repr__(self) -> str:
        """Say that it is sealed, or what was predicted and what happened."""
        if self.sealed:
            return self._seal()
        lines = ["; ".join(f"{name}: {said}" for name, said in row.items()) for row in self.rows()]
        return "\n".join([self.headline, *lines])

    def _repr_html_(self) -> str:
        if self.sealed:
            return cards.card("▢", "Not shown yet", cards.paragraph(self._seal()), cards.LINE)
        return cards.card("▣", self.headline, cards.table(self.rows()))


@dataclass(frozen=True, slots=True)
class Sealed:
    """Stand for something that would give a sealed result away."""

    what: str

    def __repr__(self) -> str:
        """Say what is kept back, and until when."""
        return f"{self.what} is sealed, until the result above was predicted."

    def _repr_html_(self) -> str:
        return cards.card("▢", "Not shown yet", cards.paragraph(repr(self)), cards.LINE)


def _unreadable(what: str, todo: str) -> LabError:
    return LabError(f"A prediction of {what} cannot be read.", todo=todo)


def _row(row: Mapping[Any, Any], by: str, word: Any) -> dict[str, str]:
    happened = row["outcome"] if row["outcome"] != "rejected" else row["check"]
    told = f"rejected by {row['check']}" if row["outcome"] == "rejected" else row["outcome"]
    missing = is_missing(word)
    return {
        by: row[by],
        "predicted": "" if missing else str(word),
        "happened": str(told).replace("not_possible", "not possible: ")
        + (str(row["reason"]) if row["outcome"] == "not_possible" else ""),
        "as predicted": "" if missing else "yes" if word == happened else "no",
        "records": str(row["records"]),
    }
