"""The shape of an exercise: check an answer, take a hint, see the solution.

The answer is passed in, never read from the notebook's variables. A check has five outcomes; only
a wrong answer counts as one. Each exercise holds its reference answer and wrong answers that real
learners give, each with what is said to it: the tests run them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from labsim.charts import cards
from labsim.exercises import progress
from labsim.prediction import is_missing


class Outcome(StrEnum):
    """Name how a check of an answer ends."""

    NOT_ATTEMPTED = "not attempted"
    UNREADABLE = "unreadable"
    RAISED = "raised"
    FAILED = "failed"
    PASSED = "passed"


_SIGNS: Final = {
    Outcome.NOT_ATTEMPTED: "–",
    Outcome.UNREADABLE: "?",
    Outcome.RAISED: "!",
    Outcome.FAILED: "✕",
    Outcome.PASSED: "●",
}
_HEADLINES: Final = {
    Outcome.NOT_ATTEMPTED: "Not attempted yet",
    Outcome.UNREADABLE: "This cannot be read as an answer; it costs nothing",
    Outcome.RAISED: "Your code raised an error",
    Outcome.FAILED: "Not yet",
    Outcome.PASSED: "Right",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what a check says of an answer."""

    exercise: str
    outcome: Outcome
    says: str
    headline: str = ""

    def __repr__(self) -> str:
        """Say it as text."""
        return f"{_SIGNS[self.outcome]} {self.headline or _HEADLINES[self.outcome]}. {self.says}"

    def _repr_html_(self) -> str:
        sign, headline = _SIGNS[self.outcome], self.headline or _HEADLINES[self.outcome]
        told = {Outcome.PASSED: cards.BRAND, Outcome.NOT_ATTEMPTED: cards.LINE}
        accent = told.get(self.outcome, cards.WARN)
        return cards.card(sign, headline, cards.paragraph(self.says), accent)


@dataclass(frozen=True, slots=True)
class Said:
    """Hold a hint or a solution for showing."""

    headline: str
    text: str

    def __repr__(self) -> str:
        """Say it as text."""
        return f"{self.headline}: {self.text}"

    def _repr_html_(self) -> str:
        return cards.card("→", self.headline, cards.paragraph(self.text), cards.LINE)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Record a wrong answer that a real learner gives, and what is said to it."""

    answer: Any
    says: str


class NotAttempted(Exception):
    """Say that an answer stands as it was handed out."""


class Unreadable(Exception):
    """Say that an answer is none of the options; the text lists them."""


class Raised(Exception):
    """Say that the learner's own code raised, in which line and what."""


class Exercise:
    """Ask one thing. A kind of exercise says in `_judge` what is wrong with an answer.

    `name` is as in the cell's tag, after `notebook.`; `hints` are three: the evidence, the idea,
    the last step but one. `reference` is an answer that passes, `solved` what is said to it.
    `stretch` marks what a short class leaves out; `recalls` is the number of the earlier notebook
    that this asks about once more.
    """

    def __init__(
        self,
        name: str,
        question: str,
        *,
        reference: Any,
        solved: str,
        wrong: tuple[Wrong, ...],
        hints: tuple[str, str, str],
        stretch: bool = False,
        recalls: str = "",
    ) -> None:
        self.name = name
        self.question = question
        self.reference = reference
        self.solved = solved
        self.wrong = wrong
        self.hints = hints
        self.stretch = stretch
        self.recalls = recalls
        self._attempts = 0
        self._hints_taken = 0

    def check(self, answer: Any) -> Verdict:
        """Check an answer and say what is right or wrong about it; never raises."""
        outcome, says = self._outcome(answer)
        self._attempts += outcome in (Outcome.RAISED, Outcome.FAILED, Outcome.PASSED)
        told = outcome in (Outcome.FAILED, Outcome.PASSED)
        says += progress.note(self.name, outcome, says, self.kept(answer) if told else None)
        return Verdict(self.name, outcome, says)

    def _outcome(self, answer: Any) -> tuple[Outcome, str]:
        if is_missing(answer):
            return Outcome.NOT_ATTEMPTED, self.question
        try:
            fault = self._judge(answer)
        except NotAttempted:
            return Outcome.NOT_ATTEMPTED, self.question
        except Unreadable as unreadable:
            return Outcome.UNREADABLE, str(unreadable)
        except Raised as raised:
            return Outcome.RAISED, str(raised)
        return (Outcome.FAILED, fault) if fault else (Outcome.PASSED, self.solved)

    def _judge(self, answer: Any) -> str:
        """Return what is wrong with an answer, empty if nothing.

        Raises NotAttempted, Unreadable or Raised for those outcomes.
        """
        raise NotImplementedError

    def hint(self) -> Said:
        """Give the next hint; after the third, the third again."""
        number = min(self._hints_taken, len(self.hints) - 1)
        self._hints_taken += 1
        progress.note(self.name, progress.HINT, self.hints[number])
        return Said(f"Hint {number + 1} of {len(self.hints)}", self.hints[number])

    def solution(self, give_up: bool = False) -> Said:
        """Give a right answer and why it is one, after an attempt or with `give_up=True`."""
        if not (self._attempts or give_up):
            todo = "Try once, take a hint(), or call solution(give_up=True)."
            return Said("The solution waits for your first attempt", todo)
        return Said("A solution", f"{self.source(self.reference, 'answer')}\n\n{self.solved}")

    def source(self, answer: Any, name: str) -> str:
        """Return an answer as code that a learner could have written, bound to `name`."""
        return f"{name} = {answer!r}"

    def made(self, answer: Any) -> Any:
        """Return a recorded answer as `check` takes it."""
        return answer

    def kept(self, answer: Any) -> Any:
        """Return an answer as it goes into the learner's record: JSON values."""
        return (
            {str(k): str(v) for k, v in answer.items()}
            if isinstance(answer, Mapping)
            else (str(answer))
        )

    def __repr__(self) -> str:
        """Ask the question."""
        return f"{self.name}: {self.question}"


class Choice(Exercise):
    """Ask for one of several options. Each wrong one is recorded with why it is wrong."""

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options in alphabetical order, which gives nothing away."""
        return tuple(sorted((self.reference, *(wrong.answer for wrong in self.wrong))))

    def _judge(self, answer: Any) -> str:
        told = {wrong.answer: wrong.says for wrong in self.wrong} | {self.reference: ""}
        if not isinstance(answer, str) or answer not in told:
            raise Unreadable(f"{answer!r} is not one of the options: {', '.join(self.options)}.")
        return told[answer]


class Matching(Exercise):
    """Ask for one option for each of several things: a mapping, `reference` being the right one.

    `options` are what may be said; `why` tells for a thing and a wrong option what is wrong with
    it, `look` for a thing where to look when a wrong option has no word of its own.
    """

    def __init__(
        self,
        name: str,
        question: str,
        *,
        options: tuple[str, ...] | tuple[int, ...],
        why: Mapping[tuple[str, Any], str],
        look: Mapping[str, str],
        **more: Any,
    ) -> None:
        super().__init__(name, question, **more)
        self.options = options
        self._why = why
        self._look = look

    def _judge(self, answer: Any) -> str:
        things = ", ".join(self.reference)
        if not isinstance(answer, Mapping) or set(answer) != set(self.reference):
            raise Unreadable(f"Give a mapping with exactly these keys: {things}.")
        for thing, option in answer.items():
            # Of the same type: True is no number here.
            if type(option) is not type(self.options[0]) or option not in self.options:
                listed = ", ".join(map(str, self.options))
                raise Unreadable(f"{thing}: {option!r} is not one of the options: {listed}.")
        for thing, right in self.reference.items():
            if answer[thing] != right:
                said = self._why.get((thing, answer[thing]), self._look[thing])
                return f"{thing}: {said}"
        return ""
