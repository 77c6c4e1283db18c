"""Exercises in which the learner writes a function: it is run, and judged by its effect."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

from labsim.exercises.exercise import Exercise, NotAttempted, Raised, Unreadable


class Written(Exercise):
    """Ask for a function. Recorded answers are its source, since a function cannot be compared.

    `function` is the name it has in the notebook; `effect` runs it and returns what is wrong with
    it, empty if nothing, or raises NotAttempted where it answers `...`, as the cell is handed out.
    Whatever else the function raises is shown with the learner's own line.
    """

    def __init__(
        self, name: str, question: str, *, function: str, effect: Callable[[Any], str], **more: Any
    ) -> None:
        super().__init__(name, question, **more)
        self.function = function
        self._effect = effect

    def source(self, answer: Any, name: str) -> str:
        """Return the recorded source itself: it binds its own name."""
        return str(answer)

    def made(self, answer: Any) -> Any:
        """Return the function that a recorded source defines."""
        names: dict[str, Any] = {}
        exec(compile(answer, "<recorded answer>", "exec"), names)  # noqa: S102 - the lab's own text
        return names[self.function]

    def kept(self, answer: Any) -> Any:
        """Return the function's source, where it is known."""
        try:
            return inspect.getsource(answer).rstrip()
        except (OSError, TypeError):  # made by exec, or no function
            return self.function

    def _judge(self, answer: Any) -> str:
        if not callable(answer):
            raise Unreadable(f"Give the function itself: check({self.function}), without a call.")
        try:
            return self._effect(answer)
        except NotAttempted:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a learner's code raises is shown
            raise Raised(_own_line(error, answer)) from None


def _own_line(error: Exception, answer: Callable[..., Any]) -> str:
    file = getattr(getattr(answer, "__code__", None), "co_filename", "")
    lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    said = f"{type(error).__name__}: {error}"
    if not lines:
        return f"It could not be called with (proof, evidence): {said}"
    number = lines[-1].lineno or 0
    text = linecache.getline(file, number).strip()
    return f"Line {number} of your cell{f', {text}' if text else ''}: {said}"
