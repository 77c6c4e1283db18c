"""Checks as data: one thing that must be true, the reason when it is not, where it is written.

A server's list of checks is what it enforces, readable in order. A lesson takes one out by name,
and the tests take each one out to see that exactly its attack then succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labsim.rejection import Reason, Rejected


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true of a subject (a proof, a token) in the light of the evidence.

    A test never raises, whatever the checks before it would have refused: each says its own thing
    and no other, so that each can be taken out alone.
    """

    test: Callable[[Any, Any], bool]
    reason: Reason
    source: str

    @property
    def name(self) -> str:
        """Return the test's name: it reads as the sentence that must be true."""
        return self.test.__name__


type Checks = tuple[Check, ...]


def run_checks(checks: Checks, subject: Any, evidence: Any) -> None:
    """Run checks in order; raise Rejected with the first that fails."""
    for check in checks:
        if not check.test(subject, evidence):
            raise Rejected(check.reason, check.name, check.source)


def without(checks: Checks, names: frozenset[str]) -> Checks:
    """Return the checks that are not called by one of these names."""
    return tuple(check for check in checks if check.name not in names)


class StorageUnavailable(Rejected):
    """Say that a store cannot answer (locked, full, gone). The server then refuses with 503."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.UNAVAILABLE, "storage_answers", "RFC 9110 section 15.6.4", detail)
