"""Nonces without a store."""

from __future__ import annotations

import pytest

from labsim.jose import b64url_decode
from labsim.nonces import PERIOD, RollingNonces

NONCES = RollingNonces(b"k" * 32)
NOW = 1_800_000_000.0


def test_a_nonce_is_accepted_for_its_own_period_and_the_next() -> None:
    nonce = NONCES.issue(NOW)
    for later in (0, PERIOD - 1, PERIOD, 2 * PERIOD - 1):
        assert NONCES.accepts(nonce, NOW + later)
    for later in (-1, 2 * PERIOD, 100 * PERIOD):
        assert not NONCES.accepts(nonce, NOW + later)


def test_a_new_nonce_is_given_out_once_a_period() -> None:
    assert NONCES.issue(NOW) == NONCES.issue(NOW + PERIOD - 1) != NONCES.issue(NOW + PERIOD)


def test_another_server_has_other_nonces() -> None:
    assert not RollingNonces(b"o" * 32).accepts(NONCES.issue(NOW), NOW)


def test_the_number_of_the_period_makes_no_nonce() -> None:
    """DN-11: one nonce tells how to make no other."""
    seen, following = (b64url_decode(NONCES.issue(at)) for at in (NOW, NOW + PERIOD))
    assert seen[:8] != following[:8]
    assert seen[8:] != following[8:]
    assert len(seen) == 24


@pytest.mark.parametrize("text", ["", "a", "\u00e9", "\0", "\ud800", "A" * 32])
def test_any_other_text_is_no_nonce(text: str) -> None:
    assert not NONCES.accepts(text, NOW)
