"""Run the catalogue of negative tests against a resource server, the user's or the lab's own."""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.probing.own_lab import OwnLab
    from labsim.probing.probe import BlockResult

INCONCLUSIVE = 2
SUMMARY = "Try every row of the catalogue on a resource server, yours or the lab's."
_EPILOG = """
CONFIG is a TOML file that says which URL is probed and with which token and key: docs/probe.md has
an example. Exit status: 0, nothing was accepted that must be refused; 1, something was, or a good
request was refused that must be accepted, and is named; 2, inconclusive, as a good request was not
served, or the configuration cannot be used. Rows of policy, and those that show a limit, never fail
it. It tests this machine only, unless the file names the host and says that you are allowed to.
"""


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="labsim probe", description=SUMMARY, epilog=_EPILOG)
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="what is to be probed (TOML)")
    parser.add_argument("--self", action="store_true", help="probe a lab that is started for it")
    parser.add_argument("--weaken", metavar="PRESET", help="with --self: take its checks out first")
    parser.add_argument("--json", metavar="FILE", help="write every row as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write every row as JUnit XML")
    parser.add_argument(
        "--brief", action="store_true", help="print only rows that came out unexpectedly"
    )
    parser.add_argument("--list", action="store_true", help="say what the catalogue has, and end")
    options = parser.parse_args(arguments)
    if options.list:
        return _list()
    if options.self == bool(options.config) or (options.weaken and not options.self):
        parser.error("name a CONFIG, or give --self; --weaken goes with --self")
    try:
        for file in (options.json, options.junit):
            _must_be_writable(file)
        of_the_lab = options.self
        found, sent = _of_the_lab(options.weaken) if of_the_lab else _of_a_stranger(options.config)
        return _present(found, sent, options)
    except LabError as error:
        # Not 1, as elsewhere: that would say that the server has a fault.
        print(error, file=sys.stderr)
        return INCONCLUSIVE


def _list() -> int:
    """Print sections, rows by document, and with the reason those that are no vectors."""
    from labsim.catalogue.listed import catalogue, rows_by_document, sections

    for section in sections():
        count = len({vector.id for vector in section.vectors})
        print(f"{section.number:>2}. {section.title}: {count} rows, {len(section.vectors)} vectors")
    print(f"\n{len(catalogue())} vectors, a row counted for each server and binding. By document:")
    for document, count in rows_by_document().items():
        print(f"  {document:<30} {count:>4}")
    print("\nProven elsewhere, or not applicable here:")
    for row in (row for section in sections() for row in section.elsewhere):
        where = row.proven or "not applicable"
        print(f"  {row.id}: {row.what} ({row.source}): {row.why}; {where}")
    return 0


def _of_a_stranger(config: str) -> tuple[list[BlockResult], int]:
    from labsim.probing.configuration import load
    from labsim.probing.probe import blocks, for_a_stranger, run
    from labsim.probing.stranger import Stranger

    configuration = load(Path(config))
    vectors = for_a_stranger(configuration.binding, configuration.replay_memory)
    with closing(Stranger(configuration)) as stranger:
        _say(f"Probing {configuration.url}, {configuration.pace} requests a second at most.")
        found = run(blocks(vectors), stranger.good_for, stranger.send, _progress, stranger.means)
        return found, stranger.send.count


def _of_the_lab(preset: str | None) -> tuple[list[BlockResult], int]:
    """Probe both servers of a fresh lab under every binding, without nonces and with them."""
    from labsim.catalogue.listed import catalogue
    from labsim.catalogue.stage import asks_nonces
    from labsim.estate.names import TERMINATOR
    from labsim.probing.own_lab import started
    from labsim.probing.probe import blocks, run

    with started() as own:
        _say(f"Probing the lab's own servers, in {own.lab.run_folder}.")
        every = catalogue()
        how: Any = (own.good_for, own.send, _progress, own.means)
        role = _role_of(own, preset) if preset else ""
        with _weakened(own, role, preset):
            found = run(blocks(v for v in every if not asks_nonces(v)), *how)
        own.ask_for_nonces()
        # A proxy stands in a variant of its own, and there is no other way to put nonces there.
        with _weakened(own, role, preset if role != TERMINATOR else None):
            found += run(blocks(filter(asks_nonces, every)), *how)
        return found, own.send.count


@contextmanager
def _weakened(own: OwnLab, role: str, preset: str | None) -> Iterator[None]:
    """Let a role make a preset's mistake until the block ends."""
    if preset is None:
        yield
        return
    lab: Any = own.lab
    with lab.weakened(role, preset=preset):
        own.forget_tokens()
        yield
    own.forget_tokens()


def _role_of(own: OwnLab, preset: str) -> str:
    """Return the name of the role that a preset is for; a proxy is put there first.

    LabError for a preset that does not exist, or that no server can show.
    """
    from labsim.estate.names import AUTHORIZATION_SERVER, TERMINATOR
    from labsim.probing.own_lab import RESOURCE

    if not hasattr(own.lab, "weakened"):
        todo = "Run it without --weaken."
        raise LabError("This lab has no weakened presets.", "Nothing was probed.", todo)
    known = importlib.import_module("labsim.preset")
    made = known.presets()
    if preset not in made:
        raise LabError.unknown("preset", preset, made)
    role = made[preset].role
    if role is known.Role.CLIENT:
        raise LabError(
            f"The preset {preset} is for a client, and a probe is sent to servers.",
            "Nothing was probed.",
            "Run it as demo --weaken does.",
        )
    if role is known.Role.PROXY:
        own.vary("proxy_strips")
        return TERMINATOR
    return AUTHORIZATION_SERVER if role is known.Role.AUTHORIZATION_SERVER else RESOURCE


def _progress(result: BlockResult) -> None:
    done = len(result.results)
    _say(f"  {result.block.name}: {done} rows{'' if not result.failed_control else ', in doubt'}")


def _present(found: list[BlockResult], sent: int, options: argparse.Namespace) -> int:
    from labsim.probing import findings

    width = min(max(shutil.get_terminal_size((100, 24)).columns, 72), 140)
    print(findings.table(found, width, every_row=not options.brief))
    print()
    print(findings.summary(found, sent))
    if options.json:
        _write(options.json, json.dumps(findings.as_json(found, sent), indent=1) + "\n")
    if options.junit:
        _write(options.junit, findings.as_junit(found))
    return findings.exit_status(found)


def _must_be_writable(file: str | None) -> None:
    """Say so before anything is sent: an hour of rows would have nowhere to go."""
    if file is not None and not Path(file).resolve().parent.is_dir():
        todo = "Make it, or name another file."
        raise LabError(f"There is no folder for {file}.", "Nothing was sent.", todo)


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        todo = "The table above is all there is; name another file and run it again."
        raise LabError(f"{file} cannot be written: {error.strerror}.", todo=todo) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
