"""The closed set of reasons, and what each shows on the wire."""

from __future__ import annotations

import pytest

from labsim.rejection import Reason, Rejected

WITHOUT_CODE = {Reason.NO_CREDENTIALS, Reason.ADDRESS_NOT_ALLOWED}


def test_each_reason_is_answered_with_a_refusal() -> None:
    assert {reason.status for reason in Reason} == {400, 401, 403, 405, 503}


@pytest.mark.parametrize("reason", Reason)
def test_an_error_code_is_the_reasons_own_or_left_to_the_binding(reason: Reason) -> None:
    if reason.is_about_the_proof or reason in WITHOUT_CODE:
        assert reason.error is None
    else:
        assert reason.error


@pytest.mark.parametrize("reason", [r for r in Reason if r.name.startswith("TOKEN_")])
def test_whatever_is_wrong_with_a_token_the_wire_says_the_same(reason: Reason) -> None:
    assert (reason.status, reason.error) == (401, "invalid_token")


def test_the_wrong_key_is_the_tokens_fault_not_the_proofs() -> None:
    """RFC 9449 section 7.1, figure 16: the proof is good, the token is bound to another key."""
    assert Reason.BINDING_MISMATCH.error == "invalid_token"
    assert not Reason.BINDING_MISMATCH.is_about_the_proof


def test_a_rejection_says_what_failed_and_where_it_is_written() -> None:
    rejected = Rejected(
        Reason.TOKEN_EXPIRED, "token_is_not_expired", "RFC 9068 section 4", "by 1 s"
    )
    assert str(rejected) == "token_expired: token_is_not_expired (RFC 9068 section 4): by 1 s"
    assert str(Rejected(Reason.TOKEN_EXPIRED, "c", "s")) == "token_expired: c (s)"
