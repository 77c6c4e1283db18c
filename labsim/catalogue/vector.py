"""The shape of a row of the catalogue: what is done, and what must come of it.

Nearly every row is a `Vector`: a frozen value that holds no I/O. Its `change` is a pure function
from a `GoodRequest` to the request that is sent instead; what differs between the two is the row.
`before` are requests that are sent ahead of it, in order, as a row about a replay needs ("send
twice"). What is no change of one request is `Played` on a lab, or proven `Elsewhere`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from labsim.catalogue.good_request import GoodRequest
from labsim.http_message import Request
from labsim.rejection import Reason

type Make = Callable[[GoodRequest], Request]


class Force(StrEnum):
    """How binding a row is, in the catalogue's words; the last four are no duty to refuse."""

    MUST = "MUST"
    MUST_STRICT = "MUST (strict)"
    """RFC 9449 section 11.1 only says that servers can remember proofs: a strict profile does."""
    MUST_PROFILE = "MUST (profile)"
    """RFC 9421 leaves it to the application, which then has to enforce it."""
    SHOULD = "SHOULD"
    POLICY = "policy"
    """Both answers conform; `Vector.refusal` is what the lab picked (`docs/policy.md`)."""
    MUST_ACCEPT = "MUST-accept"
    SHOULD_ACCEPT = "SHOULD-accept"
    SHOWS_LIMIT = "shows limit"
    """The attack works by design, and is shown to work."""


class Actor(StrEnum):
    """Which server is asked."""

    AS = "AS"
    RS = "RS"

    @property
    def in_words(self) -> str:
        """Return the role's name."""
        return "authorization server" if self is Actor.AS else "resource server"


class Needs(StrEnum):
    """What a row takes besides a good request, which not everybody has."""

    NOTHING = ""
    ISSUER = "issuer"
    """The authorization server's own key: the token is one that it would have to sign."""
    NONCES = "nonces"
    """A server that asks for nonces."""
    STALE_NONCE = "stale nonce"
    """The same, and a nonce that it gave out and takes no more."""
    AUTHORITY = "authority"
    """The authority for clients' certificates: another certificate by it."""
    ASSERTION = "assertion"
    """A token request of a client that authenticates by an assertion, and that client's key."""
    REFRESH = "refresh"
    """A token request by a refresh token, each time another one."""
    EXCHANGE = "exchange"
    """A resource server's token request that exchanges what it was sent (RFC 8693)."""
    CLOCK = "clock"
    """A server whose clock can be moved: time passes between two requests."""
    IN_PROCESS = "in process"
    """The role itself: what is changed cannot be sent over a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How the lab refuses: on the wire status and code, in the server's event reason and check.

    `on` are the schemes whose challenge carries the code; empty for the binding's own.
    """

    status: int
    error: str
    reason: Reason
    check: str
    on: tuple[str, ...] = ()

    @property
    def status_class(self) -> int:
        """Return the first digit of the status: what is asked of a server that is not the lab."""
        return self.status // 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row says, for one server and one binding, however it is shown.

    `source` is document and section in full, `gain` what an attacker gets who is served, `refusal`
    None where the request must be served.
    """

    id: str
    force: Force
    source: str
    binding: str
    actor: Actor
    what: str
    gain: str
    refusal: Refusal | None

    @property
    def name(self) -> str:
        """Return what tells this row from every other: id, server, binding, what is done."""
        return f"{self.id} {self.actor} {self.binding} {self.what}"

    @property
    def document(self) -> str:
        """Return the document alone, "RFC 9449" say."""
        return self.source.partition(" section ")[0].partition(" appendix ")[0]

    @property
    def check(self) -> str:
        """Return the name of the check that refuses it in the lab; empty if none does."""
        return self.refusal.check if self.refusal else ""

    @property
    def must_be_refused(self) -> bool:
        """Tell whether a server that serves this has a hole."""
        duties = (Force.MUST, Force.MUST_STRICT, Force.MUST_PROFILE)
        return self.refusal is not None and self.force in duties

    @property
    def must_be_served(self) -> bool:
        """Tell whether a server that refuses this is too strict."""
        return self.force is Force.MUST_ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector(Row):
    """A row that is one change of a good request, and what is sent `before` it.

    `pause` are the seconds that pass after `before`; `at_once` is how many times the request is
    sent at the same time: of several, one and no more may be served.
    """

    change: Make
    before: tuple[Make, ...] = ()
    pause: float = 0.0
    at_once: int = 1
    needs: Needs = Needs.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Played(Row):
    """A row that takes a clock, a race, a grant, a proxy or a client: it is played on a lab.

    `scene` is the preset in labsim/weakened/ whose scene shows it; `refusal` says by which check.
    """

    scene: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A row of the catalogue that is no change of one good request: where it is proven, or why not.

    `proven` is the file that does; empty if the row does not apply here, and then `why` says so.
    """

    id: str
    what: str
    source: str
    why: str
    proven: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of the catalogue. `name` is its file's, `number` and `title` the catalogue's."""

    name: str
    number: int
    title: str
    vectors: tuple[Vector, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


def as_it_is(good: GoodRequest) -> Request:
    """Change nothing."""
    return good.request


def in_full(short: str) -> str:
    """Return a source in full: "9449 4.3-4" is RFC 9449 section 4.3 item 4; others stay.

    "6749 B" is its appendix B.
    """
    appendix = re.fullmatch(r"(\d{4}) ([A-Z])", short)
    if appendix is not None:
        return f"RFC {appendix[1]} appendix {appendix[2]}"
    found = re.fullmatch(r"(\d{4}) (\d[\d.]*)(?:-(\d+))?", short)
    if found is None:
        return short
    item = f" item {found[3]}" if found[3] else ""
    return f"RFC {found[1]} section {found[2]}{item}"
