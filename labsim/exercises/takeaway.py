"""One page to take home: what surprised me, and ten questions for my own server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final

from labsim import own_folder
from labsim.errors import LabError
from labsim.exercises import eight_ideas, progress
from labsim.exercises.exercise import Outcome, Said
from labsim.exercises.own_server import QUESTIONS
from labsim.exercises.standing import by_notebook

NAME: Final = "labsim-takeaway.md"
TITLE: Final = "What I take home from labsim"
MOST: Final = 12
"""Wrong answers on the page, the last ones: more would be a log, and no page."""
type Section = tuple[str, list[str]]


def takeaway(to: str | Path | None = None) -> Said:
    """Write the page: into the current folder, into a folder, or to a file ending .md or .html.

    An earlier page is written over. Raises LabError for another file, if it cannot be written, or
    if the learner's record cannot be read.
    """
    if not isinstance(to, str | Path | None):
        raise LabError(
            f"{shortened(to)} is no path.",
            "Nothing was written.",
            "Name a folder, or leave it out.",
        )
    file = _file(Path(NAME if to is None else to))
    sections = [*_surprises(), *_ideas(), _questions()]
    text = _html(sections) if file.suffix == ".html" else _markdown(sections)
    try:
        if file.exists() and TITLE not in file.read_text(encoding="utf-8", errors="replace")[:400]:
            raise LabError(
                f"There is a file {file} that is no page of this lab.",
                "It was left as it is.",
                "Name another file.",
            )
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"The page could not be written: {error}.", todo="Name a folder of yours."
        ) from None
    return Said("Your page was written", str(file.resolve()))


def _file(to: Path) -> Path:
    if to.is_dir():
        return to / NAME
    if to.suffix not in (".md", ".html"):
        raise LabError(
            f"{to} is no folder, and ends in neither .md nor .html.",
            "Nothing was written.",
            "Name a folder that exists, or a file that ends so.",
        )
    return to


def _surprises() -> Iterator[Section]:
    answers = _wrong_answers()
    said = [line for line in map(_as_line, answers[-MOST:]) if line]
    if len(answers) > MOST:
        said.append(f"And {len(answers) - MOST} earlier ones.")
    yield "What surprised me", said or ["Nothing so far: no answer of mine was wrong."]
    given = [answer["answer"] for answer in answers]
    wrong = {
        f"{row['about']}: I said `{row['predicted']}`, and it was: {row['happened']}."
        for row in own_folder.lines("predictions")
        if {"about", "predicted", "happened"} <= set(row) and not _told(row, given)
    }
    if wrong:
        yield "What I predicted, and did not happen", sorted(wrong)[:MOST]


def _wrong_answers() -> list[dict[str, Any]]:
    """Return the wrong answers of the record, each once, with the exercise and its notebook."""
    known = {
        name: (number, each)
        for number, exercises in by_notebook().items()
        for name, each in exercises.items()
    }
    lines = [line for line in progress.lines() if line["exercise"] in known]
    passed = {line["exercise"] for line in lines if line.get("outcome") == Outcome.PASSED}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        if line.get("outcome") == Outcome.FAILED:
            name, says = line["exercise"], str(line.get("says"))
            number, exercise = known[name]
            right = exercise.reference if name in passed else None
            more = {"notebook": number, "question": exercise.question, "right": right}
            found[name, says] = {"answer": line.get("answer", ""), "says": says, **more}
    return list(found.values())


def _as_line(wrong: dict[str, Any]) -> str:
    """Return a wrong answer as a sentence; the right one is told only to whoever found it."""
    answer, says, right = wrong["answer"], wrong["says"], wrong["right"]
    question = re.split(r" (?:Options|Answer|You may use|Give)\b", wrong["question"])[0]
    if isinstance(answer, dict):
        about, _, rest = says.partition(": ")
        if about not in answer:
            return f"{wrong['notebook']}: {question} It was said: {says}"
        said = f"On `{about}` I said `{answer[about]}`: {rest}"
        right = right.get(about) if isinstance(right, dict) else None
    else:
        lines = str(answer).strip().splitlines() or ["..."]
        said = f"I said `{lines[-1].strip()}`: {says}"
        right = right if right is not None and "\n" not in str(right) else None
    then = f" Then I found: `{right}`." if isinstance(right, str) else ""
    return f"{wrong['notebook']}: {question} {said}{then}"


def _told(row: dict[str, Any], answers: list[Any]) -> bool:
    """Tell whether a prediction was also an answer to an exercise, which says more about it."""
    pairs = [answer.get(row["about"]) if isinstance(answer, dict) else answer for answer in answers]
    return row["predicted"] in pairs


def _ideas() -> Iterator[Section]:
    compared = eight_ideas.compared()
    if compared:
        yield (
            "Eight ideas, before and after",
            [f"{row['idea']} Before: {row['before']}; after: {row['after']}." for row in compared],
        )


def _questions() -> Section:
    return (
        "Ten questions for my own server",
        [f"{each.question} {each.why} ({each.source})" for each in QUESTIONS],
    )


def _markdown(sections: list[Section]) -> str:
    parts = [f"# {TITLE}"]
    for title, lines in sections:
        numbered = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
        parts.append(f"## {title}\n\n" + "\n".join(numbered))
    return "\n\n".join(parts) + "\n"


def _html(sections: list[Section]) -> str:
    body = "".join(
        f"<h2>{escape(title)}</h2><ol>{''.join(f'<li>{_marked(line)}</li>' for line in lines)}</ol>"
        for title, lines in sections
    )
    style = "body{font:15px/1.5 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}"
    style += "li{margin:.4em 0}:root{color-scheme:light dark}"
    head = f'<meta charset="utf-8"><title>{TITLE}</title><style>{style}</style>'
    return f'<!doctype html><html lang="en">{head}<h1>{TITLE}</h1>{body}</html>\n'


def _marked(line: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(line))
