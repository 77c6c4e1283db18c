"""Mutated requests by the thousand: what each was answered, and why those that were served were.

    python -m benchmarks.fuzz --requests 1000000 --seed 1     # for each binding
    python -m benchmarks.fuzz --binding dpop --block 17       # one block again, with its findings
    python -m benchmarks.fuzz --binding dpop --block 17 --without jti_is_new    # does it notice?

A run is made of blocks; each finished one is a line in `--out`, and is not run again. Exit 1 if
there is a finding: an exception, a status of 500, a decision without a reason, a served mutant that
a second reading of it cannot explain, or a good request in between that is not served.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._fuzzing.blocks import SIZE, Tally, run_block
from benchmarks._fuzzing.explained import KINDS
from labsim.commands.bench import Figure
from labsim.errors import LabError
from tests.wiring import BINDINGS

TITLE = "Mutated requests at the roles, in process"
SEED = 1
FEW, FEWER = 4000, 1000


def measure(quick: bool) -> list[Figure]:
    """Send some mutants of each binding; LabError that shows the first finding, if there is one."""
    count, figures = FEWER if quick else FEW, []
    for binding in BINDINGS:
        began = time.perf_counter()
        tally = run_block(binding, SEED, 0, count)
        took = time.perf_counter() - began
        if tally.findings:
            first = tally.findings[0]
            raise LabError(
                f"{binding}: {len(tally.findings)} findings; the first: {first['why']}",
                f"It was {first['kind']} after {', '.join(first['mutations'])}.",
                f"python -m benchmarks.fuzz --binding {binding} --block 0 shows them all.",
            )
        figures.append(Figure(what=f"{binding}: decided", value=count / took, unit="per second"))
        share = 100 * sum(n for o, n in tally.outcomes.items() if o.endswith(": served")) / count
        figures.append(Figure(what=f"{binding}: served, each explained", value=share, unit="%"))
    return figures


def main(arguments: list[str]) -> int:
    """Run what is missing of a run, and print what all of it found."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.fuzz", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--requests", type=int, default=SIZE, help="mutants for each binding")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--binding", choices=BINDINGS, action="append", help="repeatable; all")
    parser.add_argument("--block", type=int, help="run this block alone and show its findings")
    parser.add_argument("--without", action="append", default=[], help="with --block: a check")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz.jsonl"), metavar="FILE")
    options = parser.parse_args(arguments)
    bindings = options.binding or list(BINDINGS)
    if options.block is not None:
        where = options.seed, options.block, SIZE, options.without
        found = [run_block(binding, *where).findings for binding in bindings]
        print(json.dumps([each for block in found for each in block], indent=1))
        return int(any(found))
    whole = Tally()
    for binding, tally in run(bindings, options.seed, options.requests, options.out):
        print(summary(binding, tally))
        whole.findings += tally.findings
    return int(bool(whole.findings))


def run(bindings: list[str], seed: int, requests: int, file: Path) -> Iterator[tuple[str, Tally]]:
    """Yield what each binding's blocks found, after running those that the file does not have."""
    file.parent.mkdir(parents=True, exist_ok=True)
    blocks = -(-requests // SIZE)
    for binding in bindings:
        done = _done(file, binding, seed)
        for number in range(blocks):
            if number not in done:
                done[number] = run_block(binding, seed, number).to_json()
                line = {"binding": binding, "seed": seed, "block": number, **done[number]}
                with file.open("a") as opened:
                    opened.write(json.dumps(line) + "\n")
                print(f"{binding} {number + 1}/{blocks}", end="\r", file=sys.stderr, flush=True)
        tally = Tally()
        for number in range(blocks):
            tally.add(done[number])
        yield binding, tally


def _done(file: Path, binding: str, seed: int) -> dict[int, dict[str, Any]]:
    lines = file.read_text().splitlines() if file.exists() else []
    found = [json.loads(line) for line in lines]
    return {b["block"]: b for b in found if (b["binding"], b["seed"]) == (binding, seed)}


def summary(binding: str, tally: Tally) -> str:
    """Return the outcomes of a binding as Markdown."""
    lines = [f"## {binding}", ""]
    lines += [
        f"{tally.requests:,} mutants, {tally.controls:,} good requests in between, all served."
    ]
    lines += ["", "| outcome | requests |", "|---|---|"]
    by_reason: dict[str, int] = {}
    for outcome, count in tally.outcomes.items():
        reason = outcome if outcome.startswith("wire") else outcome.partition(": ")[2]
        by_reason[reason] = by_reason.get(reason, 0) + count
    lines += [f"| {o} | {n:,} |" for o, n in sorted(by_reason.items(), key=lambda item: -item[1])]
    lines += ["", "| served, because of | requests | source |", "|---|---|---|"]
    lines += [f"| {kind} | {n:,} | {KINDS[kind]} |" for kind, n in tally.kinds.most_common()]
    lines += ["", f"Findings: {len(tally.findings)}.", ""]
    for finding in tally.findings[:5]:
        lines += [f"- {finding['kind']}, {finding['mutations']}: {finding['why'][-300:]}"]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
