"""The fuzz of benchmarks/ itself: nothing to be found, unless a check is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks._fuzzing.blocks import Tally, run_block
from tests.wiring import BINDINGS

FEW = 250
each = pytest.mark.parametrize("binding", BINDINGS)


@each
def test_mutants_are_decided_and_those_served_are_explained(binding: str) -> None:
    tally = run_block(binding, fuzz.SEED, 0, FEW)
    assert tally.findings == []
    assert (tally.requests, tally.controls) == (FEW, FEW // 50)
    assert tally.kinds
    assert sum(tally.outcomes.values()) >= FEW


@pytest.mark.parametrize(
    ("binding", "check"),
    [
        ("dpop", "htm_is_the_method"),
        ("dpop", "signature_is_by_the_proof_key"),
        ("mtls", "certificate_is_the_bound_one"),
        ("http_signature", "digest_is_the_bodys"),
        ("http_signature", "signature_is_by_the_bound_key"),
    ],
)
def test_a_check_that_is_missing_is_noticed(binding: str, check: str) -> None:
    found = run_block(binding, fuzz.SEED, 0, FEW, [check]).findings
    assert any("served, although" in finding["why"] for finding in found)


def test_a_block_is_the_same_each_time() -> None:
    first, second = (run_block("bearer", 5, 1, FEW).to_json() for _ in range(2))
    assert first["mutations"] == second["mutations"]
    assert run_block("bearer", 5, 2, FEW).to_json()["mutations"] != first["mutations"]


def test_a_run_is_taken_up_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[int] = []

    def block(_binding: str, _seed: int, number: int) -> Tally:
        run.append(number)
        return Tally(requests=fuzz.SIZE)

    monkeypatch.setattr(fuzz, "run_block", block)
    file = tmp_path / "fuzz.jsonl"
    for requests, blocks in ((fuzz.SIZE, [0]), (3 * fuzz.SIZE, [1, 2]), (2 * fuzz.SIZE, [])):
        run.clear()
        ((_, tally),) = fuzz.run(["dpop"], 1, requests, file)
        assert (run, tally.requests) == (blocks, requests)
