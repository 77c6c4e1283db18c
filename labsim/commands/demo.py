"""The main job: steal every token, replay it in every way, and say what came of it."""

from __future__ import annotations

import argparse
import platform
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from labsim.errors import LabError

if TYPE_CHECKING:
    from labsim.estate.plan import Plan
    from labsim.lab import Lab
    from labsim.measuring.main_job import Measured
    from labsim.rounds import Findings, Round
    from labsim.stories.oracle import Cell, Difference, Row
    from labsim.stories.results import Results

TABLES = ("attempts.csv", "events.jsonl")
RESULTS = (*TABLES, "matrix.svg", "blast_radius.svg", "variants.svg", "report.html")
FOLLOWED = tuple(
    f"{name}.{kind}"
    for name in ("over_time", "rollout", "time_to_alarm")
    for kind in ("svg", "csv")
)
"""What is not written where an estate cannot be followed over lab time."""
SUMMARY = "Steal tokens, replay them, and show what was served and what was refused."
DEFAULT_SEED = 4127
LEAST_TOKEN_SECONDS = 60
"""A stolen token must live until it has been replayed in every way, on a slow machine as well."""


def main(arguments: list[str]) -> int:
    """Run the command; exit 0 only if every outcome is the expected one."""
    parser = argparse.ArgumentParser(prog="labsim demo", description=SUMMARY)
    parser.add_argument("--out", default="out", metavar="DIR", help="where the results go (out)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the order of the replays")
    parser.add_argument("--estate", metavar="FILE", help="your own: see docs/estate-format.md")
    parser.add_argument("--weaken", metavar="PRESET", help="one scene: see docs/museum.md")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    out = Path(options.out)
    if options.weaken is not None:
        from labsim.commands import _museum

        return _museum.room(options.weaken, out / "weakened" / options.weaken, options.estate)
    plan = _plan(options.estate)
    with opened_results(out) as results:
        return _run(plan, out, results, options.seed)


def _plan(file: str | None) -> Plan:
    """Load the estate, before an earlier run's results are removed; LabError if it cannot be."""
    from labsim.estate import plan as plans

    plan = plans.load(Path(file) if file is not None else None)
    if plan.token_seconds < LEAST_TOKEN_SECONDS:
        raise LabError(
            f"{file}, token_seconds: a token of {plan.token_seconds} s may end before it is "
            "replayed, and then its end is all that the run shows.",
            "Nothing was started.",
            f"Write {LEAST_TOKEN_SECONDS} or more for the main job.",
        )
    return plan


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def opened_results(out: Path) -> AbstractContextManager[Results]:
    """Open the folder that results are written to; raises LabError if it cannot be used."""
    from labsim.stories.results import written

    return written(out, (*RESULTS, *FOLLOWED))


def _run(plan: Plan, out: Path, results: Results, seed: int) -> int:
    import labsim
    from labsim import rounds
    from labsim.estate import plan as plans
    from labsim.measuring import main_job
    from labsim.stories import oracle

    began = time.monotonic()
    expected = oracle.load(plans.DATA / "expected_outcomes.csv")
    is_own = plan.file != plans.DATA / "estate.toml"
    with labsim.start(plan.file, quiet=True) as lab:
        _say(
            f"The estate runs: {len(lab.plan.resources)} resource servers, an authorization "
            f"server, {len(lab.plan.clients)} clients and an attacker, in {lab.run_folder}."
        )
        chosen = rounds.rounds(lab.plan)
        lab.attacker.on_attempt = results.attempt
        with _progress(lab, chosen) as progress:

            def step(each: Round, made: int) -> None:
                results.events(lab.events())
                progress(each, made)

            try:
                findings = rounds.run(lab, chosen, seed, step)
            finally:
                results.events(lab.events())
        for name in lab.estate.ended():
            _say(f"The process {name} ended in mid-run: what it did not answer is unreachable.")
        compared = oracle.comparable(lab.attacker.rows, plan)
        differences = oracle.differences(compared, expected, whole=not is_own)
    measured = main_job.measure(plan, _say)
    _present(lab, findings, measured, out, seed)
    if is_own:
        _present_own(lab, compared, expected)
    took = time.monotonic() - began
    return _verdict(results, findings, differences, measured, out, took)


def _present_own(lab: Lab, compared: list[Row], expected: Mapping[Cell, Cell]) -> None:
    """Say what the estate lost as it is written down, and what it is compared with."""
    from labsim.stories import oracle
    from labsim.stories.as_written import as_written_text

    handle = lab.attacker
    print(as_written_text(lab.plan, handle.rows, handle.exposed, _width()), end="\n\n")
    lines = len({tuple(str(row[name]) for name in oracle.CELL) for row in compared})
    print(
        f"An estate of your own is compared in one direction: each of its {lines} cells with the "
        f"line that data/expected_outcomes.csv has for it, of {len(expected)}."
    )
    left_out = len(handle.rows) - len(compared)
    if left_out:
        print(
            f"{left_out} attempts have no line there: with a client's credential whose key is that "
            "of its tokens and lies in no file, or that is worth nothing without a refresh token."
        )


@contextmanager
def _progress(lab: Lab, chosen: list[Round]) -> Iterator[Any]:
    """Show how far the run is: a bar on a terminal, a line for each story elsewhere."""
    from tqdm import tqdm

    from labsim.rounds import attempts_in
    from labsim.thief import REPLAYS

    total = sum(attempts_in(lab.plan, each, len(REPLAYS)) for each in chosen)
    told: set[str] = set()
    with tqdm(total=total, unit=" attempts", disable=not sys.stderr.isatty(), leave=False) as bar:

        def progress(each: Round, made: int) -> None:
            bar.set_description(f"{each.client}, {each.binding}, {each.theft}", refresh=False)
            bar.update(made)
            if bar.disable and each.story not in told:
                told.add(each.story)
                _say(f"Stealing from {each.client}: {lab.plan.stories[each.story].title}")

        yield progress


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _present(lab: Lab, findings: Findings, measured: Measured, out: Path, seed: int) -> None:
    """Print the matrix, the blast radius and what followed; write the charts and the report."""
    import pandas as pd

    from labsim.blast.measured import blast_radius
    from labsim.charts import blast_radius as bars
    from labsim.charts import findings as sentences
    from labsim.charts import matrix, variants
    from labsim.stories.held_back import held_back, held_back_text
    from labsim.stories.refused_handshakes import with_their_events
    from labsim.stories.report import report_html
    from labsim.stories.tables import blast_text, matrix_text
    from labsim.stories.variant_table import variants_text

    attempts = lab.attempts()
    holder = pd.DataFrame(findings.holder)
    reachable = {client: lab.plan.within_reach(client) for client in lab.plan.clients}
    handle = lab.attacker
    blast = blast_radius(attempts, handle.exposed, handle.read_in_passing, reachable)
    blast = sentences.with_victims(blast, findings.robbed)
    how: Any = {"encoding": sys.stdout.encoding or "utf-8", "width": _width()}
    held = held_back(handle.holding.rows, handle.rows)
    _paragraph(matrix_text(attempts, holder, **how))
    _paragraph(blast_text(blast, **how))
    _paragraph(variants_text(attempts, **how))
    _paragraph(held_back_text(held, width=how["width"]))
    _paragraph(measured.text(how["width"]))
    drawn = {
        "matrix": matrix.picture(attempts, holder),
        "blast_radius": bars.picture(blast),
        "variants": variants.picture(attempts),
    }
    for name, picture in drawn.items():
        picture.save(out / f"{name}.svg")
    measured.save(out)
    exchanges = with_their_events(handle.rows, handle.exchanges, lab.events())
    charts = [*drawn.values(), *measured.pictures.values()]
    more: Any = {"charts": charts, "facts": _facts(seed), "held": held}
    report = report_html(attempts, blast, holder, exchanges, **more)
    (out / "report.html").write_text(report, encoding="utf-8")


def _paragraph(text: str) -> None:
    if text:
        print(text, end="\n\n")


def _width() -> int:
    """Return how wide the terminal is, within what can be read; 100 where there is none."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 72), 140)


def _facts(seed: int) -> dict[str, str]:
    """Return how the figures were measured."""
    packages = ("cryptography", "pyjwt", "mitmproxy")
    return {
        "Measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "Seed (order of the replays)": str(seed),
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _verdict(
    results: Results,
    findings: Findings,
    differences: list[Difference],
    measured: Measured,
    out: Path,
    took: float,
) -> int:
    """Say whether all came out as expected, name what did not, and return the exit status."""
    print(
        f"{results.count} attempts in {took:.1f} s. Look at {out / 'report.html'}; the rows are in "
        f"{out / 'attempts.csv'}, the servers' own events in {out / 'events.jsonl'}."
    )
    for row in findings.holders_refused:
        print(
            f"The holder itself was not served: {row['client']} at {row['resource']} "
            f"({row['binding']}, {row['when']} {row['theft']}): {row['outcome']} {row['why']}"
        )
    if differences:
        print(f"{len(differences)} cells differ from data/expected_outcomes.csv:")
        for difference in differences:
            print(f"  {difference}")
    for fault in measured.faults:
        print(fault)
    if differences or findings.holders_refused or measured.faults:
        return 1
    print("Every outcome is the one that data/expected_outcomes.csv has from the documents.")
    return 0
