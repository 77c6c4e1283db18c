"""Changes of an HTTP signature, and the makers of rows about one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import http_sf

from labsim.binding import Holder
from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.presenting import refused, served
from labsim.catalogue.signing import Texts, signed_again, with_signature
from labsim.catalogue.vector import Actor, Force, Make, Needs, Vector
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence

BOTH = (Actor.AS, Actor.RS)
STATUS = {Actor.AS: 400, Actor.RS: 401}
ERROR = {Actor.AS: "invalid_request", Actor.RS: "invalid_token"}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FORGED = "a request that the holder has not signed: a stolen token works"
# What refuses a signature that is not one over this request: at each server its own check.
NOT_OVER_THIS = {
    Actor.AS: (Reason.PROOF_SIGNATURE_INVALID, "signature_is_by_the_brought_key"),
    Actor.RS: (Reason.BINDING_MISMATCH, "signature_is_by_the_bound_key"),
}

type Rows = tuple[Vector, ...]


def about(
    check: str = "",
    reason: Reason = Reason.PROOF_MALFORMED,
    actors: tuple[Actor, ...] = BOTH,
    gain: str = FORGED,
    force: Force = Force.MUST,
) -> Callable[..., Rows]:
    """Return a maker of rows that all fail for this reason, one vector for each server.

    Without `check` it is the signature itself that does not verify.
    """

    def make(
        id: str,
        what: str,
        source: str,
        change: Make,
        *,
        needs: Needs = Needs.NOTHING,
        force: Force = force,
        before: tuple[Make, ...] = (),
        **more: Any,
    ) -> Rows:
        found = []
        for actor in actors:
            why, name = (reason, check) if check else NOT_OVER_THIS[actor]
            how: dict[str, Any] = {"status": STATUS[actor], "error": ERROR[actor], "actor": actor}
            how |= {"binding": "http_signature", "gain": gain, "force": force, "needs": needs}
            how |= {"reason": why, "check": name, "before": before, **more}
            found.append(refused(id, what, source, change, **how))
        return tuple(found)

    return make


def accepted(
    id: str,
    what: str,
    source: str,
    change: Make,
    *,
    force: Force = Force.MUST_ACCEPT,
    actors: tuple[Actor, ...] = BOTH,
    before: tuple[Make, ...] = (),
    needs: Needs = Needs.NOTHING,
) -> Rows:
    """Make a row about a signed request that must be served, one vector for each server."""
    how: dict[str, Any] = {"force": force, "before": before, "needs": needs}
    return tuple(
        served(id, what, source, change, binding="http_signature", actor=actor, **how)
        for actor in actors
    )


def resigned(
    good: GoodRequest, request: Request | None = None, key: Holder | None = None, **how: Any
) -> Request:
    """Sign a request again, with a fresh nonce; `how` is what `signed_again` takes."""
    nonce = good.presentation.new_id()
    return signed_again(request or good.request, key or good.holder, nonce, **how)


def signed(**parameters: Any) -> Make:
    """Sign again with other parameters; GONE takes one away, a function changes it."""
    return lambda good: resigned(good, parameters=parameters)


def own(**parameters: Callable[[GoodRequest], Any]) -> Make:
    """Sign again with parameters that follow from the good request: its time, its key."""
    return lambda good: resigned(
        good, parameters={name: value(good) for name, value in parameters.items()}
    )


def uncovered(*names: str) -> Make:
    """Sign again and leave these components out."""
    return lambda good: resigned(good, without=names)


def text(change: Callable[[str, str], Texts]) -> Make:
    """Change the text of Signature-Input and Signature, and sign nothing."""
    return lambda good: with_signature(good.request, change)


def input_text(change: Callable[[str], str | None]) -> Make:
    """Change the text of Signature-Input alone."""
    return text(lambda input_, signature: (change(input_), signature))


def signature_text(change: Callable[[str], str | None]) -> Make:
    """Change the text of Signature alone."""
    return text(lambda input_, signature: (input_, change(signature)))


def replaced(old: str, new: str) -> Make:
    """Replace in Signature-Input what stands there once."""
    return input_text(lambda input_: input_.replace(old, new, 1))


def octets(change: Callable[[bytes], bytes]) -> Make:
    """Change the signature's octets."""

    def changed(text: str) -> str:
        members: Any = http_sf.parse(text.encode(), tltype="dictionary")
        ((label, (value, _)),) = members.items()
        return f"{label}={byte_sequence(change(value))}"

    return signature_text(changed)


def covering(*names: str, **fields: str) -> Make:
    """Sign again and cover more; `fields` are put on the request before (x_a stands for x-a)."""

    def make(good: GoodRequest) -> Request:
        request = good.request
        for name, value in fields.items():
            request = request.adding(name.replace("_", "-"), value)
        return resigned(good, request, adding=names)

    return make


def naming(*components: str, **fields: str) -> Make:
    """Name more components in Signature-Input, signing nothing: for what cannot be signed."""
    more = "".join(f" {name}" for name in components)

    def make(good: GoodRequest) -> Request:
        request = good.request
        for name, value in fields.items():
            request = request.adding(name.replace("_", "-"), value)
        return with_signature(request, lambda i, s: (i.replace(")", f"{more})", 1), s))

    return make


def with_body(good: GoodRequest) -> Request:
    """Return the good request, which has a body; raises CannotBeMade if it has none."""
    if not good.request.body:
        raise CannotBeMade("the good request has no body")
    return good.request
