"""Say what is here and what is missing, one line each, and what to do about it.

Runs on any python3 from 3.8 on, before set-up too: then it looks at the Python that runs it, and
says that set-up is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from labsim.commands._checkout import Checkout
from labsim.commands._interpreter import OLDEST, dotted
from labsim.commands.setup import NEEDED_BYTES

SUMMARY = "Say what is here, what is missing, and what to do about it."
OK, MISSING, OPTIONAL = "ok", "missing", "optional"

# A run writes logs, events and an SQLite file or two.
_RUN_BYTES = 200 * 10**6
# The estate takes 0.15 GB, one kernel with pandas 0.2, JupyterLab 0.1.
_MEMORY_BYTES = 10**9
_FOR_FULLER_TESTS = {
    "chromium": "the tests in a real browser",
    "redis-server": "tests against a real store for replay memory",
    "softhsm2-util": "tests with a key in a PKCS #11 token",
    "curl": "tests with a client that nobody here wrote",
}
_PKCS11 = "python-pkcs11"
# It takes three; a laptop that wakes up forty at once may take longer.
_SEAT_SECONDS = 120
_DATA = ("estate.toml", "expected_outcomes.csv", "records")

# Asked of the Python that the lab runs on, which need not be the one that runs this.
_PROBE = """
import importlib.metadata as metadata, json, ssl, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps({"version": sys.version_info[:3], "executable": sys.executable,
                  "openssl": ssl.OPENSSL_VERSION, "tls13": ssl.HAS_TLSv1_3, "packages": found}))
"""


class Finding(NamedTuple):
    """One line of the report: what was looked at, how it stands, and what to do."""

    name: str
    mark: str
    found: str
    todo: str = ""


def main(arguments: list[str]) -> int:
    """Report; return 0 if the lab can run here and 1 if not."""
    parser = argparse.ArgumentParser(prog="labsim doctor", description=SUMMARY)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    # It goes on in a file of its own, for what is below must run before set-up.
    parser.add_argument(
        "--seat", action="store_true", help="boot, steal, replay, and say in one line how it went"
    )
    options = parser.parse_args(arguments)
    if options.seat:
        return seat(Checkout())
    findings = examine(Checkout())
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        print(_as_lines(findings))
    return 1 if any(finding.mark == MISSING for finding in findings) else 0


def seat(checkout: Checkout) -> int:
    """Try whether the lab works at this seat; print one line, and return 0 if it does."""
    missing = [finding for finding in examine(checkout) if finding.mark == MISSING]
    if missing:
        first = missing[0]
        todo = f"; {first.todo}" if first.todo else ""
        print(f"seat not ok: {first.name}: {first.found}{todo}.")
        return 1
    python = checkout.python if checkout.python.exists() else Path(sys.executable)
    command = [str(python), "-m", "labsim.commands._seat"]
    try:
        done = subprocess.run(
            command,
            cwd=str(checkout.root),
            capture_output=True,
            check=False,
            timeout=_SEAT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        print(f"seat not ok: {error}; run 'make doctor'.")
        return 1
    said = done.stdout.decode("utf-8", "replace").strip()
    if not said:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
        said = f"seat not ok: the lab said {last}; run 'make setup'."
    print(said)
    return done.returncode


def examine(checkout: Checkout) -> list[Finding]:
    """Look at everything, and return what was found."""
    wanted = dependencies(checkout)
    python = checkout.python if checkout.python.exists() else Path(sys.executable)
    facts = _ask(python, [*wanted, _PKCS11])
    packages = [_package(name, need, facts["packages"].get(name)) for name, need in wanted.items()]
    complete = all(package.mark == OK for package in packages)
    return [
        _platform(),
        _python(facts),
        _set_up(checkout, complete),
        *packages,
        _openssl(facts),
        _listener(),
        _disk(checkout),
        _temporary_folder(),
        _memory(),
        *(_data(checkout, name) for name in _DATA),
        *(_program(name, use) for name, use in _FOR_FULLER_TESTS.items()),
        _token_signer(facts),
    ]


def dependencies(checkout: Checkout) -> dict[str, str]:
    """Read the lab's own dependencies from pyproject.toml, without tomllib (3.11 and newer)."""
    try:
        text = (checkout.root / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return {}
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r'^\s*"([\w.-]+)([^"]*)"', block.group(1) if block else "", re.MULTILINE)
    return dict(lines)


def satisfies(version: str, need: str) -> bool:
    """Tell whether a version meets a plain need such as `>=4.6,<5`."""
    have = _numbers(version)
    for operator, bound in re.findall(r"(>=|<|==)([\d.]+)", need):
        limit = _numbers(bound)
        if not {">=": have >= limit, "<": have < limit, "==": have == limit}[operator]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _ask(python: Path, names: list[str]) -> dict:  # type: ignore[type-arg]
    try:
        done = subprocess.run(
            [str(python), "-c", _PROBE, *names], stdout=subprocess.PIPE, check=True, timeout=30
        )
        answer: dict = json.loads(done.stdout.decode("utf-8"))  # type: ignore[type-arg]
    except (OSError, subprocess.SubprocessError, ValueError):
        fault = f"{python} does not run"
        return {"version": (), "executable": fault, "openssl": "", "tls13": False, "packages": {}}
    return answer


def _platform() -> Finding:
    system = platform.system()
    if system == "Linux" and "microsoft" in platform.release().lower():
        system = "WSL"
    if system in ("Linux", "Darwin", "WSL"):
        name = "macOS" if system == "Darwin" else system
        return Finding("platform", OK, f"{name} {platform.release()}, {platform.machine()}")
    return Finding("platform", MISSING, f"{system} is not supported", "use Linux, macOS or WSL")


def _python(facts: dict) -> Finding:  # type: ignore[type-arg]
    version = tuple(facts["version"])
    found = f"{dotted(version)} {facts['executable']}".strip()
    if version >= OLDEST:
        return Finding("python", OK, found)
    return Finding("python", MISSING, found, f"{dotted(OLDEST)} or newer: run 'make setup'")


def _set_up(checkout: Checkout, complete: bool) -> Finding:
    try:
        if checkout.is_ready:
            return Finding("set-up", OK, f"{checkout.venv}")
    except OSError:
        return Finding("set-up", MISSING, f"no {checkout.lock}", "get a whole copy of the lab")
    if not checkout.venv.exists() and complete:
        return Finding("set-up", OK, "no .venv/, and none needed: this Python has everything")
    if checkout.is_only_older:
        older = ".venv/ was made from an older requirements.lock"
        return Finding("set-up", OK if complete else MISSING, older, "run 'make setup'")
    have = ".venv/ is not complete" if checkout.venv.exists() else "no .venv/ yet"
    return Finding("set-up", MISSING, have, "run 'make setup'")


def _package(name: str, need: str, version: str | None) -> Finding:
    if version is None:
        return Finding(name, MISSING, f"not installed, needs {need}", "run 'make setup'")
    if not satisfies(version, need):
        return Finding(name, MISSING, f"{version}, needs {need}", "run 'make setup'")
    return Finding(name, OK, version)


def _openssl(facts: dict) -> Finding:  # type: ignore[type-arg]
    if facts["tls13"]:
        return Finding("openssl", OK, facts["openssl"])
    return Finding("openssl", MISSING, f"{facts['openssl']} without TLS 1.3", "use another Python")


def _listener() -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            socket.create_connection(listener.getsockname(), timeout=5).close()
        return Finding("loopback", OK, "a server on 127.0.0.1 is reached")
    except OSError as error:
        todo = "allow programs to listen on 127.0.0.1"
        return Finding("loopback", MISSING, f"no server on 127.0.0.1: {error.strerror}", todo)


def _disk(checkout: Checkout) -> Finding:
    free = shutil.disk_usage(str(checkout.root)).free
    need = _RUN_BYTES if checkout.venv.exists() else NEEDED_BYTES
    enough = free >= need
    todo = "" if enough else f"free some: {_gigabytes(need)} are needed"
    return Finding("disk", OK if enough else MISSING, f"{_gigabytes(free)} free", todo)


def _temporary_folder() -> Finding:
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - as estate.run_folder has it
    try:
        with tempfile.TemporaryFile(buffering=0, dir=folder) as file:
            file.write(bytes(1 << 18))  # and as much as it must be able to write there
        return Finding("temporary files", OK, folder)
    except OSError as error:
        todo = "set TMPDIR to a folder that you may write to"
        return Finding("temporary files", MISSING, f"cannot write: {error}", todo)


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on native Windows
        return Finding("memory", OPTIONAL, "this system does not tell")
    enough = total >= _MEMORY_BYTES
    todo = "" if enough else f"{_gigabytes(_MEMORY_BYTES)} are needed"
    return Finding("memory", OK if enough else MISSING, f"{_gigabytes(total)} in all", todo)


def _data(checkout: Checkout, name: str) -> Finding:
    path = checkout.root / "data" / name
    here = path.is_file() if path.suffix else path.is_dir() and any(path.iterdir())
    if here:
        return Finding(f"data/{name}", OK, "here")
    return Finding(f"data/{name}", MISSING, "not here", f"restore it: git checkout data/{name}")


def _program(name: str, use: str) -> Finding:
    path = shutil.which(name)
    if path:
        return Finding(name, OK, path)
    return Finding(name, OPTIONAL, "not here", f"only {use} need it; .ci/run installs it")


def _token_signer(facts: dict) -> Finding:  # type: ignore[type-arg]
    name = "PKCS #11 signer"
    if _PKCS11 not in facts["packages"]:
        return Finding(name, OPTIONAL, f"no {_PKCS11}", f"pip install {_PKCS11} for it")
    if not shutil.which("softhsm2-util"):
        return Finding(name, OPTIONAL, "no SoftHSM", "install softhsm2 for it")
    return Finding(name, OK, 'labsim.start(signer="pkcs11")')


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def _as_lines(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        line = f"{finding.mark:<9} {finding.name:<{width}}  {finding.found}"
        lines.append(line + (f" ({finding.todo})" if finding.todo else ""))
    missing = [finding.name for finding in findings if finding.mark == MISSING]
    lines.append(
        f"The lab cannot run yet: {', '.join(missing)}." if missing else "The lab can run."
    )
    return "\n".join(lines)
