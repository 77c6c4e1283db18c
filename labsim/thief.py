"""The attacker as a notebook holds it: a handle on its process, and the record of its attempts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError
from labsim.estate.names import ATTACKER, CAPTURED_FILE, COLLECTION, INTERCEPTOR, LOG_FILE
from labsim.rooms import names, rooms

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.lab import Lab

THEFTS = names("labsim.thefts")
REPLAYS = names("labsim.replays")


@dataclass(frozen=True)
class Haul(Sequence[dict[str, Any]]):
    """Hold what one theft yielded: one piece of loot for each resource server, as JSON values."""

    client: str
    theft: str
    pieces: tuple[dict[str, Any], ...]

    def __getitem__(self, index: Any) -> Any:
        """Return one piece of loot, or a slice of them."""
        return self.pieces[index]

    def __len__(self) -> int:
        """Return how many pieces there are."""
        return len(self.pieces)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go through the pieces."""
        return iter(self.pieces)

    def rows(self) -> list[dict[str, str]]:
        """Return what a person wants to see: where it is used, what it is, where it was found."""
        return [
            {
                "used at": piece["url"],
                "loot": ", ".join(kind.replace("_", " ") for kind in piece["kinds"]),
                "found at": piece["found_at"],
            }
            for piece in self.pieces
        ]

    def __repr__(self) -> str:
        """Say what was taken, a line for each piece."""
        lines = [f"Taken from {self.client} by {self.theft}:"]
        lines += [f"  {r['loot']} (for {r['used at']}; {r['found at']})" for r in self.rows()]
        return "\n".join(lines if self.pieces else [*lines, "  nothing"])

    def _repr_html_(self) -> str:
        head = "<tr><th>used at</th><th>loot</th><th>found at</th></tr>"
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row.values()) + "</tr>"
            for row in self.rows()
        )
        caption = f"Taken from {escape(self.client)} by {escape(self.theft)}"
        return f"<table><caption>{caption}</caption>{head}{body}</table>"


class AttackerHandle:
    """Let the attacker's process steal and replay, and keep the record of what came of it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.forget()

    def forget(self) -> None:
        """Forget every attempt, as at the start of a run."""
        self.rows: list[dict[str, Any]] = []
        self.exposed: dict[int, tuple[str, ...]] = {}
        self.exchanges: dict[int, dict[str, Any]] = {}
        self.stolen_from: set[str] = set()
        self.served_by: set[str] = set()
        self.read_in_passing: list[dict[str, Any]] = []
        self.on_attempt: Callable[[dict[str, Any]], None] | None = None

    def steal(self, client: str, by: str) -> Haul:
        """Let a client leak in the way of a theft while it works, and let the attacker take it.

        Raises LabError for a client or theft that does not exist; it lists those that do.
        """
        lab = self._lab
        lab.plan.client(client)
        if by not in THEFTS:
            raise LabError.unknown("theft", by, THEFTS)
        theft = rooms("labsim.thefts", "THEFT")[by]
        victim = lab.estate.process(client)
        folder = lab.run_folder / client
        proxy = None
        given = folder
        if theft.gives == "interceptor":
            proxy = lab.estate.interceptor()
            lab.estate.process(INTERCEPTOR).call("forget")
            given = lab.run_folder / INTERCEPTOR / CAPTURED_FILE
        elif theft.gives == "log":
            given = folder / LOG_FILE
        victim.call("leak", theft=by, proxy=proxy)
        worked = lab.work_rows(client)
        victim.call("mend")
        pieces = lab.estate.process(ATTACKER).call(
            "steal", theft=by, client=client, given=[str(given)]
        )
        if not pieces:
            why = "; ".join(f"{row['resource']}: {row['why'] or row['status']}" for row in worked)
            raise LabError(
                f"{by} found nothing to take from {client} ({why}).",
                "Nothing was stolen.",
                "Look at lab.work() for this client: it must be served before it can be robbed.",
            )
        self._note(client, by, pieces)
        return Haul(client, by, tuple(pieces))

    def _note(self, client: str, by: str, pieces: list[dict[str, Any]]) -> None:
        self.stolen_from.add(client)
        binding, custody = self._lab.binding(client), self._lab.custody(client)
        for piece in pieces:
            row: dict[str, Any] = {
                "client": client,
                "story": self._story(client),
                "theft": by,
                "binding": binding,
                "custody": custody,
            }
            row |= {"variant": self._lab.variant, "records": tuple(piece["read_in_passing"])}
            self.read_in_passing.append(row)

    def replay(
        self,
        loot: Haul | dict[str, Any],
        by: str | None = None,
        against: str | None = None,
        *,
        order: random.Random | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> DataFrame:
        """Replay loot: in every way or one, against every resource server its owner calls or one.

        `order` shuffles the replays; `progress` is told how many attempts were made since the last
        call. Returns the attempts as a table (columns: see `blast.measured.attempts_frame`).
        Raises LabError for a name that does not exist; it lists those that do.
        """
        from labsim.blast.measured import attempts_frame

        pieces = loot.pieces if isinstance(loot, Haul) else (loot,)
        first = len(self.rows)
        for piece in pieces:
            self._replay_one(piece, by, against, order, progress)
        return attempts_frame(self.rows[first:])

    def _replay_one(
        self,
        piece: dict[str, Any],
        by: str | None,
        against: str | None,
        order: random.Random | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        lab = self._lab
        calls = lab.plan.client(piece["client"]).calls
        if by is not None and by not in REPLAYS:
            raise LabError.unknown("replay", by, REPLAYS)
        if against is not None:
            lab.plan.resource(against)
        for name in [against] if against else calls:
            replays = [by] if by else list(REPLAYS)
            if order:
                order.shuffle(replays)
            attempts = lab.estate.process(ATTACKER).call(
                "replay",
                loot=piece["number"],
                replays=replays,
                target=self._target(name),
            )
            for attempt in attempts:
                self._record(attempt)
            if progress:
                progress(len(attempts))

    def _target(self, name: str) -> dict[str, str]:
        estate = self._lab.estate
        url = estate.urls[name]
        first = self._lab.plan.resource(name).records[0].id
        return {
            "name": name,
            "url": url + COLLECTION,
            "other_url": f"{url}{COLLECTION}/{first}",
            "resource": url,
            "issuer": estate.issuer,
            "token_endpoint": f"{estate.issuer}/token",
        }

    def _record(self, attempt: dict[str, Any]) -> None:
        """Write an attempt down, with what the server itself says about it."""
        lab, number = self._lab, len(self.rows) + 1
        event = lab.event(attempt["request_id"])
        client = attempt["client"]
        self.rows.append(
            {
                "attempt": number,
                "story": self._story(client),
                "client": client,
                "theft": attempt["theft"],
                "custody": lab.custody(client),
                "loot": attempt["loot"],
                "binding": attempt["binding"],
                "replay": attempt["replay"],
                "variant": lab.variant,
                "verifier": "full",
                "resource": attempt["resource"],
                "relation": attempt["relation"],
                "outcome": attempt["outcome"],
                "status": attempt["status"],
                "error": attempt["error"],
                "reason": event.get("reason") or attempt["why"],
                "check": event.get("check", ""),
                "source": event.get("source", ""),
                "records": len(attempt["records"]),
                "seconds": int(attempt["seconds"]),
            }
        )
        if self.on_attempt:
            self.on_attempt(self.rows[-1])
        self.exposed[number] = tuple(attempt["records"])
        self.exchanges[number] = {
            "request": attempt["sent"],
            "response": attempt["answer"],
            "event": event,
        }
        if attempt["outcome"] == "served":
            self.served_by.add(attempt["resource"])

    def _story(self, client: str) -> str:
        stories = self._lab.plan.stories.values()
        return next((story.name for story in stories if story.client == client), "")

    def attempts(self) -> DataFrame:
        """Return every attempt of this run as a table."""
        from labsim.blast.measured import attempts_frame

        return attempts_frame(self.rows)

    def show(self, attempt: int) -> None:
        """Print what went over the wire in one attempt, and what the server wrote down."""
        if attempt not in self.exchanges:
            raise LabError(
                f"There is no attempt {attempt}.",
                todo=f"They are numbered from 1 to {len(self.rows)}.",
            )
        exchange = self.exchanges[attempt]
        if not exchange["request"]:
            print(f"Nothing was sent: {self.rows[attempt - 1]['reason']}.")
            return
        print(exchange["request"], exchange["response"], sep="\n\n", end="\n\n")
        print("The server's own event:", json.dumps(exchange["event"], indent=1))
