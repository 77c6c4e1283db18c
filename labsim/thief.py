"""The attacker as a notebook holds it: a handle on its process, and the record of its attempts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from labsim import robbery
from labsim.arguments import is_number_of
from labsim.attempt import attempt_row
from labsim.campaign_result import CampaignResult
from labsim.errors import LabError
from labsim.estate.names import ATTACKER
from labsim.estate.targets import target
from labsim.haul import Haul, holders_requests, pieces_of
from labsim.holding import Holding
from labsim.prediction import NOT_SEALED, Prediction, Sealed, replay_name
from labsim.preset import own_replays
from labsim.progress_bar import ProgressBar
from labsim.rooms import names, rooms
from labsim.seen_attempt import SeenAttempt, no_attempt, seen
from labsim.stories.three_views import Shown, beside
from labsim.whole_import import whole

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.attempts_table import AttemptsTable
    from labsim.charts.picture import Picture
    from labsim.lab import Lab

THEFTS = names("labsim.thefts")
REPLAYS = names("labsim.replays")
type By = str | Sequence[str] | None


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
        self.worked_while_robbed: dict[int, str] = {}
        self._sealed: dict[tuple[Any, ...], set[int]] = {}
        self.read_in_passing: list[dict[str, Any]] = []
        self.on_attempt: Callable[[dict[str, Any]], None] | None = None
        self.holding = Holding(self._lab)

    def steal(self, client: str, by: str, *, doing: str = "read", at: str | None = None) -> Haul:
        """Let a client leak in the way of a theft while it works, and let the attacker take it.

        `doing` says what the client does meanwhile (`read`, `query`, `write`), `at` at which one
        resource server. In the variant `unspent` a wiretap holds one request back: see `release`.
        Raises LabError for a name that does not exist; it lists those that do.
        """
        lab = self._lab
        lab.plan.client(client)
        if by not in THEFTS:
            raise LabError.unknown("theft", by, THEFTS)
        first = len(lab.worked)
        pieces, worked = robbery.rob(lab, client, rooms("labsim.thefts", "THEFT")[by], doing, at)
        if not pieces:
            why = "; ".join(f"{row['resource']}: {row['why'] or row['status']}" for row in worked)
            raise LabError(
                f"{by} found nothing to take from {client} ({why}).",
                f"Nothing was stolen. {robbery.interceptors_words(lab)}".rstrip(),
                "Look at lab.work() for this client: it must be served before it can be robbed.",
            )
        self.worked_while_robbed |= dict.fromkeys(range(first, len(lab.worked)), by)
        self._note(client, by, pieces)
        # Where the key lay then: the client may be bound anew before the loot is used. And what the
        # holder itself sent with that token, which no replay is given: it is for looking at.
        then: dict[str, Any] = {"custody": lab.custody(client), "run": lab.run_folder.name}
        then["holder"] = holders_requests(worked, pieces, lab.estate.reached_at, lab.variant)
        return Haul(client, by, tuple(piece | then for piece in pieces))

    def release(self) -> list[dict[str, Any]]:
        """Let a request that is held back go on; return how it ended for the victim, as a row.

        `hold_and_forward` does so itself. Nothing is returned where none is held; all rows of this
        run are in `holding.rows`, whose columns `holding.Holding` says.
        """
        return self.holding.release()

    def _note(self, client: str, by: str, pieces: list[dict[str, Any]]) -> None:
        self.stolen_from.add(client)
        binding, custody = self._lab.binding(client), self._lab.custody(client)
        for piece in pieces:
            row: dict[str, Any] = {"client": client, "story": self._story(client), "theft": by}
            row |= {"binding": binding, "custody": custody, "variant": self._lab.variant}
            row["records"] = tuple(piece["read_in_passing"])
            self.read_in_passing.append(row)

    @overload
    def replay(
        self, loot: Haul | dict[str, Any], by: By = ..., against: str | None = ...,
        *, order: random.Random | None = ..., progress: Callable[[int], None] | None = ...,
    ) -> AttemptsTable: ...  # fmt: skip

    @overload
    def replay(
        self, loot: Haul | dict[str, Any], by: By = ..., against: str | None = ...,
        *, order: random.Random | None = ..., progress: Callable[[int], None] | None = ...,
        predicted: object, reveal: bool = ...,
    ) -> Prediction: ...  # fmt: skip

    def replay(
        self,
        loot: Haul | dict[str, Any],
        by: By = None,
        against: str | None = None,
        *,
        order: random.Random | None = None,
        progress: Callable[[int], None] | None = None,
        predicted: object = NOT_SEALED,
        reveal: bool = False,
    ) -> AttemptsTable | Prediction:
        """Replay loot: in every way or some, against every resource server its owner calls or one.

        `order` shuffles the replays; `progress` is told how many attempts were made since the last
        call. Returns the attempts as a table (columns: see `blast.measured.attempts_frame`), whose
        `attempt` gives one to look at; with `predicted`, as a Prediction, sealed while that is
        None, unless `reveal`. Or LabError.
        """
        whole("pandas")
        from labsim.attempts_table import AttemptsTable
        from labsim.blast.measured import attempts_frame

        pieces = pieces_of(loot, self._lab.run_folder.name)
        first = len(self.rows)
        with ProgressBar("Replaying", "pieces of loot", len(pieces)) as bar:
            for number, piece in enumerate(pieces, 1):
                self._replay_one(piece, by, against, order, progress)
                bar.reach(number)
        find = partial(seen, self.rows, self.exchanges, self._sealed)
        frame = AttemptsTable.of(attempts_frame(self.rows[first:]), find)
        # The same replay again, predicted this time, opens what was sealed.
        same = replay_name(pieces, by, against, self._lab.variant, self._lab.binding)
        earlier = self._sealed.pop(same, set())
        if predicted is NOT_SEALED:
            return frame
        prediction = Prediction(frame, predicted, reveal)
        if prediction.sealed:
            self._sealed[same] = earlier | set(range(first + 1, len(self.rows) + 1))
        return prediction.noted()

    def _replay_one(
        self,
        piece: dict[str, Any],
        by: By,
        against: str | None,
        order: random.Random | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        lab = self._lab
        calls = lab.plan.client(piece["client"]).calls
        wanted = [by] if isinstance(by, str) else () if by is None else by
        if not isinstance(wanted, list | tuple) or not all(map(_is_replay, wanted)):
            raise LabError.unknown("replay", str(by), REPLAYS)
        wanted = list(wanted or REPLAYS)
        if against is not None:
            lab.plan.resource(against)
        for name in [against] if against else calls:
            if order:
                order.shuffle(wanted)
            what = {"loot": piece["number"], "replays": wanted, "target": target(lab.estate, name)}
            attempts = lab.estate.process(ATTACKER).call("replay", **what)
            for attempt in attempts:
                self._record(attempt, piece)
                if attempt["replay"] == "hold_and_forward":
                    self.exchanges[len(self.rows)]["victim"] = self.release()
            if progress:
                progress(len(attempts))

    def campaign(
        self,
        loot: Haul | dict[str, Any],
        *,
        seed: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> CampaignResult:
        """Go on from loot until nothing new is found; `seed` decides the order of the attempts.

        They are in the result's own `attempts`, and not among those of `lab.attempts()`. Raises
        LabError for what is no loot, or loot of an earlier run.
        """
        pieces = pieces_of(loot, self._lab.run_folder.name)
        targets = [target(self._lab.estate, name) for name in self._lab.plan.resources]
        with ProgressBar("Campaign", "attempts") as bar:
            return CampaignResult.run(self._lab, pieces, targets, seed, progress or bar.reach)

    def _record(self, attempt: dict[str, Any], piece: dict[str, Any]) -> None:
        """Write an attempt down, with what the server itself says about it."""
        lab, number = self._lab, len(self.rows) + 1
        event = lab.event(attempt["request_id"])
        found = {"story": self._story(attempt["client"]), "custody": piece["custody"]}
        found |= {"variant": lab.variant, "verifier": lab.estate.verifier(attempt["resource"])}
        self.rows.append(attempt_row(number, attempt, found, event))
        if self.on_attempt:
            self.on_attempt(self.rows[-1])
        self.exposed[number] = tuple(attempt["records"])
        self.exchanges[number] = {
            "request": attempt["sent"],
            "response": attempt["answer"],
            "event": event,
            "earlier": attempt["earlier"],
            "holder": piece.get("holder", {}).get(attempt["resource"]),
        }

    def _story(self, client: str) -> str:
        return next((s.name for s in self._lab.plan.stories.values() if s.client == client), "")

    def attempts(self) -> DataFrame:
        """Return every attempt of this run as a table."""
        from labsim.blast.measured import attempts_frame

        return attempts_frame(self.rows)

    @property
    def sealed(self) -> set[int]:
        """Return the numbers of the attempts whose result is still to be predicted."""
        return set().union(*self._sealed.values())

    @property
    def served_by(self) -> set[str]:
        """Return the resource servers that served the attacker, as far as that is not sealed."""
        return {row["resource"] for row in self._open_rows() if row["outcome"] == "served"}

    def _open_rows(self) -> list[dict[str, Any]]:
        sealed = self.sealed
        return [row for row in self.rows if row["attempt"] not in sealed]

    def attempt(self, which: int | str) -> SeenAttempt:
        """Return an attempt to look at: `show` has its bytes, `diagram` who sent what to whom.

        `which` is its number, or a replay's name for the newest attempt of that replay.
        Raises LabError if there is none.
        """
        return seen(self.rows, self.exchanges, self._sealed, which)

    def show(self, attempt: int | str) -> Shown | Sealed:
        """Show an attempt: the bytes, what they encode, and how the three sides see the outcome.

        The same as `attempt(...).show()`.
        """
        return self.attempt(attempt).show()

    def chart(self) -> Picture | Sealed:
        """Draw the blast radius of the attempts so far; those still sealed are left out.

        Raises LabError if there is none.
        """
        from labsim.blast.measured import attempts_frame, blast_radius
        from labsim.charts import blast_radius as drawn

        if not self.rows:
            raise LabError("There is no attempt to draw yet.", todo="Replay something first.")
        rows = self._open_rows()
        cells = {(row["theft"], row["custody"], row["binding"]) for row in rows}
        if not rows:
            return Sealed("The picture")
        # A theft whose every replay is sealed would stand there with a zero nobody measured.
        passing = self.read_in_passing
        passing = [p for p in passing if (p["theft"], p["custody"], p["binding"]) in cells]
        plan = self._lab.plan
        reachable = {name: plan.within_reach(name) for name in self.stolen_from}
        return drawn.picture(blast_radius(attempts_frame(rows), self.exposed, passing, reachable))

    def beside(self, attempt: int, request_id: str) -> DataFrame | Sealed:
        """Put the server's event for an attempt beside its event for another request.

        Columns as `stories.three_views.beside` makes them. Raises LabError if there is no such
        attempt, or no event for the other request.
        """
        if not is_number_of(attempt, self.exchanges):
            raise no_attempt(attempt, len(self.rows))
        if attempt in self.sealed:
            return Sealed(f"Attempt {attempt}")
        other = self._lab.event(request_id)
        if not other:
            todo = "The column request_id of lab.work() has those of the holder."
            raise LabError(f"No server has an event for the request {request_id!r}.", todo=todo)
        return beside(self.exchanges[attempt]["event"], other)


def _is_replay(name: object) -> bool:
    return isinstance(name, str) and (name in REPLAYS or name in own_replays())
