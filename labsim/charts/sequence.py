"""Who sent what to whom, in order of time, and who refused it: an attack as a sequence diagram.

Two drawings of the same thing, as of the estate's map: JupyterLab draws the mermaid text itself in
the page's own colours; where nothing does, the SVG shows it, and follows a light or dark system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from labsim.charts import mermaid as markup

if TYPE_CHECKING:
    from labsim.charts.picture import Picture

type Kind = Literal["request", "answer", "theft", "refused"]
_ARROWS: Final[dict[Kind, str]] = {
    "request": "->>",
    "answer": "-->>",
    "theft": "-)",
    "refused": "--x",
}


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one arrow: from one participant to another, with a text; `refused` ends in a cross."""

    sender: str
    receiver: str
    text: str
    kind: Kind = "request"

    def __str__(self) -> str:
        """Say it as a sentence."""
        verbs: dict[Kind, str] = {"answer": "answers", "theft": "loses to", "refused": "refuses"}
        return f"{self.sender} {verbs.get(self.kind, 'sends to')} {self.receiver}: {self.text}."


@dataclass(frozen=True, slots=True)
class Note:
    """Hold a text at one participant: what it does by itself, or why it refuses."""

    at: str
    text: str

    def __str__(self) -> str:
        """Say it as a sentence."""
        return f"At {self.at}: {self.text}."


@dataclass(frozen=True)
class Sequence:
    """Hold a diagram: its finding as the title, its participants from left to right, its steps.

    `participants` are names, with a line below each that says more, or an empty one.
    """

    title: str
    participants: tuple[tuple[str, str], ...]
    steps: tuple[Message | Note, ...]

    @property
    def alt(self) -> str:
        """Return the diagram in words, a sentence a step."""
        return " ".join([f"{self.title}.", *map(str, self.steps)])

    @cached_property
    def picture(self) -> Picture:
        """Return the diagram drawn by the lab."""
        from labsim.charts import sequence_picture
        from labsim.charts.picture import Picture

        return Picture(sequence_picture.draw(self), self.title, self.alt)

    @cached_property
    def svg(self) -> str:
        """Return the drawn diagram as one SVG element, light or dark as the reader's system is."""
        from labsim.charts import palette

        return palette.following(self.picture.svg)

    @cached_property
    def mermaid(self) -> str:
        """Return the diagram as mermaid text."""
        lines = ["sequenceDiagram", f"accTitle: {markup.plain(self.title)}"]
        lines.append(f"accDescr: {markup.plain(self.alt)}")
        ids = {name: f"p{n}" for n, (name, _) in enumerate(self.participants)}
        for name, below in self.participants:
            label = "<br/>".join(markup.escaped(line) for line in (name, below) if line)
            lines.append(f"participant {ids[name]} as {label}")
        for step in self.steps:
            text = markup.escaped(step.text)
            if isinstance(step, Note):
                lines.append(f"Note over {ids[step.at]}: {text}")
            else:
                arrow = _ARROWS[step.kind]
                lines.append(f"{ids[step.sender]}{arrow}{ids[step.receiver]}: {text}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Say it as text, a line a step."""
        return "\n".join([self.title, *(f"  {step}" for step in self.steps)])

    def _repr_mimebundle_(self, **_how: Any) -> dict[str, str]:
        # No text/html: JupyterLab would prefer it to the mermaid drawing.
        return {
            "text/vnd.mermaid": self.mermaid,
            "image/svg+xml": self.svg,
            "text/plain": repr(self),
        }
