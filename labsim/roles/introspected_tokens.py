"""A resource server that asks instead of verifying: the issuer says what each token is (RFC 7662).

It learns of a revocation when it asks the next time: an answer is kept for some lab seconds, never
beyond the token's `exp`, and of so many tokens at most (section 4). `cnf` in the answer binds as
it does in a token (RFC 9449 section 6.2, RFC 8705 section 3.2).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labsim.checks import Check, Checks, run_checks
from labsim.credentials import (
    TokenEvidence,
    audience_is_this_resource,
    issuer_is_ours,
    required_claims_are_there,
    token_is_already_valid,
    token_is_not_expired,
)
from labsim.rejection import Reason

CACHE_SECONDS = 30.0
"""Lab seconds for which an answer is believed: as long may a revoked token still be served."""
CACHE_BOUND = 4096

type Ask = Callable[[str], Mapping[str, Any]]
"""Ask the issuer about a token; raises StorageUnavailable if there is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what the issuer said of a token; the claims stand where a token has them."""

    payload: Mapping[str, Any] = field(default_factory=dict)


def token_is_active(answer: Answer, _evidence: TokenEvidence) -> bool:
    """Ask for `active` to be true, and not merely something."""
    return answer.payload.get("active", False) is True


INTROSPECTION_CHECKS: Checks = (
    Check(token_is_active, Reason.TOKEN_INACTIVE, "RFC 7662 section 2.2"),
    Check(required_claims_are_there, Reason.TOKEN_CLAIM_MISSING, "RFC 7662 section 2.2"),
    Check(issuer_is_ours, Reason.TOKEN_ISSUER_UNKNOWN, "RFC 7662 section 2.2"),
    Check(audience_is_this_resource, Reason.TOKEN_AUDIENCE_MISMATCH, "RFC 7662 section 4"),
    Check(token_is_not_expired, Reason.TOKEN_EXPIRED, "RFC 7662 section 4"),
    Check(token_is_already_valid, Reason.TOKEN_NOT_YET_VALID, "RFC 7662 section 4"),
)


class IntrospectedTokens:
    """Verify tokens by asking; see `credentials.CredentialKind.verify` for the same by reading.

    Only what the issuer called active is kept. The oldest answer goes first.
    """

    def __init__(self, ask: Ask, seconds: float = CACHE_SECONDS, bound: int = CACHE_BOUND) -> None:
        self._ask = ask
        self._seconds = seconds
        self._bound = bound
        self._kept: dict[bytes, tuple[float, Answer]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str, evidence: TokenEvidence) -> Mapping[str, Any]:
        """Return what the issuer says of a token, once every check holds; raises Rejected."""
        answer = self._answer(token, evidence.now)
        run_checks(INTROSPECTION_CHECKS, answer, evidence)
        return answer.payload

    def _answer(self, token: str, now: float) -> Answer:
        name = hashlib.sha256(token.encode()).digest()
        asked, answer = self._kept.get(name, (float("-inf"), Answer()))
        if 0 <= now - asked < self._seconds:
            return answer
        answer = Answer(self._ask(token))  # not under the lock: others need not wait for it
        if answer.payload.get("active") is True:
            with self._lock:
                self._kept.pop(name, None)
                if len(self._kept) >= self._bound:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[name] = (now, answer)
        return answer
