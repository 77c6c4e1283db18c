"""Start a lab: one in each Python process."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from labsim.arguments import idle_seconds
from labsim.errors import LabError
from labsim.estate import parents
from labsim.estate import plan as plans
from labsim.estate.plan import Plan
from labsim.estate.running import Estate
from labsim.lab import Lab

# Longer than any break of a class; a tab that was left open holds no processes overnight.
IDLE_MINUTES = 120

_started: weakref.WeakSet[Lab] = weakref.WeakSet()


def start(
    estate: Path | str | Plan | None = None,
    *,
    clients: Sequence[Mapping[str, Any]] = (),
    require_nonce: bool = False,
    idle_minutes: float | None = IDLE_MINUTES,
    replay_memory: str = "sqlite",
    signer: str = "software",
    quiet: bool = False,
) -> Lab:
    """Start the lab's estate and return the lab; the caller stops it, or its end does.

    `estate` is an estate file (the lab's own if None) or a plan, `clients` are registrations of
    clients from outside (RFC 7591 metadata). It stops itself when nothing was done with it for
    `idle_minutes` (None: never). `replay_memory` is where resource servers remember proofs: sqlite,
    in_process, or the URL of a Redis server. `signer` is where signers have their keys: software,
    pkcs11 (SoftHSM) or pkcs11:MODULE. Raises LabError if a lab already runs here, or cannot start.
    """
    for lab in _started:
        if lab.runs:
            raise LabError(
                f"A lab already runs in this Python process, in {lab.run_folder}.",
                "No second one was started.",
                "Use that one, or call its stop() first; reset() starts it afresh.",
            )
    plan = estate if isinstance(estate, Plan) else plans.load(estate)
    if clients:
        from labsim.estate.outside_clients import admitted

        clients = admitted(clients, plan)
    seconds = idle_seconds(idle_minutes)
    given = (plan, clients, require_nonce, seconds, replay_memory, signer)
    lab = Lab(plan, clients, partial(Estate, *given))
    lab.begin()
    _started.add(lab)
    if not quiet:
        print(lab.summary())
    return lab


def start_beside(name: str, idle_minutes: float | None = IDLE_MINUTES) -> Lab:
    """Start another lab of the lab's own estate, with processes of its own, and return it.

    It shares nothing with the one that `start` starts, nor with those of other names; one of the
    same name ends. Raises LabError if it cannot start.
    """
    plan = plans.load(None)
    pair = parents.beside(name)
    idle = idle_seconds(idle_minutes)
    lab = Lab(plan, (), partial(Estate, plan, idle_seconds=idle, parents=pair))
    lab.begin()
    return lab
