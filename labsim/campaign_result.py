"""A campaign as a notebook holds it: every attempt, what led where, and what fell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labsim.arguments import is_number_of
from labsim.charts import cards, words
from labsim.errors import LabError
from labsim.estate import campaigning
from labsim.estate.campaigning import Course
from labsim.estate.plan import Plan
from labsim.stories.three_views import Shown, shown
from labsim.whole_import import whole

if TYPE_CHECKING:
    from pandas import DataFrame

    from labsim.charts.estate_map import EstateMap
    from labsim.charts.picture import Picture
    from labsim.lab import Lab

type Row = dict[str, Any]
COLUMNS = (
    "attempt", "hop", "credential", "led_by", "client", "theft", "custody", "loot", "binding",
    "replay", "variant", "verifier", "resource", "relation", "outcome", "status", "error", "reason",
    "check", "source", "records", "seconds", "again",
)  # fmt: skip
_DTYPES = {
    "attempt": "int64",
    "hop": "int64",
    "status": "Int64",
    "records": "int64",
    "seconds": "int64",
    "again": "bool",
}
"""Every other column is text (`string`), empty where there is nothing to say."""
_PATH = {"hop": "int64", "records": "int64", "new": "int64"}


def _row(number: int, attempt: Row, event: Mapping[str, Any]) -> Row:
    """Return an attempt as a row of the table, with what the server itself says about it."""
    row = {name: attempt.get(name) for name in COLUMNS}
    row |= {name: event.get(name, "") for name in ("check", "source")}
    row |= {"attempt": number, "records": len(attempt["records"])}
    row |= {"reason": event.get("reason") or attempt["why"], "seconds": int(attempt["seconds"])}
    return row


@dataclass(frozen=True, kw_only=True)
class CampaignResult:
    """Hold what a campaign tried, what it was served, and which credential led where.

    `client` is whose loot it began with, taken by `theft`; `exposed` has the ids of the records
    that each attempt was sent; `bindings` and `custodies` are those of every client meanwhile.
    """

    plan: Plan
    client: str
    theft: str
    seed: int
    course: Course
    bindings: Mapping[str, str]
    custodies: Mapping[str, str]
    rows: Sequence[Row] = field(repr=False)
    exposed: Mapping[int, tuple[str, ...]] = field(repr=False)
    exchanges: Mapping[int, Mapping[str, Any]] = field(repr=False)

    @staticmethod
    def run(
        lab: Lab,
        pieces: Sequence[Mapping[str, Any]],
        targets: Sequence[Mapping[str, str]],
        seed: int,
        progress: Callable[[int], None] | None = None,
    ) -> CampaignResult:
        """Let a lab's attacker run a campaign, and add what the servers say of each attempt.

        `pieces` are those of a haul; `progress` is told how many attempts were made so far.
        Raises LabError if there is no piece.
        """
        if not pieces:
            raise LabError("There is no loot to begin with.", todo="Steal something first.")
        piece, numbers = pieces[0], [each["number"] for each in pieces]
        course = campaigning.run(lab.estate, numbers, seed, targets, progress)
        events = [lab.event(row["request_id"]) for row in course.rows]
        told = list(zip(course.rows, events, strict=True))
        more = {"custody": piece["custody"], "variant": lab.variant}
        judged = {name: {"verifier": lab.estate.verifier(name)} for name in lab.plan.resources}
        return CampaignResult(
            plan=lab.plan,
            client=piece["client"],
            theft=piece["theft"],
            seed=seed,
            course=course,
            bindings={name: lab.binding(name) for name in lab.plan.clients},
            custodies={name: lab.custody(name) for name in lab.plan.clients},
            rows=[
                _row(n, row, event) | more | judged[row["resource"]]
                for n, (row, event) in enumerate(told, 1)
            ],
            exposed={n: tuple(row["records"]) for n, row in enumerate(course.rows, 1)},
            exchanges={
                n: {"request": row["sent"], "response": row["answer"], "event": event}
                for n, (row, event) in enumerate(told, 1)
            },
        )

    @cached_property
    def attempts(self) -> DataFrame:
        """Return every attempt as a table; one row is one replay of one credential at one server.

        `attempt`: int64, numbered from 1. `hop`: int64, credentials found on the way. `credential`:
        its short name; `led_by`: the record that it was found in, empty for those that the
        campaign began with. `status`: Int64, HTTP status, missing where no answer came. `records`:
        int64, how many the answer held. `seconds`: int64, lab seconds since the theft. `again`:
        bool, whether the attacker died as it made this attempt, so that the server may have seen
        it before. All others are string and as in `blast.measured.attempts_frame`.
        """
        whole("pandas")
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(COLUMNS), dtype=object)
        return frame.astype({name: _DTYPES.get(name, "string") for name in COLUMNS})

    @cached_property
    def records(self) -> tuple[str, ...]:
        """Return the ids of the records that were served, in the order in which they came."""
        return tuple(str(record["id"]) for record in self.course.records)

    def path(self) -> DataFrame:
        """Return which credential led where: a row for each that the attacker knew, in order.

        `hop`: int64. `credential`: string, its name. `found_in`: string, the record, or the theft
        for the first. `found_with`: string, the credential that was served that record.
        `opened`: string, the resource servers that served it records. `records`: int64, how many
        distinct ones. `new`: int64, how many of these no attempt before had been served.
        """
        whole("pandas")
        import pandas as pd

        rows = [self._step(credential) for credential in self.course.credentials]
        names = ["hop", "credential", "found_in", "found_with", "opened", "records", "new"]
        frame = pd.DataFrame(rows, columns=names)
        return frame.astype({name: _PATH.get(name, "string") for name in names})

    def _step(self, credential: Row) -> Row:
        served = self._served(credential["name"])
        opened = {row["resource"] for row in served}
        return {
            "hop": credential["hop"],
            "credential": credential["name"],
            "found_in": credential["led_by"] or self.theft,
            "found_with": credential["found_with"],
            "opened": ", ".join(name for name in self.plan.resources if name in opened),
            "records": len(self._ids(served)),
            "new": sum(len(self._first[row["attempt"]]) for row in served),
        }

    def _served(self, credential: str) -> list[Row]:
        return [row for row in self.rows if row["credential"] == credential and row["records"]]

    def _ids(self, rows: Sequence[Row]) -> set[str]:
        return {record for row in rows for record in self.exposed[row["attempt"]]}

    @cached_property
    def _first(self) -> dict[int, set[str]]:
        """Return for each attempt the records that no attempt before was served."""
        seen: set[str] = set()
        first = {}
        for row in self.rows:
            first[row["attempt"]] = set(self.exposed[row["attempt"]]) - seen
            seen |= first[row["attempt"]]
        return first

    def fallen(self) -> DataFrame:
        """Return what fell: a row for each resource server of the estate.

        `resource`, `title`: string. `records`: int64, distinct ones served; `of`: int64, how many
        lie there by the plan, which those that were added in this run are not. `hop`: Int64 and
        `opened_by`: string, the first credential that was served records there and its hop;
        missing and empty where none was.
        """
        whole("pandas")
        import pandas as pd

        rows = []
        for resource in self.plan.resources.values():
            served = [r for r in self.rows if r["resource"] == resource.name and r["records"]]
            ids = {record.id for record in resource.records}
            rows.append(
                {
                    "resource": resource.name,
                    "title": resource.title,
                    "records": len(self._ids(served) & ids),
                    "of": len(ids),
                    "hop": served[0]["hop"] if served else pd.NA,
                    "opened_by": served[0]["credential"] if served else "",
                }
            )
        kinds = {"records": "int64", "of": "int64", "hop": "Int64"}
        names = ["resource", "title", "records", "of", "hop", "opened_by"]
        return pd.DataFrame(rows).astype({name: kinds.get(name, "string") for name in names})

    @property
    def began(self) -> str:
        """Say in words what the campaign began with."""
        binding = words.binding(self.bindings[self.client])
        return f"{self.client}, robbed by {words.theft(self.theft)} ({binding})"

    def chart(self) -> Picture:
        """Draw the blast radius: records at each resource server, and how far away they were."""
        from labsim.charts import campaign

        return campaign.picture(self.fallen(), self.began)

    def map(self) -> EstateMap:
        """Draw the estate with what fell: who was robbed, how, and what that opened."""
        from labsim.charts.estate_map import estate_map

        stolen: dict[str, list[str]] = {}
        for credential in self.course.credentials:
            client = credential["loot"]["client"]
            how = f"a credential in {credential['led_by']}" if credential["hop"] else self.theft
            if client in self.plan.clients and how not in stolen.setdefault(client, []):
                stolen[client].append(how)
        fallen = self.fallen()
        counts = dict(zip(fallen["resource"], map(int, fallen["records"]), strict=True))
        return estate_map(
            self.plan,
            bindings=self.bindings,
            custodies=self.custodies,
            stolen=stolen,
            served={name: count for name, count in counts.items() if count},
        )

    def show(self, attempt: int | str) -> Shown:
        """Show an attempt: the bytes, what they encode, and how the three sides see the outcome.

        `attempt` is its number, or a record's id for the one that was sent this record first.
        Raises LabError if there is none.
        """
        sent = (n for n, records in self.exposed.items() if attempt in records)
        number = attempt if isinstance(attempt, int) else next(sent, 0)
        if not is_number_of(number, self.exchanges):
            todo = f"They are numbered from 1 to {len(self.rows)}."
            raise LabError(f"This campaign has no attempt {attempt}.", todo=todo)
        return shown(self.rows[number - 1], self.exchanges[number])

    @property
    def _summary(self) -> str:
        of = sum(len(resource.records) for resource in self.plan.resources.values())
        opened = {row["resource"] for row in self.rows if row["records"]}
        further = sum(credential["hop"] > 0 for credential in self.course.credentials)
        return (
            f"Campaign from {self.began}, seed {self.seed}: {len(self.rows)} attempts, "
            f"{further} further credentials found, {len(self.records)} of {of} records at "
            f"{len(opened)} of {len(self.plan.resources)} resource servers."
        )

    def __repr__(self) -> str:
        """Say what the campaign came to."""
        return self._summary

    def _repr_html_(self) -> str:
        steps = [{str(k): v for k, v in step.items()} for step in self.path().to_dict("records")]
        return cards.heading(self._summary) + cards.table(steps)
