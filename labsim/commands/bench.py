"""Measure what the lab costs, against what it should cost, and write the figures down.

A benchmark is a file in benchmarks/ with a TITLE and `measure(quick)`, which returns figures. A
target is a wish, not a test: a missed one is marked, and the run still ends well.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import ssl
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, cast

from labsim.commands._checkout import ROOT
from labsim.errors import LabError

SUMMARY = "Measure what the lab costs, and write the figures down."
FOLDER = ROOT / "benchmarks"
_HEADINGS = ("what", "measured", "best", "against", "target", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold one figure: what was measured, against what, and what it should be at most.

    `value` is the median and `best` the least of several, `ratio` is `value` as a multiple of what
    `against` names. `target` bounds the ratio, or the value where there is none.
    """

    what: str
    value: float
    unit: str
    best: float | None = None
    against: str = ""
    ratio: float | None = None
    target: float | None = None

    @property
    def verdict(self) -> str:
        """Return `met` or `missed`; empty where there is no target."""
        if self.target is None:
            return ""
        judged = self.value if self.ratio is None else self.ratio
        return "met" if judged <= self.target else "missed"


class Benchmark(Protocol):
    """Be one file of benchmarks/."""

    TITLE: str

    def measure(self, quick: bool) -> list[Figure]:
        """Measure; with fewer rounds if it is to be quick. Raises LabError if it cannot."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what one benchmark found, or why it could not measure."""

    title: str
    figures: list[Figure]
    failure: str = ""


def main(arguments: list[str]) -> int:
    """Run the benchmarks; exit 1 only if one of them could not measure."""
    parser = argparse.ArgumentParser(prog="labsim bench", description=SUMMARY)
    parser.add_argument("--out", default="out", metavar="DIR", help="where bench.json goes (out)")
    parser.add_argument("--only", action="append", metavar="NAME", help="one of them; repeatable")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, so rougher figures")
    options = parser.parse_args(arguments)
    chosen = chosen_from(names_in(FOLDER), options.only)
    file = Path(options.out) / "bench.json"
    found: dict[str, Measured] = {}
    facts = machine()
    for name in chosen:
        found[name] = _measured(name, options.quick)
        write(file, facts, options.quick, found)
    print(table(found), end="\n\n")
    print(_last_line(found, file))
    return 1 if any(each.failure for each in found.values()) else 0


def names_in(folder: Path) -> list[str]:
    """Return the names of the benchmarks; LabError where the folder is missing."""
    names = sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_"))
    if not names:
        raise LabError(
            f"There are no benchmarks in {folder}.",
            todo="Run them from a checkout of the lab: they are no part of the package.",
        )
    return names


def chosen_from(names: list[str], wanted: Iterable[str] | None) -> list[str]:
    """Return the names that were asked for, all if none; LabError for one that does not exist."""
    asked = list(wanted or ())
    for name in asked:
        if name not in names:
            raise LabError.unknown("benchmark", name, names)
    return [name for name in names if not asked or name in asked]


def _measured(name: str, quick: bool) -> Measured:
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    benchmark = cast(Benchmark, importlib.import_module(f"{FOLDER.name}.{name}"))
    print(f"Measuring: {benchmark.TITLE} ...", file=sys.stderr, flush=True)
    try:
        return Measured(benchmark.TITLE, benchmark.measure(quick))
    except LabError as error:
        return Measured(benchmark.TITLE, [], str(error))


def machine() -> dict[str, Any]:
    """Return on what the figures were measured."""
    packages = ("cryptography", "pyjwt", "h11", "mitmproxy")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "load_before": list(os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        **{name: version(name) for name in packages},
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def write(file: Path, facts: Mapping[str, Any], quick: bool, found: Mapping[str, Measured]) -> None:
    """Write everything that was found so far as JSON; LabError if it cannot be written."""
    benchmarks = {
        name: {
            "title": each.title,
            "failure": each.failure,
            "figures": [{**asdict(f), "verdict": f.verdict} for f in each.figures],
        }
        for name, each in found.items()
    }
    text = json.dumps({"machine": facts, "quick": quick, "benchmarks": benchmarks}, indent=2)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"The figures cannot be written to {file}: {error.strerror}.",
            todo="Make room, or name another folder with --out.",
        ) from error


def table(found: Mapping[str, Measured]) -> str:
    """Return every figure as one table, a block for each benchmark."""
    rows = {name: [_cells(figure) for figure in each.figures] for name, each in found.items()}
    every = [_HEADINGS, *(row for block in rows.values() for row in block)]
    widths = [max(len(row[column]) for row in every) for column in range(len(_HEADINGS))]
    lines = [_line(_HEADINGS, widths)]
    for name, each in found.items():
        lines += ["", f"{name}: {each.title}"]
        lines += [_line(row, widths) for row in rows[name]]
        if each.failure:
            lines.append(f"  not measured: {each.failure}")
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    against, target = figure.against, ""
    if figure.ratio is not None:
        against = f"{_number(figure.ratio)} x {figure.against}"
    if figure.target is not None:
        unit = "x" if figure.ratio is not None else figure.unit
        target = f"at most {_number(figure.target)} {unit}".rstrip()
    best = "" if figure.best is None else _number(figure.best)
    measured = f"{_number(figure.value)} {figure.unit}".rstrip()
    return figure.what, measured, best, against, target, figure.verdict


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  " + "  ".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip()


def _last_line(found: Mapping[str, Measured], file: Path) -> str:
    figures = [figure for each in found.values() for figure in each.figures]
    missed = sum(figure.verdict == "missed" for figure in figures)
    met = sum(figure.verdict == "met" for figure in figures)
    return f"{met} targets met, {missed} missed. The figures are in {file}."
