"""What a learner's check does: four signed requests run through the real binding with it in place.

Two are the holder's own, one without a body and one with its digest covered. Two are a captured
request without a body that a thief has given one, the second with a digest line of the thief's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from labsim.binding import Binding, Evidence, Presentation
from labsim.bindings.http_signature import BINDING
from labsim.checks import Check
from labsim.exercises.exercise import NotAttempted
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason, Rejected
from labsim.structured_fields import byte_sequence

NOW: Final = 1_800_000_000
TOKEN: Final = "the holder's token"
URL: Final = "https://deploy.test/records"
BODY: Final = b'{"release": 122}'


def effect(test: Callable[[Any, Any], Any]) -> str:
    """Run a learner's check inside the real binding on four requests; return what is wrong.

    Returns an empty text if nothing is. Raises NotAttempted for a check that answers `...`, and
    whatever the check itself raises.
    """
    holder = SigningKey.generate()
    cases = [(BINDING.parse(each), _evidence(each, holder)) for each in _requests(holder)]
    raw = [test(*case) for case in cases]
    if all(said is ... for said in raw):
        raise NotAttempted
    if all(said is None for said in raw):
        return (
            "It gives nothing back: a function without `return` returns None, which counts as no."
        )
    verifier = _with(test)
    plain, posted, added, with_digest = (_serves(verifier, *case) for case in cases)
    if not plain:
        return (
            "It refuses the holder's own request without a body. Where there is no body, there is "
            "nothing to cover."
        )
    if not posted:
        return (
            "It refuses the holder's own request with a body, whose digest is covered. The names "
            "in `proof.covered` are in lower case, as the signature lists them."
        )
    return _what_is_asked(added, with_digest)


def _what_is_asked(added: bool, with_digest: bool) -> str:
    if added:
        return (
            "The thief was served: a captured request without a body, a body put in, and the "
            "signature still good, because nothing in it is about a body."
        )
    if with_digest:
        return (
            "The thief was served with a body and a Content-Digest line of its own. That the line "
            "is there says nothing: anybody can write it. Who vouches for it?"
        )
    return ""


def _requests(holder: SigningKey) -> list[Request]:
    captured = _signed(Request("POST", URL), holder)
    added = replace(captured, body=BODY)
    digest = f"sha-256={byte_sequence(sha256(BODY).digest())}"
    return [
        _signed(Request("GET", URL), holder),
        _signed(Request("POST", URL, body=BODY), holder),
        added,
        added.adding("Content-Digest", digest),
    ]


def _signed(request: Request, holder: SigningKey, token: str | None = TOKEN) -> Request:
    return BINDING.attach(request, Presentation(token, holder, NOW, lambda: "a new nonce"))


def _evidence(request: Request, holder: SigningKey) -> Evidence:
    cnf = BINDING.bind(BINDING.parse(_signed(Request("POST", URL), holder, None)))
    return Evidence(request, NOW, token=TOKEN, claims={"cnf": cnf})


def _with(test: Callable[[Any, Any], Any]) -> Binding:
    reason = Reason.PROOF_CONTENT_MISMATCH
    written = Check(lambda *given: bool(test(*given)), reason, "the learner's own")
    rest = BINDING.without("body_is_covered").proof_checks
    return replace(BINDING, proof_checks=(*rest, written))


def _serves(verifier: Binding, proof: Any, evidence: Evidence) -> bool:
    try:
        verifier.verify(proof, evidence)
    except Rejected:
        return False
    return True
