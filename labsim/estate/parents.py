"""The preloaded parents of an estate, and what they fork: one pair for each estate of a process.

A notebook's lab has the first pair. A second estate beside it, such as the control panel's, has a
pair of its own, for a parent keeps one run at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from labsim.estate.processes import Preloaded

ENTRIES: Final = {
    "provision": "labsim.estate.provision:make",
    "rotate": "labsim.estate.provision:rotate",
    "authorization_server": "labsim.estate.authorization_server_process:run",
    "resource_server": "labsim.estate.resource_server_process:run",
    "workload": "labsim.estate.workloads:run",
    "attacker": "labsim.estate.attacker_process:run",
    "signer": "labsim.estate.signer:run",
    "terminator": "labsim.estate.terminator:run",
    "interceptor": "labsim.estate.interceptor:run",
}
_MODULES: Final = sorted({entry.partition(":")[0] for entry in ENTRIES.values()})
_TAP: Final = "labsim.estate.interceptor"


@dataclass(frozen=True, slots=True)
class Parents:
    """Hold the parent of the estate's processes, and the interceptor's own."""

    estate: Preloaded
    tapping: Preloaded


def _pair(estate: str, tapping: str) -> Parents:
    # The interceptor's parent is another one: mitmproxy would make every process heavier. Nobody
    # waits for it yet, and a second start may have begun.
    return Parents(
        Preloaded(estate, [module for module in _MODULES if module != _TAP]),
        Preloaded(tapping, [_TAP], is_awaited=False),
    )


FIRST: Final = _pair("labsim-estate", "labsim-interceptor")


@cache
def beside(name: str) -> Parents:
    """Return the pair of this name, made when it is first asked for; nothing runs yet."""
    return _pair(f"labsim-{name}", f"labsim-{name}-tap")
