"""One attempt for a notebook's page: the bytes with what they encode, and the three views of it.

The wire says a status and an error code and no more; the server's own event says which check
failed and where it is written; the client learns how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labsim.charts import cards
from labsim.stories.difference import Difference, difference
from labsim.stories.exchange import Exchange, view

if TYPE_CHECKING:
    from pandas import DataFrame

_OF_THE_EVENT = (
    "decision", "reason", "check", "source", "detail", "name", "client_id", "binding", "weakened",
)  # fmt: skip
"""What of an event tells why, and who the server thinks it was; the rest, which request it was."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold one exchange for looking at, with its title; a notebook shows it as a page does.

    `beside` is what tells it from the holder's own request, where that is known.
    """

    title: str
    exchange: Exchange
    answered: bool = True
    beside: Difference | None = None

    def _decoded(self) -> list[tuple[str, str]]:
        jwts = [
            (f"{jwt.called}, decoded", f"{_short(jwt.header)}\n{_short(jwt.claims)}")
            for jwt in self.exchange.decoded
        ]
        return [*jwts, *self.exchange.parts]

    def _event(self) -> str:
        lines = [f"{name}: {said}" for name, said in self.exchange.event if name in _OF_THE_EVENT]
        return "\n".join(lines) or "No request reached it, so that it decided nothing."

    def _views(self) -> list[tuple[str, str]]:
        return [
            ("On the wire: the answer", self.exchange.response or "No answer."),
            ("In the server: its own event", self._event()),
            ("At the client: how it ended", self.exchange.client_sees),
        ]

    def _repr_html_(self) -> str:
        sent = self.exchange.request or "Nothing was sent."
        parts = [cards.block(*decoded) for decoded in self._decoded()]
        page = cards.heading(self.title) + cards.columns(
            [cards.block("On the wire: the request", sent), *(["".join(parts)] if parts else [])]
        )
        if self.beside:
            page += cards.heading(self.beside.title) + cards.table(self.beside.table())
            page += cards.paragraph(self.beside.summary)
        if self.answered:
            page += cards.columns(cards.block(*each) for each in self._views())
        return page

    def __repr__(self) -> str:
        """Show the same as text, one view below the other."""
        parts = [("On the wire: the request", self.exchange.request or "Nothing was sent.")]
        parts += self._decoded()
        parts += [(self.beside.title, str(self.beside))] if self.beside else []
        parts += self._views() if self.answered else []
        return "\n\n".join([self.title, *(f"{title}\n{text}" for title, text in parts)])


def shown(row: Mapping[Any, Any], exchange: Mapping[str, Any]) -> Shown:
    """Make what a notebook shows of an attempt: its row of the table and its exchange.

    Of the exchange are read request, response and event, and, if it is there, `holder`: how the
    holder's own request to the same server ended (sent, outcome, status).
    """
    what = str(row["replay"]).replace("_", " ")
    title = f"Attempt {row['attempt']}: {what}, at {row['resource']}"
    return Shown(title, view(row, exchange), beside=_beside_the_holder(exchange))


def captured(request: str, title: str) -> Shown:
    """Make what a notebook shows of a request that was captured: there is no answer to it here."""
    row = {"outcome": "", "status": "", "error": "", "reason": ""}
    return Shown(title, view(row, {"request": request}), answered=False)


def _beside_the_holder(exchange: Mapping[str, Any]) -> Difference | None:
    holder, request = exchange.get("holder") or {}, str(exchange.get("request") or "")
    if not request or not holder.get("sent"):
        return None
    ended = str(holder.get("outcome", "")).replace("_", " ")
    status = f" ({holder['status']})" if holder.get("status") else ""
    return difference(holder["sent"], request, ended + status)


def beside(thief: Mapping[str, Any], holder: Mapping[str, Any]) -> DataFrame:
    """Put a server's events for two requests side by side.

    One row for each field in which one of them says something, indexed by its name; columns
    `the thief's` and `the holder's`, any type, a list as its length.
    """
    import pandas as pd

    pairs = {name: (thief.get(name), holder.get(name)) for name in dict.fromkeys((*thief, *holder))}
    rows = {
        name: [len(said) if isinstance(said, list) else said for said in pair]
        for name, pair in pairs.items()
        if any(said not in ("", None) for said in pair)
    }
    return pd.DataFrame(rows, index=["the thief's", "the holder's"], dtype=object).T


def _short(text: str) -> str:
    # A key's coordinates and such on one line: the page is for reading, the bytes are above.
    value = json.loads(text)
    return "\n".join(f"  {name}: {json.dumps(member)}" for name, member in value.items())
