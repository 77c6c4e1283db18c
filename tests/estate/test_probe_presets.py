"""`probe --self --weaken PRESET` on real processes: each mistake of the museum is found, by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.catalogue.listed import catalogue, sections
from labsim.catalogue.played import PLAYED
from labsim.catalogue.running import Verdict
from labsim.catalogue.vector import Row
from labsim.commands import probe as command
from labsim.preset import Preset, presets
from labsim.probing import findings, own_probe
from labsim.probing.own_lab import OwnLab, started
from labsim.probing.probe import BlockResult

PRESETS = presets()


@pytest.fixture(scope="module")
def own() -> Iterator[OwnLab]:
    with started() as made:
        yield made


@pytest.fixture
def lab(own: OwnLab) -> labsim.Lab:
    return own.lab


def ids_beside(preset: Preset) -> set[str]:
    """Return the ids of the section that has the preset's row: the other sections take long."""
    each = ({vector.id for vector in section.vectors} for section in sections())
    return next((ids for ids in each if preset.row in ids), {preset.row})


def named(found: list[BlockResult]) -> set[str]:
    return {r.vector.id for block in found for r in block.results if findings.is_a_finding(r)}


@pytest.mark.parametrize("name", PRESETS)
def test_a_mistake_is_found_by_its_row_and_without_it_nothing_is(
    lab: labsim.Lab, own: OwnLab, name: str
) -> None:
    preset, ids = PRESETS[name], ids_beside(PRESETS[name])

    def only(row: Row) -> bool:
        return row.id in ids and row.binding == preset.scene.binding

    good = own_probe.probe(lab, own, None, only=only)
    assert (findings.exit_status(good), named(good)) == (0, set())
    weak = own_probe.probe(lab, own, preset, only=only)
    assert findings.exit_status(weak) == 1
    assert preset.row in named(weak)
    assert not any(block.failed_control for block in [*good, *weak])
    assert lab.variant == "base"
    assert "WEAKENED" not in lab.summary()
    said = own_probe.card(preset, weak)
    flat = " ".join(said.split())
    for told in (preset.name, preset.title, preset.report, preset.missed, preset.fix):
        assert " ".join(told.split()) in flat
    gains = {r.vector.gain for b in weak for r in b.results if r.vector.id == preset.row}
    assert preset.too_strict or all(gain in flat for gain in gains)
    assert all(len(line) <= 100 for line in said.splitlines())


def test_a_row_is_played_on_good_servers_too(lab: labsim.Lab, own: OwnLab) -> None:
    found = own_probe.probe(lab, own, only=lambda row: row in PLAYED)
    verdicts = {r.vector.id: r.verdict for block in found for r in block.results}
    assert verdicts == {
        row.id: Verdict.REFUSED if row.refusal else Verdict.ACCEPTED for row in PLAYED
    }


def test_an_unknown_preset_is_named_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--self", "--weaken", "magic"]) == command.INCONCLUSIVE
    assert "binding_never_compared" in capsys.readouterr().err


def test_every_row_of_a_preset_is_in_the_catalogue() -> None:
    rows = {row.id: row for row in (*PLAYED, *catalogue())}
    assert {p.row for p in PRESETS.values()} <= set(rows)
    for row in PLAYED:
        preset = PRESETS[row.scene]
        assert preset.row == row.id
        assert row.binding == preset.scene.binding
        assert row.refusal is None or row.refusal.check == preset.stopped_by
