"""Make `.venv/` with everything the lab needs; do nothing, quickly, if it is there.

Runs on any python3 from 3.8 on. The environment is complete exactly when its stamp is there: the
stamp is the last thing written, so a set-up that was interrupted is begun anew by the next one.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from labsim.commands._checkout import Checkout
from labsim.commands._interpreter import dotted, find_interpreter, uv
from labsim.errors import LabError

SUMMARY = "Make .venv/ with everything the lab needs; do nothing if it is there."
# `.venv/` is 0.9 GB with its byte code; the installer keeps downloads beside it for a while.
NEEDED_BYTES = 1500 * 10**6

_NO_ROOM = ("No space left on device", "Disk quota exceeded")
_WRONG_HASH = ("DO NOT MATCH THE HASHES", "ash mismatch")
_NOT_GOT = (
    # pip, which says the first whether the registry was silent or did not have the package
    "No matching distribution found",
    "Connection broken",
    "Read timed out",
    "HTTP error",
    # uv
    "Failed to fetch",
    "error sending request",
    "No solution found",
    "Failed to download",
)


class _StepFailed(Exception):
    """Say which step failed; what it printed is in the log."""


def main(arguments: list[str]) -> int:
    """Set up, and return 0; whatever prevents it is a LabError of one line."""
    parser = argparse.ArgumentParser(prog="labsim setup", description=SUMMARY)
    parser.add_argument("--quiet", action="store_true", help="say nothing if all is there")
    quiet = parser.parse_args(arguments).quiet
    if set_up(Checkout()) or not quiet:
        _say("everything is in .venv/.")
    return 0


def set_up(checkout: Checkout) -> bool:
    """Make the environment of a checkout; return False if it was there."""
    if sys.platform == "win32":
        raise LabError("Native Windows is not supported: use the lab inside WSL.")
    try:
        if checkout.is_ready:
            return False
        with _alone(checkout.root) as lock:
            # Whoever was first may have made it while this one waited.
            return False if checkout.is_ready else _make(checkout, lock)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room(checkout) from error
        raise LabError(
            f"Set-up cannot use {error.filename or checkout.root}: {error.strerror}.",
            todo="Mend that and run 'make setup' again.",
        ) from error


def _make(checkout: Checkout, lock: int) -> bool:
    began = time.monotonic()
    update = checkout.is_only_older
    interpreter = find_interpreter()
    # What is complete is updated in place: without a network the old one then still works.
    # Anything else was interrupted, moved or lost its interpreter.
    stamp = checkout.found_stamp if update else ""
    if update:
        checkout.stamp.unlink()
    else:
        _remove(checkout.venv)
    if shutil.disk_usage(str(checkout.root)).free < NEEDED_BYTES:
        raise _no_room(checkout)
    _say(f"Python {dotted(interpreter.version)}, {interpreter.path}")
    with checkout.log.open("wb") as log:
        run = _runner(log, lock)
        try:
            if not update:
                run("venv", [interpreter.path, "-m", "venv", "--without-pip", str(checkout.venv)])
            _install(checkout, run)
        except _StepFailed as step:
            error, mended_by_waiting = _explain(checkout, str(step))
            if update and mended_by_waiting:
                checkout.stamp.write_text(stamp, encoding="utf-8")
            raise error from None
        _make_importable(checkout)
        _compile(checkout, run)
    checkout.stamp.write_text(checkout.wanted_stamp, encoding="utf-8")
    checkout.log.unlink()
    _say(f"done in {time.monotonic() - began:.0f} s.")
    return True


def _install(checkout: Checkout, run: Callable[[str, list[str]], None]) -> None:
    """Install the lock with uv, or with pip where uv is not or knows no way to the packages."""
    count = sum("==" in line for line in checkout.lock.read_text(encoding="utf-8").splitlines())
    # Wheels only: building would run code, and fetch builders, that no hash of the lock names.
    wanted = ["--require-hashes", "--only-binary", ":all:", "-r", str(checkout.lock)]
    python = str(checkout.python)
    found_uv = uv()
    if found_uv:
        _say(
            f"installing {count} packages with uv (seconds, or a minute or two the first time) ..."
        )
        try:
            run("uv", [found_uv, "pip", "install", "--python", python, *wanted])
            return
        except _StepFailed as step:
            if not _explain(checkout, str(step))[1]:
                raise
            # pip may be told of a mirror that uv has not heard of.
            _say("uv did not get them; trying pip ...")
    else:
        _say(f"installing {count} packages with pip (a minute or two; uv would be faster) ...")
    run("ensurepip", [python, "-m", "ensurepip", "--upgrade", "--default-pip"])
    run("pip", [python, "-m", "pip", "install", "--no-compile", "--no-input", *wanted])


def _make_importable(checkout: Checkout) -> None:
    """Put the checkout on the environment's path, as an editable install of it would.

    Not by `-e .` itself: that fetches a build backend which the lock does not name, and it was
    the one step that differed between uv and pip.
    """
    for folder in checkout.venv.glob("lib/python3*/site-packages"):
        (folder / "labsim.pth").write_text(f"{checkout.root}\n", encoding="utf-8")


def _compile(checkout: Checkout, run: Callable[[str, list[str]], None]) -> None:
    """Byte-compile everything; without it each start is three to four times slower.

    uv does not by itself, and pip and Python do not where PYTHONDONTWRITEBYTECODE is set.
    """
    _say("compiling ...")
    folders = [str(checkout.venv / "lib"), str(checkout.root / "labsim")]
    # Packages carry a few files that are templates or for another Python: those fail, rightly.
    with contextlib.suppress(_StepFailed):
        run("compileall", [str(checkout.python), "-m", "compileall", "-q", "-j", "0", *folders])


def _runner(log: BinaryIO, lock: int) -> Callable[[str, list[str]], None]:
    """Return a function that runs one step, with all that it prints in the log."""
    blocked = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_USER", "PIP_TARGET")
    environment = {name: value for name, value in os.environ.items() if name not in blocked}
    environment["PIP_USER"] = "0"

    def run(step: str, command: list[str]) -> None:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A step that outlives a killed set-up keeps the next one waiting, not colliding.
            pass_fds=(lock,),
            check=False,
        )
        if done.returncode != 0:
            raise _StepFailed(step)

    return run


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[int]:
    """Hold the checkout, so that two set-ups (two terminals, say) do not mix."""
    import fcntl  # not on native Windows, which gets an answer of its own

    lock = os.open(str(root), os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another set-up is running here; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _explain(checkout: Checkout, step: str) -> tuple[LabError, bool]:
    """Make one line of a failed step, and say whether trying elsewhere or later may mend it."""
    text = checkout.log.read_text(encoding="utf-8", errors="replace").rpartition("\n$ ")[2]
    details = f"Details: {checkout.log}"
    if any(words in text for words in _NO_ROOM):
        return _no_room(checkout), False
    if any(words in text for words in _WRONG_HASH):
        what = "A package that was offered is not the one that requirements.lock names."
        return LabError(
            what, "It was not installed.", f"Ask why before you go on. {details}"
        ), False
    if step == "ensurepip":
        what = "This Python comes without pip."
        todo = f"Install uv, or Debian's python3-venv package, and run 'make setup'. {details}"
        return LabError(what, todo=todo), False
    if any(words in text for words in _NOT_GOT):
        what = f"{step} did not get the packages: the registry does not answer, or lacks one."
        todo = "Connect to the network, or set your mirror in the settings of pip or uv, and run"
        return LabError(what, todo=f"{todo} 'make setup' again. {details}"), True
    return LabError(f"Set-up failed at {step}.", todo=details), False


def _no_room(checkout: Checkout) -> LabError:
    free = shutil.disk_usage(str(checkout.root)).free
    return LabError(
        f"No room on the disk: {free / 1e9:.1f} GB are free where {checkout.root} lies, "
        f"{NEEDED_BYTES / 1e9:.1f} GB are needed.",
        todo="Free some and run 'make setup' again.",
    )


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(str(folder))


def _say(what: str) -> None:
    print(f"Set-up: {what}", flush=True)
