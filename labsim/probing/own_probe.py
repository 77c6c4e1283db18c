"""Probe a lab's own servers, good ones or with one mistake of the museum's, by request and scene.

Most rows are one request. Those that take a clock, a race, a grant, a proxy or a client are played,
as the museum plays them. A mistake lies with one role, which is weakened while its rows are sent.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from labsim import museum
from labsim.catalogue.listed import catalogue
from labsim.catalogue.played import PLAYED
from labsim.catalogue.running import Result, Verdict
from labsim.catalogue.stage import asks_nonces
from labsim.catalogue.vector import Played, Row
from labsim.errors import LabError
from labsim.lab import Lab
from labsim.museum import Seen
from labsim.preset import Preset, presets
from labsim.probing.findings import is_a_finding
from labsim.probing.own_lab import OwnLab
from labsim.probing.probe import Block, BlockResult, blocks, run

type Told = Callable[[BlockResult], None]
_VERDICTS = {"served": Verdict.ACCEPTED, "rejected": Verdict.REFUSED}


def preset_named(name: str) -> Preset:
    """Return a preset; LabError that lists those that there are."""
    known = presets()
    if name not in known:
        raise LabError.unknown("preset", name, known)
    return known[name]


def probe(
    lab: Lab,
    own: OwnLab,
    preset: Preset | None = None,
    told: Told = lambda _result: None,
    only: Callable[[Row], bool] = lambda _row: True,
) -> list[BlockResult]:
    """Send and play every row that `only` lets through; `told` hears of each block as it ends.

    With a preset its role is weakened meanwhile, and the rows are those for its binding. Where the
    preset's own row is played, that is all that is done: requests one by one would come out as on
    good servers. The lab is left in its base variant, and as good as it was.
    """
    scenes = [row for row in PLAYED if only(row) and (preset is None or row.id == preset.row)]
    found: list[BlockResult] = []
    if preset is None or not scenes:
        found += _requests(lab, own, preset, told, only)
    for row in scenes:
        result = _played(lab, row, weak=preset is not None)
        found.append(result)
        told(result)
    return found


def _requests(
    lab: Lab, own: OwnLab, preset: Preset | None, told: Told, only: Callable[[Row], bool]
) -> Iterator[BlockResult]:
    every = [v for v in catalogue(preset.scene.binding if preset else None) if only(v)]
    for asks in (False, True):
        mine = blocks(vector for vector in every if asks_nonces(vector) is asks)
        if not mine:
            continue
        if asks:
            own.ask_for_nonces()
        else:
            own.ask_for_none()
        with _weakened(lab, preset):
            own.forget_tokens()
            yield from run(mine, own.good_for, own.send, told, own.means)
    own.ask_for_none()


@contextmanager
def _weakened(lab: Lab, preset: Preset | None) -> Iterator[None]:
    if preset is None:
        yield
        return
    with lab.weakened(museum.role_of(preset), preset=preset.name):
        yield


def _played(lab: Lab, row: Played, *, weak: bool) -> BlockResult:
    """Play a row's scene once; without a thief in it, the holder is what the row is about."""
    preset = presets()[row.scene]
    lab.vary(preset.scene.variant)
    try:
        seen = list(museum.play(lab, preset, "weakened" if weak else "good"))
    finally:
        if lab.runs:
            lab.vary("base")
    asked = [each for each in seen if each.who == ("thief" if preset.scene.theft else "holder")]
    controls = [each for each in seen if each not in asked]
    block = Block(f"Played: {row.what}", row.binding, row.actor, ())
    failed = "".join(_how(each) for each in controls if each.outcome != "served")
    return BlockResult(block, (_result(row, asked[-1], failed),), failed)


def _result(row: Played, asked: Seen, failed: str) -> Result:
    verdict = _VERDICTS.get(asked.outcome, Verdict.INCONCLUSIVE)
    if verdict is Verdict.INCONCLUSIVE:
        return Result(row, verdict, None, f"the scene ended otherwise: {_how(asked)}")
    if failed and verdict is Verdict.REFUSED:
        why = f"a good request was not served either: {failed}"
        return Result(row, Verdict.INCONCLUSIVE, None, why)
    return Result(row, verdict)


def _how(seen: Seen) -> str:
    return f"{seen.outcome} by {seen.check}" if seen.check else seen.outcome


def card(preset: Preset, found: Sequence[BlockResult], width: int = 100) -> str:
    """Say which mistake was made on purpose, what came of it, and how it is mended."""
    rows = [r.vector for block in found for r in block.results if is_a_finding(r)]
    rows.sort(key=lambda row: row.id != preset.row)
    what = "what was refused" if preset.too_strict else "what got in"
    gains = dict.fromkeys(row.gain for row in rows if row.gain)
    lines = {
        "weakened on purpose": f"{preset.name} at {museum.role_of(preset)}: {preset.title}",
        what: "; ".join(dict.fromkeys(f"{row.id} {row.what}" for row in rows)) or "nothing",
        "what is gained": "; ".join(gains) or "nothing: whoever has the key is shut out",
        "reported": preset.report,
        "what was missed": preset.missed,
        "the fix": preset.fix,
    }
    return "\n".join(line for head, text in lines.items() for line in _line(head, text, width))


def _line(head: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=f"  {head:<20}", subsequent_indent=" " * 22)
