"""How a theft comes about: the victim leaks while it works, and the thief takes what it was given.

What is given is the theft's own word (`Theft.gives`): a file, a folder, what passed an interceptor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.estate.names import ATTACKER, CAPTURED_FILE, INTERCEPTOR, LOG_FILE
from labsim.loot import Theft

if TYPE_CHECKING:
    from labsim.lab import Lab

type Rows = list[dict[str, Any]]


def rob(lab: Lab, client: str, theft: Theft) -> tuple[Rows, Rows]:
    """Let a client leak in the way of a theft while it works; let the attacker take what leaked.

    Returns the pieces of loot, and how the victim's own requests ended meanwhile.
    """
    victim = lab.estate.process(client)
    with_it = _BEFORE[theft.gives](lab) if theft.gives in _BEFORE else {}
    victim.call("leak", theft=theft.name, **with_it)
    worked = lab.work_rows(client)
    victim.call("mend")
    given = [str(path) for path in _GIVEN[theft.gives](lab, client)]
    pieces = lab.estate.process(ATTACKER).call(
        "steal", theft=theft.name, client=client, given=given
    )
    return pieces, worked


def _interceptor(lab: Lab) -> dict[str, Any]:
    proxy = lab.estate.interceptor()
    lab.estate.process(INTERCEPTOR).call("forget")
    return {"proxy": proxy}


# What is set up before the victim leaks, by what the theft gives.
_BEFORE: dict[str, Callable[[Lab], dict[str, Any]]] = {"interceptor": _interceptor}


def _folder(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / client]


def _log(lab: Lab, client: str) -> list[Path]:
    return [lab.run_folder / client / LOG_FILE]


def _captured(lab: Lab, _client: str) -> list[Path]:
    return [lab.run_folder / INTERCEPTOR / CAPTURED_FILE]


# The files and folders that the thief may look into, during the theft, by what that gives.
_GIVEN: dict[str, Callable[[Lab, str], list[Path]]] = {
    "folder": _folder,
    "interceptor": _captured,
    "log": _log,
    "process": _folder,
}
