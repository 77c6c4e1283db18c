"""Changes of a DPoP proof, and the makers of rows about one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import Change, Jws
from labsim.catalogue.presenting import refused, served
from labsim.catalogue.vector import Actor, Force, Make, Needs, Vector
from labsim.http_message import Request
from labsim.rejection import Reason

BOTH = (Actor.AS, Actor.RS)
STATUS = {Actor.AS: 400, Actor.RS: 401}

type Fields = Callable[[str], tuple[str, ...]]
type MakeChange = Callable[[GoodRequest], Change]


def one_field(proof: str) -> tuple[str, ...]:
    """Send the proof in one field, as it should be."""
    return (proof,)


def with_proof(good: GoodRequest, change: Change, fields: Fields = one_field) -> Request:
    """Replace a good request's proof by the same proof with one change."""
    proof = Jws.of(str(good.request.value("DPoP")), good.holder).text(change)
    request = good.request.without("DPoP")
    for value in fields(proof):
        request = request.adding("DPoP", value)
    return request


def proof(change: Change | MakeChange, fields: Fields = one_field) -> Make:
    """Change the proof; a function makes the change from the good request (its time, say)."""

    def make(good: GoodRequest) -> Request:
        return with_proof(good, change if isinstance(change, Change) else change(good), fields)

    return make


def claims(**changes: Any) -> Make:
    """Change claims of the proof; a function makes the new value from the good one."""
    return proof(Change(claims=changes))


def rows(
    id: str,
    what: str,
    source: str,
    make: Make,
    *,
    check: str,
    gain: str,
    reason: Reason = Reason.PROOF_MALFORMED,
    error: str = "invalid_dpop_proof",
    force: Force = Force.MUST,
    actors: Iterable[Actor] = BOTH,
    before: tuple[Make, ...] = (),
    needs: Needs = Needs.NOTHING,
    **more: Any,
) -> tuple[Vector, ...]:
    """Make one row's vectors: a DPoP proof that is refused, one for each server it is sent to.

    `more` are other fields of `Vector`.
    """
    how: dict[str, Any] = {"check": check, "gain": gain, "reason": reason, "error": error}
    how |= {"force": force, "before": before, "needs": needs}
    return tuple(
        refused(id, what, source, make, actor=actor, status=STATUS[actor], **how, **more)
        for actor in actors
    )


def accepted(
    id: str,
    what: str,
    source: str,
    make: Make,
    *,
    force: Force = Force.MUST_ACCEPT,
    actors: Iterable[Actor] = BOTH,
    before: tuple[Make, ...] = (),
    needs: Needs = Needs.NOTHING,
    gain: str = "",
) -> tuple[Vector, ...]:
    """Make one row's vectors: a DPoP request that must be served, one for each server."""
    how: dict[str, Any] = {"force": force, "before": before, "needs": needs, "gain": gain}
    return tuple(served(id, what, source, make, actor=actor, **how) for actor in actors)


def together(*groups: tuple[Vector, ...]) -> tuple[Vector, ...]:
    """Put the vectors of several rows into one tuple."""
    return tuple(vector for group in groups for vector in group)
