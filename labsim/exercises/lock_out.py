"""Locking a thief out, step by step: what is left to it, worked out here and measured on the lab.

The thief has code in the client's process and the files that lay there. After each step it does all
it can: signs in place, reads the files anew while its code runs, and gets a token with the newest
secret that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from labsim.charts import cards
from labsim.exercises.exercise import Exercise, Unreadable
from labsim.prediction import is_missing

if TYPE_CHECKING:
    from labsim.haul import Haul
    from labsim.lab import Lab

STEPS: Final = ("evict", "revoke", "rotate")
RESOURCE: Final = "deploy"


class Left(NamedTuple):
    """Say what a thief still has: code in the process, a good secret, tokens that live."""

    code: bool
    secret: bool
    tokens: bool


def left_after(steps: Sequence[str]) -> tuple[Left, ...]:
    """Return what the thief has at first and after each step, in the order of the steps."""
    left = Left(code=True, secret=True, tokens=True)
    course = [left]
    for step in steps:
        code = left.code and step != "evict"
        secret = code or (left.secret and step != "rotate")
        # It gets another token as soon as it can; a revocation ends those that there were.
        tokens = code or secret or (left.tokens and step != "revoke")
        left = Left(code, secret, tokens)
        course.append(left)
    return tuple(course)


def fault(steps: Sequence[str]) -> str:
    """Return what is wrong with these steps, by what is left at their end; empty if nothing is."""
    left = left_after(steps)[-1]
    if left.code:
        return "Its code still runs in the runner: it signs in place and reads each new secret."
    if left.secret and "rotate" in steps:
        return (
            "You rotated while its code still ran in the runner. It read the new secret as well, "
            "and gets tokens with it."
        )
    if left.secret:
        return (
            "The secret is as good as ever. The thief gets a new token with it, as it did above "
            "when its code had been thrown out."
        )
    if left.tokens and "revoke" in steps:
        return (
            "You revoked while the old secret was still good: the thief got another token before "
            "you rotated, and that one lives for an hour."
        )
    if left.tokens:
        return (
            "A new secret ends no token. The thief has some that it got before, and each lives "
            "for an hour from then on."
        )
    return ""


class Ordered(Exercise):
    """Ask for steps in their order; the effect of the last one decides."""

    def _judge(self, answer: Any) -> str:
        known = isinstance(answer, list | tuple) and all(step in STEPS for step in answer)
        if not known:
            raise Unreadable(f"{answer!r}: give a list of steps out of {', '.join(STEPS)}.")
        return fault(answer)


@dataclass(frozen=True, slots=True)
class Course:
    """Hold what was measured: one row at first and one after each step."""

    rows: tuple[dict[str, str], ...]

    def _headline(self) -> str:
        steps, last = len(self.rows) - 1, self.rows[-1]
        if not steps:
            return "No step was taken; this is what the thief has."
        closed = (last["signs in place"], last["gets new tokens"], last["tokens still good"])
        end = "has nothing left" if closed == ("no", "no", "0") else "still has something"
        return f"After {steps} step{'s' if steps > 1 else ''} the thief {end}."

    def __repr__(self) -> str:
        """Say it as text."""
        lines = ["; ".join(f"{name}: {said}" for name, said in row.items()) for row in self.rows]
        return "\n".join([self._headline(), *lines])

    def _repr_html_(self) -> str:
        return cards.card("▣", self._headline(), cards.table(self.rows))


class _Thief:
    """Do after each step what a thief would, by the lab's own replays."""

    def __init__(self, lab: Lab, client: str) -> None:
        self._lab, self._client = lab, client
        self._inside = lab.attacker.steal(client, by="container_code")
        self._files = self._inside
        self._tokens = self._known(self._inside)

    def acts(self, step: str) -> dict[str, str]:
        """Return how it fares after a step, as a row."""
        for _ in range(2):  # the runner works on: refused once, it asks for a new token
            self._lab.work_rows(self._client, RESOURCE)
        in_place = self._served(self._inside, "signed_in_place")
        if in_place:  # what its code reads there now
            self._files = self._lab.attacker.steal(self._client, by="container_files")
            self._tokens |= self._known(self._files)
        new = self._served(self._files, "new_token_for_own_key")
        ended = {jti for event in self._lab.events() for jti in event.get("revoked", ())}
        return {
            "after": step,
            "signs in place": "yes" if in_place else "no",
            "gets new tokens": "yes" if new else "no",
            "tokens still good": str(len(self._tokens - ended)),
        }

    def _served(self, haul: Haul, replay: str) -> bool:
        self._lab.attacker.replay(haul[0], by=replay, against=RESOURCE)
        row, exchange = self._lab.attacker.rows[-1], self._lab.attacker.exchanges
        if row["outcome"] == "served" and replay == "new_token_for_own_key":
            self._tokens.add(exchange[row["attempt"]]["event"]["token"])
        return bool(row["outcome"] == "served")

    def _known(self, haul: Haul) -> set[str]:
        return {str(jti) for jti in haul.claims()["jti"]}


def respond(lab: Lab, steps: object, client: str = "ci-runner") -> Course:
    """Let a thief break in, take these steps against it on the real lab, and watch it after each.

    The client's key is put at a signer first. Steps that cannot be read are not taken.
    """
    lab.bind(client, "dpop", custody="signer")
    thief = _Thief(lab, client)
    taken = [] if is_missing(steps) or not isinstance(steps, list | tuple) else list(steps)
    does = {"evict": lab.evict, "revoke": lab.revoke, "rotate": lab.rotate}
    rows = [thief.acts("nothing yet")]
    for step in (each for each in taken if isinstance(each, str) and each in does):
        does[step](client)
        rows.append(thief.acts(step))
    return Course(tuple(rows))
