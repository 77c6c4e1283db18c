"""The shape of a row about HTTP signatures, and how each is run: good, bad, good, for both keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import http_sf
import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.structured_fields import byte_sequence
from tests.contract.attacks.http_signature import good
from tests.exchange import AS, BOTH, RS, STATUS, assert_challenged, assert_refused, assert_served
from tests.signatures import resigned, with_signature
from tests.wiring import HOLDER, Lab

type Make = Callable[[Lab, Request], Request]
type Texts = tuple[str | None, str | None]

HOLDERS = {"ES256": HOLDER, "Ed25519": SigningKey.generate("Ed25519")}
ERROR = {AS: "invalid_request", RS: "invalid_token"}
# What refuses a signature that is not one over this request: at each server its own check.
NOT_OVER_THIS = {
    AS: (Reason.PROOF_SIGNATURE_INVALID, "signature_is_by_the_brought_key"),
    RS: (Reason.BINDING_MISMATCH, "signature_is_by_the_bound_key"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way in which a signed request is bad: what is made of the good one.

    Without `check` it is the signature itself that does not verify.
    """

    id: str
    what: str
    source: str
    make: Make
    check: str = ""
    reason: Reason = Reason.PROOF_MALFORMED
    actors: tuple[str, ...] = BOTH


def about(
    check: str = "",
    reason: Reason = Reason.PROOF_MALFORMED,
    actors: tuple[str, ...] = BOTH,
) -> Callable[..., Row]:
    """Return a maker of rows that all fail for this reason."""

    def make(id: str, what: str, source: str, change: Make, **more: Any) -> Row:
        row = Row(
            id=id, what=what, source=source, make=change, check=check, reason=reason, actors=actors
        )
        return replace(row, **more)

    return make


def cases(rows: Iterable[Row]) -> list[Any]:
    """Return each row for each kind of server that it is about, and for each kind of key."""
    return [
        pytest.param(row, actor, algorithm, id=f"{row.id} {actor} {algorithm} {row.what}")
        for row in rows
        for actor in row.actors
        for algorithm in HOLDERS
    ]


def run(lab: Lab, row: Row, actor: str, algorithm: str) -> None:
    """Assert that the bad request, and only the bad request, is refused for the right reason."""
    lab.holder = HOLDERS[algorithm]
    assert_served(lab, good(lab, actor))
    assert_not_served(lab, row.make(lab, good(lab, actor)), actor, row.check, row.reason)
    assert_served(lab, good(lab, actor))


def assert_not_served(
    lab: Lab, bad: Request, actor: str, check: str = "", reason: Reason = Reason.PROOF_MALFORMED
) -> None:
    """Assert all views of a refusal; without `check`, that the signature does not verify."""
    reason, check = (reason, check) if check else NOT_OVER_THIS[actor]
    refusal = {"error": ERROR[actor], "reason": reason, "check": check}
    response = assert_refused(lab, bad, status=STATUS[actor], **refusal)
    if actor == RS:
        assert_challenged(response, "HTTPSig", "invalid_token")


# Changes of the good request.


def signed(**parameters: Any) -> Make:
    """Sign again with other parameters; GONE takes one away, a function changes it."""
    return lambda lab, request: resigned(lab, request, parameters=parameters)


def text(change: Callable[[str, str], Texts]) -> Make:
    """Change the text of Signature-Input and Signature, and sign nothing."""
    return lambda _lab, request: with_signature(request, change)


def input_text(change: Callable[[str], str | None]) -> Make:
    """Change the text of Signature-Input alone."""
    return text(lambda input_, signature: (change(input_), signature))


def signature_text(change: Callable[[str], str | None]) -> Make:
    """Change the text of Signature alone."""
    return text(lambda input_, signature: (input_, change(signature)))


def octets(change: Callable[[bytes], bytes]) -> Make:
    """Change the signature's octets."""

    def changed(text: str) -> str:
        ((label, (value, _)),) = http_sf.parse(text.encode(), tltype="dictionary").items()  # type: ignore[union-attr]
        return f"{label}={byte_sequence(change(value))}"

    return signature_text(changed)


def covering(*names: str, **fields: str) -> Make:
    """Sign again and cover more; `fields` are put on the request before (x_a stands for x-a)."""

    def make(lab: Lab, request: Request) -> Request:
        for name, value in fields.items():
            request = request.adding(name.replace("_", "-"), value)
        return resigned(lab, request, adding=names)

    return make


def naming(*components: str, **fields: str) -> Make:
    """Name more components in Signature-Input, signing nothing: for what cannot be signed."""
    more = "".join(f" {name}" for name in components)

    def make(_lab: Lab, request: Request) -> Request:
        for name, value in fields.items():
            request = request.adding(name.replace("_", "-"), value)
        return with_signature(request, lambda i, s: (i.replace(")", f"{more})", 1), s))

    return make
