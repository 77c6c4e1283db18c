"""What a variant of the servers changes: replays that end otherwise than in the base.

Compared is like with like: the same theft, binding, custody, replay and kind of server, and only
clients that were robbed under both. Which variant changes something is computed from the attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from labsim.charts import cells, words
from labsim.charts.cells import NOT_MEASURED, Cell, Ending
from labsim.charts.words import Look

if TYPE_CHECKING:
    import pandas as pd

BASE: Final = "base"
_IN: Final = (Look.SERVED, Look.SERVED_IN_PART)


class Place(NamedTuple):
    """Name one column: what the token was bound to, where the key lay, and the variant."""

    binding: str
    custody: str
    variant: str


class Way(NamedTuple):
    """Name one row: the replay, how the token was stolen, and at which kind of server."""

    replay: str
    theft: str
    relation: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold one cell beside the base's; `differs` says whether it ended otherwise."""

    cell: Cell
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Differences:
    """Hold what differs: columns, of each binding the base first, and a row per replay that does.

    `unchanged` are the variants that were tried and change nothing.
    """

    places: tuple[Place, ...]
    rows: tuple[tuple[Way, tuple[Compared, ...]], ...]
    unchanged: tuple[str, ...]

    @property
    def changing(self) -> list[str]:
        """Return the variants that change something, in the reader's order."""
        return words.in_order("variant", [p.variant for p in self.places if p.variant != BASE])


type _Attempts = dict[tuple[Way, Place], list[dict[Any, Any]]]


def differences(attempts: pd.DataFrame) -> Differences:
    """Compare every variant with the base; the columns of `attempts` as `cells.grid` reads.

    Reads client (string) too.
    """
    behind: _Attempts = {}
    rows: list[dict[Any, Any]] = attempts.to_dict("records")
    for row in rows:
        if row["verifier"] == "full":
            way = Way(row["replay"], row["theft"], row["relation"])
            place = Place(row["binding"], row["custody"], row["variant"])
            behind.setdefault((way, place), []).append(row)
    pairs = [key for key in behind if key[1].variant != BASE]
    differing = {key for key in pairs if _differs(behind, *key)}
    ways = _ways({way for way, _ in differing})
    places = _places({place for _, place in differing})
    tried = words.in_order("variant", [place.variant for _, place in pairs])
    changing = {place.variant for place in places}
    clients = {row["client"] for row in rows if row["variant"] != BASE}
    made = [
        (way, tuple(_compared(behind, way, p, differing, clients) for p in places)) for way in ways
    ]
    return Differences(places, tuple(made), tuple(v for v in tried if v not in changing))


def _differs(behind: _Attempts, way: Way, place: Place) -> bool:
    """Say whether a cell ended otherwise than the base's for the same clients."""
    mine = behind[way, place]
    clients = {row["client"] for row in mine}
    base = behind.get((way, place._replace(variant=BASE)), [])
    like = [row for row in base if row["client"] in clients]
    return bool(like) and _told(_cell(mine)) != _told(_cell(like))


def _cell(rows: list[dict[Any, Any]]) -> Cell:
    return cells.cell([cells.ending(row) for row in rows], [row["attempt"] for row in rows])


def _told(cell: Cell) -> tuple[Any, ...]:
    """Return all that counts of a cell: how it looks, and every reason for which it was refused."""
    return cell.look, cell.word, frozenset(_refusal(ending) for ending, _ in cell.endings)


def _refusal(ending: Ending) -> tuple[str, str]:
    if ending.outcome == "rejected":
        return ending.outcome, words.why(ending.reason, ending.check)
    return ending.outcome, words.alert(ending.reason) if ending.outcome == "refused_by_tls" else ""


def _compared(
    behind: _Attempts, way: Way, place: Place, differing: set[tuple[Way, Place]], clients: set[str]
) -> Compared:
    rows = [row for row in behind.get((way, place), []) if row["client"] in clients]
    return Compared(_cell(rows) if rows else NOT_MEASURED, (way, place) in differing)


def _ways(found: set[Way]) -> list[Way]:
    replays = words.in_order("replay", sorted(way.replay for way in found))
    thefts = words.in_order("theft", sorted(way.theft for way in found))

    def place(way: Way) -> tuple[bool, int, int]:
        elsewhere = way.relation != "same_resource"
        return elsewhere, replays.index(way.replay), thefts.index(way.theft)

    return sorted(found, key=place)


def _places(found: set[Place]) -> tuple[Place, ...]:
    every = found | {place._replace(variant=BASE) for place in found}
    bindings = words.in_order("binding", sorted(place.binding for place in every))
    custodies = words.in_order("custody", sorted(place.custody for place in every))
    variants = words.in_order("variant", sorted(place.variant for place in every))

    def order(place: Place) -> tuple[int, int, int]:
        first, second = bindings.index(place.binding), custodies.index(place.custody)
        return first, second, variants.index(place.variant)

    return tuple(sorted(every, key=order))


# What they say.


def title(found: Differences) -> str:
    """Say in one or two sentences which variants let a thief in, and which keep one out."""
    if not found.changing and not found.unchanged:
        return "No variant of the servers was tried."
    tried = len(found.changing) + len(found.unchanged)
    let_in = _changing(found, lambda base, here: base.look not in _IN and here.look in _IN)
    kept_out = _changing(found, lambda base, here: base.look in _IN and here.look not in _IN)
    parts = []
    for which, verb in ((let_in, "let in"), (kept_out, "keep out")):
        if which:
            other = "refuses" if verb == "let in" else "serves"
            many = f"{len(which)} of {tried} variants {verb} a thief whom the base {other}"
            parts.append(f"{many}: {words.listed([words.variant(name) for name in which])}.")
    if not parts:
        how = "changes how any replay ends" if not found.changing else "lets a thief in or out"
        parts.append(f"None of {tried} variants {how}.")
    said = " ".join(parts)
    return said if len(said) <= _LONGEST else " ".join(part.split(":")[0] + "." for part in parts)


_LONGEST: Final = 210
"""Characters: two lines of a picture; above that the variants are counted and not named."""


def _changing(found: Differences, says: Any) -> list[str]:
    return words.in_order(
        "variant",
        [
            place.variant
            for way, row in found.rows
            for place, here in zip(found.places, row, strict=True)
            if here.differs and says(base_of(found, row, place).cell, here.cell)
        ],
    )


def base_of(found: Differences, row: tuple[Compared, ...], place: Place) -> Compared:
    """Return the cell of a row that stands for the base beside this column."""
    return row[found.places.index(place._replace(variant=BASE))]


def unchanged(found: Differences) -> str:
    """Name in one line the variants that change nothing; empty if there is none."""
    if not found.unchanged:
        return ""
    named = "; ".join(words.variant(name) for name in found.unchanged)
    return f"Nothing changes with: {named}."


def label(way: Way) -> tuple[str, str]:
    """Return a row's name: what the thief does, and after which theft, at which server."""
    where = "" if way.relation == "same_resource" else ", at another server"
    return words.replay(way.replay), f"after {words.theft(way.theft)}{where}"


def changes(found: Differences) -> list[tuple[Way, Place, Cell, Cell]]:
    """Return every change as row, column, the base's cell and the variant's."""
    return [
        (way, place, base_of(found, row, place).cell, here.cell)
        for way, row in found.rows
        for place, here in zip(found.places, row, strict=True)
        if here.differs
    ]


def told(cell: Cell) -> str:
    """Return a cell in words: how it ended and why."""
    return ": ".join(part for part in (cell.word, cell.why) if part)


def alt(found: Differences) -> str:
    """Return the differences in words: the finding, every change, and what changes nothing."""
    parts = [title(found)]
    for way, place, base, here in changes(found):
        what, when = label(way)
        bound = words.binding(place.binding)
        if place.custody != "none":
            bound += f", {words.custody(place.custody)}"
        parts.append(
            f"{words.capital(what)}, {when}, {bound}: {told(base)} in the base, {told(here)} with "
            f"{words.variant(place.variant)}."
        )
    return " ".join([*parts, unchanged(found)]).strip()
