"""Run the catalogue of negative tests against a resource server, the user's or the lab's own."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.preset import Preset
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
    parser.add_argument(
        "--weaken", metavar="PRESET", help="with --self: let one role make this mistake"
    )
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
        preset = _preset(options.weaken)
        found, sent = _of_the_lab(preset) if options.self else _of_a_stranger(options.config)
        return _present(found, sent, preset, options)
    except LabError as error:
        # Not 1, as elsewhere: that would say that the server has a fault.
        print(error, file=sys.stderr)
        return INCONCLUSIVE


def _preset(name: str | None) -> Preset | None:
    """Return the preset of this name before anything starts, None for none; or LabError."""
    from labsim.probing.own_probe import preset_named

    return None if name is None else preset_named(name)


def _list() -> int:
    """Print sections, rows by document, and with the reason those that are no vectors."""
    from labsim.catalogue.listed import catalogue, rows_by_document, sections
    from labsim.catalogue.played import PLAYED

    for section in sections():
        count = len({vector.id for vector in section.vectors})
        print(f"{section.number:>2}. {section.title}: {count} rows, {len(section.vectors)} vectors")
    print(f"\n{len(catalogue())} vectors, a row counted for each server and binding. By document:")
    for document, count in rows_by_document().items():
        print(f"  {document:<30} {count:>4}")
    print("\nPlayed on the lab by --self, as they are no change of one request:")
    for played in PLAYED:
        print(f"  {played.id}: {played.what} ({played.source}); the scene of {played.scene}")
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
        found = run(blocks(vectors), stranger.good_for, stranger.send, _progress)
        return found, stranger.send.count


def _of_the_lab(preset: Preset | None) -> tuple[list[BlockResult], int]:
    """Probe both servers of a fresh lab under every binding, without nonces and with them."""
    import labsim
    from labsim.probing import own_probe
    from labsim.probing.own_lab import OwnLab, clients

    with labsim.start(clients=clients(), quiet=True) as lab, closing(OwnLab(lab)) as own:
        _say(f"Probing the lab's own servers, in {lab.run_folder}.")
        return own_probe.probe(lab, own, preset, _progress), own.send.count


def _progress(result: BlockResult) -> None:
    done = len(result.results)
    doubt = ", in doubt" if result.failed_control else ""
    _say(f"  {result.block.name}: {done} {'row' if done == 1 else 'rows'}{doubt}")


def _present(
    found: list[BlockResult], sent: int, preset: Preset | None, options: argparse.Namespace
) -> int:
    from labsim.probing import findings, own_probe

    width = min(max(shutil.get_terminal_size((100, 24)).columns, 72), 140)
    print(findings.table(found, width, every_row=not options.brief))
    print()
    print(findings.summary(found, sent))
    if preset:
        print(own_probe.card(preset, found, width))
    if options.json:
        told = {**findings.as_json(found, sent), "weakened": preset and preset.name}
        _write(options.json, json.dumps(told, indent=1) + "\n")
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
