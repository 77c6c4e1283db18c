"""The battery, run against verifiers that are right, that are wrong, and that are broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

import labsim
from labsim.binding import Evidence
from labsim.errors import LabError
from labsim.http_message import Request
from labsim.own_verifier import battery
from labsim.rejection import Rejected
from labsim.roles.resource_server import extract_credential, select_binding
from tests.wiring import BINDINGS


@dataclass
class InASet:
    """A replay memory over the learner's own set."""

    seen: set[Any] = field(default_factory=set)

    def is_first(self, key: tuple[str, str], until: float, now: float) -> bool:
        first = key not in self.seen
        self.seen.add(key)
        return first


def verifier(without: tuple[str, ...] = (), binding: str = "dpop") -> Any:
    """Make a verifier of the lab's own room, with checks taken out."""
    weak = {**BINDINGS, binding: BINDINGS[binding].without(*without)}
    rooms = tuple(weak.values())

    def verify(request: Request, claims: Mapping[str, Any], now: float, seen: set[Any]) -> None:
        credential = extract_credential(request, rooms)
        room = select_binding(claims, credential, rooms)
        evidence = Evidence(request, now, InASet(seen), None, credential.token, claims)
        room.verify(room.parse(request), evidence)

    return verify


def test_a_right_verifier_passes() -> None:
    found = battery(verifier())
    assert found.passed, found
    assert "Let through" not in repr(found)
    assert set(found.frame()["expected"]) >= {"refused"}


@pytest.mark.parametrize(
    "check", ["key_is_public", "ath_is_this_token", "proof_key_is_the_bound_one", "jti_is_new"]
)
def test_what_a_missing_check_lets_through_is_named_and_nothing_else(check: str) -> None:
    found = battery(verifier(without=(check,)))
    assert not found.passed
    assert found.let_through
    assert {vector.check for vector in found.let_through} == {check}
    assert found.let_through[0].gain in repr(found)
    assert found.let_through[0].id in found._repr_html_()


def test_whoever_serves_everything_lets_every_attack_through() -> None:
    found = battery(lambda request, claims, now, seen: None)
    attacks = [one for one in found.judged if one.vector.must_be_refused]
    assert len(found.let_through) == len(attacks) > 10
    assert not found.control
    assert found.headline.startswith(f"0 of {len(attacks)} attacks refused")


def test_whoever_refuses_everything_is_told_so_and_praised_for_nothing() -> None:
    def refuse(request: Request, claims: Any, now: float, seen: Any) -> None:
        raise ValueError("no")

    found = battery(refuse)
    assert not found.passed
    assert "attacks refused" not in repr(found)
    assert "ValueError: no" in repr(found)


def test_a_refusal_by_accident_is_shown_as_one() -> None:
    good = verifier()

    def verify(request: Request, claims: Any, now: float, seen: Any) -> None:
        from labsim.jose import parse_compact

        proof = parse_compact(request.values("DPoP")[0])
        proof.header["jwk"]["crv"].upper()  # a list has no upper
        good(request, claims, now, seen)

    found = battery(verify)
    assert not found.let_through
    assert found.by_accident
    assert not found.passed
    assert any(one.raised.startswith(("KeyError", "TypeError")) for one in found.by_accident)
    assert "500" in repr(found)


def test_false_serves_and_is_told() -> None:
    good = verifier()

    def verify(request: Request, claims: Any, now: float, seen: Any) -> bool:
        try:
            good(request, claims, now, seen)
        except Rejected:
            return False
        return True

    found = battery(verify)
    assert found.let_through
    assert "Returned False, which serves: to refuse is to raise" in repr(found)
    assert "Returned False" not in repr(battery(good))


@pytest.mark.parametrize(
    "wrong", [lambda: None, lambda request, claims: None, lambda a, b, c, d, e: None, InASet]
)
def test_a_function_of_other_arguments_is_not_run(wrong: Any) -> None:
    with pytest.raises(LabError, match=r"Nothing was run\. Write it as verify\(request, claims,"):
        battery(wrong)


@pytest.mark.parametrize(
    "right", [lambda *given: None, lambda a, b, c, d, e=1: None, print], ids=["*", "more", "print"]
)
def test_any_function_that_takes_four_is_run(right: Any) -> None:
    assert not battery(right).control


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(LabError, match="is no function"):
        battery("verify")  # type: ignore[arg-type]
    with pytest.raises(LabError, match="dpop"):
        battery(verifier(), binding="dopp")


def test_it_is_the_lab_s_own_name() -> None:
    assert labsim.battery is battery
