"""docs/policy.md has each row of the catalogue where both answers conform."""

from __future__ import annotations

import re

from labsim.catalogue.listed import catalogue
from labsim.catalogue.vector import Force
from labsim.commands._checkout import ROOT

NUMBER = re.compile(r"[A-Z]+-[A-Z]?[0-9]+")
"""An id without the letter that tells one row of a number from the next."""


def numbers_on(page: str) -> set[str]:
    """Return the numbers in the first column of the page's table."""
    first = (line.split("|")[1] for line in page.splitlines() if line.startswith("| "))
    return {number for cell in first for number in NUMBER.findall(cell)}


def test_each_policy_row_has_its_reason_on_the_page() -> None:
    rows = {vector.id for vector in catalogue() if vector.force is Force.POLICY}
    assert len(rows) > 30
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    named = numbers_on(page)
    assert {id for id in rows if str(NUMBER.match(id)[0]) not in named} == set()  # type: ignore[index]


def test_a_number_is_found_in_the_first_column_only() -> None:
    assert numbers_on("| DS-08, HS-X4 | as DS-09 |\n|---|\nDR-01") == {"DS-08", "HS-X4"}
