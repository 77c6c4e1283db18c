"""Addresses to send from: what is said where a machine does not have them."""

from __future__ import annotations

import socket
import sys

import pytest

from labsim.errors import LabError
from labsim.estate import addresses


@pytest.mark.parametrize(
    ("platform", "todo"),
    [("darwin", "sudo ifconfig lo0 alias 192.0.2.1 up"), ("linux", "loopback")],
)
def test_an_address_that_is_not_there_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, platform: str, todo: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(LabError, match=todo) as told:
        addresses._must_be_there("127.0.0.1", "192.0.2.1")  # the second is nobody's (RFC 5737)
    assert "no address 192.0.2.1" in str(told.value)


def test_an_address_that_is_there_is_free_again() -> None:
    addresses._must_be_there("127.0.0.1")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
