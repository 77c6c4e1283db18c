"""The shape of a binding, shown on one with two checks."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from labsim.binding import Binding, Evidence
from labsim.checks import Check
from labsim.http_message import Request
from labsim.rejection import Reason, Rejected
from tests.wiring import BINDINGS

REQUEST = Request("GET", "https://a.test/")


def ran(name: str) -> Check:
    def test(proof: list[str], _evidence: Evidence) -> bool:
        proof.append(name)
        return "stop at " + name not in proof

    test.__name__ = name
    return Check(test, Reason.PROOF_MALFORMED, "section 0")


BINDING = replace(
    BINDINGS["bearer"],
    name="shown",
    proof_checks=(ran("first"), ran("second")),
    binding_checks=(ran("third"),),
    once_checks=(ran("last"),),
)


def test_checks_run_in_order_the_stateful_one_last() -> None:
    proof: list[str] = []
    BINDING.verify(proof, Evidence(REQUEST, 0))
    assert proof == ["first", "second", "third", "last"]
    assert [check.name for check in BINDING.checks] == proof


def test_nothing_runs_after_a_check_that_fails() -> None:
    proof = ["stop at second"]
    with pytest.raises(Rejected, match="second"):
        BINDING.verify(proof, Evidence(REQUEST, 0))
    assert proof == ["stop at second", "first", "second"]


def test_a_check_taken_out_does_not_run() -> None:
    proof = ["stop at second"]
    BINDING.without("second", "last").verify(proof, Evidence(REQUEST, 0))
    assert proof == ["stop at second", "first", "third"]
    assert len(BINDING.checks) == 4, "the binding itself stays whole"


def test_taking_out_an_unknown_check_lists_those_there_are() -> None:
    with pytest.raises(
        KeyError, match="shown has no check a, b; it has: first, second, third, last"
    ):
        BINDING.without("b", "first", "a")
    with pytest.raises(KeyError, match="it has: none"):
        BINDINGS["bearer"].without("x")


@pytest.mark.parametrize("claims", [{}, {"cnf": None}, {"cnf": "a"}, {"cnf": []}])
def test_a_confirmation_that_is_no_object_is_empty(claims: dict[str, Any]) -> None:
    assert Evidence(REQUEST, 0, claims=claims).confirmation == {}


def test_a_confirmation_is_the_tokens_cnf() -> None:
    assert Evidence(REQUEST, 0, claims={"cnf": {"jkt": "a"}}).confirmation == {"jkt": "a"}


def test_a_binding_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        BINDING.proof_checks = ()  # type: ignore[misc]


def test_a_binding_retries_nothing_unless_it_says_so() -> None:
    binding = Binding(
        name="plain",
        source="",
        scheme="Plain",
        confirmation=None,
        proof_error="",
        attach=lambda request, _presentation: request,
        introduced=lambda _request: False,
        bind=lambda _proof: {},
        parse=lambda _request: None,
    )
    assert binding.retry(None, None) is None  # type: ignore[arg-type]
    assert binding.checks == ()
