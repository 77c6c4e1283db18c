"""One vector over any sender: what its verdict is, and when a refusal counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from labsim.catalogue.listed import catalogue, rows_by_document, sections
from labsim.catalogue.running import Result, Verdict, asks_again, run_between, run_vector
from labsim.catalogue.stage import Stage
from labsim.catalogue.vector import Actor, Force, Needs, Vector, in_full
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Ending, Outcome, Request, Response

BY_ID = {(v.id, v.actor, v.binding): v for v in catalogue()}
STOLEN = BY_ID["DB-06", Actor.RS, "dpop"]


def stage() -> Stage:
    return Stage(InProcessReplayMemory)


def answering(*outcomes: Response | Ending) -> Callable[[Request], Outcome]:
    """Return a sender that answers with these in turn."""
    left = list(outcomes)

    def send(request: Request) -> Outcome:
        found = left.pop(0)
        if isinstance(found, Response):
            return Outcome.answered(request, found)
        return Outcome(found, request, None, "so it is")

    return send


GOOD = Response(200)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Response(401), Verdict.REFUSED),
        (Response(404), Verdict.REFUSED),
        (Response(200), Verdict.ACCEPTED),
        (Response(204), Verdict.ACCEPTED),
        (Response(302), Verdict.INCONCLUSIVE),
        (Response(429), Verdict.INCONCLUSIVE),
        (Response(500), Verdict.INCONCLUSIVE),
        (Ending.REFUSED_BY_TLS, Verdict.REFUSED),
        (Ending.UNREACHABLE, Verdict.INCONCLUSIVE),
        (Ending.NOT_POSSIBLE, Verdict.NOT_APPLICABLE),
    ],
)
def test_an_answer_has_its_verdict(answer: Response | Ending, verdict: Verdict) -> None:
    on = stage()
    result = run_vector(STOLEN, lambda: on.good_for(STOLEN), answering(GOOD, answer, GOOD))
    assert result.verdict is verdict
    assert result.is_a_hole == (verdict is Verdict.ACCEPTED)
    assert result.is_expected == (verdict is Verdict.REFUSED)


@pytest.mark.parametrize("controls", [(401, 200), (200, 401), (200, 500)])
def test_a_refusal_between_bad_controls_says_nothing(controls: tuple[int, int]) -> None:
    on = stage()
    first, last = map(Response, controls)
    result = run_vector(STOLEN, lambda: on.good_for(STOLEN), answering(first, Response(401), last))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "a good request was not served" in result.why


def test_what_goes_before_is_sent_before() -> None:
    vector, on, sent = BY_ID["DR-01", Actor.RS, "dpop"], stage(), list[Request]()

    def send(request: Request) -> Outcome:
        sent.append(request)
        return on.send(request)

    good = on.good_for(vector)
    assert run_between(vector, lambda: good, send).verdict is Verdict.REFUSED
    assert sent == [good.request, good.request]


@pytest.mark.parametrize(
    ("id", "lacking", "said"),
    [
        (("AT-11", Actor.RS, "dpop"), {"issuer": None}, "authorization server's own key"),
        (("MT-10", Actor.RS, "mtls"), {"authority": None}, "authority for clients' certificates"),
        (("MT-X2", Actor.RS, "mtls"), {"is_in_process": False}, "no connection carries it"),
        (("DN-03", Actor.RS, "dpop"), {}, "the server asks for no nonces"),
        (("PC-13", Actor.RS, "dpop"), {}, "one name for its algorithm"),
    ],
)
def test_what_cannot_be_made_is_not_sent(
    id: tuple[str, Actor, str], lacking: dict[str, object], said: str
) -> None:
    vector, on = BY_ID[id], stage()
    good = replace(on.good_for(vector), **lacking)  # type: ignore[arg-type]
    result = run_between(vector, lambda: good, answering())
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert said in result.why


MANY = BY_ID["DR-03", Actor.RS, "dpop"]
REFUSED = Response(401)


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([GOOD, *[REFUSED] * 7], Verdict.REFUSED),
        ([GOOD, GOOD, *[REFUSED] * 6], Verdict.ACCEPTED),
        ([GOOD] * 8, Verdict.ACCEPTED),
        ([REFUSED] * 8, Verdict.INCONCLUSIVE),
        ([GOOD, Response(500), *[REFUSED] * 6], Verdict.INCONCLUSIVE),
        ([GOOD, Ending.UNREACHABLE, *[REFUSED] * 6], Verdict.INCONCLUSIVE),
    ],
)
def test_of_many_at_once_one_may_be_served(
    answers: list[Response | Ending], verdict: Verdict
) -> None:
    on = stage()
    assert MANY.at_once == len(answers)
    result = run_between(MANY, lambda: on.good_for(MANY), answering(*answers))
    assert result.verdict is verdict


def test_of_many_at_once_all_are_served_where_nothing_is_remembered() -> None:
    on = stage()
    assert run_vector(MANY, lambda: on.good_for(MANY), on.send).verdict is Verdict.REFUSED
    on.weaken("dpop", "jti_is_new")
    result = run_vector(MANY, lambda: on.good_for(MANY), on.send)
    assert (result.verdict, result.why) == (Verdict.ACCEPTED, "8 of 8 were served")


def test_time_passes_between_two_requests_if_it_can() -> None:
    vector, on = BY_ID["DR-04", Actor.RS, "dpop"], stage()
    began = on.now
    without = run_between(vector, lambda: on.good_for(vector), on.send)
    assert (without.verdict, on.now) == (Verdict.NOT_APPLICABLE, began)
    result = run_vector(vector, lambda: on.good_for(vector), on.send, on.means)
    assert (result.verdict, on.now) == (Verdict.REFUSED, began + vector.pause)


def test_a_token_that_is_no_jwt_leaves_its_rows_out() -> None:
    vector, on = BY_ID["AT-03", Actor.RS, "bearer"], stage()
    good = on.good_for(vector)
    opaque = replace(good, presentation=replace(good.presentation, token="opaque"))
    result = run_between(vector, lambda: opaque, answering())
    assert (result.verdict, result.why[:18]) == (Verdict.NOT_APPLICABLE, "the token is no JW")


@pytest.mark.parametrize(
    ("id", "checks"),
    [
        (("DB-06", Actor.RS, "dpop"), ("proof_key_is_the_bound_one",)),
        (("DS-01", Actor.AS, "dpop"), ("signature_is_by_the_proof_key",)),
        (("DR-01", Actor.RS, "dpop"), ("jti_is_new",)),
        (("MT-03", Actor.RS, "mtls"), ("certificate_is_the_bound_one",)),
        (("HS-15", Actor.RS, "http_signature"), ("nonce_is_new",)),
    ],
)
def test_a_weakened_stage_accepts_what_its_check_refused(
    id: tuple[str, Actor, str], checks: tuple[str, ...]
) -> None:
    vector, on = BY_ID[id], stage()
    assert vector.check in checks
    assert run_vector(vector, lambda: on.good_for(vector), on.send).verdict is Verdict.REFUSED
    on.weaken(vector.binding, *checks)
    result = run_vector(vector, lambda: on.good_for(vector), on.send)
    assert (result.verdict, result.is_a_hole) == (Verdict.ACCEPTED, True)


def test_a_row_that_must_be_served_and_is_not_is_too_strict() -> None:
    vector = BY_ID["PC-08", Actor.RS, "dpop"]
    assert Result(vector, Verdict.REFUSED).is_too_strict
    assert not Result(vector, Verdict.ACCEPTED).is_too_strict
    policy = BY_ID["PC-11", Actor.RS, "dpop"]
    assert policy.force is Force.POLICY
    assert not Result(policy, Verdict.REFUSED).is_too_strict


@pytest.mark.parametrize(
    ("response", "again"),
    [
        (Response(401, (("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'),)), True),
        (Response(400, (), b'{"error":"use_dpop_nonce"}'), True),
        (Response(200, (), b'{"error":"use_dpop_nonce"}'), False),
        (Response(401, (("WWW-Authenticate", 'DPoP error="invalid_token"'),)), False),
    ],
)
def test_a_demand_for_a_nonce_is_known(response: Response, again: bool) -> None:
    assert asks_again(Outcome.answered(Request("GET", "https://a.test"), response)) is again


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("9449 4.3-4", "RFC 9449 section 4.3 item 4"),
        ("9421 7.2.1", "RFC 9421 section 7.2.1"),
        ("FIPS 186-5", "FIPS 186-5"),
        ("draft-x-03 section Embedding", "draft-x-03 section Embedding"),
    ],
)
def test_a_source_is_written_in_full(short: str, full: str) -> None:
    assert in_full(short) == full


def test_sections_stand_in_the_catalogues_order() -> None:
    numbers = [section.number for section in sections()]
    assert numbers == sorted(numbers)
    assert set(numbers) >= set(range(1, 11))


def test_rows_are_counted_by_document_once_for_both_servers() -> None:
    counted = rows_by_document()
    assert sum(counted.values()) == len({(v.id, v.document) for v in catalogue()})
    assert counted["RFC 9449"] > 100
    assert all(document.startswith(("RFC ", "FIPS ", "draft-")) for document in counted)


def test_a_binding_and_a_server_can_be_picked() -> None:
    picked = catalogue("mtls", Actor.RS)
    assert picked
    assert all((v.binding, v.actor) == ("mtls", Actor.RS) for v in picked)


def test_only_what_binds_must_be_refused() -> None:
    def made(force: Force, vector: Vector = STOLEN) -> Vector:
        return replace(vector, force=force)

    binding = {force for force in Force if made(force).must_be_refused}
    assert binding == {Force.MUST, Force.MUST_STRICT, Force.MUST_PROFILE}
    assert STOLEN.needs is Needs.NOTHING
