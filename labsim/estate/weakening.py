"""Let one role of a running estate make a real mistake, loudly, and put it right again.

The processes keep the role as it is and serve with a weakened one beside it, so that what an
operator changes meanwhile (nonces, say) stays. One mistake at a time: of two, nobody could tell
which one let a thief in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError
from labsim.estate.events import EventLog
from labsim.estate.names import AUTHORIZATION_SERVER, TERMINATOR
from labsim.preset import Preset, Role, presets

if TYPE_CHECKING:
    from labsim.estate.processes import Child
    from labsim.estate.running import Estate

PRESETS: Mapping[str, Preset] = presets()


@dataclass(frozen=True, slots=True)
class Weakening:
    """Say which role makes which mistake, and what that is called where an exercise hides it."""

    role: str
    preset: Preset
    called: str

    def at(self, resource: str) -> bool:
        """Tell whether what this resource server answers may be owed to the mistake."""
        return self.preset.role is not Role.RESOURCE_SERVER or self.role == resource

    def __str__(self) -> str:
        """Say it in one line."""
        what = str(self.preset) if self.called == self.preset.name else self.called
        return f"WEAKENED: {self.role}, by {what}"


class Block(AbstractContextManager[Preset]):
    """Be what `weakened` returns: it does nothing unless a `with` enters it, and says so."""

    def __init__(self, block: AbstractContextManager[Preset]) -> None:
        self._block = block

    def __enter__(self) -> Preset:
        """Weaken the role."""
        return self._block.__enter__()

    def __exit__(self, *ended: Any) -> bool | None:
        """Put it right again."""
        return self._block.__exit__(*ended)

    def __repr__(self) -> str:
        """Say what a cell without `with` has done: nothing."""
        return "Nothing is weakened by this alone: with lab.weakened(...): what is to happen so"


def weakened(estate: Estate, role: str, name: str, called: str = "") -> Block:
    """Weaken a role in a `with`, until it ends, in whatever way. Raises LabError if that cannot be.

    Attempts and events have the preset's name, or what it is `called` in an exercise that asks for
    it.
    """
    return Block(_weakened(estate, role, preset_for(estate, role, name), called or name))


@contextmanager
def _weakened(estate: Estate, role: str, preset: Preset, called: str) -> Iterator[Preset]:
    if estate.weakening is not None:
        raise LabError(
            f"The lab is weakened already: {estate.weakening.called} at {estate.weakening.role}.",
            "Nothing was changed: of two mistakes, nobody could tell which one let a thief in.",
            "Leave that `with` first; lab.reset() starts good servers.",
        )
    processes = _processes(estate, role)
    estate.weakening = Weakening(role, preset, called)
    try:
        for child in processes:
            child.call("weaken", preset=preset.name, called=called)
        yield preset
    finally:
        # One that cannot be put right stops none of the others, and the lab goes on saying so.
        with ExitStack() as each:
            for child in processes:
                each.callback(_put_right, child)
        estate.weakening = None


def _put_right(child: Child) -> None:
    if child.alive:  # else the lab was stopped or reset meanwhile, and nothing is weak
        child.call("weaken", preset="", called="")


def preset_for(estate: Estate, role: str, name: str) -> Preset:
    """Return a preset by name; LabError if there is none, or it is not for this role."""
    if not isinstance(name, str) or name not in PRESETS:
        raise LabError.unknown("preset", name, PRESETS)
    preset = PRESETS[name]
    fitting = {
        Role.RESOURCE_SERVER: list(estate.plan.resources),
        Role.AUTHORIZATION_SERVER: [AUTHORIZATION_SERVER],
        Role.PROXY: [TERMINATOR],
        Role.CLIENT: list(estate.plan.clients),
    }[preset.role]
    if role not in fitting:
        raise LabError(
            f"The preset {name} is for {preset.role}, and {role!r} is none.",
            "Nothing was changed.",
            f"Take one of: {', '.join(fitting)}.",
        )
    if preset.role is Role.PROXY and not estate.has(TERMINATOR):
        raise LabError(
            f"The preset {name} is for {preset.role}, and in the variant {estate.variant.name} "
            "there is none.",
            "Nothing was changed.",
            'Put one there first: lab.vary("proxy_strips").',
        )
    return preset


def _processes(estate: Estate, role: str) -> list[Child]:
    return estate.servers(role) if role in estate.urls else [estate.process(role)]


def announced(
    weaken: Callable[[str, str], None], name: str, clock: Callable[[], float], log: EventLog
) -> Callable[[str, str], None]:
    """Return the operation that weakens a process, and writes that down as an event of its own."""

    def announcing(preset: str, called: str) -> None:
        weaken(preset, called)
        decision = "weakened" if preset else "restored"
        event = {"time": clock(), "role": "operator", "name": name, "decision": decision}
        log.append({**event, "reason": "", "weakened": called})

    return announcing
