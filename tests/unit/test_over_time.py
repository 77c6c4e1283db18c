"""Records exposed over time: every number here was worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsim.blast.means import Case, Countermeasures, Mean, means
from labsim.blast.over_time import OVER_TIME_DTYPES, over_time, steps
from labsim.blast.predicted import Predictor, predicted, predictions
from labsim.errors import LabError
from tests.unit.small_plans import client, plan_of, resource, secret_of, shop

HOUR = 3600.0
NOTHING = Countermeasures()
LOG = Case("web", "log_line", "bearer", "none")


def alone() -> Predictor:
    """Make an estate in which no record leads on; tokens live for an hour."""
    resources = (resource("orders", "a", "b", "c"), resource("mail", "d", "e"))
    clients = (
        client("web", "orders", "mail", kind="agent"),
        client("partner", "orders", grant="refresh_token"),
    )
    return Predictor(plan_of(resources, clients))


def end_of(case: Case, measures: Countermeasures) -> float | None:
    """Return when the thief is out for good within a day; None if it never is; 0 if never in."""
    found = steps(alone(), case, measures, 24 * HOUR)
    out = [seconds for seconds, reach, _ in found if reach == 0]
    return out[0] if found[-1][1] == 0 else None


def measures(**times: float) -> Countermeasures:
    return Countermeasures(**times)


# How each means ends.


@pytest.mark.parametrize(
    ("times", "end"),
    [
        ({}, HOUR),
        ({"token_seconds": 300}, 300),
        ({"revoke_at": 60}, 60),
        ({"revoke_at": 60, "told_after": 30}, 90),
        ({"revoke_at": 3590, "told_after": 30}, HOUR),  # it had expired by then
        ({"evict_at": 10, "rotate_at": 10, "rotate_found_at": 10, "enforce_at": 10}, HOUR),
    ],
)
def test_a_bearer_token_ends_by_expiry_or_when_its_revocation_arrives(
    times: dict[str, float], end: float
) -> None:
    assert end_of(LOG, measures(**times)) == end


def test_a_bound_token_opens_only_servers_that_do_not_look_yet() -> None:
    for binding in ("dpop", "mtls", "http_signature"):
        bound = Case("web", "log_line", binding, "file")
        assert end_of(bound, NOTHING) == 0
        assert end_of(bound, measures(enforce_at=0)) == 0
        assert end_of(bound, measures(enforce_at=600)) == 600
        assert end_of(bound, measures(enforce_at=600, revoke_at=60)) == 60
        assert end_of(bound, measures(enforce_at=2 * HOUR)) == HOUR


def apart(binding: str, theft: str = "container_files", custody: str = "file") -> Case:
    return Case("web", theft, binding, custody, "kept_apart")


def test_a_stolen_key_ends_with_the_token_and_no_enforcement_ends_it() -> None:
    for binding in ("dpop", "mtls", "http_signature"):
        assert end_of(apart(binding), NOTHING) == HOUR
        assert end_of(apart(binding), measures(enforce_at=600)) == HOUR
        assert end_of(apart(binding), measures(rotate_at=60)) == HOUR
        assert end_of(apart(binding, custody="memory"), NOTHING) == 0


def test_a_certificate_that_is_also_the_authentication_goes_on_where_a_dpop_key_ends() -> None:
    certificate = replace(apart("mtls"), authentication="tls_client_auth")
    assert end_of(apart("dpop"), NOTHING) == HOUR
    assert end_of(certificate, NOTHING) is None
    assert end_of(certificate, measures(revoke_at=60)) is None
    assert end_of(certificate, measures(rotate_at=2 * HOUR)) == 3 * HOUR
    # Where the key does not fall, neither does the authentication.
    assert end_of(replace(certificate, custody="memory"), NOTHING) == 0
    committed = replace(certificate, theft="commit")
    assert end_of(replace(committed, custody="memory"), NOTHING) == 0
    assert end_of(committed, NOTHING) is None  # the file with the credential has its key
    assert end_of(replace(certificate, theft="former_employee"), NOTHING) is None


def test_a_revoked_certificate_ends_what_is_bound_to_it_and_nothing_else() -> None:
    certificate = replace(apart("mtls"), authentication="tls_client_auth")
    assert end_of(certificate, measures(withdraw_at=60)) == 60
    assert end_of(certificate, measures(withdraw_at=2 * HOUR)) == 2 * HOUR
    assert end_of(apart("mtls"), measures(withdraw_at=60)) == 60
    assert end_of(apart("dpop"), measures(withdraw_at=60)) == HOUR
    # A secret gets tokens for the thief's own certificate, whatever becomes of the client's.
    with_secret = Case("web", "container_files", "mtls", "file")
    assert end_of(with_secret, measures(withdraw_at=60)) is None


@pytest.mark.parametrize("binding", ["bearer", "dpop", "mtls", "http_signature"])
def test_a_stolen_credential_goes_on_until_it_is_rotated(binding: str) -> None:
    case = Case("web", "commit", binding, "none" if binding == "bearer" else "signer")
    assert end_of(case, NOTHING) is None
    assert end_of(case, measures(evict_at=60, enforce_at=60)) is None
    # The last token that it got lives on for an hour, unless that is revoked.
    assert end_of(case, measures(rotate_at=600)) == 600 + HOUR
    assert end_of(case, measures(rotate_at=600, revoke_at=600)) == 600
    assert end_of(case, measures(rotate_at=600, revoke_at=900, told_after=5)) == 905
    # Revoked first and rotated then: the thief got another token in between.
    assert end_of(case, measures(rotate_at=600, revoke_at=500)) == 600 + HOUR
    assert end_of(case, measures(revoke_at=500)) is None


def test_a_refresh_token_without_the_credential_is_usable_once_that_is_found() -> None:
    resources = (resource("orders", "a", secret_of("partner")),)
    plan = plan_of(resources, (client("partner", "orders", grant="refresh_token"),))
    case = Case("partner", "vendor_tokens", "bearer", "none")

    def reach(how: Countermeasures, until: float) -> int:
        return steps(Predictor(plan), case, how, until)[-1][1]

    assert reach(NOTHING, 24 * HOUR) == 2, "the token has ended long since"
    assert reach(measures(rotate_at=0), 24 * HOUR) == 0
    assert reach(measures(revoke_at=600), 599) == 2
    assert reach(measures(revoke_at=600), 600) == 0
    assert reach(measures(reused_at=600), 599 + HOUR) == 2
    assert reach(measures(reused_at=600), 600 + HOUR) == 0


def test_a_refresh_token_ends_with_its_grant_too() -> None:
    case = Case("partner", "vendor_store", "dpop", "memory")
    assert end_of(case, NOTHING) is None
    assert end_of(case, measures(rotate_at=600)) == 600 + HOUR
    assert end_of(case, measures(revoke_at=600, told_after=30)) == 630
    assert end_of(case, measures(reused_at=600)) == 600 + HOUR
    assert end_of(case, measures(reused_at=600, revoke_at=700)) == 700
    assert end_of(replace(case, theft="vendor_tokens"), NOTHING) == 0
    bearer = Case("partner", "vendor_tokens", "bearer", "none")
    assert end_of(bearer, NOTHING) == HOUR


def test_a_stolen_refresh_token_waits_for_a_credential_that_is_found() -> None:
    resources = (resource("orders", secret_of("partner")), resource("mail", "hello"))
    partner = client("partner", "orders", "mail", grant="refresh_token")
    predictor = Predictor(plan_of(resources, [partner]))
    case, often = Case("partner", "vendor_tokens", "bearer", "none"), {"until": 9 * HOUR}
    alone = over_time(predictor, [case], NOTHING, **often)
    assert list(alone["within_reach"])[-1] == 2
    rotated = over_time(predictor, [case], measures(rotate_at=600), **often)
    assert list(rotated["seconds"]) == [0, HOUR, 600 + HOUR, 9 * HOUR]
    assert list(rotated["within_reach"]) == [2, 2, 0, 0]
    assert end_of(replace(case, theft="log_line"), NOTHING) == HOUR


def test_a_foothold_ends_with_eviction_and_proofs_made_ahead_with_the_token() -> None:
    deputy = Case("web", "prompt_injection", "dpop", "signer")
    assert end_of(deputy, NOTHING) is None
    assert end_of(deputy, measures(revoke_at=60, rotate_at=60)) is None
    assert end_of(deputy, measures(evict_at=600)) == 600
    code = apart("dpop", theft="container_code", custody="signer")
    assert end_of(code, measures(evict_at=600)) == HOUR  # by proofs that it made before
    assert end_of(code, measures(evict_at=600, token_seconds=900)) == 900
    assert end_of(code, measures(evict_at=2 * HOUR)) == 2 * HOUR
    # mTLS has no proofs, and the key never left the signer.
    assert (
        end_of(apart("mtls", theft="container_code", custody="signer"), measures(evict_at=6)) == 6
    )


def test_a_former_employee_has_the_credential_or_nothing() -> None:
    assert end_of(Case("web", "former_employee", "bearer", "none"), NOTHING) is None
    gone = Case("web", "former_employee", "bearer", "none", "kept_apart")
    assert end_of(gone, NOTHING) == 0


def test_the_means_are_named_with_what_they_open() -> None:
    case = Case("web", "container_code", "dpop", "file")
    mine = measures(evict_at=5, rotate_at=7, enforce_at=9)
    both = ("orders", "mail")
    assert means(alone().plan, case, mine) == (
        Mean("token", both, HOUR),
        Mean("token, not enforced", both, 9.0),
        Mean("foothold", both, 5.0),
        Mean("new tokens", both, 7 + HOUR),
    )


# How much is read meanwhile.


def walked(case: Case, mine: Countermeasures, until: float, pace: float) -> Any:
    return steps(Predictor(shop()), case, mine, until, pace)


def test_all_at_once_is_all_at_the_moment_of_the_theft() -> None:
    assert steps(alone(), LOG, NOTHING, 2 * HOUR) == [(0, 5, 5), (HOUR, 0, 5), (2 * HOUR, 0, 5)]
    bound = replace(LOG, binding="dpop", custody="file")
    assert steps(alone(), bound, NOTHING, HOUR) == [(0, 0, 0), (HOUR, 0, 0)]


def test_a_thief_who_reads_slowly_is_stopped_in_the_middle() -> None:
    # A record each ten seconds; revoked after 35: three were read, the fourth not whole.
    mine = measures(revoke_at=35)
    assert steps(alone(), LOG, mine, 60, 10) == [(0, 5, 0), (35, 0, 3), (60, 0, 3)]
    assert steps(alone(), LOG, measures(revoke_at=40), 60, 10)[1] == (40, 0, 4)
    assert steps(alone(), LOG, NOTHING, 60, 10) == [(0, 5, 0), (50, 5, 5), (60, 5, 5)]


def test_enforcement_midway_stops_the_reading_and_the_foothold_goes_on() -> None:
    bound = replace(LOG, binding="dpop", custody="file")
    assert steps(alone(), bound, measures(enforce_at=25), 60, 10) == [
        (0, 5, 0), (25, 0, 2), (60, 0, 2),
    ]  # fmt: skip
    agent = Case("web", "container_code", "mtls", "signer", "kept_apart")
    # The third record is half read at 25, and the foothold reads on: it is whole at 30.
    assert steps(alone(), agent, measures(enforce_at=25, evict_at=30), 60, 10) == [
        (0, 5, 0), (25, 5, 2), (30, 0, 3), (60, 0, 3),
    ]  # fmt: skip


def test_a_credential_leads_on_from_the_moment_it_is_read() -> None:
    # orders (3), mail (2): the mailer's at 5 s; payroll's first is the payer's, at 6 s; then vault.
    assert walked(LOG, NOTHING, 20, 1) == [
        (0, 5, 0), (5, 7, 5), (6, 10, 6), (10, 10, 10), (20, 10, 10),
    ]  # fmt: skip
    # The token ends before the mailer's credential is read: nothing leads on.
    assert walked(LOG, measures(token_seconds=4), 20, 1) == [(0, 5, 0), (4, 0, 4), (20, 0, 4)]
    # Those in records are replaced at 5.5 s: the mailer's was used (the last token that it got
    # lives for 5 s from then), the payer's is read too late.
    assert walked(LOG, measures(token_seconds=5, rotate_found_at=5.5), 20, 1) == [
        (0, 5, 0), (5, 4, 5), (7, 4, 7), (10.5, 0, 7), (20, 0, 7),
    ]  # fmt: skip


def test_revoking_the_robbed_client_does_not_end_what_it_led_to() -> None:
    mine = measures(revoke_at=6.5, rotate_at=6.5)
    assert walked(LOG, mine, 20, 1) == [
        (0, 5, 0), (5, 7, 5), (6, 10, 6), (6.5, 7, 6), (10, 7, 10), (20, 7, 10),
    ]  # fmt: skip


def test_the_robbed_client_s_own_credential_in_a_record_ends_with_its_rotation() -> None:
    plan = plan_of([resource("a", secret_of("web"), "x")], [client("web", "a")])
    case = Case("web", "log_line", "bearer", "none")

    def ends(**times: float) -> float:
        return steps(Predictor(plan), case, measures(token_seconds=9, **times), 100, 1)[-2][0]

    assert ends(rotate_at=20) == 29
    assert ends(rotate_at=20, revoke_at=21) == 21
    assert ends(rotate_at=20, revoke_at=19) == 29
    assert ends(rotate_at=0.5) == 9  # replaced before it was read


# The table, and what it must agree with.


def test_the_table_has_a_first_and_a_last_row_for_each_case() -> None:
    cases = [LOG, Case("web", "container_files", "mtls", "file", "tls_client_auth")]
    frame = over_time(alone(), cases, NOTHING, until=HOUR)
    assert frame.dtypes.astype(str).to_dict() == OVER_TIME_DTYPES
    assert list(frame["authentication"].unique()) == ["client_secret_basic", "tls_client_auth"]
    assert list(frame["seconds"]) == [0, HOUR, 0, HOUR]
    assert over_time(alone(), [], NOTHING, until=1).dtypes.astype(str).to_dict() == OVER_TIME_DTYPES


def test_a_thief_whom_nobody_stops_comes_to_what_is_predicted() -> None:
    plan = shop()
    predictor = Predictor(plan)
    for row in predictions(plan).itertuples():
        case = Case(row.client, row.theft, row.binding, row.custody)
        whole = predicted(plan, row.client, row.theft, row.binding, row.custody)
        for pace in (0.0, 7.0):
            *_, exposed = steps(predictor, case, NOTHING, HOUR, pace)[-1]
            assert exposed == len(whole.records) == row.records


@pytest.mark.parametrize(
    "times", [{"revoke_at": -1}, {"told_after": -0.5}, {"evict_at": float("nan")}]
)
def test_a_time_before_the_theft_is_refused_by_name(times: dict[str, float]) -> None:
    with pytest.raises(LabError, match=f"{next(iter(times))} is .*from the theft on"):
        Countermeasures(**times)


@pytest.mark.parametrize(
    "how", [{"until": -1}, {"until": float("inf")}, {"seconds_per_record": -2}]
)
def test_a_time_that_is_none_is_refused_by_name(how: dict[str, float]) -> None:
    with pytest.raises(LabError, match=f"{next(iter(how))} is"):
        over_time(alone(), [LOG], NOTHING, **({"until": 1} | how))


def test_a_certificate_authenticates_only_where_tokens_are_bound_to_it() -> None:
    with pytest.raises(
        LabError, match="tls_client_auth has tokens bound to its certificate, not dpop"
    ):
        end_of(replace(apart("dpop"), authentication="tls_client_auth"), NOTHING)
    with pytest.raises(LabError, match=r"no client authentication called 'magic'.*kept_apart"):
        end_of(replace(apart("dpop"), authentication="magic"), NOTHING)
