"""The shape of a row about DPoP proofs, and how each is run: good proof, bad proof, good proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsim.rejection import Reason
from tests.exchange import (
    BOTH,
    RS,
    STATUS,
    Fields,
    assert_challenged,
    assert_refused,
    assert_served,
    good_request,
    one_field,
    with_proof,
)
from tests.jws import Change
from tests.wiring import Lab


@dataclass(frozen=True, kw_only=True)
class ProofRow:
    """One way in which a proof is bad. `change` is all that differs from the good one."""

    id: str
    what: str
    source: str
    change: Change = field(default_factory=Change)
    fields: Fields = one_field
    check: str
    reason: Reason = Reason.PROOF_MALFORMED
    error: str = "invalid_dpop_proof"
    actors: tuple[str, ...] = BOTH


def cases(rows: Iterable[ProofRow]) -> list[Any]:
    """Return each row for each kind of server that it is about."""
    return [
        pytest.param(row, actor, id=f"{row.id} {actor} {row.what}")
        for row in rows
        for actor in row.actors
    ]


def run(lab: Lab, row: ProofRow, actor: str) -> None:
    """Assert that the bad proof, and only the bad proof, is refused, and for the right reason."""
    assert_served(lab, good_request(lab, actor))
    bad = with_proof(lab, good_request(lab, actor), row.change, row.fields)
    response = assert_refused(
        lab, bad, status=STATUS[actor], error=row.error, reason=row.reason, check=row.check
    )
    if actor == RS:
        assert_challenged(response, "DPoP", row.error)
    assert_served(lab, good_request(lab, actor))
