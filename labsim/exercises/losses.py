"""The five losses of notebook 07, and changes that may answer them, tried out on the running lab.

A change answers a loss if the thief is no longer served with it. Each loss is tried without the
change too: a refusal that was there before is nobody's merit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labsim.blast.measured import attempts_frame
from labsim.charts import cards
from labsim.prediction import Prediction, is_missing
from labsim.progress_bar import ProgressBar

if TYPE_CHECKING:
    from labsim.lab import Lab

CLIENT: Final = "ci-runner"
RESOURCE: Final = "deploy"
LATER: Final = 1200
"""Lab seconds after which proofs that were made ahead are used: the code is long gone then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Say how a binding loses: what is stolen from whom, how it is used, and in which variant."""

    theft: str
    replay: str
    binding: str = "dpop"
    custody: str = "file"
    variant: str = "base"
    evicted: bool = False
    seconds: int = 0


LOSSES: Final[Mapping[str, Loss]] = {
    "signed_in_place": Loss(theft="container_code", replay="signed_in_place"),
    "proofs_made_ahead": Loss(
        theft="container_code",
        replay="proofs_made_ahead",
        custody="signer",
        evicted=True,
        seconds=LATER,
    ),
    "hold_and_forward": Loss(theft="wiretap", replay="hold_and_forward", variant="unspent"),
    "laundered_by_exchange": Loss(
        theft="log_line", replay="laundered_by_exchange", variant="exchange_for_anyone"
    ),
    "forged_certificate_header": Loss(
        theft="container_files",
        replay="forged_certificate_header",
        binding="mtls",
        custody="memory",
        variant="proxy_passes",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say what a defender changes: each field that is not empty takes a loss's own place.

    `of` names the variants in whose place this one can stand; in another, two would be needed.
    """

    variant: str = ""
    of: tuple[str, ...] = ("base",)
    custody: str = ""
    binding: str = ""
    evicts: bool = False


CHANGES: Final[Mapping[str, Change]] = {
    "evict": Change(evicts=True),
    "server_nonce": Change(variant="nonce"),
    "stamping_signer": Change(variant="stamping_signer"),
    "mtls": Change(binding="mtls"),
    "issuer_asks_who": Change(variant="base", of=("exchange_for_anyone",)),
    "proxy_strips": Change(variant="proxy_strips", of=("base", "proxy_passes")),
    "key_in_a_signer": Change(custody="signer"),
    "remember_proofs": Change(),  # the lab's servers do already
}


def with_change(loss: Loss, change: Change) -> Loss | None:
    """Return a loss as it meets a change; None where the lab cannot have both at once."""
    if change.variant and loss.variant not in change.of:
        return None
    return replace(
        loss,
        variant=change.variant or loss.variant,
        custody=change.custody or loss.custody,
        binding=change.binding or loss.binding,
        evicted=change.evicts or loss.evicted,
    )


def tried(lab: Lab, loss: Loss) -> dict[str, str]:
    """Let a loss happen; return how it ended for the thief, and for the owner meanwhile."""
    lab.vary(loss.variant)
    try:
        lab.bind(CLIENT, loss.binding, custody=loss.custody)
        at = RESOURCE if loss.variant == "unspent" else None
        loot = lab.attacker.steal(CLIENT, by=loss.theft, at=at)
        if loss.evicted:
            lab.evict(CLIENT)
        if loss.seconds:
            lab.advance(seconds=loss.seconds)
        seen = lab.attacker.replay(loot[0], by=loss.replay, against=RESOURCE).attempt()
        own = seen.exchange.get("victim") or lab.work_rows(CLIENT, RESOURCE)
    finally:
        lab.vary("base")
    return {"thief": ending(seen.row), "owner": ending(own[0])}


def ending(row: Mapping[str, object]) -> str:
    """Say how an attempt or a call ended, in the word of a prediction."""
    refused = row["outcome"] == "rejected" and row.get("check")
    return str(row["check"] if refused else row["outcome"])


@dataclass(frozen=True, slots=True)
class TriedOut:
    """Hold what each chosen change did to its loss; a notebook shows it as a table."""

    rows: tuple[dict[str, str], ...]

    @property
    def headline(self) -> str:
        """Say how many losses are answered."""
        if not self.rows:
            return "Choose a change for each loss above; nothing was tried."
        ended = sum(row["with it"] not in ("served", NOT_TRIED) for row in self.rows)
        return f"{ended} of {len(self.rows)} losses end with the change that you chose."

    def __repr__(self) -> str:
        """Say it as text, a line a loss."""
        lines = ["; ".join(f"{name}: {said}" for name, said in row.items()) for row in self.rows]
        return "\n".join([self.headline, *lines])

    def _repr_html_(self) -> str:
        return cards.card("▣", self.headline, cards.table(self.rows))


NOT_TRIED: Final = "not tried: the lab cannot have both at once"


def try_out(lab: Lab, answers: object) -> TriedOut:
    """Let each loss happen without and with the change that was chosen for it.

    `answers` maps a loss to a change. What is missing or unknown is left out; the exercise says so.
    """
    given = answers if isinstance(answers, Mapping) else {}
    chosen = {
        loss: change
        for loss, change in given.items()
        if not is_missing(change) and loss in LOSSES and change in CHANGES
    }
    rows: list[dict[str, str]] = []
    with ProgressBar("Losses", "losses", len(chosen)) as bar:
        for loss, change in chosen.items():
            rows.append(_with_and_without(lab, loss, change))
            bar.reach(len(rows))
    return TriedOut(tuple(rows))


def _with_and_without(lab: Lab, loss: str, change: str) -> dict[str, str]:
    without = tried(lab, LOSSES[loss])
    after = with_change(LOSSES[loss], CHANGES[change])
    ended = tried(lab, after) if after else {"thief": NOT_TRIED, "owner": ""}
    return {
        "loss": loss,
        "without": without["thief"],
        "change": change,
        "with it": ended["thief"],
        "the owner then": ended["owner"],
    }


class BothEnds(Prediction):
    """Hold how one request ended for the thief who sent it first, and for its owner after that."""

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each of the two."""
        shown = ("replay", "predicted", "happened", "as predicted")
        renamed = {"replay": "who sends it"}
        return [{renamed.get(name, name): row[name] for name in shown} for row in super().rows()]


def held_back(lab: Lab, predicted: object, reveal: bool = False) -> Prediction:
    """Hold a request of the runner's back, let the thief send it first, and then let it go on.

    `predicted` maps `thief` and `owner` to an ending or a check; sealed until both are there.
    """
    said = predicted if isinstance(predicted, Mapping) else {}
    whole = not any(is_missing(said.get(who)) for who in ("thief", "owner"))
    lab.vary("unspent")
    try:
        loot = lab.attacker.steal(CLIENT, by="wiretap", at=RESOURCE)
        word = said.get("thief") if whole else None
        # Through the attacker, so that a diagram of it stays sealed as long as this does.
        lab.attacker.replay(
            loot[0], by="hold_and_forward", against=RESOURCE, predicted=word, reveal=reveal
        )
        number = len(lab.attacker.rows)
        own = lab.attacker.exchanges[number]["victim"][0]
    finally:
        lab.vary("base")
    rows = [{**lab.attacker.rows[number - 1], "replay": "thief"}]
    told = {name: own[name] for name in ("resource", "outcome", "status", "check", "source")}
    rows.append({**told, "attempt": number, "replay": "owner", "records": 0, "seconds": 0})
    return BothEnds(attempts_frame(rows), said if whole else None, reveal)
