"""The main job with `--weaken`: one scene of the museum, against good servers and weakened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import labsim
from labsim import museum
from labsim.commands import demo
from labsim.errors import LabError
from labsim.estate.plan import DATA
from labsim.museum import Seen
from labsim.preset import Preset, presets
from labsim.stories import oracle as expected_outcomes


def room(name: str, out: Path, estate: str | None) -> int:
    """Play a preset's scene, print what it lets through, and write attempts and events to `out`.

    Returns 1, and names each cell, where the weakened servers answered otherwise than
    data/expected_outcomes.csv has it, or the scene did not end as its preset says. Raises LabError
    for a preset that does not exist, and for an estate of one's own.
    """
    known = presets()
    if name not in known:
        raise LabError.unknown("preset", name, known)
    if estate is not None:
        raise LabError(
            "A preset's scene names clients and servers of the lab's own estate.",
            "Nothing was started.",
            "Leave out --estate, or weaken a server of yours in Python: lab.weakened().",
        )
    preset = known[name]
    print("\n".join(_card(preset, museum.role_of(preset))), end="\n\n")
    with demo.opened_results(out) as results, labsim.start(quiet=True) as lab:
        lab.attacker.on_attempt = results.attempt
        try:
            seen = museum.visit(lab, name, lambda each: print(f"  {_line(each)}"))
        finally:
            results.events(lab.events())
    differing = list(_differences(preset, seen))
    print(f"\nThe fix: {preset.fix}")
    print(f"The rows: {out / 'attempts.csv'}, the servers' own events: {out / 'events.jsonl'}.")
    if differing:
        print("Not what a good server answers:")
        print("\n".join(f"  {line}" for line in differing))
    wrong = museum.mistakes(preset, seen)
    for each in wrong:
        print(f"The scene did not end as the preset says: {_line(each)}")
    return 1 if differing or wrong else 0


def _card(preset: Preset, role: str) -> list[str]:
    scene = preset.scene
    how = f"{scene.client} (bound by {scene.binding}, custody: {scene.custody})"
    if scene.theft:
        did = f"{how} is robbed by {scene.theft}; the thief tries {scene.replay} at {scene.at}."
    elif scene.renews:
        did = f"{how} gets a new certificate and works on at {scene.at}. There is no thief."
    else:
        did = f"{how} works at {scene.at}, in the variant {scene.variant}. There is no thief."
    what = "refuses     " if preset.too_strict else "lets through"
    lacks = f", without {', '.join(preset.without)}" if preset.without else ", with a part replaced"
    return [
        f"{preset.name}: {preset.title}.",
        f"  reported      {preset.report}",
        f"  what happened {preset.missed}",
        f"  {what}  {preset.row} ({preset.source})",
        f"  weakened      {role}{lacks}",
        f"  the scene     {did}",
    ]


def _line(seen: Seen) -> str:
    read = f", {seen.records} records" if seen.records else ""
    return f"{seen.when:10}  {seen.who:6}  {_ending(seen.outcome, seen.check, seen.source)}{read}"


def _ending(outcome: str, check: str, source: str) -> str:
    return f"{outcome} by {check} ({source})" if check else outcome


def _differences(preset: Preset, seen: list[Seen]) -> Iterator[str]:
    """Name what a weakened server answered otherwise than a good one would have."""
    scene = preset.scene
    oracle = expected_outcomes.load(DATA / "expected_outcomes.csv")
    cell = (scene.theft, scene.custody, scene.binding, scene.replay, scene.variant, "same_resource")
    good = {each.who: (each.outcome, each.check, each.source) for each in seen if each.is_good}
    if cell in oracle:
        outcome, check, source = oracle[cell]
        good["thief"] = outcome, check, source
    for each in seen:
        found = (each.outcome, each.check, each.source)
        if each.when == "weakened" and found != good[each.who]:
            stolen = " / ".join(cell)
            where = stolen if each.who == "thief" else f"the holder at {scene.at}"
            yield f"{where}: expected {_ending(*good[each.who])}, measured {_ending(*found)}"
