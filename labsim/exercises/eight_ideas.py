"""Eight ideas, asked before the first notebook and after the last: the same questions both times.

Before, the answers are only kept: telling them would be a lesson too early. After, each is told,
beside what was answered before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from labsim import own_folder
from labsim.charts import cards
from labsim.exercises.exercise import Outcome, Verdict
from labsim.prediction import is_missing

NAME: Final = "eight_ideas"


@dataclass(frozen=True, slots=True)
class Idea:
    """Hold one question, its options, the right one first, why it is right, and where it is met."""

    question: str
    options: tuple[str, ...]
    why: str
    notebook: str


IDEAS: Final = {
    "possession": Idea(
        "Who can use a bearer token?",
        ("whoever_has_it", "only_its_owner", "programs_on_its_network"),
        "Nothing in a bearer token says who may send it.",
        "01",
    ),
    "audience": Idea(
        "A token names an audience. What does that limit?",
        ("which_server_takes_it", "who_may_send_it", "how_long_it_lives"),
        "The audience is the server that the token was made for.",
        "01",
    ),
    "binding": Idea(
        "A token is bound to a key. What must its sender show?",
        ("a_signature_by_the_key", "the_keys_thumbprint", "the_clients_secret"),
        "A thumbprint can be copied. A signature over this request or this connection cannot be "
        "made without the key.",
        "02",
    ),
    "enforcement": Idea(
        "Clients sign, and tokens name their keys. What keeps a thief out?",
        ("the_server_compares", "the_client_signs", "the_issuer_names_the_key"),
        "Where no server compares, a bound token is a bearer token.",
        "05",
    ),
    "coverage": Idea(
        "Somebody changes a request on its way. What does its proof or signature protect?",
        ("what_it_covers", "the_whole_request", "the_answer_too"),
        "What is not covered can be changed, and an answer is not covered at all.",
        "04",
    ),
    "custody": Idea(
        "The key lies in a file beside the token. A copy of the folder gets out. What does the "
        "binding do?",
        ("nothing", "refuse_the_copy", "tell_the_server"),
        "The binding is to the key. Whoever has token and key is the sender.",
        "00",
    ),
    "credential": Idea(
        "Stolen tokens have expired, and keys are new. Which stolen thing still gets in?",
        ("the_clients_own_secret", "a_captured_request", "the_old_key"),
        "With it a thief gets a new token, for a key of its own.",
        "02",
    ),
    "in_place": Idea(
        "A stranger's code runs inside a client whose key never leaves its module. What does the "
        "stranger get?",
        ("signatures_while_it_runs", "nothing", "the_key"),
        "The module signs for whoever can ask it. When the code is thrown out, that ends.",
        "07",
    ),
}


@dataclass(frozen=True, slots=True)
class Questions:
    """Hold the eight questions for showing; options stand in the order of the alphabet."""

    def rows(self) -> list[dict[str, str]]:
        """Return one row a question."""
        return [
            {"name": name, "question": idea.question, "answers": ", ".join(sorted(idea.options))}
            for name, idea in IDEAS.items()
        ]

    def __repr__(self) -> str:
        """Ask as text."""
        return "\n".join(f"{r['name']}: {r['question']} ({r['answers']})" for r in self.rows())

    def _repr_html_(self) -> str:
        return cards.card("?", "Eight ideas", cards.table(self.rows()))


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold how the eight were answered before and after, and what is right."""

    rows: tuple[dict[str, str], ...]

    @property
    def headline(self) -> str:
        """Say how many were right before and after."""
        before, after = (sum(r[when] == r["right"] for r in self.rows) for when in _WHEN)
        return f"Right before: {before} of {len(self.rows)}. Right after: {after}."

    def __repr__(self) -> str:
        """Say it as text, a line an idea."""
        lines = ["; ".join(f"{name}: {said}" for name, said in row.items()) for row in self.rows]
        return "\n".join([self.headline, *lines])

    def _repr_html_(self) -> str:
        return cards.card("●", self.headline, cards.table(self.rows))


_WHEN: Final = ("before", "after")


def questions() -> Questions:
    """Return the eight questions; `before` and `after` take the answers."""
    return Questions()


def before(answers: Mapping[str, Any]) -> Verdict:
    """Keep the answers given before the first notebook, without a word on which are right.

    `answers` has an option for each idea's name; None for those that one does not know.
    """
    fault = _fault(answers)
    if fault:
        return fault
    failed = _keep("before", answers)
    says = f"You answered {len(_given(answers))} of {len(IDEAS)}. The same questions come again at "
    says += "the end of 13, and only then which answers are right."
    return Verdict(NAME, Outcome.PASSED, f"{says} {failed}".strip(), "Kept")


def after(answers: Mapping[str, Any]) -> Verdict | Questions | Compared:
    """Keep the answers given after the last notebook, and put them beside those from before.

    While there are none, the questions are asked.
    """
    if is_missing(answers):
        return questions()
    fault = _fault(answers)
    if fault:
        return fault
    failed = _keep("after", answers)
    kept = _kept() | {"after": _given(answers)}
    rows = [
        {
            "idea": name,
            **{when: kept.get(when, {}).get(name, "not answered") for when in _WHEN},
            "right": idea.options[0],
            "why": f"{idea.why} ({idea.notebook}) {failed}".strip(),
        }
        for name, idea in IDEAS.items()
    ]
    return Compared(tuple(rows))


def compared() -> list[dict[str, str]]:
    """Return a row an idea with what was answered before and after; none before both are there."""
    kept = _kept()
    if not all(when in kept for when in _WHEN):
        return []
    return [
        {"idea": idea.question} | {when: _told(idea, kept[when].get(name, "")) for when in _WHEN}
        for name, idea in IDEAS.items()
    ]


def _told(idea: Idea, answer: str) -> str:
    said = answer or "not answered"
    return f"{said} (right)" if answer == idea.options[0] else said


def _fault(answers: Any) -> Verdict | None:
    """Return what keeps answers from being read, or that there are none; None if they are good."""
    if is_missing(answers):
        says = "Put a word in place of None, for each idea that you have an answer to."
        return Verdict(NAME, Outcome.NOT_ATTEMPTED, says)
    if not isinstance(answers, Mapping) or not set(answers) <= set(IDEAS):
        says = f"Give a mapping whose keys are among these: {', '.join(IDEAS)}."
        return Verdict(NAME, Outcome.UNREADABLE, says)
    for name, answer in answers.items():
        options = IDEAS[name].options
        if not is_missing(answer) and answer not in options:
            says = f"{name}: {answer!r} is not one of {', '.join(sorted(options))}."
            return Verdict(NAME, Outcome.UNREADABLE, says)
    return None


def _given(answers: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(answer) for name, answer in answers.items() if not is_missing(answer)}


def _keep(when: str, answers: Mapping[str, Any]) -> str:
    return own_folder.add("ideas", {"when": when, "answers": _given(answers)})


def _kept() -> dict[str, dict[str, str]]:
    lines = [line for line in own_folder.lines("ideas") if line.get("when") in _WHEN]
    return {
        line["when"]: line["answers"] for line in lines if isinstance(line.get("answers"), dict)
    }
