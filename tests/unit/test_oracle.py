"""The comparison with the oracle, in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import LabError
from labsim.estate import plan as plans
from labsim.stories import oracle
from tests import own_estate

HEAD = ",".join(oracle.COLUMNS)
LINE = "wiretap,none,bearer,token_as_is,base,same_resource,served,,"


def written(folder: Path, *lines: str) -> Path:
    file = folder / "expected.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def row(line: str) -> dict[str, str]:
    return dict(zip(oracle.COLUMNS, line.split(","), strict=True))


def test_what_was_measured_as_expected_is_no_difference(tmp_path: Path) -> None:
    expected = oracle.load(written(tmp_path, HEAD, LINE))
    assert oracle.differences([row(LINE), row(LINE)], expected) == []


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ([], "not tried"),
        ([LINE, LINE.replace("token_as_is", "own_proof")], "no such line"),
        ([LINE.replace("served,,", "rejected,jti_is_new,RFC 9449")], "rejected by jti_is_new"),
        ([LINE, LINE.replace("served", "unreachable")], "served and unreachable"),
    ],
)
def test_a_difference_in_either_direction_is_named(
    tmp_path: Path, measured: list[str], said: str
) -> None:
    expected = oracle.load(written(tmp_path, HEAD, LINE))
    (difference,) = oracle.differences([row(line) for line in measured], expected)
    assert said in str(difference)


def test_of_a_part_only_what_was_measured_is_compared(tmp_path: Path) -> None:
    other = LINE.replace("token_as_is", "own_proof")
    expected = oracle.load(written(tmp_path, HEAD, LINE, other))
    assert oracle.differences([row(LINE)], expected, whole=False) == []
    assert len(oracle.differences([row(LINE)], expected)) == 1
    wrong = [row(LINE.replace("served", "unreachable"))]
    unknown = [row(LINE.replace("base", "nonce"))]
    for measured in (wrong, unknown):
        assert len(oracle.differences(measured, expected, whole=False)) == 1


def test_a_credential_that_is_the_key_has_no_line_where_the_key_is_in_no_file(
    tmp_path: Path,
) -> None:
    plan = plans.load(own_estate.written(tmp_path))
    one_key = {"client": "invoice-job", "binding": "mtls", "custody": "memory"}
    loot = "client_credential+token"
    left_out = {**one_key, "replay": "new_token_for_own_key", "loot": loot}
    kept = [
        {**left_out, "replay": "stolen_key"},
        {**left_out, "custody": "file"},
        {**left_out, "binding": "dpop"},
        {**left_out, "client": "helper"},
    ]
    assert oracle.comparable([left_out, *kept], plan) == kept


def test_a_credential_that_needs_a_refresh_token_has_no_line_without_one(tmp_path: Path) -> None:
    plan = plans.load(own_estate.written(tmp_path))
    left_out = {"client": "crm-sync", "binding": "dpop", "custody": "file"}
    left_out |= {"replay": "new_token_for_own_key", "loot": "client_credential+token"}
    kept = [
        {**left_out, "loot": "client_credential+refresh_token+token"},
        {**left_out, "loot": "token"},
        {**left_out, "replay": "token_as_is"},
        {**left_out, "client": "helper"},
    ]
    assert oracle.comparable([left_out, *kept], plan) == kept


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["theft,binding", LINE], "line 1"),
        ([HEAD, LINE, LINE], "line 3: this cell stands twice"),
        ([HEAD, LINE.removesuffix(",")], "line 2: this cell needs 9 values"),
    ],
)
def test_a_broken_oracle_is_named_by_file_and_line(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(LabError, match=said):
        oracle.load(written(tmp_path, *lines))


def test_a_missing_oracle_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"nothing\.csv"):
        oracle.load(tmp_path / "nothing.csv")
