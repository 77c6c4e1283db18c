"""What the authorization server remembers of its access tokens: where each came from, who holds it.

A token comes from a client's own credential, from a refresh token's family, or, by exchange, from
another token. Whatever ends takes all that was issued from it along (RFC 7009 section 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Issued:
    """Hold what is remembered of an access token until it expires (lab seconds).

    `origin` is the refresh token's family or the `jti` of the token it was exchanged for, empty
    for neither; `reach` are the scopes of the grant behind it, of which the token may have fewer.
    """

    jti: str
    client_id: str
    origin: str
    audience: str
    expires: float
    reach: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ended:
    """Say that an access token is good no more, and until when somebody might believe it is."""

    jti: str
    audience: str
    expires: float


class IssuedTokens(Protocol):
    """Remember access tokens until they expire; raises StorageUnavailable."""

    def record(self, issued: Issued, now: float) -> bool:
        """Remember a token; False, in the same atomic step, if the one it came from has ended."""

    def find(self, jti: str) -> Issued | None:
        """Return what is remembered of a token; None if nothing is."""

    def is_ended(self, jti: str) -> bool:
        """Tell whether a token was ended."""

    def end(self, root: str, until: float) -> list[Ended]:
        """End the token with this `jti`, or of this family, and all that was issued from it.

        Nothing is issued from it until `until`, which is when it would have expired. Returns all
        tokens, also those that had ended before: whoever repeats this repeats the news.
        """

    def end_all_of(self, client_id: str) -> list[Ended]:
        """End every token that a client was issued, and all that was issued from those."""
