"""Run one vector over anything that sends requests: roles in this process, a lab, a stranger.

Whoever runs the catalogue brings two things: a `Supply` that makes a fresh good request whenever it
is called, and a `Sender` that sends one and says how it ended. Nothing here knows of sockets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.vector import Needs, Row, Vector
from labsim.http_message import Ending, Outcome, Request
from labsim.jose import Malformed

type Supply = Callable[[], GoodRequest]
"""Makes a good request, with a fresh proof each time."""


class Sender(Protocol):
    """Send requests; a dialler is one, and so is a role behind a function."""

    def __call__(self, request: Request) -> Outcome:
        """Send a request as it stands, and say how it ended."""


def at_once(send: Sender, request: Request, times: int) -> list[Outcome]:
    """Send a request so many times at the same time, each in a thread of its own."""
    together = threading.Barrier(times)

    def one(_number: int) -> Outcome:
        together.wait()
        return send(request)

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


@dataclass(frozen=True, slots=True)
class Means:
    """What whoever runs the catalogue can do besides sending.

    `advance` lets seconds pass for the server; None where its clock is nobody's to move.
    """

    advance: Callable[[float], None] | None = None
    at_once: Callable[[Sender, Request, int], list[Outcome]] = at_once


NO_MORE = Means()


class Verdict(StrEnum):
    """Say what became of a row."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    INCONCLUSIVE = "inconclusive"
    """No answer, a server error, or a good request that was not served."""
    NOT_APPLICABLE = "not applicable"
    """It was not sent: it cannot be made here, and `Result.why` says of what it takes."""


@dataclass(frozen=True, slots=True)
class Result:
    """Hold what became of one row; `outcome` is None where nothing was sent, or a scene was played.

    `controls` are the good requests around it, if they were sent.
    """

    vector: Row
    verdict: Verdict
    outcome: Outcome | None = None
    why: str = ""
    controls: tuple[Outcome, ...] = ()

    @property
    def is_expected(self) -> bool:
        """Tell whether the verdict is the one that the row has."""
        wanted = Verdict.REFUSED if self.vector.refusal else Verdict.ACCEPTED
        return self.verdict is wanted

    @property
    def is_a_hole(self) -> bool:
        """Tell whether something was accepted that must be refused."""
        return self.verdict is Verdict.ACCEPTED and self.vector.must_be_refused

    @property
    def is_too_strict(self) -> bool:
        """Tell whether something was refused that must be served."""
        return self.verdict is Verdict.REFUSED and self.vector.must_be_served


def run_vector(vector: Vector, supply: Supply, send: Sender, means: Means = NO_MORE) -> Result:
    """Send a good request, the vector's, and a good one again.

    A refusal counts only between two good requests that were served: else it is INCONCLUSIVE.
    """
    first = send(supply().request)
    result = run_between(vector, supply, send, means)
    last = send(supply().request)
    failed = [each for each in (first, last) if each.ending is not Ending.SERVED]
    verdict, why = result.verdict, result.why
    if failed and verdict is not Verdict.NOT_APPLICABLE:
        verdict, why = Verdict.INCONCLUSIVE, f"a good request was not served: {said(failed[0])}"
    return Result(vector, verdict, result.outcome, why, (first, last))


def run_between(vector: Vector, supply: Supply, send: Sender, means: Means = NO_MORE) -> Result:
    """Send the vector's request and what goes before it; whoever calls this sends the controls."""
    good = supply()
    lacking = _lacking(vector, good, means)
    if lacking:
        return Result(vector, Verdict.NOT_APPLICABLE, None, lacking)
    try:
        before = [make(good) for make in vector.before]
        request = vector.change(good)
    except CannotBeMade as error:
        return Result(vector, Verdict.NOT_APPLICABLE, None, str(error))
    except Malformed as error:
        return Result(vector, Verdict.NOT_APPLICABLE, None, f"the token is no JWT: {error}")
    for each in before:
        send(each)
    if vector.pause and means.advance is not None:
        means.advance(vector.pause)
    if vector.at_once > 1:
        return _of_many(vector, means.at_once(send, request, vector.at_once))
    return Result(vector, *_judged(send(request)))


def _of_many(vector: Vector, outcomes: list[Outcome]) -> Result:
    """Judge requests that were sent at once: one may be served, and the others must be refused."""
    judged = [_judged(outcome) for outcome in outcomes]
    served = [each for each in judged if each[0] is Verdict.ACCEPTED]
    if len(served) > 1:
        return Result(vector, *served[0][:2], f"{len(served)} of {len(outcomes)} were served")
    unclear = [each for each in judged if each[0] in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)]
    if unclear:
        return Result(vector, *unclear[0])
    refused = [each for each in judged if each[0] is Verdict.REFUSED]
    if not served:
        why = f"none of {len(outcomes)} was served"
        return Result(vector, Verdict.INCONCLUSIVE, refused[0][1], why)
    return Result(vector, *refused[0])


def _lacking(vector: Vector, good: GoodRequest, means: Means) -> str:
    """Return what the good request lacks for this vector; empty if nothing."""
    if vector.needs is Needs.IN_PROCESS and not good.is_in_process:
        return "no connection carries it"
    if vector.needs is Needs.CLOCK and means.advance is None:
        return "it takes a server whose clock can be moved"
    if vector.needs in (Needs.REFRESH, Needs.EXCHANGE) and good.bystander is None:
        return "it takes a grant, or a token of another client"
    if vector.needs is Needs.ASSERTION and good.client_key is None:
        return "it takes a client that authenticates by an assertion"
    if vector.needs is Needs.ISSUER and good.issuer is None:
        return "it takes the authorization server's own key"
    if vector.needs is Needs.AUTHORITY and good.authority is None:
        return "it takes the key of the authority for clients' certificates"
    if vector.needs in (Needs.NONCES, Needs.STALE_NONCE) and good.presentation.nonce is None:
        return "the server asks for no nonces"
    if vector.needs is Needs.STALE_NONCE and not good.stale_nonce:
        return "it takes a nonce that the server takes no more"
    return ""


def _judged(outcome: Outcome) -> tuple[Verdict, Outcome, str]:
    if outcome.ending is Ending.NOT_POSSIBLE:
        return Verdict.NOT_APPLICABLE, outcome, outcome.detail
    if outcome.ending is Ending.REFUSED_BY_TLS:
        return Verdict.REFUSED, outcome, outcome.detail
    if outcome.response is None:
        return Verdict.INCONCLUSIVE, outcome, outcome.detail
    if outcome.response.status >= 500:
        return Verdict.INCONCLUSIVE, outcome, f"the server failed: {said(outcome)}"
    if outcome.response.status == 429:
        return Verdict.INCONCLUSIVE, outcome, "the server asks for fewer requests (429)"
    if outcome.response.status >= 400:
        return Verdict.REFUSED, outcome, ""
    if outcome.response.status >= 300:
        return Verdict.INCONCLUSIVE, outcome, f"a redirect is no answer: {said(outcome)}"
    return Verdict.ACCEPTED, outcome, ""


def asks_again(outcome: Outcome) -> bool:
    """Tell whether a server has refused for want of its nonce (RFC 9449 sections 8 and 9)."""
    response = outcome.response
    return (
        response is not None
        and response.status in (400, 401)
        and any(
            "use_dpop_nonce" in text
            for text in (*response.values("WWW-Authenticate"), response.body.decode("latin-1"))
        )
    )


def said(outcome: Outcome) -> str:
    """Say in a few words how a request ended: the status, or why there is none."""
    if outcome.response is None:
        return outcome.detail or str(outcome.ending)
    return f"status {outcome.response.status}"
