"""`labsim checks`: every check of every list, its source, and what it alone stops."""

from __future__ import annotations

import json

import pytest

from labsim.catalogue.ablation import TOKEN
from labsim.commands import checks
from labsim.credentials import ACCESS_TOKEN
from labsim.errors import LabError
from tests.wiring import BINDINGS


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    assert checks.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_check_of_a_binding_is_there_with_its_source_and_what_it_stops(capsys) -> None:
    found = {row["check"]: row for row in rows(capsys, "--of", "dpop")}
    assert list(found) == [check.name for check in BINDINGS["dpop"].checks]
    assert found["jti_is_new"]["source"] == "RFC 9449 section 11.1"
    assert "DR-01" in found["jti_is_new"]["alone"]
    assert "DR-01" not in found["ath_is_this_token"]["alone"]


def test_the_token_s_own_checks_are_a_list_as_any_other(capsys) -> None:
    found = rows(capsys, "--of", TOKEN)
    assert [row["check"] for row in found] == [check.name for check in ACCESS_TOKEN.checks]


def test_a_person_reads_what_gets_in_without_a_check(capsys) -> None:
    assert checks.main(["--of", "revocation notice"]) == 0
    assert "tests/contract" in capsys.readouterr().out


def test_a_row_that_takes_a_clock_is_tried_too(capsys) -> None:
    found = {row["check"]: row for row in rows(capsys, "--of", "dpop")}
    assert "DR-04" in found["jti_is_new"]["alone"]


def test_a_row_that_another_check_would_stop_says_which(capsys) -> None:
    assert checks.main(["--of", "dpop"]) == 0
    said = capsys.readouterr().out
    assert "names DH-32 too, which signature_is_by_the_proof_key would stop without it" in said


def test_a_list_that_does_not_exist_is_named_beside_those_that_do() -> None:
    with pytest.raises(LabError, match="token exchange"):
        checks.main(["--of", "dopp"])
