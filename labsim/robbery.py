"""How a theft comes about: the victim leaks while it works, and the thief takes what it was given.

What is given is the theft's own word (`Theft.gives`): a file, a folder, what passed an interceptor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.estate.calls import resources_for
from labsim.estate.names import ATTACKER, CAPTURED_FILE, INTERCEPTOR, LOG_FILE
from labsim.loot import Theft

if TYPE_CHECKING:
    from labsim.lab import Lab

type Rows = list[dict[str, Any]]


def rob(
    lab: Lab, client: str, theft: Theft, doing: str = "read", at: str | None = None
) -> tuple[Rows, Rows]:
    """Let a client leak in the way of a theft while it works; let the attacker take what leaked.

    Returns the pieces of loot, and how the victim's own requests ended meanwhile. Where the
    interceptor holds requests back, that is one request, which has not ended: see `holding`.
    """
    holding = lab.attacker.holding
    holding.release()
    asked = resources_for(lab.plan.client(client), doing, (at,) if at else ())
    victim = lab.estate.process(client)
    with_it = _BEFORE[theft.gives](lab) if theft.gives in _BEFORE else {}
    victim.call("leak", theft=theft.name, **with_it)
    holds = lab.estate.variant.holds and theft.gives == "interceptor"
    if holds:
        worked = holding.begin(client, asked[0], doing)
    else:
        worked = lab.work_rows(client, *asked, doing=doing)
    if worked:
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


# The files and folders that the thief may look into from then on, by what the theft gives.
_GIVEN: dict[str, Callable[[Lab, str], list[Path]]] = {
    "folder": _folder,
    "interceptor": _captured,
    "log": _log,
    "process": _folder,
}
