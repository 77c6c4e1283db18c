"""One replay of one loot against one resource: the shape of a replay, and of its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from labsim.binding import Binding, Holder
from labsim.http_message import Outcome, Request
from labsim.loot import Kind, Loot

COLUMNS = (
    "attempt", "story", "client", "theft", "custody", "loot", "binding", "replay", "variant",
    "verifier", "resource", "relation", "outcome", "status", "error", "reason", "check", "source",
    "records", "seconds",
)  # fmt: skip
"""The columns of `attempts.csv`, in order; `blast.measured` gives them their types."""


class NotPossible(Exception):
    """Say that an attempt cannot be built from this loot, and why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a replay goes: a resource's URL, another URL of the same server, its audience.

    `issuer`, `token_endpoint` and `mtls_token_endpoint` are the authorization server's, as its
    metadata says them.
    """

    name: str
    url: str
    other_url: str
    resource: str
    issuer: str
    token_endpoint: str
    mtls_token_endpoint: str


@dataclass(frozen=True, slots=True)
class Laundered:
    """Hold a token that was got for another one, and the binding under which it is presented."""

    token: str
    binding: Binding


class Thief(Protocol):
    """What a replay can do from the attacker's process."""

    @property
    def own_key(self) -> Holder:
        """Return the attacker's own key."""

    @property
    def unknown_key(self) -> Holder:
        """Return a key of the attacker's whose certificate is by an authority of its own making."""

    @property
    def now(self) -> float:
        """Return lab seconds."""

    def send(self, request: Request) -> Outcome:
        """Send a request as it stands."""

    def in_place(self, foothold: str, request: Request) -> Outcome:
        """Let the holder's own process send a request, with its token, key and connection."""

    def present(self, request: Request, token: str, binding: Binding, holder: Holder) -> Outcome:
        """Send a request with a token and a fresh proof by `holder`, as an honest client would.

        A challenge (a nonce) is answered once.
        """

    def holder_of(self, loot: Loot) -> Holder:
        """Make a holder of a stolen private key, with its certificate if that was stolen too."""

    def obtain_token(self, loot: Loot, binding: Binding, target: Target) -> str | Outcome:
        """Get a token for the attacker's own key with the loot's client credential.

        Returns the token, or the outcome of the refused token request.
        """

    def exchange(self, loot: Loot, binding: Binding, target: Target) -> Laundered | Outcome:
        """Trade the loot's token for one of the attacker's own, for the target (RFC 8693).

        Returns the new token, or the outcome of the refused token request. Raises NotPossible where
        the attacker is no client of the authorization server.
        """

    def new_holder(self, loot: Loot, binding: Binding) -> Holder:
        """Return the holder that `obtain_token` binds a new token to: the attacker's own key.

        Or the stolen one, where the token is bound to what the client authenticates with.
        """


@dataclass(frozen=True, slots=True)
class Earlier:
    """Hold one request that an attempt made before its last: for a token, or without a nonce.

    `status` is the HTTP status, None where no answer came; `error` the OAuth error code.
    """

    method: str
    url: str
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Hold how one replay of one loot against one resource ended, as the attacker saw it.

    `sent` and `answer` are the bytes on the wire of the last request, latin-1; `records` the ids
    in the answer; `error` the OAuth error code on the wire; `why` says why it was not possible, or
    what kept it from an answer; `seconds` are lab seconds since the theft;
    `earlier` are the requests that were made before the last one.
    """

    theft: str
    client: str
    loot: str
    binding: str
    replay: str
    resource: str
    relation: str
    outcome: str
    status: int | None
    error: str
    why: str
    seconds: float
    records: tuple[str, ...] = ()
    request_id: str = ""
    sent: str = ""
    answer: str = ""
    earlier: tuple[Earlier, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as JSON values, one member a field."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Replay:
    """One way of using loot from another process. Raises NotPossible where it cannot be built.

    `needs` are the kinds of loot without which it cannot be built; `needs_binding` says that it
    is about a proof, so that a token which asks for none offers nothing to try.
    """

    name: str
    source: str
    title: str
    needs: frozenset[Kind]
    spend: Callable[[Loot, Binding, Target, Thief], Outcome]
    needs_binding: bool = True


def attempt_row(
    number: int, attempt: Mapping[str, Any], found: Mapping[str, Any], event: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an attempt as a row of `COLUMNS`, with what the server's own event says about it.

    `attempt` is `Attempt.to_json`; `found` has what the attacker does not know: story, custody,
    variant, verifier.
    """
    said = {name: event.get(name, "") for name in ("check", "source")}
    counted = {"records": len(attempt["records"]), "seconds": int(attempt["seconds"])}
    row = {**attempt, **found, **said, **counted, "attempt": number}
    row["reason"] = event.get("reason") or attempt["why"]
    return {name: row[name] for name in COLUMNS}
