"""What several benchmarks need: a fresh Python, medians, and a raw signature check to divide by."""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.commands._checkout import ROOT
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.keys import SigningKey
from labsim.lab import Lab

MIB = 2**20
MICRO = 1e6
_ES256 = ec.ECDSA(hashes.SHA256())


def figure(what: str, samples: Sequence[float], unit: str, **more: Any) -> Figure:
    """Make a figure of several samples: the median, with the least beside it."""
    return Figure(what=what, value=statistics.median(samples), best=min(samples), unit=unit, **more)


def fresh_python(*arguments: str) -> str:
    """Run a new interpreter and return what it printed; LabError if it failed."""
    command = [sys.executable, *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        last = "\n".join(ran.stderr.splitlines()[-5:])
        raise LabError(f"python {arguments[0]} {arguments[1]} failed.", f"It last wrote:\n{last}")
    return ran.stdout


def fresh_json(code: str) -> Any:
    """Run code in a new interpreter and return what it printed as JSON."""
    return json.loads(fresh_python("-c", code))


def seconds(work: Callable[[], object]) -> float:
    """Return how long something took by the clock on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in all its threads."""
    if sys.platform == "linux":
        # Its CPU clock (clock_getcpuclockid): psutil's figure comes in steps of ten milliseconds.
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def parent_of(lab: Lab, child: str) -> psutil.Process:
    """Return the preloaded parent that has forked a process of the lab."""
    parent = psutil.Process(lab.estate.process(child).pid).parent()
    assert parent is not None
    return parent


def mebibytes(parent: psutil.Process) -> float:
    """Return the memory of a process and all below it, shared pages counted once."""
    return sum(_bytes(each) for each in [parent, *parent.children(recursive=True)]) / MIB


def _bytes(process: psutil.Process) -> int:
    found = process.memory_full_info()
    # Only Linux shares the cost of a page out; elsewhere, what each process has to itself.
    return int(found.pss if sys.platform == "linux" else found.uss)


class RawVerify:
    """Verify signatures with `cryptography` and nothing around it: what all else is divided by.

    The key is loaded, the signature is in the form that the library takes, and each message has
    its own. Messages are as long as what a DPoP proof signs.
    """

    def __init__(self, algorithm: str = "ES256", count: int = 1000) -> None:
        key: Any = SigningKey.generate(algorithm).private
        self._key: Any = key.public_key()
        self._more = (_ES256,) if algorithm == "ES256" else ()
        messages = [secrets.token_bytes(450) for _ in range(count)]
        self._signed = [(key.sign(message, *self._more), message) for message in messages]
        self._next = 0

    def __call__(self, count: int) -> None:
        """Verify the next `count` signatures, from the beginning again after the last."""
        if self._next + count > len(self._signed):
            self._next = 0
        verify, more = self._key.verify, self._more
        for signature, message in self._signed[self._next : self._next + count]:
            verify(signature, message, *more)
        self._next += count
