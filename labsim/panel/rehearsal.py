"""What a theft would yield and whether a replay can be built from it, without a theft or a request.

The reasons are the rooms' own: each replay is tried on made-up loot of the right kinds, by a thief
whose every request is answered by nobody.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Final

from labsim.attacker import spend
from labsim.attempt import Laundered, NotPossible, Target
from labsim.binding import Binding, Holder
from labsim.blast.first_loot import YIELDS, first_loot
from labsim.certificates import certificate_authority, client_leaf, client_uri
from labsim.estate.calls import CALLS
from labsim.estate.plan import Client
from labsim.http_message import Ending, Outcome, Request
from labsim.keys import SigningKey
from labsim.loot import Kind, Loot
from labsim.rooms import rooms

URL: Final = "https://127.0.0.1/records"
_TARGET: Final = Target("", URL, f"{URL}/1", URL, "", "", "")
_NOBODY: Final = Outcome(Ending.UNREACHABLE, detail="nobody was asked")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Say which client is robbed and how, what it does meanwhile, and whether that is held back."""

    client: Client
    theft: str
    binding: str
    custody: str
    doing: str = "read"
    held: bool = False


def kinds(of: Rehearsal) -> frozenset[Kind]:
    """Return the kinds of loot that the theft yields; raises LabError as `first_loot` does."""
    found = first_loot(of.client, of.theft, of.binding, of.custody).kinds
    # `first_loot` counts what opens something; a token that is too old is there all the same.
    expired = {Kind.TOKEN} if YIELDS[of.theft].tokens == "expired" else set()
    return frozenset({Kind(kind) for kind in found} | expired)


def reason(of: Rehearsal, replay: str) -> str:
    """Return why a replay cannot be built from what the theft yields; empty if it can."""
    room = rooms("labsim.replays", "REPLAY")[replay]
    binding = rooms("labsim.bindings", "BINDING")[of.binding]
    try:
        spend(room, _loot(of), binding, _TARGET, _Nobody())
    except NotPossible as impossible:
        return str(impossible)
    return ""


def _loot(of: Rehearsal) -> Loot:
    have = kinds(of)
    request = CALLS[of.doing](URL)
    values = {
        Kind.TOKEN: ("token", "token"),
        Kind.CAPTURED_REQUEST: ("captured", request),
        Kind.KEY: ("key", {}),
        Kind.CERTIFICATE: ("certificate", _certificate()),
        Kind.REFRESH_TOKEN: ("refresh_token", "refresh token"),
        Kind.CLIENT_CREDENTIAL: ("client_credential", {}),
        Kind.FOOTHOLD: ("foothold", "nowhere"),
        Kind.PROOFS_AHEAD: ("ahead", ((0.0, request),)),
    }
    held: dict[str, object] = dict(values[kind] for kind in have)
    return Loot(found_at="", spent=not of.held, **held)  # type: ignore[arg-type]


@cache
def _certificate() -> str:
    now = datetime.datetime.now(datetime.UTC)
    leaf = client_leaf(certificate_authority("rehearsal", now), client_uri("x"), "x", now)
    return leaf.certificate_pem.decode()


class _Nobody:
    """Be a thief (`attempt.Thief`) who sends nothing: every request ends as unreachable."""

    @property
    def own_key(self) -> Holder:
        return SigningKey.generate()

    @property
    def unknown_key(self) -> Holder:
        return SigningKey.generate()

    @property
    def now(self) -> float:
        return 0.0

    def send(self, request: Request) -> Outcome:
        return _NOBODY

    def in_place(self, foothold: str, request: Request) -> Outcome:
        return _NOBODY

    def present(self, request: Request, token: str, binding: Binding, holder: Holder) -> Outcome:
        return _NOBODY

    def holder_of(self, loot: Loot) -> Holder:
        return SigningKey.generate()

    def obtain_token(self, loot: Loot, binding: Binding, target: Target) -> str | Outcome:
        return _NOBODY

    def exchange(self, loot: Loot, binding: Binding, target: Target) -> Laundered | Outcome:
        return _NOBODY

    def new_holder(self, loot: Loot, binding: Binding) -> Holder:
        return SigningKey.generate()
