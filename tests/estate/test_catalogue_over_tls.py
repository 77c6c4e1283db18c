"""The whole catalogue over real TLS, against the live servers: good, bad, good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from labsim.attacker import wire_error
from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Result, Verdict, run_vector
from labsim.catalogue.stage import asks_nonces
from labsim.catalogue.vector import Actor, Needs, Vector
from labsim.http_message import Ending
from labsim.probing.own_lab import OwnLab, started
from tests.wiring import BINDINGS

CASES = [(binding, actor) for binding in BINDINGS for actor in Actor if catalogue(binding, actor)]
NOT_HERE = {
    "PC-04": "the lab's ports are the system's choice, and none is the default one",
    "PC-13": "the key is P-256",
}


@contextmanager
def running(variant: str = "base") -> Iterator[OwnLab]:
    with started() as own:
        own.vary(variant)
        yield own


def differences(own: OwnLab, vector: Vector, result: Result) -> list[str]:
    """Return what is not as the vector says: each on its own, so that one hides no other."""
    if result.verdict is Verdict.NOT_APPLICABLE:
        is_known = vector.id in NOT_HERE or vector.needs is Needs.IN_PROCESS
        return [] if is_known else [f"not sent: {result.why}"]
    if not result.is_expected:
        return [f"{result.verdict}: {result.why}"]
    assert result.outcome is not None
    if result.outcome.ending is Ending.REFUSED_BY_TLS:
        return [] if vector.id in ("MT-06", "MT-10", "MT-10b") else [result.outcome.detail]
    response, refusal = result.outcome.response, vector.refusal
    assert response is not None
    event = own.event_of(result.outcome)
    if refusal is None:
        return [] if event["check"] == "" else [f"the event says {event['check']}"]
    request = result.outcome.request
    # An answer to HEAD has no body, and so no code but in a challenge.
    has_code = request is None or request.method != "HEAD"
    code = wire_error(response) if has_code else refusal.error
    compared = {
        "status class": (response.status // 100, refusal.status_class),
        "status": (response.status, refusal.status),
        "code": (code, refusal.error),
        "reason": (event["reason"], refusal.reason.name),
        "check": (event["check"], refusal.check),
    }
    return [f"{what}: {had}, not {want}" for what, (had, want) in compared.items() if had != want]


def run(own: OwnLab, vectors: list[Vector]) -> list[str]:
    found = []
    for vector in vectors:
        result = run_vector(vector, lambda vector=vector: own.good_for(vector), own.send, own.means)
        found += [f"{vector.name}: {text}" for text in differences(own, vector, result)]
    return found


@pytest.mark.parametrize(("binding", "actor"), CASES)
def test_every_vector_is_answered_as_it_says(binding: str, actor: Actor) -> None:
    vectors = [vector for vector in catalogue(binding, actor) if not asks_nonces(vector)]
    assert vectors
    with running() as own:
        assert run(own, vectors) == []


def test_every_vector_about_nonces_is_answered_as_it_says() -> None:
    vectors = [vector for vector in catalogue() if asks_nonces(vector)]
    assert vectors
    with running() as own:
        own.ask_for_nonces()
        assert run(own, vectors) == []


def test_what_is_answered_otherwise_is_told() -> None:
    """Asserts that the tests above can fail: the same rows, at servers that keep no memory."""
    vectors = [vector for vector in catalogue("dpop", Actor.RS) if vector.id in ("DR-01", "DB-06")]
    with running("minimal") as own:
        found = run(own, vectors)
    assert found == ["DR-01 RS dpop the same proof twice: accepted: "]


def test_behind_a_proxy_that_passes_a_clients_own_header_the_forged_one_counts() -> None:
    """MT-12, and the proxy that strips it beside: the rows are the same, and the servers."""
    vectors = [v for v in catalogue("mtls", Actor.RS) if v.id in ("MT-01/02", "MT-03", "MT-12")]
    with running("proxy_passes") as own:
        assert run(own, vectors) == ["MT-12 RS mtls a certificate in Client-Cert only: accepted: "]
    with running("proxy_strips") as own:
        assert run(own, vectors) == []
