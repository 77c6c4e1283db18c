"""Each mistake of a server that the lab can be made to make is found by a row of the catalogue."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from labsim.catalogue.listed import catalogue
from labsim.catalogue.stage import asks_nonces
from labsim.commands.probe import _role_of, _weakened
from labsim.probing.findings import is_a_finding
from labsim.probing.own_lab import OwnLab, started
from labsim.probing.probe import blocks, run

# What the lab's own ids stand for in the catalogue.
ROWS = {
    "LAB-01": "HS-08",
    "LAB-02": "AT-19b",
    "LAB-03": "MT-01/02",
    "DR-02": "DR-02b",
}


def presets() -> dict[str, Any]:
    """Return the presets of servers, where the lab has them."""
    if importlib.util.find_spec("labsim.preset") is None:
        return {}
    known = importlib.import_module("labsim.preset")
    every = dict(known.presets())
    return {name: made for name, made in every.items() if made.role is not known.Role.CLIENT}


def found_with(own: OwnLab, name: str, row: str) -> tuple[set[str], list[str]]:
    """Probe with the rows of one id; return what was found, and which controls failed."""
    vectors = [vector for vector in catalogue() if vector.id == row]
    assert vectors, f"no row is called {row}"
    role = _role_of(own, name)
    if any(map(asks_nonces, vectors)):
        own.ask_for_nonces()
    with _weakened(own, role, name):
        results = run(blocks(vectors), own.good_for, own.send, means=own.means)
    found = {r.vector.id for block in results for r in block.results if is_a_finding(r)}
    return found, [block.failed_control for block in results if block.failed_control]


def test_each_servers_mistake_is_found_by_its_row() -> None:
    differences = {}
    with started() as own:
        for name, made in presets().items():
            own.vary("base")
            row = ROWS.get(made.row, made.row)
            found, failed = found_with(own, name, row)
            if found != {row} or failed:
                differences[name] = (row, found, failed)
    assert differences == {}
