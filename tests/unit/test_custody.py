"""Where a client's key lies, as far as that is its own process: a file, its memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labsim.binding import Binding
from labsim.certificates import certified
from labsim.estate.custody import CUSTODIES, OwnKey
from labsim.estate.plan import load
from labsim.http_message import Outcome, Request, Response
from labsim.keys import SigningKey, public_key
from labsim.rooms import rooms
from tests.wiring import CLIENT_AUTHORITY

BINDINGS: Mapping[str, Binding] = rooms("labsim.bindings", "BINDING")


class Dialler:
    """A dialler that keeps what it is told to show, and answers everything."""

    def __init__(self) -> None:
        self.shows: dict[bytes, bytes] = {}

    def identify(self, certificate: bytes, pem: bytes) -> None:
        self.shows[certificate] = pem

    def __call__(self, request: Request) -> Outcome:
        return Outcome.answered(request, Response(200))


def kept(folder: Path, in_file: bool) -> tuple[SigningKey, OwnKey]:
    key = SigningKey.generate()
    return key, OwnKey(key, folder, in_file)


def test_a_key_in_custody_of_a_file_lies_there_for_its_owner_only(tmp_path: Path) -> None:
    key, _ = kept(tmp_path, in_file=True)
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("key.json", 0o600)
    assert json.loads(file.read_text()) == key.private_jwk


def test_a_key_in_memory_lies_in_no_file(tmp_path: Path) -> None:
    key, own = kept(tmp_path, in_file=False)
    assert list(tmp_path.iterdir()) == []
    signature = own.holder.sign(b"octets")
    assert public_key(key.public_jwk).verifies(signature, b"octets")


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("in_file", [True, False])
def test_the_binding_is_used_as_it_is(tmp_path: Path, binding: str, in_file: bool) -> None:
    _, own = kept(tmp_path, in_file)
    assert own.client_side(BINDINGS[binding]) is BINDINGS[binding]


def test_a_certificate_is_shown_once_there_is_one(tmp_path: Path) -> None:
    key, own = kept(tmp_path, in_file=False)
    dialler: Any = Dialler()
    assert own.through(dialler) is dialler
    assert dialler.shows == {}
    own.certified(certified(CLIENT_AUTHORITY, "orders", key.public_jwk))
    assert own.through(dialler) is dialler
    ((certificate, pem),) = dialler.shows.items()
    assert certificate == own.holder.certificate
    assert pem == own.holder.pem
    assert list(tmp_path.iterdir()) == []


def test_custodies_are_those_that_a_plan_may_name_and_the_signer() -> None:
    assert {client.custody for client in load(None).clients.values()} <= set(CUSTODIES)
    assert set(CUSTODIES) == {"file", "memory", "signer"}
