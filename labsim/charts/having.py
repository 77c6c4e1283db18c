"""What a thief had for a replay, in words; shared by a learner's own matrix and bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from labsim.charts import verifiers, words
from labsim.charts.cells import Cell, Ending, cell
from labsim.charts.words import Look

KINDS: Final = {
    "token": "the token alone",
    "certificate": "a certificate, no key",
    "captured_request": "a captured request",
    "proofs_ahead": "proofs made ahead",
    "foothold": "a foothold in the holder",
    "key": "the key too",
    "refresh_token": "a refresh token",
    "client_credential": "the client credential",
}
"""Kinds of loot in the order in which a reader meets them; the first three leak by themselves."""
MORE: Final = tuple(KINDS)[3:]
"""What is more than what leaks with a request."""
_IN_PLACE_OF_A_PROOF: Final = {
    "certificate_is_shown": "no certificate",
    "signature_is_there": "no signature",
}
"""What is missing where a binding's proof is called something else: the reason is one for all."""
type Row = Mapping[str, Any]


def ended(row: Row, kind: str) -> Cell:
    """Return how the replays that rest on a kind of loot ended, as one cell."""
    return _cell(row["endings"].get(kind, ()))


def holder(row: Row) -> Cell:
    """Return how the holder's own requests ended, as one cell."""
    return _cell(row["holder"])


def _cell(counted: Iterable[Sequence[Any]]) -> Cell:
    endings = [Ending(*map(str, each[:3])) for each in counted for _ in range(int(each[3]))]
    # Of reasons that are as frequent, the binding's own is the one to show.
    made = cell(sorted(endings, key=_not_the_bindings))
    if made.look in (Look.SERVED, Look.SERVED_IN_PART):
        return made
    # How many more were refused, and for what other reason, is no matter here.
    shown = made.endings[0][0].check if made.endings else ""
    why = _IN_PLACE_OF_A_PROOF.get(shown) or made.why.partition(", and ")[0]
    return replace(made, word=made.sign.word, why=why)


def _not_the_bindings(ending: Ending) -> bool:
    return words.look(ending.outcome, ending.reason) is not Look.REJECTED_BY_BINDING


def served(row: Row, kinds: Iterable[str]) -> list[str]:
    """Return those of the kinds that were served."""
    got_in = (Look.SERVED, Look.SERVED_IN_PART)
    return [kind for kind in kinds if ended(row, kind).look in got_in]


def present(rows: Iterable[Row]) -> list[str]:
    """Return the kinds with which anything could be built in any row, in the reader's order."""
    silent = (Look.NOT_POSSIBLE, Look.NOT_MEASURED)
    every = list(rows)
    return [kind for kind in KINDS if any(ended(row, kind).look not in silent for row in every)]


def named(row: Row) -> str:
    """Return a row's binding in words, with what its servers did otherwise, if anything."""
    parts = [words.capital(words.binding(row["binding"]))]
    if row["variant"] != "base":
        parts.append(words.variant(row["variant"]))
    if row["verifier"] != "full":
        parts.append(verifiers.called(row["verifier"]))
    return ", ".join(parts)


def robbed(row: Row) -> str:
    """Return how a row's client was robbed, and where its key lay."""
    theft = words.theft(row["theft"])
    return theft if row["custody"] == "none" else f"{theft}, {words.custody(row['custody'])}"
