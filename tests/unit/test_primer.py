"""The primer's own functions: a JWT is read and changed, and what is none is said to be none."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.errors import LabError
from labsim.exercises import primer


def test_a_changed_token_is_read_as_well_and_its_signature_is_not_good() -> None:
    assert "good: the issuer wrote exactly this" in repr(primer.read(primer.token()))
    changed = repr(primer.read(primer.changed(primer.token())))
    assert "mallory" in changed
    assert "not good" in changed


@pytest.mark.parametrize("wrong", ["x", "", "a.b.c", None, 3, ["a"]])
def test_what_is_no_token_is_said_to_be_none(wrong: Any) -> None:
    for verb in (primer.read, primer.changed):
        with pytest.raises(LabError, match=r"This is no JWT: .*Take ex\.token\(\)"):
            verb(wrong)
