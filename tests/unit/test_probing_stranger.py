"""A stranger's token: how long it is used, and what its endpoint may say."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest

from labsim.binding import Presentation
from labsim.bindings.bearer import BINDING as BEARER
from labsim.certificates import certificate_authority
from labsim.errors import LabError
from labsim.http_message import Outcome, Request, Response
from labsim.keys import SigningKey
from labsim.probing import stranger as module
from labsim.probing.configuration import Configuration, TokenRequest
from labsim.probing.stranger import Stranger
from labsim.roles.client import TokenRefused, TokenSet, obtain_token
from labsim.roles.client_authentication import basic

ASKED = TokenRequest(
    endpoint="https://as.test/token",
    client_id="tester",
    secret="secret",
    key=None,
    audience="https://as.test",
    parameters={"grant_type": "client_credentials"},
)


def stranger(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lasts: float
) -> tuple[Stranger, list[int]]:
    """Make one whose token endpoint gives tokens that last for so many seconds."""
    asked: list[int] = []

    def obtained(*_: object) -> TokenSet:
        asked.append(1)
        return TokenSet(f"token{len(asked)}", "dpop", "", "", time.time() + lasts)

    monkeypatch.setattr(module, "obtain_token", obtained)
    file = folder / "ca.pem"
    file.write_bytes(
        certificate_authority("a CA", datetime.datetime.now(datetime.UTC)).certificate_pem
    )
    found = Configuration(
        url="https://127.0.0.1:9/a",
        binding="dpop",
        ca_file=str(file),
        pace=1000,
        replay_memory=True,
        key=SigningKey.generate(),
        token=ASKED,
    )
    return Stranger(found), asked


@pytest.mark.parametrize("lasts", [5, 20, 600])
def test_one_token_is_used_for_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasts: float
) -> None:
    who, asked = stranger(tmp_path, monkeypatch, lasts)
    assert {who.good_for().token for _ in range(20)} == {"token1"}
    assert len(asked) == 1
    who.close()


@pytest.mark.parametrize("lasts", [-600, 0, 1])
def test_a_token_that_hardly_lasts_is_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasts: float
) -> None:
    with pytest.raises(LabError, match="gave lasts for less than 4 seconds"):
        stranger(tmp_path, monkeypatch, lasts)


@pytest.mark.parametrize(
    ("error", "shown"), [("invalid_client", " invalid_client"), ("e" * 201, "")]
)
def test_an_error_without_end_is_not_shown(error: str, shown: str) -> None:
    def refusing(request: Request) -> Outcome:
        return Outcome.answered(request, Response.of_json(400, {"error": error}))

    bare = Presentation(None, None, 0.0, lambda: "id")
    with pytest.raises(TokenRefused) as raised:
        obtain_token(ASKED.endpoint, {}, basic("a", "b"), BEARER, bare, refusing)
    assert str(raised.value) == f"the token endpoint answered 400{shown}"
