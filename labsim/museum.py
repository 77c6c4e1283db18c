"""Walk through one room of the museum: the attack against good servers, weakened, and good again.

A preset is judged by what it does: the thief is refused by the good servers and served by the
weakened ones, and the holder is served by both. Where a preset is too strict it is the other way
round: nobody is let in, and the holder is shut out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from labsim.estate.names import AUTHORIZATION_SERVER, TERMINATOR
from labsim.estate.weakening import PRESETS
from labsim.preset import Preset, Role
from labsim.rooms import rooms

if TYPE_CHECKING:
    from labsim.haul import Haul
    from labsim.lab import Lab
    from labsim.loot import Theft

type When = Literal["good", "weakened", "good again"]
ORDER: tuple[When, ...] = ("good", "weakened", "good again")


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold how one request ended: when, who sent it, and why it was refused if it was."""

    when: When
    who: Literal["holder", "thief"]
    outcome: str
    check: str = ""
    source: str = ""
    records: int = 0

    @property
    def is_good(self) -> bool:
        """Tell whether it was sent to good servers, before any was weakened."""
        return self.when == ORDER[0]


def role_of(preset: Preset) -> str:
    """Return the name of the role that a preset's scene weakens."""
    return {
        Role.RESOURCE_SERVER: preset.scene.at,
        Role.AUTHORIZATION_SERVER: AUTHORIZATION_SERVER,
        Role.PROXY: TERMINATOR,
        Role.CLIENT: preset.scene.client,
    }[preset.role]


def visit(lab: Lab, name: str, told: Callable[[Seen], None] = lambda _seen: None) -> list[Seen]:
    """Play a preset's scene three times; `told` hears of each request as it ends.

    The estate is left in its base variant, and the client bound as in the scene. Raises LabError
    for a preset that does not exist; it lists those that do.
    """
    from labsim.estate.weakening import preset_for

    if name not in PRESETS:
        preset_for(lab.estate, "", name)
    preset, seen = PRESETS[name], []
    lab.vary(preset.scene.variant)
    try:
        for when in ORDER:
            # Closed at once, also where `told` raises: nothing stays weak.
            with closing(play(lab, preset, when)) as playing:
                for each in playing:
                    told(each)
                    seen.append(each)
    finally:
        if lab.runs:
            lab.vary("base")
    return seen


def play(lab: Lab, preset: Preset, when: When) -> Generator[Seen]:
    """Play a preset's scene once, in the variant that the lab is in; yield each request's end."""
    weak = when == "weakened"
    with lab.weakened(role_of(preset), preset=preset.name) if weak else nullcontext():
        yield from _scene(lab, preset, when)


def _scene(lab: Lab, preset: Preset, when: When) -> list[Seen]:
    scene = preset.scene
    lab.bind(scene.client, scene.binding, scene.custody)
    if scene.renews:
        lab.work_rows(scene.client, scene.at)
        lab.renew_certificate(scene.client)
        # The first request after it is refused in any case; what counts is whether one learns.
        lab.work_rows(scene.client, scene.at)
    found = [_holder(lab, preset, when)]
    if scene.theft:
        found += [_thief(lab, preset, when), _holder(lab, preset, when)]
    return found


def _holder(lab: Lab, preset: Preset, when: When) -> Seen:
    (row,) = lab.work_rows(preset.scene.client, preset.scene.at)
    event = lab.event(row["request_id"])
    why = {name: str(event.get(name, "")) for name in ("check", "source")}
    return Seen(when, "holder", str(row["outcome"]), **why, records=len(row["records"]))


def _thief(lab: Lab, preset: Preset, when: When) -> Seen:
    scene = preset.scene
    theft: Theft = rooms("labsim.thefts", "THEFT")[scene.theft]
    haul = lab.attacker.steal(scene.client, by=scene.theft, doing=scene.doing, at=scene.at)
    lab.evict(scene.client)
    lab.advance(seconds=theft.used_after(lab.plan.token_seconds) + scene.after)
    lab.attacker.replay(_useful(lab, haul, scene.at), by=scene.replay, against=scene.at)
    row = lab.attacker.rows[-1]
    lab.attacker.release()
    lab.restore_records()
    why = {name: str(row[name]) for name in ("check", "source")}
    return Seen(when, "thief", str(row["outcome"]), **why, records=int(row["records"]))


def _useful(lab: Lab, haul: Haul, resource: str) -> dict[str, Any]:
    """Return the piece of a haul that is for this resource server; the first if none says so."""
    mine = (p for p in haul.pieces if p["resource"] == lab.estate.urls[resource])
    return next(mine, haul.pieces[0])


def mistakes(preset: Preset, seen: list[Seen]) -> list[Seen]:
    """Return what did not end as the preset says; empty if the room shows what it is there for."""
    return [each for each in seen if (each.outcome, each.check) != expected(preset, each)]


def expected(preset: Preset, seen: Seen) -> tuple[str, str]:
    """Return outcome and check that a request of the scene ends with, as the preset says."""
    stopped, served = ("rejected", preset.stopped_by), ("served", "")
    if preset.too_strict:
        return stopped if seen.when == "weakened" else served
    return stopped if seen.who == "thief" and seen.when != "weakened" else served
