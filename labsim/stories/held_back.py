"""What became of requests that were held back: the thief's turn first, then the client's own.

A proof is good once, for whoever comes first. The client's own request comes second, is refused as
a replay, and that is an alarm: a holder signs each request anew and never sends one proof twice.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from labsim.blast.detection import EVIDENCE
from labsim.charts import words

_SPENT: Final = "PROOF_REPLAYED"


@dataclass(frozen=True, slots=True)
class Held:
    """Hold what became of the requests that one replay, binding and custody was tried on.

    `count` is how many were held back; `thief` how the thief's attempts with them ended, and
    `served` how many of these were served; `refused` how many were then refused to the client
    itself, with the `reason` and `check` of its server's event, and `source`. `alarm` says why that
    is evidence of a theft (`blast.detection.EVIDENCE`), empty if it is none.
    """

    replay: str
    binding: str
    custody: str
    count: int
    thief: str
    served: int
    refused: int
    reason: str
    check: str
    source: str
    alarm: str

    @property
    def place(self) -> str:
        """Return binding and custody in words."""
        key = "" if self.custody == "none" else f", {words.custody(self.custody)}"
        return f"{words.binding(self.binding)}{key}"

    @property
    def holder(self) -> str:
        """Return how the client's own requests ended once they were let go."""
        if not self.refused:
            return f"served {self.count} of {self.count}"
        return f"refused {self.refused} of {self.count} ({words.why(self.reason, self.check)})"


def held_back(
    rows: Iterable[Mapping[str, Any]], attempts: Iterable[Mapping[str, Any]]
) -> list[Held]:
    """Sum up requests that were held back, by replay, binding and custody, in the reader's order.

    `rows` are `holding.Holding.rows`; of `attempts` are read attempt, replay and outcome. A request
    that nobody used before it was let go is left out.
    """
    made = {row["attempt"]: row for row in attempts}
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        for replay in dict.fromkeys(made[number]["replay"] for number in row["attempts"]):
            groups.setdefault((replay, row["binding"], row["custody"]), []).append(row)
    order = words.in_order("replay", [replay for replay, *_ in groups])
    bindings = words.in_order("binding", [binding for _, binding, _ in groups])
    ordered = sorted(groups, key=lambda key: (order.index(key[0]), bindings.index(key[1])))
    return [_held(key, groups[key], made) for key in ordered]


def _held(
    key: tuple[str, str, str],
    rows: list[Mapping[str, Any]],
    made: Mapping[int, Mapping[str, Any]],
) -> Held:
    mine = [made[number] for row in rows for number in row["attempts"]]
    endings = [row["outcome"] for row in mine if row["replay"] == key[0]]
    told = [
        f"{words.plain(each).replace('tls', 'TLS')} {endings.count(each)} of {len(endings)}"
        for each in dict.fromkeys(endings)
    ]
    refused = [row for row in rows if row["outcome"] != "served"]
    first: Mapping[str, Any] = refused[0] if refused else {}
    return Held(
        *key,
        count=len(rows),
        thief=", ".join(told),
        served=endings.count("served"),
        refused=len(refused),
        reason=first.get("reason", ""),
        check=first.get("check", ""),
        source=first.get("source", ""),
        alarm=_alarm(first),
    )


def _alarm(row: Mapping[str, Any]) -> str:
    """Return why a refusal is evidence of a theft, empty if it is none."""
    event = {**row, "decision": row.get("outcome", "")}
    return next((rule.why for rule in EVIDENCE if rule.is_in(event)), "")


def finding(held: Iterable[Held]) -> str:
    """Say in a sentence or two what the clients noticed; empty where nothing was held back."""
    every = list(held)
    used = [each for each in every if each.served]
    if not used:
        return ""
    warned = _bindings(each for each in used if each.alarm and each.reason == _SPENT)
    silent = _bindings(each for each in used if not each.refused)
    noisy = _bindings(each for each in every if each.alarm and each.reason != _SPENT)
    said = []
    if warned:
        said.append(
            f"With {warned}, the client's own request was then refused, as the replay of what the "
            "thief had sent first: that is an alarm."
        )
    if silent:
        said.append(f"With {silent}, it was served as well, and nobody noticed.")
    if noisy:
        said.append(f"With {noisy}, it was refused whatever the thief did: an alarm too.")
    return " ".join(["The thief held requests back and sent them first.", *said])


def _bindings(held: Iterable[Held]) -> str:
    names = words.in_order("binding", [each.binding for each in held])
    return words.listed([words.binding(name) for name in names]) if names else ""


def held_back_text(held: list[Held], *, width: int = 100) -> str:
    """Return what became of them as lines of at most `width` characters; empty if there is none."""
    lines = textwrap.wrap(finding(held), width, subsequent_indent="  ")
    replay = ""
    for each in held:
        if each.replay != replay:
            replay = each.replay
            lines.append(words.capital(words.replay(replay)))
        told = f"  {words.capital(each.place)}: thief {each.thief}; then the client {each.holder}"
        told += f". ALARM: {each.alarm}" if each.alarm else ""
        lines += textwrap.wrap(told, width, subsequent_indent="    ")
    return "\n".join(lines)
