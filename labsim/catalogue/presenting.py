"""Changes of how a token is presented, and of the token itself; makers of rows about them."""

from __future__ import annotations

from collections.abc import Callable

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import Change, Jws
from labsim.catalogue.vector import Actor, Force, Make, Needs, Refusal, Vector, in_full
from labsim.http_message import Request
from labsim.rejection import Reason

type MakeChange = Callable[[GoodRequest], Change]


def under(*values: str) -> Make:
    """Replace the Authorization field by these; `{}` in a value stands for the good token."""

    def make(good: GoodRequest) -> Request:
        request = good.request.without("Authorization")
        for value in values:
            request = request.adding("Authorization", value.replace("{}", good.token))
        return request

    return make


def proofless(*values: str) -> Make:
    """Do the same, and take the DPoP proof away."""
    return lambda good: under(*values)(good).without("DPoP")


def with_token(change: Change | MakeChange) -> Make:
    """Present the good token with one change; signed again by the issuer unless `change` says."""

    def make(good: GoodRequest) -> Request:
        made = change if isinstance(change, Change) else change(good)
        is_signed = made.key is not None or made.sign is not None
        key = good.stranger if is_signed else good.issuers_key
        return good.presenting(Jws.of(good.token, key).text(made))

    return make


def retold(change: Callable[[str], str]) -> Make:
    """Present another text in the token's place, whatever kind of token it is."""
    return lambda good: good.presenting(change(good.token))


def refused(
    id: str,
    what: str,
    source: str,
    make: Make,
    *,
    check: str,
    reason: Reason,
    gain: str,
    binding: str = "dpop",
    actor: Actor = Actor.RS,
    status: int = 401,
    error: str = "invalid_token",
    on: tuple[str, ...] = (),
    force: Force = Force.MUST,
    needs: Needs = Needs.NOTHING,
    before: tuple[Make, ...] = (),
    pause: float = 0.0,
    at_once: int = 1,
) -> Vector:
    """Make one vector that is refused."""
    return Vector(
        id=id,
        force=force,
        source=in_full(source),
        binding=binding,
        actor=actor,
        what=what,
        gain=gain,
        change=make,
        before=before,
        pause=pause,
        at_once=at_once,
        refusal=Refusal(status=status, error=error, reason=reason, check=check, on=on),
        needs=needs,
    )


def served(
    id: str,
    what: str,
    source: str,
    make: Make,
    *,
    binding: str = "dpop",
    actor: Actor = Actor.RS,
    force: Force = Force.MUST_ACCEPT,
    gain: str = "",
    needs: Needs = Needs.NOTHING,
    before: tuple[Make, ...] = (),
) -> Vector:
    """Make one vector that is served."""
    return Vector(
        id=id,
        force=force,
        source=in_full(source),
        binding=binding,
        actor=actor,
        what=what,
        gain=gain,
        change=make,
        before=before,
        refusal=None,
        needs=needs,
    )
