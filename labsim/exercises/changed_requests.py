"""Requests that were changed on their way, put to the real bindings: no network, one process.

Each is the holder's own, with token and fresh proof, and no server has had it yet. Then a query, a
body or a line is changed, and the binding's parse and checks say how it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

from labsim.binding import Binding, Evidence, Presentation
from labsim.bindings import dpop, http_signature
from labsim.blast.measured import attempts_frame
from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.prediction import Prediction
from labsim.rejection import Rejected

TOKEN: Final = "the holder's token"
NOW: Final = 1_800_000_000
URL: Final = "https://deploy.test/records?stage=test"
BODY: Final = b'{"release": 118}'

type Change = Callable[[Request], Request]


def _query(request: Request) -> Request:
    return request.at(request.url.replace("stage=test", "stage=production"))


def _body(request: Request) -> Request:
    return replace(request, body=BODY.replace(b"118", b"122"))


def _line(request: Request) -> Request:
    return request.without("Accept").adding("Accept", "text/html")


CHANGES: Final[dict[str, tuple[Binding, Change]]] = {
    "dpop_query": (dpop.BINDING, _query),
    "dpop_body": (dpop.BINDING, _body),
    "signature_query": (http_signature.BINDING, _query),
    "signature_body": (http_signature.BINDING, _body),
    "signature_accept": (http_signature.BINDING, _line),
}


class InProcess(Prediction):
    """Hold how changed requests ended; no records are fetched here, so that none are counted."""

    def rows(self) -> list[dict[str, str]]:
        """Return one row a change."""
        shown = ("replay", "predicted", "happened", "as predicted")
        renamed = {"replay": "changed"}
        return [{renamed.get(name, name): row[name] for name in shown} for row in super().rows()]


def try_changes(predicted: object, reveal: bool = False) -> Prediction:
    """Put every changed request to its binding; sealed until predicted, as a replay is."""
    rows = []
    for number, name in enumerate(CHANGES, 1):
        check = refused_by(name)
        row: dict[str, Any] = {"attempt": number, "replay": name, "resource": "deploy"}
        row |= {"outcome": "rejected" if check else "served", "check": check}
        rows.append(row | {"records": 0, "seconds": 0})
    return InProcess(attempts_frame(rows), predicted, reveal).noted()


@cache
def refused_by(name: str) -> str:
    """Return the check that refuses a changed request, empty if none does.

    Raises RuntimeError if the binding refuses the unchanged request, which would prove nothing.
    """
    binding, change = CHANGES[name]
    holder = SigningKey.generate()
    request, claims = _of_the_holder(binding, holder)
    if _refusal(binding, request, claims):
        raise RuntimeError(f"{binding.name} refuses the holder")
    return _refusal(binding, change(request), claims)


def _of_the_holder(binding: Binding, holder: SigningKey) -> tuple[Request, dict[str, Any]]:
    """Return a request as the holder sends it, and the claims of a token bound to its key."""
    plain = Request("POST", URL, (("Accept", "application/json"),), BODY)
    ids = iter(map(str, range(2)))
    asking = Presentation(None, holder, NOW, lambda: next(ids))
    cnf = binding.bind(binding.parse(binding.attach(Request("POST", URL), asking)))
    return binding.attach(plain, replace(asking, token=TOKEN)), {"cnf": cnf}


def _refusal(binding: Binding, request: Request, claims: dict[str, Any]) -> str:
    evidence = Evidence(request, NOW, token=TOKEN, claims=claims)
    try:
        binding.verify(binding.parse(request), evidence)
    except Rejected as rejected:
        return rejected.check
    return ""
