"""Judge a verifier that somebody wrote by the catalogue of negative tests.

    def verify(request, claims, now, seen):
        ...raise to refuse, return to serve...

    labsim.battery(verify)

The token was looked at before `verify` is asked: its signature, times, audience and scope are good,
and `claims` are its claims. All else is the function's: scheme, proof, binding, replay.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Means, Result, Sender, Verdict, run_between
from labsim.catalogue.stage import Stage, asks_nonces
from labsim.catalogue.vector import Actor, Row, Vector
from labsim.charts import cards
from labsim.errors import LabError
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Ending, Outcome, Request, Response
from labsim.rejection import Rejected
from labsim.roles.records_api import needed_scope
from labsim.roles.resource_server import authorize, extract_credential
from labsim.rooms import names

if TYPE_CHECKING:
    from pandas import DataFrame

type Verify = Callable[[Request, Mapping[str, Any], float, set[Any]], object]

# What Python raises by itself where nobody thought of a case. Some are raised on purpose too, but
# a server that lets one through answers 500, so that each is worth a look.
_ACCIDENTS: Final = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, NameError,
    RecursionError, TypeError,
)  # fmt: skip
_GIVEN: Final = ("request", "claims", "now", "seen")


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold what a function did with one row; `raised` is what it refused with, as text.

    `said_false`: it returned False where it may have meant to refuse, which serves.
    """

    result: Result
    raised: str = ""
    by_accident: bool = False
    said_false: bool = False

    @property
    def vector(self) -> Row:
        """Return the row."""
        return self.result.vector


class Asked:
    """Ask a function about requests, as a server does once the token is known to be good.

    One of these is one server with an empty memory; it is a `catalogue.running.Sender`.
    """

    def __init__(self, verify: Verify, stage: Stage) -> None:
        self._verify = verify
        self._stage = stage
        self._seen: set[Any] = set()
        self.raised: Exception | None = None
        self.said_false = False

    def __call__(self, request: Request) -> Outcome:
        """Let the function decide one request."""
        serving = self._stage.serving
        self.raised = None
        try:
            credential = extract_credential(request, serving.bindings)
            claims = serving.token_claims(credential.token, self._stage.now)
            authorize(claims, needed_scope(serving.name, request))
        except Rejected as rejection:
            detail = f"not your function's to refuse ({rejection.check})"
            return Outcome(Ending.NOT_POSSIBLE, detail=detail)
        try:
            said = self._verify(request, claims, self._stage.now, self._seen)
        except Exception as error:  # noqa: BLE001 - to raise, whatever it is, is to refuse
            self.raised = error
            return Outcome.answered(request, Response(401))
        self.said_false |= said is False
        return Outcome.answered(request, Response(200))


@dataclass(frozen=True)
class Battery:
    """Hold what a function let through, and what it refused that is good."""

    binding: str
    control: str
    judged: tuple[Judged, ...]

    @property
    def let_through(self) -> tuple[Row, ...]:
        """Return the attacks that were served and must not be."""
        return tuple(one.vector for one in self.judged if one.result.is_a_hole)

    @property
    def refused_good(self) -> tuple[Row, ...]:
        """Return the good requests that were refused; `control` is the plainest of all."""
        return tuple(one.vector for one in self.judged if one.result.is_too_strict)

    @property
    def by_accident(self) -> tuple[Judged, ...]:
        """Return the rows on which Python itself raised: refused here, a 500 in a server."""
        return tuple(one for one in self.judged if one.by_accident)

    @property
    def passed(self) -> bool:
        """Tell whether every attack was refused on purpose, and every good request served."""
        return not (self.control or self.let_through or self.refused_good or self.by_accident)

    def frame(self) -> DataFrame:
        """Return one row for each vector.

        Columns, all str: id, what, source, verdict (refused, accepted, inconclusive), expected
        (the same words, or `either`), raised (what the function refused with), gain.
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.judged])

    @property
    def headline(self) -> str:
        """Say in one sentence how the function did."""
        if self.control:
            return "The holder's own good request is refused, so that no refusal counts"
        attacks = [one for one in self.judged if one.vector.must_be_refused]
        good = [one for one in self.judged if one.vector.must_be_served]
        refused = len(attacks) - len(self.let_through)
        served = len(good) - len(self.refused_good)
        return (
            f"{refused} of {len(attacks)} attacks refused, "
            f"{served} of {len(good)} good requests served"
        )

    def _lists(self) -> dict[str, list[str]]:
        through = [f"{v.id}, {v.what}: {v.gain} ({v.source})" for v in self.let_through]
        good = [f"{v.id}, {v.what} ({v.source})" for v in self.refused_good]
        accidents = [f"{j.vector.id}, {j.vector.what}: {j.raised}" for j in self.by_accident]
        meant = [f"{j.vector.id}, {j.vector.what}" for j in self.judged if j.said_false]
        found = {
            "Refused": [self.control] if self.control else [],
            "Let through": [] if self.control else through,
            "Refused though good": [] if self.control else good,
            "Returned False, which serves: to refuse is to raise": meant,
            "Raised by Python, which a server answers with 500": accidents,
        }
        return {title: rows for title, rows in found.items() if rows}

    def __repr__(self) -> str:
        """Say it as text."""
        lines = [f"{self.headline}."]
        for title, rows in self._lists().items():
            lines += [f"{title}:", *(f"  {row}" for row in rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = "".join(
            cards.paragraph(f"{title}:\n" + "\n".join(f"– {row}" for row in rows))
            for title, rows in self._lists().items()
        )
        sign, accent = ("●", cards.BRAND) if self.passed else ("✕", cards.WARN)
        return cards.card(sign, self.headline, body, accent)


def battery(verify: Verify, binding: str = "dpop") -> Battery:
    """Run the catalogue's rows about a binding against a function of the learner's.

    `verify(request, claims, now, seen)` gets a `Request`, the claims of its token (a dict), the
    time in seconds since 1970 and a set of its own that lasts from request to request; it raises
    to refuse. Rows about the token itself and about server nonces are left out. Raises LabError
    for what is no function of four arguments, and for a binding that does not exist or has no rows.
    """
    _must_be_a_function(verify)
    if binding not in names("labsim.bindings"):
        raise LabError.unknown("binding", binding, names("labsim.bindings"))
    rows = [v for v in catalogue(binding, Actor.RS) if not asks_nonces(v)]
    stage = Stage(InProcessReplayMemory)
    control = _control(verify, stage, binding)
    judged = [_judge(verify, stage, vector) for vector in rows]
    asked = [one for one in judged if one.result.verdict is not Verdict.NOT_APPLICABLE]
    if not asked:
        what = f"The catalogue has no rows about {binding} that a function could be asked about."
        counted = Counter(vector.binding for vector in catalogue(actor=Actor.RS))
        raise LabError(what, todo=f"Try one of: {', '.join(sorted(counted))}.")
    return Battery(binding, control, tuple(asked))


def _must_be_a_function(given: object) -> None:
    if not callable(given):
        what = f"{given!r} is no function: nothing was run."
        raise LabError(what, todo="Give the function itself: labsim.battery(verify).")
    try:
        inspect.signature(given).bind(*_GIVEN)
    except ValueError:  # one of Python's own, which does not say what it takes
        return
    except TypeError as error:
        raise LabError(
            f"This function cannot be called with four arguments: {error}.",
            "Nothing was run.",
            f"Write it as verify({', '.join(_GIVEN)}).",
        ) from None


def _control(verify: Verify, stage: Stage, binding: str) -> str:
    asked = Asked(verify, stage)
    outcome = asked(stage.good(binding, Actor.RS).request)
    return "" if outcome.ending is Ending.SERVED else f"the plain good request: {_said(asked)}"


def _judge(verify: Verify, stage: Stage, vector: Vector) -> Judged:
    asked = Asked(verify, stage)
    means = Means(stage.advance, _in_turn)
    result = run_between(vector, lambda: stage.good_for(vector), asked, means)
    accident = isinstance(asked.raised, _ACCIDENTS) and result.verdict is Verdict.REFUSED
    return Judged(result, _said(asked), accident, asked.said_false)


def _in_turn(send: Sender, request: Request, count: int) -> list[Outcome]:
    """Ask one after the other what is a race elsewhere: a learner's set is no shared store."""
    return [send(request) for _ in range(count)]


def _said(asked: Asked) -> str:
    error = asked.raised
    return f"{type(error).__name__}: {error}".removesuffix(": ") if error else ""


def _row(one: Judged) -> dict[str, str]:
    vector, expected = one.vector, "either"
    if vector.must_be_refused or vector.must_be_served:
        expected = str(Verdict.REFUSED if vector.must_be_refused else Verdict.ACCEPTED)
    return {
        "id": vector.id,
        "what": vector.what,
        "source": vector.source,
        "verdict": str(one.result.verdict),
        "expected": expected,
        "raised": one.raised,
        "gain": vector.gain,
    }
